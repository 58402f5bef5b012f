"""Encodings that are met in the world, each made here and read back at every index, in order and shuffled."""

import itertools
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from tests.parity.planes import Array, Planes, decode, drawn_number, encode, frame_of, picture, to_planes, to_rgb
from tests.parity.treatments import by_bwdif, pairs_of_moments, tone_mapped, weaved
from vsr_lab.core.errors import UserError
from vsr_lab.video import REFUSE, ReadOptions, VideoFile

FRAMES = 24
BOUND = 1.0  # mean absolute error of a frame, in 8-bit levels
TAGS = {"bt601": 6, "bt709": 1, "bt2020": 9, "smpte240m": 7, "fcc": 4, "rgb": 0}
UNEVEN = list(itertools.accumulate([0, 40, 33, 7, 120, 40, 40, 1, 500] + 15 * [17]))
Patch = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Row:
    """One encoding. matrix and full: what the planes are made with; tagged: whether the file says so.

    weave: how its frames are made of fields, as in pairs_of_moments; hdr: "PQ" or "HLG", peak: cd/m2 of its mastering
    display; read_options: of the reader. shown: the numbers of the frames that are to come;
    refused: the words of the refusal where it is not read.
    """

    name: str
    suffix: str
    codec: str
    format: str = "yuv420p"
    matrix: str = "bt709"
    full: bool = False
    options: dict[str, str] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    tagged: bool = True
    size: tuple[int, int] = (96, 128)
    siting: str = "left"
    ticks: list[int] | None = None
    aspect: Fraction | None = None
    turn: tuple[float, bool] | None = None
    patch: Patch | None = None
    shown: range = range(FRAMES)
    lossless: bool = False
    refused: str = ""
    weave: str = ""
    hdr: str = ""
    peak: float = 1000
    read_options: ReadOptions = REFUSE

    @property
    def step(self) -> int:
        """Milliseconds from a frame that is to come to the next, where they are evenly spaced."""
        return 50 if self.read_options.deinterlace == "ivtc" else 40

    def all_tags(self) -> dict[str, int]:
        colour = {"colorspace": TAGS[self.matrix], "color_range": 2 if self.full else 1} if self.tagged else {}
        transfer = {"color_trc": {"PQ": 16, "HLG": 18}[self.hdr], "color_primaries": 9} if self.hdr else {}
        return {**colour, **transfer, **self.tags}


@dataclass(frozen=True)
class Result:
    """What reading one row gave. mae: of the worst frame, in levels; peak: of the worst sample; wrong: how many
    indices gave another frame; times: whether each frame had its own time."""

    row: Row
    container: str
    backend: str
    reason: str
    read_as: str
    mae: float
    peak: float
    wrong: int
    times: bool
    refusal: str = ""

    @property
    def right(self) -> bool:
        """Read right, or refused in the words that were expected."""
        if self.row.refused:
            return self.row.refused in self.refusal
        return not self.refusal and self.mae <= BOUND and not self.wrong and self.times


def make(row: Row, folder: Path) -> tuple[Path, list[Planes], list[Planes]]:
    """Encode a row into folder; also the planes that went in, and those of the moments that they were weaved of."""
    path = folder / f"{row.name.replace(' ', '_').replace(':', '')}.{row.suffix}"
    pairs = pairs_of_moments(row.weave, FRAMES)
    count = max(max(pair) for pair in pairs) + 1
    drawn = [n // 2 if row.weave in ("tff", "bff") else n for n in range(count)]  # both fields of a frame the same
    moments = [to_planes(picture(n, *row.size, drawn[n]), row.format, row.matrix, row.full) for n in range(count)]
    made = [weaved(moments[top], moments[bottom]) for top, bottom in pairs]
    frames = [frame_of(planes, row.format) for planes in made]
    encode(path, frames, row.codec, row.options, row.all_tags(), row.ticks, row.aspect, row.turn)
    return path, made, moments


def measure(row: Row, folder: Path) -> Result:
    """Make a row, decode it straight through, and hold the reader against that at every index."""
    path, made, moments = make(row, folder)
    format, planes = decode(path)
    assert len(planes) == FRAMES, f"{row.name}: its own reference decodes to {len(planes)} frames"
    if row.lossless:
        same = all(np.array_equal(a, b) for x, y in zip(made, planes, strict=True) for a, b in zip(x, y, strict=False))
        assert same, f"{row.name}: the encoder is not lossless"
    if row.read_options.deinterlace == "ivtc":
        wanted = [moments[n] for n in row.shown]
    elif row.read_options.deinterlace == "bwdif":
        wanted = by_bwdif(path, row.weave)
    else:
        wanted = [planes[n] for n in row.shown]
    plain = [to_rgb(each, format, row.matrix, row.full, row.siting) for each in wanted]
    survive = [drawn_number(rgb) for rgb in plain] == list(row.shown)
    assert row.refused or survive, f"{row.name}: the drawn numbers do not survive"
    if row.read_options.tone_map:
        plain = [tone_mapped(rgb, row.hdr, row.peak) for rgb in plain]
    if row.patch:
        path.write_bytes(row.patch(path.read_bytes()))
    try:
        video = VideoFile(path, read_options=row.read_options)
        return _compare(row, video, [_turned(rgb, row) for rgb in plain])
    except UserError as error:
        return Result(row, row.suffix, "", "", "", 0, 0, 0, True, str(error))


def _compare(row: Row, video: VideoFile, truth: list[Array]) -> Result:
    count = video.frames
    order = np.random.default_rng(0).permutation(count)
    shuffled = {int(i): video.read(int(i), int(i) + 1).frames[0] for i in order}
    parts = [video.read(i, min(i + 5, count)) for i in range(0, count, 5)]
    in_order = np.concatenate([part.frames for part in parts])
    peak = np.iinfo(in_order.dtype).max
    wrong = abs(count - len(truth))
    errors: list[tuple[float, float]] = []
    for index in range(min(count, len(truth))):
        for got in (shuffled[index], in_order[index]):
            rgb = got / peak
            if rgb.shape != truth[index].shape or drawn_number(_turned_back(rgb, row)) != row.shown[index]:
                wrong += 1
                continue
            levels = 255 * np.abs(rgb - truth[index])
            errors.append((float(levels.mean()), float(levels.max())))
    times = np.concatenate([part.timestamps for part in parts])
    due = [row.ticks[n] for n in row.shown] if row.ticks else [row.step * n for n in range(len(row.shown))]
    stated = (np.array(due) - due[0]) / 1000
    on_time = len(times) == len(stated) and bool(np.abs(times - stated).max() < 1e-3)
    probe, colour = video.probe, video.probe.colour
    read_as = f"{colour.matrix}{' assumed' if colour.assumed else ''} {'full' if colour.full_range else 'limited'}"
    mae, worst = (max(error) for error in zip(*errors, strict=True)) if errors else (255.0, 255.0)
    return Result(row, probe.container, probe.backend, probe.reason, read_as, mae, worst, wrong, on_time)


def _turned(rgb: Array, row: Row) -> Array:
    """As a player sets it upright: mirrored first, then turned anticlockwise."""
    if row.turn is None:
        return rgb
    return np.rot90(rgb[:, ::-1] if row.turn[1] else rgb, round(row.turn[0] / 90))


def _turned_back(rgb: Array, row: Row) -> Array:
    if row.turn is None:
        return rgb
    upright = np.rot90(rgb, -round(row.turn[0] / 90))
    return upright[:, ::-1] if row.turn[1] else upright


def hide(count: int) -> Patch:
    """The edit list of an mp4 moved on by `count` frames of 1/25 s: players begin there."""

    def patch(data: bytes) -> bytes:
        out = bytearray(data)
        (timescale,) = struct.unpack(">I", data[(at := data.index(b"mdhd") + 16) : at + 4])
        entry = data.index(b"elst") + 12  # the list's one entry: duration, media time, rate
        (start,) = struct.unpack(">i", data[entry + 4 : entry + 8])
        out[entry + 4 : entry + 8] = struct.pack(">i", start + count * timescale // 25)
        return bytes(out)

    return patch


def x264(**parameters: object) -> dict[str, str]:
    """Options for libx264, ten frames a GOP unless said otherwise."""
    given = {
        "keyint": 10,
        "min-keyint": 1,
        "scenecut": 0,
        "threads": 1,
        **{k.replace("_", "-"): v for k, v in parameters.items()},
    }
    return {"crf": "12", "preset": "fast", "x264-params": ":".join(f"{key}={value}" for key, value in given.items())}


def x265(**parameters: object) -> dict[str, str]:
    """Options for libx265."""
    given = {"keyint": 8, "min-keyint": 8, "scenecut": 0, "pools": 1, "frame-threads": 1, "log-level": "none",
             **{k.replace("_", "-"): v for k, v in parameters.items()}}  # fmt: skip
    return {"crf": "12", "preset": "fast", "x265-params": ":".join(f"{key}={value}" for key, value in given.items())}
