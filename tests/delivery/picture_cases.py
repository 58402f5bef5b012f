"""Cases of geometry, timestamps, colors, alpha and interlacing."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from tests.delivery import odd_files as odd
from tests.delivery.case import QUICK, Case
from tests.delivery.case import film_case as _film
from tests.delivery.making import FAST, NO_B, P4444, QUIET, RGB, TEN_BITS, VP9, Film, Sound, make
from tests.delivery.odd_files import (
    changed,
    repacked,
)
from tests.field_coding import write_field_pictures
from tests.weaving import interlaced, panned, telecined, write_gray
from vsr_lab.video import ReadOptions
from vsr_lab.video.interlace_detection import Luma


def picture_cases() -> Iterator[Case]:
    """Cases of what files show, and when."""
    for cases in (_geometry, _times, _colors, _interlaced):
        yield from cases()


def _geometry() -> Iterator[Case]:
    film = Film("turned.mp4", options=FAST)
    for name, values in {
        "90": (0, 1, 0, -1, 0, 0, 64, 0, 1),
        "180": (-1, 0, 0, 0, -1, 0, 96, 64, 1),
        "270": (0, -1, 0, 1, 0, 0, 0, 96, 1),
        "mirrored": (-1, 0, 0, 0, 1, 0, 96, 0, 1),
        "flipped": (1, 0, 0, 0, -1, 0, 0, 64, 1),
        "transposed": (0, 1, 0, 1, 0, 0, 0, 0, 1),
    }.items():
        yield Case("rotation, aspect and size", f"turned {name}", changed(film, odd.matrix_patched(values)))
    for text, suffix in (("12/11", ".mp4"), ("40/33", ".mkv"), ("1137/800", ".mov"), ("8/9", ".ts"), ("1/2", ".mkv")):
        aspect = Film(f"par_{text.replace('/', '_')}{suffix}", options=FAST, aspect=Fraction(text))
        yield _film("rotation, aspect and size", aspect)
    for width, height, pixels in (
        (95, 63, "yuv444p"),
        (95, 64, "yuv420p"),
        (96, 63, "yuv422p"),
        (17, 13, "yuv420p"),
        (2, 2, "yuv444p"),
        (640, 8, "yuv420p"),
        (8, 640, "yuv420p"),
    ):
        film = Film(f"{width}x{height}.mkv", codec="ffv1", pixel_format=pixels, size=(width, height), frames=3)
        yield _film("rotation, aspect and size", film)


def _times() -> Iterator[Case]:
    kind, ms = "timestamps", Fraction(1, 1000)
    for film, suffix in (
        (Film("1fps.mp4", options=FAST, rate=Fraction(1), frames=4, sounds=(Sound(),)), ""),
        (Film("half_fps.mp4", options=FAST, rate=Fraction(1, 2), frames=4), ""),
        (Film("1000fps.mp4", options=FAST, rate=Fraction(1000), frames=20), ""),
        (Film("1000fps.mkv", options=FAST, rate=Fraction(1000), frames=20), ""),
        (Film("240fps.mp4", options=FAST, rate=Fraction(240), frames=20), ""),
        (Film("48000_1001.mkv", options=FAST, rate=Fraction(48000, 1001)), ".mp4"),
        (Film("120000_1001.mp4", options=FAST, rate=Fraction(120000, 1001)), ""),
        (Film("12_5.mp4", options=FAST, rate=Fraction(25, 2)), ""),
        (Film("15.avi", options=NO_B, rate=Fraction(15)), ""),
        (Film("24000_1001.avi", options=NO_B, rate=Fraction(24000, 1001)), ""),
        (Film("23976.mkv", options=FAST, rate=Fraction(24000, 1001), frames=48), ".mov"),
        (Film("vfr.mov", options=FAST, times=(0, 500, 1100, 1500, 2000, 2900), frames=6), ""),
        (Film("vfr.webm", codec="libvpx-vp9", options=VP9, times=(0, 41, 90, 125, 230, 300), base=ms, frames=6), ""),
        (Film("vfr.ts", options=FAST, times=(0, 500, 1100, 1500, 2000, 2900), frames=6), ""),
        (
            Film("gap.mkv", options=FAST, times=(0, 40, 80, 9000, 9040, 9080), base=ms, frames=6, sounds=(Sound(),)),
            ".mp4",
        ),
        (Film("start.mp4", options=FAST, start=2.0, sounds=(Sound(),)), ""),
        (Film("start.mov", options=FAST, start=2.0), ".mkv"),
        (Film("start.mkv", options=FAST, start=0.5, sounds=(Sound(),)), ".mov"),
        (Film("hour.mkv", options=FAST, start=3600.0, sounds=(Sound(),)), ""),
        (Film("hour.ts", options=FAST, start=3600.0, sounds=(Sound("mp2"),)), ".mp4"),
        (Film("wrap.ts", options=FAST, start=95443.5, sounds=(Sound("mp2"),)), ".mp4"),
        (Film("one.mkv", options=FAST, frames=1), ".mp4"),
        (Film("one.ts", options=FAST, frames=1), ""),
        (Film("one.webm", codec="libvpx-vp9", options=VP9, frames=1), ""),
        (Film("one.gif", codec="gif", pixel_format="rgb8", frames=1, colors=(2, 2, 2)), ""),
        (Film("two.mkv", options=FAST, frames=2), ".mp4"),
        (Film("fragmented.mp4", options=FAST, muxer={"movflags": "frag_keyframe+empty_moov"}, sounds=(Sound(),)), ""),
        (
            Film("delay_moov.mp4", options=FAST, muxer={"movflags": "frag_every_frame+empty_moov+default_base_moof"}),
            "",
        ),
        (Film("neg_cts.mp4", options=FAST, muxer={"movflags": "negative_cts_offsets"}, sounds=(Sound(),)), ""),
    ):
        yield _film(kind, film, suffix)
    again = changed(
        Film("twice.mkv", codec="ffv1", options={"g": "1"}), odd.boxes_patched(b"\x81\0\xd0\x80", b"\x81\0\xa7\x80")
    )
    yield Case(kind, "a time given twice", again)
    yield Case(
        kind,
        "a frame missing",
        repacked(Film("hole.mkv", codec="ffv1", options={"g": "1"}), lambda n, p: None if n in (4, 5) else p),
    )


def _colors() -> Iterator[Case]:
    kind = "color, bits and alpha"
    for film, suffix in (
        (Film("gamma22.mkv", options=FAST, colors=(5, 4, 5)), ""),
        (Film("gamma28.mp4", options=FAST, colors=(5, 5, 5)), ""),
        (Film("ntsc1953.mkv", options=FAST, colors=(4, 4, 4)), ""),
        (Film("smpte240.mov", options=FAST, colors=(7, 7, 7)), ""),
        (Film("p3_pq.mp4", codec="libx265", pixel_format=TEN_BITS, options=QUIET, colors=(12, 16, 9)), ""),
        (Film("p3_dci.mov", codec="prores_ks", pixel_format="yuv422p10le", colors=(11, 17, 1)), ""),
        (Film("film.mkv", options=FAST, colors=(8, 1, 1)), ""),
        (Film("log.mkv", options=FAST, colors=(1, 9, 1)), ""),
        (Film("xvycc.mp4", options=FAST, colors=(1, 11, 1)), ""),
        (Film("bt2020_12.mkv", codec="libx265", pixel_format="yuv420p12le", options=QUIET, colors=(9, 15, 9)), ""),
        (Film("hlg.mkv", codec="libx265", pixel_format="yuv422p10le", options=QUIET, colors=(9, 18, 9)), ""),
        (Film("hlg.mov", codec="prores_ks", pixel_format="yuv422p10le", colors=(9, 18, 9)), ""),
        (
            Film(
                "pq_av1.mp4",
                codec="libsvtav1",
                pixel_format=TEN_BITS,
                options={"preset": "12", "crf": "15"},
                colors=(9, 16, 9),
            ),
            "",
        ),
        (Film("full_10.mp4", codec="libx265", pixel_format=TEN_BITS, options=QUIET, full=True), ""),
        (Film("full_gray.mkv", codec="ffv1", pixel_format="gray", full=True), ""),
        (Film("gray10.mkv", codec="ffv1", pixel_format="gray10le"), ""),
        (Film("gray16.mkv", codec="ffv1", pixel_format="gray16le", full=True), ""),
        (Film("gray.mp4", options=FAST, pixel_format="gray"), ""),
        (Film("yuv411.mkv", codec="ffv1", pixel_format="yuv411p"), ""),
        (Film("yuv410.mkv", codec="ffv1", pixel_format="yuv410p"), ""),
        (Film("yuv440.mkv", codec="ffv1", pixel_format="yuv440p"), ""),
        (Film("yuv422p12.mkv", codec="ffv1", pixel_format="yuv422p12le"), ""),
        (Film("yuv444p16.mkv", codec="ffv1", pixel_format="yuv444p16le"), ""),
        (Film("rgb10.mkv", codec="ffv1", pixel_format="gbrp10le", colors=RGB), ""),
        (
            Film(
                "rgb_x265.mp4",
                codec="libx265",
                pixel_format="gbrp",
                options={"x265-params": "log-level=none:lossless=1", "preset": "ultrafast"},
                colors=RGB,
                full=True,
            ),
            "",
        ),
        (
            Film(
                "alpha_vp8.webm",
                codec="libvpx",
                pixel_format="yuva420p",
                options={"b:v": "2M", "auto-alt-ref": "0"},
                alpha=True,
            ),
            "",
        ),
        (Film("alpha_vp9.webm", codec="libvpx-vp9", pixel_format="yuva420p", options=VP9, alpha=True), ""),
        (Film("alpha_vp9.mkv", codec="libvpx-vp9", pixel_format="yuva420p", options=VP9, alpha=True), ".mov"),
        (Film("alpha_qtrle.mov", codec="qtrle", pixel_format="argb", alpha=True, colors=(2, 2, 2)), ""),
        (Film("alpha_png.mov", codec="png", pixel_format="rgba", alpha=True, colors=(2, 2, 2)), ""),
        (Film("alpha_png16.mov", codec="png", pixel_format="rgba64be", alpha=True, colors=(2, 2, 2)), ""),
        (Film("alpha_ffv1.mkv", codec="ffv1", pixel_format="yuva422p10le", alpha=True), ""),
        (Film("alpha.apng", codec="apng", pixel_format="rgba", alpha=True, colors=RGB), ".mov"),
        (Film("alpha_cfhd.mov", codec="cfhd", pixel_format="gbrap12le", alpha=True, colors=RGB), ""),
        (Film("monob.avi", codec="rawvideo", pixel_format="monob", rate=Fraction(25), colors=(2, 2, 2)), ""),
    ):
        yield _film(kind, film, suffix)
    deep = Film("alpha_p4444.mov", codec="prores_ks", pixel_format="yuva444p10le", options=P4444, alpha=True)
    yield _film(kind, deep, ".webm", "10 bits become 8; chroma of 4:4:4")
    gray = Film("gray_alpha.mov", codec="png", pixel_format="ya8", alpha=True, colors=(2, 2, 2))
    yield _film(kind, gray, "", "cannot keep these parts of gray_alpha.mov: full range")
    yield Case(
        kind,
        "alpha on black",
        lambda folder: make(deep, folder),
        ".mp4",
        encoding=replace(QUICK, background="black"),
        judged=False,
    )
    yield _film(kind, deep, ".mp4", "the alpha channel \\(set background=")


def _interlaced() -> Iterator[Case]:
    kind, luma = "interlaced and telecined", interlaced(panned(48))
    for name, fields in {
        "top first": luma,
        "bottom first": interlaced(panned(48), False),
        "telecined": telecined(panned(40)),
    }.items():
        source = partial(_gray, name="a.mkv", luma=fields)
        yield Case(kind, name, source, "", "is interlaced|is telecined")
        way = ReadOptions(deinterlace="ivtc" if name == "telecined" else "bwdif")
        yield Case(kind, f"{name}, converted", source, read_options=way)
        yield Case(kind, f"{name}, kept", source, read_options=ReadOptions(deinterlace="keep"))
    for name, apart in (("fields apart", True), ("two fields a packet", False)):
        source = partial(_fields, luma=luma[:, :96, :96], apart=apart)
        yield Case(kind, f"PAFF, {name}", source, "", "is interlaced")
        yield Case(kind, f"PAFF, {name}, converted", source, read_options=ReadOptions(deinterlace="auto"))
    dv = Film("a.dv", codec="dvvideo", size=(720, 576), rate=Fraction(25), frames=3, colors=(2, 2, 5))
    yield _film(kind, dv, "", "flagged as interlaced")
    yield Case(kind, "a.dv, kept", lambda folder: make(dv, folder), read_options=ReadOptions(deinterlace="keep"))


def _gray(folder: Path, name: str, luma: Luma) -> Path:
    return write_gray(folder / name, luma)


def _fields(folder: Path, luma: Luma, apart: bool) -> Path:
    return write_field_pictures(folder / "a.mkv", luma, apart)
