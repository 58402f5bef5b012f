"""Cases that a `Film` describes: each property of a file by itself."""

from collections.abc import Iterator
from fractions import Fraction

from tests.delivery.case import Case, film_case
from tests.delivery.making import Film, Sound

UNEVEN = [0, 500, 1100, 1500, 2000, 2900, 3000, 3500, 4700, 5000, 5500, 6000]
AFTER_A_GAP = [*UNEVEN[:6], *(60_000 + time for time in UNEVEN[6:])]
TEN = "yuv420p10le"
HDR = "hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
HDR10 = {"x265-params": f"log-level=none:{HDR}"}
P4444, DNXHR = {"profile": "4444"}, {"profile": "dnxhr_hq"}
QUIET = {"x265-params": "log-level=none"}
SPOKEN = (Sound(language="ger"), Sound(language="eng", title="Commentary", disposition=8))
NAMED = {"title": "My Film", "artist": "Someone", "comment": "Archive ref 123"}

RIGHT = [
    (Film("24000_1001.mp4", rate=Fraction(24000, 1001)), ".mp4"),
    (Film("60000_1001.mp4", rate=Fraction(60000, 1001)), ".mp4"),
    (Film("ms.mkv", rate=Fraction(30000, 1001)), ".mp4"),
    (Film("vfr.mp4", times=UNEVEN), ".mp4"),
    (Film("vfr.mkv", times=UNEVEN), ".mkv"),
    (Film("gap.mp4", times=AFTER_A_GAP), ".mp4"),
    (Film("start.mkv", start=5.0, sounds=(Sound(),)), ".mkv"),
    (Film("start.ts", start=5.0, sounds=(Sound("mp2"),)), ".ts"),
    (Film("adts.ts", sounds=(Sound(),)), ".mp4"),
    (Film("adts2.ts", sounds=(Sound(),)), ".mkv"),
    (Film("delay.mkv", sounds=(Sound(delay=0.35),)), ".mkv"),
    (Film("sounds.mkv", sounds=SPOKEN), ".mkv"),
    (Film("sounds.mp4", sounds=SPOKEN[:1]), ".mp4"),
    (Film("opus.mkv", sounds=(Sound("libopus"),)), ".mp4"),
    (Film("flac.mkv", sounds=(Sound("flac"),)), ".mkv"),
    (Film("pcm.mov", sounds=(Sound("pcm_s16le"),)), ".mov"),
    (Film("srt.mkv", sounds=(Sound(),), subtitles="srt"), ".mkv"),
    (Film("srt2.mkv", subtitles="srt"), ".mp4"),
    (Film("movtext.mp4", subtitles="mov_text"), ".mp4"),
    (Film("movtext2.mp4", subtitles="mov_text"), ".mkv"),
    (Film("ass.mkv", subtitles="ass", attachment=True), ".mkv"),
    (Film("chapters.mkv", chapters=True, tags=NAMED), ".mkv"),
    (Film("chapters.mp4", chapters=True, tags=NAMED, sounds=(Sound(),)), ".mp4"),
    (Film("cover.mkv", cover=True), ".mkv"),
    (Film("cover.mp4", cover=True, sounds=(Sound(),)), ".mp4"),
    (Film("timecode.mov", timecode="10:00:00:00", rate=Fraction(25)), ".mov"),
    (Film("aspect.mp4", aspect=Fraction(16, 15)), ".mp4"),
    (Film("odd.mkv", size=(97, 65), pixel_format="yuv444p"), ".mkv"),
    (Film("bt601.mp4", colors=(6, 6, 6)), ".mp4"),
    (Film("pal.mp4", colors=(5, 5, 5)), ".mp4"),
    (Film("full.mp4", full=True), ".mp4"),
    (Film("p3.mov", colors=(12, 1, 1)), ".mov"),
    (Film("srgb.mp4", colors=(1, 13, 1)), ".mp4"),
    (Film("linear.mkv", colors=(1, 8, 1)), ".mkv"),
    (Film("ten.mkv", codec="libx265", pixel_format=TEN, options=QUIET), ".mkv"),
    (Film("ten.ts", codec="libx265", pixel_format=TEN, options=QUIET), ".ts"),
    (Film("bt2020.mkv", codec="libx265", pixel_format=TEN, options=QUIET, colors=(9, 14, 9)), ".mkv"),
    (Film("hdr10.mkv", codec="libx265", pixel_format=TEN, options=HDR10, colors=(9, 16, 9)), ".mkv"),
    (Film("hdr10.mp4", codec="libx265", pixel_format=TEN, options=HDR10, colors=(9, 16, 9)), ".mp4"),
    (Film("hlg.mp4", codec="libx265", pixel_format=TEN, options=QUIET, colors=(9, 18, 9)), ".mp4"),
    (Film("422.mkv", pixel_format="yuv422p"), ".mkv"),
    (Film("422.mov", codec="prores_ks", pixel_format="yuv422p10le"), ".mov"),
    (Film("444.mkv", pixel_format="yuv444p"), ".mp4"),
    (Film("gray.mkv", pixel_format="gray"), ".mkv"),
    (Film("rgb.mkv", codec="libx264rgb", pixel_format="rgb24", options={"qp": "0"}, colors=(1, 1, 0)), ".mkv"),
    (
        Film("alpha.mov", codec="prores_ks", pixel_format="yuva444p10le", options=P4444, alpha=True),
        ".mov",
    ),
    (Film("alpha.mkv", codec="ffv1", pixel_format="bgra", alpha=True, colors=(1, 1, 0)), ".mkv"),
    (
        Film("dnxhr.mov", codec="dnxhd", pixel_format="yuv422p", options=DNXHR, size=(256, 144)),
        ".mov",
    ),
    (Film("mjpeg.avi", codec="mjpeg", pixel_format="yuvj420p", full=True, colors=(2, 2, 5)), ".mp4"),
    (Film("h264.avi", sounds=(Sound("mp2"),)), ".mp4"),
    (Film("vp9.webm", codec="libvpx-vp9", options={"cpu-used": "8", "crf": "10", "b": "0"}), ".webm"),
    (Film("av1.mp4", codec="libsvtav1", options={"preset": "12", "crf": "15"}), ".mp4"),
    (Film("mpeg2.ts", codec="mpeg2video", rate=Fraction(25), sounds=(Sound("mp2"),)), ".ts"),
    (Film("one.mp4", frames=1), ".mp4"),
]
REFUSED = [
    (Film("ass2.mkv", subtitles="ass"), ".mp4", "subtitle 1 \\(ass in fre, unsupported=convert"),
    (Film("font.mkv", attachment=True), ".mp4", "attachment 1"),
    (
        Film("adpcm.avi", options={"bf": "0"}, sounds=(Sound("adpcm_ms"),)),
        ".mp4",
        "audio 1 \\(adpcm_ms, set audio=transcode",
    ),
    (Film("alpha2.mkv", codec="ffv1", pixel_format="bgra", alpha=True, colors=(1, 1, 0)), ".mp4", "set background="),
    (Film("vfr2.mkv", times=UNEVEN), ".avi", "AVI has one"),
    (Film("deep.mkv", codec="ffv1", pixel_format="yuv444p16le"), ".mp4", "16 bits become 12"),
    (Film("chapters2.mkv", chapters=True), ".ts", "chapters"),
]


def basic_cases() -> Iterator[Case]:
    """A case for each film, into the same container and into others."""
    for film, suffix in RIGHT:
        yield film_case("basic", film, suffix)
    for film, suffix, reason in REFUSED:
        yield film_case("basic", film, suffix, reason)
