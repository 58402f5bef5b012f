"""Cases of settings, damage, stills and names."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from tests.delivery import odd_files as odd
from tests.delivery.case import QUICK, Case
from tests.delivery.making import FAST, FINE, NO_B, PCM, QUIET, TEN_BITS, VP9, Film, Sound, make
from tests.delivery.odd_files import (
    changed,
    named,
    picture_file,
    plain,
    tone,
)
from vsr_lab.deployment import Inference
from vsr_lab.video import ReadOptions


def handling_cases() -> Iterator[Case]:
    """Cases of what is asked for, and of files that are damaged, no videos, or oddly named."""
    for cases in (_settings, _damaged, _names):
        yield from cases()


def _settings() -> Iterator[Case]:
    kind = "settings"
    film, deep = (
        Film("a.mp4", options=FAST, sounds=(Sound(),)),
        Film("b.mkv", codec="libx265", pixel_format=TEN_BITS, options=QUIET),
    )
    hdr = Film("c.mkv", codec="libx265", pixel_format=TEN_BITS, options=QUIET, colors=(9, 16, 9))
    for name, one, suffix, encoding, refused in (
        ("ffv1 bgr0", film, ".mkv", replace(QUICK, codec="ffv1", pixel_format="bgr0"), ""),
        ("ffv1 16-bit", film, ".mkv", replace(QUICK, codec="ffv1", pixel_format="yuv444p16le"), ""),
        ("libsvtav1", film, ".mp4", replace(QUICK, codec="libsvtav1"), ""),
        ("prores", deep, ".mov", replace(QUICK, codec="prores_ks", pixel_format="yuv422p10le"), ""),
        ("png", film, ".mov", replace(QUICK, codec="png", pixel_format="rgb24"), ""),
        ("nv12", film, ".mp4", replace(QUICK, pixel_format="nv12"), ""),
        ("yuvj420p", film, ".mp4", replace(QUICK, pixel_format="yuvj420p"), ""),
        ("gray", film, ".mp4", replace(QUICK, pixel_format="gray"), "-"),
        (
            "no such format",
            film,
            ".mp4",
            replace(QUICK, pixel_format="yuv421p"),
            "pixel_format: yuv421p is not a pixel format of FFmpeg",
        ),
        ("no such codec", film, ".mp4", replace(QUICK, codec="h265"), "codec: FFmpeg has no encoder 'h265'"),
        ("no such GPU", film, ".mp4", replace(QUICK, codec="h264_nvenc"), "h264_nvenc"),
        ("vp9 in webm", film, ".webm", QUICK, "aac, set audio=transcode"),
        ("webm, transcode", film, ".webm", replace(QUICK, audio="transcode"), ""),
        ("sound left out", film, ".avi", replace(QUICK, audio="drop"), "-"),
        ("no suffix", film, ".", QUICK, "suffix"),
        ("text suffix", film, ".txt", QUICK, "not that of a video or picture"),
        ("8 bits of 10", deep, ".mp4", replace(QUICK, bits=8), "-"),
        ("hdr in avi", hdr, ".avi", QUICK, ""),
        ("half the height", film, ".mp4", replace(QUICK, height=64), "-"),
        (
            "label",
            Film("d.mp4", options=FAST, size=(320, 180), frames=3),
            ".m2ts",
            replace(QUICK, label="visible"),
            "-",
        ),
    ):
        source = partial(_made, film=one)
        yield Case(kind, name, source, suffix, refused.strip("-"), encoding=encoding, judged=refused != "-")
    yield Case(kind, "tone_map=bt2390", partial(_made, film=hdr), ".mp4", read_options=ReadOptions(tone_map="bt2390"))
    cut = changed(replace(film, frames=24, muxer={"movflags": "faststart"}), odd.cut(0.6))
    yield Case(kind, "cut short, damaged=keep", cut, ".mkv", read_options=ReadOptions(damaged="keep"), judged=False)
    torn = changed(Film("t.ts", options=NO_B, frames=24), odd.zeroed(0.5, 700))
    yield Case(kind, "data missing, damaged=keep", torn, ".mp4", read_options=ReadOptions(damaged="keep"), judged=False)
    yield Case(kind, "tiles", partial(_made, film=film), "", inference=Inference(tile=32, overlap=8))


def _made(folder: Path, film: Film) -> Path:
    return make(film, folder)


def _damaged() -> Iterator[Case]:
    kind, sound = "damaged and not videos", (Sound(),)
    bad = "is cut short|is damaged|not a video|cannot be read|no frame|is empty|no video stream"
    for suffix in (".mp4", ".mov", ".mkv", ".webm", ".ts", ".avi", ".flv", ".mxf", ".vob", ".wmv", ".3gp"):
        codec = {
            ".webm": "libvpx-vp9",
            ".mxf": "mpeg2video",
            ".vob": "mpeg2video",
            ".wmv": "wmv2",
            ".3gp": "mpeg4",
        }.get(suffix, "libx264")
        options = VP9 if codec == "libvpx-vp9" else NO_B if codec == "libx264" else FINE
        tones = {".webm": (Sound("libopus"),), ".mxf": PCM, ".vob": (Sound("ac3"),), ".wmv": ()}.get(suffix, sound)
        film = Film(f"cut{suffix}", codec=codec, options=options, rate=Fraction(25), frames=24, sounds=tones)
        yield Case(kind, f"cut{suffix}", changed(film, odd.cut(0.6)), "", bad)
        if suffix == ".wmv":  # whose packets are padded
            continue
        film = replace(film, sounds=())
        unlucky = "timestamps" if suffix == ".vob" else bad  # lost frames make its rate vary, which it cannot have
        yield Case(kind, f"zeros{suffix}", changed(film, odd.zeroed(0.5, 700)), "", unlucky)
    ts = Film("middle.ts", options={**FAST, "g": "8"}, frames=24, sounds=(Sound("mp2"),))
    yield Case(kind, "begins in mid-GOP, .ts", changed(ts, odd.from_middle(0.4)))
    for name, content in {
        "empty.mkv": b"",
        "text.mkv": b"hello\n" * 20,
        "zip.mov": b"PK\3\4" + bytes(400),
        "elf.avi": b"\x7fELF" + bytes(400),
        "zeros.mp4": bytes(4096),
        "page.mp4": b"<!doctype html><title>404</title>",
        "pdf.ts": b"%PDF-1.4\n" + bytes(100),
        "list.mp4": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "list2.mkv": b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
        "sub.mkv": b"1\n00:00:00,000 --> 00:00:01,000\nHello\n",
        "head.mp4": b"\0\0\0\x20ftypisom" + bytes(20),
        "riff.avi": b"RIFF\xff\0\0\0AVI LIST",
    }.items():
        yield Case(kind, name, plain(name, content), "", f"{bad}|is a list of other files" if "list" in name else bad)
    for name, text in {
        "list.mkv": "ffconcat version 1.0\nfile n.mp4\n",
        "list.ts": "#EXTM3U\n#EXTINF:1,\nn.ts\n",
    }.items():
        other = Film("n.ts" if name == "list.ts" else "n.mp4", options=FAST)
        yield Case(
            kind, f"{name} of another file", _beside(other, plain(name, text.encode())), "", "is a list of|not a video"
        )
    yield Case(kind, "moov missing", changed(Film("m.mp4", options=FAST), odd.boxes_patched(b"moov", b"mooX")), "", bad)
    yield Case(kind, "bytes behind the end", changed(Film("tail.mp4", options=FAST), lambda data: data + bytes(1000)))
    yield Case(kind, "sound only", tone("a.m4a"), ".mp4", "no video stream")
    yield Case(kind, "sound only, mkv", tone("a.mkv", "flac"), "", "no video stream")
    yield Case(kind, "sound only, mp3", tone("a.mp3", "libmp3lame"), ".mp4", "no video stream")
    for name in ("a.png", "a.jpg", "a.tiff", "a.bmp", "a.webp"):
        codec, format = {
            "jpg": ("mjpeg", "yuvj420p"),
            "tiff": ("tiff", "rgb24"),
            "bmp": ("bmp", "bgr24"),
            "webp": ("libwebp", "yuv420p"),
            "png": ("png", "rgb24"),
        }[name[2:]]
        yield Case("stills", name, picture_file(name, format, codec), ".mp4")
    yield Case("stills", "png called mp4", lambda folder: picture_file("a.png")(folder).rename(folder / "b.mp4"))


def _beside(film: Film, write: Callable[[Path], Path]) -> Callable[[Path], Path]:
    """A file beside a film."""

    def both(folder: Path) -> Path:
        make(film, folder)
        return write(folder)

    return both


def _names() -> Iterator[Case]:
    kind, film = "names", Film("n.mp4", options=FAST, frames=3)
    for name in (
        "a b.mp4",
        "日本 ü.mp4",
        "50%d.mp4",
        "12:30.mp4",
        "-v.mp4",
        "a=b.mp4",
        "it's [1].mp4",
        "a,b{c}.mp4",
        "$HOME.mp4",
        "#1.mp4",
        "~.mp4",
        "a%20b%03d.mkv.mp4",
        ".hidden.mp4",
        "MOVIE.MP4",
        "a..mp4",
    ):
        yield Case(kind, name, named(film, name))
    yield Case(kind, "50%03d.png", picture_file("50%03d.png"), ".mp4")
    yield Case(kind, "mkv called mp4", named(Film("x.mkv", options=FAST), "lies.mp4"))
    yield Case(kind, "mp4 called avi", named(Film("x.mp4", options=NO_B), "lies.avi"))
    yield Case(kind, "ts called mkv", named(Film("x.ts", options=FAST), "lies.mkv"))
    yield Case(kind, "mp4 called mpg", named(Film("x.mp4", options=FAST), "lies.mpg"))
