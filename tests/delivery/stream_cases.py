"""Cases of containers, codecs, sound, subtitles, data streams and side data."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from tests.delivery import odd_files as odd
from tests.delivery.case import QUICK, Case
from tests.delivery.case import film_case as _film
from tests.delivery.making import FAST, FINE, NO_B, PCM, QUIET, RGB, TEN_BITS, VP9, Film, Sound, make
from tests.delivery.odd_files import (
    late,
    raw_y4m,
    repacked,
    sei,
    with_packets,
    with_unit,
)


def stream_cases() -> Iterator[Case]:
    """Cases of what files are made of."""
    for cases in (_containers, _codecs, _sound, _text, _side_data):
        yield from cases()


def _containers() -> Iterator[Case]:
    wmv = Film("a.wmv", codec="wmv2", options=FINE, rate=Fraction(25), colors=(2, 2, 2), sounds=(Sound("wmav2"),))
    yield _film("containers", wmv, "", "wmav2, set audio=transcode")
    yield Case(
        "containers",
        "a.wmv, audio=transcode",
        lambda folder: make(wmv, folder),
        encoding=replace(QUICK, audio="transcode"),
    )
    for film in (
        Film("a.m2ts", options=FAST, sounds=(Sound("ac3"),)),
        Film("a.mts", codec="mpeg2video", options=FINE, rate=Fraction(25), sounds=(Sound("mp2"),)),
        Film("a.asf", codec="msmpeg4v2", options=FINE, rate=Fraction(25), colors=(2, 2, 2)),
        Film("a.flv", options=FAST, sounds=(Sound("aac"),)),
        Film("b.flv", codec="flv", options=FINE, colors=(2, 2, 2), sounds=(Sound("libmp3lame", rate=44100),)),
        Film("a.f4v", options=FAST, sounds=(Sound("aac"),)),
        Film("a.3gp", codec="mpeg4", options=FINE, sounds=(Sound("aac"),)),
        Film("b.3gp", codec="h263", options=FINE, size=(176, 144), rate=Fraction(15), colors=(2, 2, 2)),
        Film("a.3g2", options=FAST),
        Film("a.vob", codec="mpeg2video", options=FINE, rate=Fraction(25), sounds=(Sound("ac3"),)),
        Film("a.mpg", codec="mpeg1video", options=FINE, rate=Fraction(25), colors=(2, 2, 2), sounds=(Sound("mp2"),)),
        Film("a.ogv", codec="libvpx", options={"b:v": "2M"}),
        Film("a.gif", codec="gif", pixel_format="rgb8", rate=Fraction(25), colors=(2, 2, 2)),
        Film("a.m2v", codec="mpeg2video", options=FINE, rate=Fraction(25)),
        Film("a.mxf", codec="mpeg2video", options=FINE, rate=Fraction(25), sounds=PCM),
        Film("a.nut", options=FAST, sounds=PCM),
        Film("a.ivf", codec="libvpx-vp9", options=VP9),
        Film("a.h264", options=FAST),
        Film("a.hevc", codec="libx265", options=QUIET),
        Film("a.m4v", options=FAST),
        Film("a.ogg", codec="libvpx", options={"b:v": "2M"}, sounds=(Sound("libopus"),)),
        Film("a.apng", codec="apng", pixel_format="rgb24", colors=RGB),
        Film("a.avi", codec="mpeg4", options=FINE, rate=Fraction(25), sounds=(Sound("libmp3lame"),)),
    ):
        yield _film("containers", film)
    for film in (Film("c.flv", options=FAST, sounds=(Sound("aac"),)), Film("c.ts", options=FAST, start=3.0)):
        yield _film("containers", film, ".mov")
    yield Case("containers", "420.y4m", raw_y4m("a.y4m", "C420jpeg XYSCSS=420JPEG", chroma=(1, 1)))
    yield Case("containers", "full.y4m", raw_y4m("b.y4m", "C420mpeg2 XCOLORRANGE=FULL", chroma=(1, 1)))
    yield Case("containers", "411.y4m", raw_y4m("c.y4m", "C411", chroma=(2, 0)))
    yield Case("containers", "mono.y4m", raw_y4m("d.y4m", "Cmono", chroma=(0, -1)))
    yield Case("containers", "422p10.y4m", raw_y4m("e.y4m", "C422p10 XYSCSS=422P10", chroma=(1, 0), bits=10))


def _codecs() -> Iterator[Case]:
    for film in (
        Film("mpeg4.mp4", codec="mpeg4", options=FINE),
        Film("mpeg4_b.avi", codec="mpeg4", options={**FINE, "bf": "2"}, rate=Fraction(25)),
        Film("mpeg4_b.mkv", codec="mpeg4", options={**FINE, "bf": "2"}),
        Film("h263.avi", codec="h263p", options=FINE, rate=Fraction(25), colors=(2, 2, 2)),
        Film("vp8.webm", codec="libvpx", options={"b:v": "2M"}),
        Film("huffyuv.avi", codec="huffyuv", pixel_format="yuv422p", rate=Fraction(25), colors=(2, 2, 2)),
        Film("utvideo.avi", codec="utvideo", pixel_format="gbrp", rate=Fraction(25), colors=RGB),
        Film("magicyuv.avi", codec="magicyuv", pixel_format="yuv444p"),
        Film("v210.mov", codec="v210", pixel_format="yuv422p10le"),
        Film("raw.avi", codec="rawvideo", rate=Fraction(25), colors=(2, 2, 2)),
        Film("raw.mov", codec="rawvideo", pixel_format="uyvy422", colors=(6, 1, 6)),
        Film("raw_rgb.avi", codec="rawvideo", pixel_format="bgr24", rate=Fraction(25), colors=(2, 2, 2)),
        Film("raw_rgb.mov", codec="rawvideo", pixel_format="rgb24", colors=(2, 2, 2)),
        Film("cfhd.mov", codec="cfhd", pixel_format="yuv422p10le"),
        Film("jpeg2000.mov", codec="jpeg2000", pixel_format="yuv422p"),
        Film("mjpeg.mov", codec="mjpeg", pixel_format="yuvj422p", full=True, options=FINE, colors=(2, 2, 5)),
        Film("qtrle.mov", codec="qtrle", pixel_format="rgb24", colors=(2, 2, 2)),
        Film("cinepak.avi", codec="cinepak", pixel_format="rgb24", rate=Fraction(25), colors=(2, 2, 2), frames=4),
        Film("svq1.mov", codec="svq1", pixel_format="yuv410p", colors=(2, 2, 2)),
        Film("ffv1_16.mkv", codec="ffv1", pixel_format="gbrp16le", colors=RGB),
        Film("snow.avi", codec="snow", options={"strict": "-2", **FINE}, rate=Fraction(25), colors=(2, 2, 2)),
        Film("zmbv.avi", codec="zmbv", pixel_format="bgr0", rate=Fraction(25), colors=(2, 2, 2)),
        Film(
            "hevc_open.mkv",
            codec="libx265",
            options={**QUIET, "x265-params": "log-level=none:open-gop=1:keyint=4:bframes=2"},
        ),
        Film("intra_refresh.mkv", options={**FAST, "x264-params": "intra-refresh=1:keyint=6"}, frames=20),
        Film("bpyramid.avi", options={**FAST, "bf": "3"}, frames=20),
        Film("av1_10.mkv", codec="libsvtav1", pixel_format=TEN_BITS, options={"preset": "12", "crf": "15"}),
        Film("vp9_444.webm", codec="libvpx-vp9", pixel_format="yuv444p", options=VP9),
    ):
        yield _film("codecs", film)


def _sound() -> Iterator[Case]:
    for codec, name in (
        ("pcm_s24le", "a.mov"),
        ("pcm_s16be", "b.mov"),
        ("pcm_f32le", "c.mov"),
        ("pcm_s24le", "d.mkv"),
        ("pcm_u8", "e.avi"),
        ("pcm_mulaw", "f.avi"),
        ("pcm_alaw", "g.mov"),
        ("pcm_f64le", "h.mkv"),
        ("pcm_s32le", "i.mkv"),
        ("wavpack", "j.mkv"),
        ("tta", "k.mkv"),
        ("adpcm_ima_qt", "l.mov"),
        ("pcm_s16be", "m.vob"),
        ("pcm_bluray", "n.m2ts"),
        ("libopencore_amrnb", "p.3gp"),
        ("pcm_s24le", "q.mxf"),
        ("pcm_s16le", "r.mp4"),
    ):
        rate = 8000 if codec == "libopencore_amrnb" else 48000
        codecs = {".3gp": "mpeg4", ".vob": "mpeg2video", ".mxf": "mpeg2video"}
        video = codecs.get(Path(name).suffix, "libx264")
        layout = "stereo" if codec in {"pcm_bluray", "pcm_s16be"} else "mono"
        film = Film(
            name,
            codec=video,
            options=NO_B if video == "libx264" else FINE,
            rate=Fraction(25),
            sounds=(Sound(codec, rate=rate, layout=layout),),
        )
        yield Case("sound", f"{codec}{Path(name).suffix}", lambda folder, film=film: make(film, folder))
    for sound in (
        Sound("aac", rate=44100, layout="stereo"),
        Sound("aac", rate=22050),
        Sound("aac", rate=96000, layout="5.1"),
        Sound("aac", layout="7.1"),
        Sound("ac3", layout="5.1(side)"),
        Sound("libopus", layout="5.1"),
        Sound("libmp3lame", rate=11025),
        Sound("flac", rate=96000, layout="5.1"),
    ):
        name = f"{sound.codec}_{sound.rate}_{sound.layout}.mkv"
        yield _film("sound", Film(name, options=FAST, sounds=(sound,)))
        slow = "mp3, set audio" if sound.rate < 16000 else ""  # of which MP4 has no MP3
        yield _film("sound", Film(f"{name[:-4]}_2.mkv", options=FAST, sounds=(sound,)), ".mp4", slow)
    three = (Sound("aac", language="deu"), Sound("ac3", language="fra", title="Director", disposition=8), Sound("flac"))
    yield _film("sound", Film("three.mkv", options=FAST, sounds=three))
    yield _film("sound", Film("late.mkv", options=FAST, frames=24, sounds=(Sound(delay=0.7),)), ".mp4")
    yield _film("sound", Film("late.ts", options=FAST, frames=24, sounds=(Sound(delay=0.7),)), ".mkv")
    yield _film("sound", Film("aac_51.ts", options=FAST, sounds=(Sound(layout="5.1"),)), ".mp4")
    yield _film(
        "sound", Film("two.ts", options=FAST, sounds=(Sound("mp2", language="deu"), Sound("mp2", language="eng")))
    )


def _text() -> Iterator[Case]:
    yield _film("subtitles", Film("webvtt.webm", codec="libvpx-vp9", options=VP9, subtitles="webvtt"))
    yield _film("subtitles", Film("srt.mkv", options=FAST, subtitles="srt"), ".webm")
    yield _film("subtitles", Film("mov_text.mov", options=FAST, subtitles="mov_text"))
    yield _film("subtitles", Film("ass.mkv", options=FAST, subtitles="ass"))
    pgs = bytes.fromhex("16000b00600040100000000000000" + "0") + bytes.fromhex("8000 00".replace(" ", ""))
    film = Film("pgs.mkv", options=FAST)
    yield Case("subtitles", "pgs.mkv", with_packets(film, "hdmv_pgs_subtitle", [(0.1, pgs), (0.3, pgs)]))
    yield Case(
        "subtitles", "pgs.mkv to mp4", with_packets(film, "hdmv_pgs_subtitle", [(0.1, pgs)]), ".mp4", "pgssub\\);"
    )
    yield Case(
        "subtitles",
        "dvb.ts",
        with_packets(Film("d.ts", options=FAST), "dvb_subtitle", [(0.1, b"\x0f\x10\0\1\0\2\5\x10\x0f\x80\0\1\0\0")]),
    )
    yield Case("data", "klv.ts", with_packets(Film("k.ts", options=FAST), "klv", [(0.1, bytes(range(40)))]))
    yield Case("data", "id3.ts", with_packets(Film("i.ts", options=FAST), "timed_id3", [(0.1, b"ID3" + bytes(40))]))
    yield Case(
        "data",
        "klv.ts to mp4",
        with_packets(Film("k.ts", options=FAST), "klv", [(0.1, bytes(range(40)))]),
        ".mp4",
        "klv",
    )
    yield _film("data", Film("timecode.mov", options=FAST, rate=Fraction(25), timecode="01:02:03:04"), ".mp4")
    yield _film("data", Film("drop.mov", options=FAST, rate=Fraction(30000, 1001), timecode="01:02:03;04"))
    yield _film(
        "data", Film("timecode.mxf", codec="mpeg2video", options=FINE, rate=Fraction(25), timecode="01:02:03:04")
    )
    yield _film("data", Film("font.mkv", options=FAST, attachment=True, cover=True, chapters=True, sounds=(Sound(),)))
    yield _film(
        "data",
        Film(
            "tags.mp4",
            options=FAST,
            tags={"title": "Ä ü 日本", "encoder": "x", "show": "S", "location": "+48.1+011.5/"},
        ),
    )
    yield _film("data", Film("tags.avi", options=NO_B, rate=Fraction(25), tags={"title": "T", "artist": "A"}))
    yield _film("data", Film("chapters.mkv", options=FAST, chapters=True), ".mp4")


def _side_data() -> Iterator[Case]:
    kind = "captions and side data"
    ts, hevc = Film("s.ts", options=FAST), Film("s.ts", codec="libx265", options=QUIET)
    ten = Film("t.ts", codec="libx265", options=QUIET, pixel_format=TEN_BITS, colors=(9, 16, 9))
    yield Case(kind, "a53 in h264", repacked(ts, with_unit(sei(odd.CAPTIONS))))
    yield Case(kind, "a53 in hevc", repacked(hevc, with_unit(sei(odd.CAPTIONS, hevc=True))))
    yield Case(kind, "a53 to vp9", repacked(ts, with_unit(sei(odd.CAPTIONS))), ".webm", "captions")
    yield Case(
        kind, "late a53 to vp9", repacked(ts, late(with_unit(sei(odd.CAPTIONS)))), ".webm", "has from frame .*captions"
    )
    yield Case(kind, "late a53 in h264", repacked(ts, late(with_unit(sei(odd.CAPTIONS)))))
    yield Case(
        kind, "late afd", repacked(ts, late(with_unit(sei(odd.ACTIVE_FORMAT)))), "", "has from frame .*active format"
    )
    yield Case(kind, "hdr10+ in hevc", repacked(ten, with_unit(sei(odd.HDR10_PLUS, hevc=True))), "", "HDR10\\+")
    yield Case(
        kind,
        "dolby vision rpu",
        repacked(ten, with_unit(b"\x7c\x01" + bytes(range(25, 60)), end=True)),
        "",
        "Dolby Vision",
    )
    yield Case(kind, "afd in h264", repacked(ts, with_unit(sei(odd.ACTIVE_FORMAT))), "", "active format")
    yield Case(kind, "frame packing 3d", repacked(ts, with_unit(sei(odd.FRAME_PACKING, kind=45))), "", "3D|stereo")
