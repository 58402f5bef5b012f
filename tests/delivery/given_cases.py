"""Cases of files that are given: those of shared/cases/upscale/make_cases.py, and public odd files."""

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.delivery.case import Case

_REFUSED = {
    "adpcm.mkv": "adpcm_ms, set audio=transcode",
    "audio_only.m4a": "no video stream",
    "damaged.ts": "is damaged: broken frames",
    "empty.mp4": "is empty",
    "interlaced.mpg": "is interlaced tff",
    "interlaced_untagged.mp4": "is interlaced tff",
    "res_change.ts": "changes from 160x120 to 96x64 at frame 24",
    "text.mp4": "is not a video",
    "truncated.mkv": "is cut short",
    "truncated.mp4": "is cut short",
    "wma.mkv": "wmav2, set audio=transcode",
}
_ODD = {"encrypted_cenc.mp4": "is encrypted"}
_PARTS = {"ca_tmp.mkv", "cover.png", "dm_tmp.ts", "el_tmp.mp4", "rc1.ts", "rc2.ts", "rt_tmp.mp4", "sc_tmp.mkv",
          "tr_tmp.mkv", "tr_tmp.mp4"}  # fmt: skip
_NOT = {".rgb", ".txt", ".srt", ".ttf"}


def shared_cases(folder: Path) -> Iterator[Case]:
    """A case for each file that make_cases.py wrote into a folder."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix not in _NOT and path.name not in _PARTS:
            # its 4:2:0 of odd size is sheared, which no lossy encoder takes well
            judged = path.name != "odd_161x121_420.mkv"
            refused = _REFUSED.get(path.name, "")
            suffix = ".mp4" if path.suffix == ".m4a" else ""
            yield Case("shared files", path.name, _given(path), suffix, refused, judged=judged)


def odd_cases(folder: Path) -> Iterator[Case]:
    """A case for each public odd file in a folder."""
    for path in sorted(folder.iterdir()):
        if path.suffix != ".md":
            judged = path.name != "h264_bframes.avi"  # its header states 100 times too many ticks of sound a second
            yield Case("public odd files", path.name, _given(path), "", _ODD.get(path.name, ""), judged=judged)


def _given(path: Path) -> Callable[[Path], Path]:
    return lambda _: path
