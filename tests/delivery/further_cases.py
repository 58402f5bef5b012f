"""Cases of other codecs and pixel formats, of other pairs of containers, and of streams that cannot be read."""

from collections.abc import Iterator
from fractions import Fraction

from tests.delivery import odd_files as odd
from tests.delivery.case import Case
from tests.delivery.case import film_case as _film
from tests.delivery.making import FAST, FINE, NO_B, QUIET, Film, Sound
from tests.delivery.odd_files import changed

_NONE, _709 = (2, 2, 2), (1, 1, 1)
_FORMATS = (
    ("r210.mov", "r210", "gbrp10le", _NONE, {}),
    ("v410.mov", "v410", "yuv444p10le", _709, {}),
    ("v308.mov", "v308", "yuv444p", _709, {}),
    ("h264_10.mkv", "libx264", "yuv420p10le", _709, FAST),
    ("h264_422_10.mov", "libx264", "yuv422p10le", _709, FAST),
    ("ffv1_9.mkv", "ffv1", "yuv420p9le", _709, {}),
    ("ffv1_14.mkv", "ffv1", "yuv444p14le", _709, {}),
    ("palette.mov", "png", "pal8", _NONE, {}),
    ("nv12.avi", "rawvideo", "nv12", _NONE, {}),
    ("yuyv.avi", "rawvideo", "yuyv422", _NONE, {}),
    ("gray.avi", "rawvideo", "gray", _NONE, {}),
    ("bgra.avi", "rawvideo", "bgra", _NONE, {}),
    ("rgb555.avi", "rawvideo", "rgb555le", _NONE, {}),
    ("monow.avi", "rawvideo", "monow", _NONE, {}),
    ("huffyuv_rgb.avi", "huffyuv", "rgb24", _NONE, {}),
    ("ffvhuff.avi", "ffvhuff", "yuv420p", _NONE, {}),
    ("asv1.avi", "asv1", "yuv420p", _NONE, FINE),
    ("ljpeg.avi", "ljpeg", "yuvj420p", _NONE, {"strict": "-1"}),
    ("mjpeg_444.avi", "mjpeg", "yuvj444p", (2, 2, 5), FINE),
    ("msvideo1.avi", "msvideo1", "rgb555le", _NONE, {}),
    ("msrle.avi", "msrle", "pal8", _NONE, {}),
    ("smc.mov", "smc", "pal8", _NONE, {}),
    ("rpza.mov", "rpza", "rgb555le", _NONE, {}),
    ("qtrle_555.mov", "qtrle", "rgb555be", _NONE, {}),
    ("flashsv.flv", "flashsv", "bgr24", _NONE, {}),
    ("prores_lt.mov", "prores_ks", "yuv422p10le", (9, 16, 9), {"profile": "lt"}),
    ("x265_12_444.mkv", "libx265", "yuv444p12le", _709, QUIET),
    ("x265_gray.mkv", "libx265", "gray", _709, QUIET),
    ("x265_gray10.mkv", "libx265", "gray10le", _709, QUIET),
    ("mpeg2_422.ts", "mpeg2video", "yuv422p", _709, {**FINE, "profile": "0"}),
)
_PAIRS = (
    (Film("a.mkv", options=FAST, sounds=(Sound(),)), ".ts"),
    (Film("b.mp4", options=FAST, sounds=(Sound(),)), ".ts"),
    (Film("c.mov", options=FAST, sounds=(Sound("pcm_s16be"),)), ".mp4"),
    (Film("d.mkv", options=FAST, sounds=(Sound(),)), ".flv"),
    (Film("e.mkv", options=FAST, rate=Fraction(25), sounds=(Sound("pcm_s16le"),)), ".mxf"),
    (Film("f.mkv", options=FAST, rate=Fraction(25), sounds=(Sound("ac3"),)), ".vob"),
    (Film("g.mkv", options=FAST, sounds=(Sound(),)), ".3gp"),
    (Film("h.gif", codec="gif", pixel_format="rgb8", rate=Fraction(25), colors=_NONE), ".mp4"),
    (Film("i.gif", codec="gif", pixel_format="rgb8", rate=Fraction(25), colors=_NONE), ".webm"),
    (Film("j.ts", options=FAST, start=20.0, sounds=(Sound("mp2", delay=0.3),)), ".mkv"),
    (Film("k.mxf", codec="mpeg2video", options=FINE, rate=Fraction(25), sounds=(Sound("pcm_s24le"),)), ".mov"),
    (Film("l.nut", options=FAST, sounds=(Sound("pcm_s16le"),)), ".mkv"),
    (Film("m.mp4", options=FAST, rate=Fraction(120000, 1001)), ".mkv"),
)


def further_cases() -> Iterator[Case]:
    """Cases of these."""
    for name, codec, pixels, colors, options in _FORMATS:
        film = Film(name, codec=codec, pixel_format=pixels, options=dict(options), rate=Fraction(25), colors=colors)
        yield _film("further codecs and formats", film)
    for film, suffix in _PAIRS:
        yield _film("further pairs of containers", film, suffix)
    mp3 = Film("n.mp4", options=FAST, sounds=(Sound("libmp3lame"),))  # begins before 0, which AVI cannot
    yield _film("further pairs of containers", mp3, ".avi", "the timestamps of frames")
    yield from _unreadable()


def _unreadable() -> Iterator[Case]:
    kind, sound = "encrypted, unknown and empty streams", (Sound(),)
    mkv, mov = Film("u.mkv", options=FAST, sounds=sound, subtitles="srt"), Film("u.mov", options=FAST, sounds=sound)
    no = "has a codec without a decoder in this version of FFmpeg"
    ts = Film("s.ts", options=FAST, sounds=(Sound("mp2"),))
    yield Case(kind, "scrambled transport stream", changed(ts, odd.scrambled), "", "is encrypted")
    key = {"encryption_key": "0" * 32, "encryption_kid": "1" * 32}
    locked = Film("c.mp4", options=FAST, muxer={"encryption_scheme": "cenc-aes-ctr", **key})
    yield _film(kind, locked, "", "is encrypted \\(Common Encryption")
    for name, new in (("FairPlay", b"drmi"), ("unknown to all", b"abcd")):
        yield Case(kind, f"video {name}", changed(mov, odd.boxes_patched(b"avc1", new)), "", no)
    for old, new, refused in (
        (b"V_MPEG4/ISO/AVC", b"V_MPEG9/ISO/AVC", no),
        (b"A_AAC", b"A_XXX", "audio 1 \\(unknown"),
        (b"S_TEXT/UTF8", b"S_TEXX/UTF8", "subtitle 2 \\(unknown"),
    ):
        yield Case(kind, new.decode(), changed(mkv, odd.boxes_patched(old, new)), "", refused)
    yield Case(kind, "unknown sound, .mov", changed(mov, odd.boxes_patched(b"mp4a", b"qzzz")))
    for suffix in (".mkv", ".mp4"):
        yield Case(kind, f"sound without packets, {suffix}", odd.with_empty(Film(f"e{suffix}", options=FAST), "aac"))
    for name in ("j.ts", "j.h264"):
        two = odd.joined(Film(name, options=FAST), Film(f"2{name}", options=FAST, size=(64, 48)))
        yield Case(kind, f"two sizes, {name}", two, "", "changes from 96x64 to 64x48 at frame 12")
    one = odd.joined(Film("k.ts", options=NO_B), Film("2k.ts", options=NO_B))
    yield Case(kind, "two recordings, k.ts", one, judged=False)
    yield Case("stills", "turned by EXIF", odd.turned_jpeg, ".mp4")
