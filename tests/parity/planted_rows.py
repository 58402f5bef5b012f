"""Pairs with one planted fault each, and what is to be found: the kind and the size."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tests.parity.planting import FAMILIES, Movie, cubic_down, gaussian_down, levels, shifted, write
from vsr_lab.degradations import BlurDown, Degradation, ResizeDown
from vsr_lab.footage.shots import find_shots
from vsr_lab.pair_check import Declared, Findings, ShotPair, check_pair

SIZE = (200, 280)
FRAMES = 24
Plant = Callable[[Movie], tuple[Movie, Movie]]


@dataclass(frozen=True)
class Row:
    """plant: HR to (LR, HR); kinds: the faults to find; size: words (a pattern) that the first fault has to say;
    crf: of H.264 4:2:0, where LR is coded."""

    name: str
    plant: Plant
    kinds: tuple[str, ...] = ()
    size: str = ""
    declared: str | None = None
    scale: int | None = None
    crf: int | None = None
    note: str = field(default="")  # what the notes have to say


def families(scale: int) -> dict[str, Degradation]:
    """The package's families, as configs/footage_check.yaml has them."""
    built: dict[str, Degradation] = {
        name: ResizeDown(scale, name) for name in ("area", "bilinear", "lanczos", "nearest")
    }
    built["bi"] = ResizeDown(scale)
    if scale % 2 == 0:
        built["bd_kair"] = BlurDown(scale, 1.6, 12, phase=None, border="replicate")
    built["bd_duf"] = BlurDown(scale, 1.6, 13, phase=0, border="reflect")
    built["bd_tecogan"] = BlurDown(scale, 1.5, 13, phase=0, border="reflect")
    return built


def check(row: Row, movie: Movie, folder: Path) -> Findings:
    """Write the row's pair into folder and check it."""
    low, high = row.plant(movie)
    if row.crf is not None:
        low = low[:, : low.shape[1] // 2 * 2, : low.shape[2] // 2 * 2]
        scale = high.shape[1] // low.shape[1]
        high = high[:, : low.shape[1] * scale, : low.shape[2] * scale]
    coding = {} if row.crf is None else {"codec": "libx264", "pixel_format": "yuv420p", "crf": str(row.crf)}
    lr, hr = write(folder / "lr.mkv", low, **coding), write(folder / "hr.mkv", high)
    pair = ShotPair(row.name, find_shots(lr)[0], find_shots(hr)[0])
    return check_pair(pair, Declared(row.scale, row.declared, families))


def right(row: Row, found: Findings) -> bool:
    """True where just the planted faults were found, and the first says its size."""
    kinds = tuple(fault.kind for fault in found.faults)
    said = " ".join(str(fault) for fault in found.faults)
    return (
        sorted(kinds) == sorted(row.kinds)
        and re.search(row.size, said) is not None
        and re.search(row.note, " ".join(found.notes)) is not None
    )


# ---- plants ----


def low(change: Callable[[Movie], Movie], family: str = "bi", scale: int = 4) -> Plant:
    """HR as it is, and LR by a family, then changed."""
    return lambda movie: (change(FAMILIES[family](movie, scale)), movie)


def made(family: str, scale: int = 4) -> Plant:
    return low(lambda lr: lr, family, scale)


def moved(rows: float, columns: float) -> Plant:
    """LR by bi, of HR moved by LR pixels."""
    return lambda movie: (cubic_down(shifted(movie, 4 * rows, 4 * columns), 4), movie)


def resized(movie: Movie, height: int, width: int) -> Movie:
    return np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in movie])


def of_part(top: int, left: int, height: int, width: int) -> Plant:
    return lambda movie: (cubic_down(movie[:, top : top + height, left : left + width], 4), movie)


def zoomed(movie: Movie) -> tuple[Movie, Movie]:
    """LR of the window 252x180+14+10, blown up to HR's size first."""
    return cubic_down(resized(movie[:, 10:190, 14:266], *movie.shape[1:3]), 4), movie


def painted_bars(lr: Movie) -> Movie:
    lr = lr.copy()
    lr[:, :6] = lr[:, -6:] = 0
    return lr


def squeezed(movie: Movie) -> tuple[Movie, Movie]:
    """LR with bars above and below, between which all of HR was squeezed."""
    lr = np.zeros((len(movie), movie.shape[1] // 4, movie.shape[2] // 4, 3))
    lr[:, 6:-6] = resized(movie, lr.shape[1] - 12, lr.shape[2])
    return lr, movie


def coded_as(matrix: str, full: bool) -> npt.NDArray[np.float64]:
    """RGB and 1, in levels, to Y'CbCr and 1 in 8-bit codes: BT.601 or BT.709 written out from the standards."""
    red, blue = {"601": (0.299, 0.114), "709": (0.2126, 0.0722)}[matrix]
    green = 1 - red - blue
    luma, chroma, black = (1, 1, 0) if full else (219 / 255, 224 / 255, 16)
    return np.array(
        [
            [luma * red, luma * green, luma * blue, black],
            [-chroma * red / (2 - 2 * blue), -chroma * green / (2 - 2 * blue), chroma / 2, 128],
            [chroma / 2, -chroma * green / (2 - 2 * red), -chroma * blue / (2 - 2 * red), 128],
            [0, 0, 0, 1],
        ]
    )


def misread(true: tuple[str, bool], taken: tuple[str, bool]) -> Callable[[Movie], Movie]:
    """Coded one way, decoded another."""
    both = np.linalg.inv(coded_as(*taken)) @ coded_as(*true)
    return lambda lr: np.clip(np.clip(lr, 0, 255) @ both[:3, :3].T + both[:3, 3], 0, 255)


def powered(gamma: float) -> Callable[[Movie], Movie]:
    return lambda lr: 255 * (np.clip(lr, 0, 255) / 255) ** gamma


def grayed(share: float) -> Callable[[Movie], Movie]:
    return lambda lr: share * lr + (1 - share) * lr.mean(-1, keepdims=True)


def in_light(movie: Movie) -> tuple[Movie, Movie]:
    return 255 * np.clip(cubic_down((movie / 255) ** 2.2, 4), 0, 1) ** (1 / 2.2), movie


def swapped(a: int, b: int) -> Callable[[Movie], Movie]:
    def swap(lr: Movie) -> Movie:
        lr = lr.copy()
        lr[[a, b]] = lr[[b, a]]
        return lr

    return swap


def frozen(t: int) -> Callable[[Movie], Movie]:
    return lambda lr: np.concatenate([lr[:t], lr[t - 1 : t], lr[t + 1 :]])


def combed(lr: Movie) -> Movie:
    """Odd rows from the next frame."""
    lr = lr.copy()
    lr[:-1, 1::2] = lr[1:, 1::2]
    return lr


def noisy(sigma: float) -> Callable[[Movie], Movie]:
    return lambda lr: lr + np.random.default_rng(0).normal(0, sigma, lr.shape)


def blurred(phase: float, taps: int) -> Plant:
    """A Gaussian that no family has."""
    return lambda movie: (gaussian_down(movie, 4, 2.4, taps, phase, "reflect"), movie)


CLEAN = [
    *(
        Row(f"{family} x{scale}", made(family, scale), note=f"degradation: {family}, ")
        for family in FAMILIES
        for scale in (4, 2)
    ),
    Row("bi x3", lambda m: (cubic_down(m[:, :198, :279], 3), m[:, :198, :279]), note="degradation: bi, "),
    Row("bi, declared", made("bi"), declared="bi", scale=4),
    Row("bd_kair, declared", made("bd_kair"), declared="bd_kair", scale=4),
    Row("bi with noise of 4 levels", low(noisy(4)), note="bi, .*noisy or compressed: residual 38"),
    *(
        Row(f"{family}, H.264 crf 18", made(family), crf=18, note=f"degradation: .*{family}.*compressed: residual")
        for family in ("bi", "bd_kair", "bd_duf", "bd_tecogan")
    ),
]

FAULTS = [
    Row("two frames cut off", low(lambda lr: lr[:-2]), ("frame count",), "22 frames, HR 24"),
    Row("LR begins 5 later", lambda m: (cubic_down(m[5:], 4), m[:-5]), ("temporal offset",), r"t\+5"),
    Row("LR begins 3 earlier", lambda m: (cubic_down(m[:-3], 4), m[3:]), ("temporal offset",), "t-3"),
    Row("LR begins 14 later", low(lambda lr: lr[14:]), ("frame count", "temporal offset"), r"t\+14"),
    Row("reversed", low(lambda lr: lr[::-1]), ("reversed",), "frame 0 shows HR frame 23"),
    Row(
        "frames 7 and 12 swapped", low(swapped(7, 12)), ("frame order",), "2 of 24 .*LR 7 shows HR 12, LR 12 shows HR 7"
    ),
    Row(
        "shuffled", low(lambda lr: lr[np.random.default_rng(1).permutation(len(lr))]), ("frame order",), "of 24 frames"
    ),
    Row("frame 9 dropped", low(lambda lr: np.delete(lr, 9, 0)), ("frame count", "dropped frames"), "HR 9;"),
    Row(
        "frames 9, 15, 16 dropped",
        low(lambda lr: np.delete(lr, [9, 15, 16], 0)),
        ("frame count", "dropped frames"),
        "HR 9, 15-16",
    ),
    Row("frame 7 repeated", low(lambda lr: np.insert(lr, 8, lr[7], 0)), ("frame count", "repeated frames"), "LR 8;"),
    Row("frame 10 frozen", low(frozen(10)), ("dropped frames", "repeated frames"), "HR 10;.*LR 10;"),
    Row(
        "HR lost frame 10",
        lambda m: (cubic_down(m, 4), np.delete(m, 10, 0)),
        ("frame count", "unmatched frames"),
        "LR 10;",
    ),
    Row("shift +0.07 across", moved(0, 0.07), ("spatial shift",), r"\+0\.0[67]\d columns"),
    Row("shift 0.25, -0.5", moved(0.25, -0.5), ("spatial shift",), r"\+0\.2[45]\d rows and -0\.(49|50)\d columns"),
    Row(
        "bi from pixel 0", moved(-0.375, -0.375), ("spatial shift",), "-0.37. rows.*phase of keeping pixel 0 of every 4"
    ),
    Row(
        "moved by 3, -2 pixels",
        low(lambda lr: np.roll(lr, (3, -2), (1, 2))),
        ("spatial shift",),
        r"-(3\.00|2\.99)\d rows and \+(2\.00|1\.99)",
    ),
    Row("bd_duf for bd_kair", made("bd_duf"), ("degradation",), "bd_duf, not bd_kair as declared", "bd_kair"),
    Row("bd_kair for bd_duf", made("bd_kair"), ("degradation",), "bd_kair, not bd_duf as declared", "bd_duf"),
    Row("bd_tecogan for bd_duf", made("bd_tecogan"), ("degradation",), "bd_tecogan, not bd_duf as declared", "bd_duf"),
    Row("area for bi", made("area"), ("degradation",), "area, not bi as declared", "bi"),
    Row("sigma 2.4 for bd_kair", blurred(1.5, 20), ("degradation",), r"sigma 2\.[34]\d x 2\.[34]\d", "bd_kair"),
    Row(
        "sigma 2.4 from pixel 0",
        blurred(0, 21),
        ("spatial shift",),
        "phase of keeping pixel 0",
        note=r"sigma 2\.[34]\d",
    ),
    Row(
        "x3 declared x4",
        lambda m: (cubic_down(m[:, :192, :276], 3), m[:, :192, :276]),
        ("scale",),
        "x3.000, not x4",
        scale=4,
    ),
    Row(
        "x3 down, x4 across",
        lambda m: (resized(m[:, :198], 66, 70), m[:, :198]),
        ("scale",),
        "not uniform: x3.00. down, x(4.00|3.99)",
    ),
    Row(
        "HR not a multiple",
        lambda m: (cubic_down(m[:, :196, :276], 4), m[:, :198, :277]),
        ("size",),
        r"window 276x196\+0\+0",
    ),
    Row("LR of a part", of_part(12, 20, 160, 220), ("crop",), r"window 220x160\+20\+12"),
    Row("LR of a part, blown up", zoomed, ("crop",), r"25[12]\.\dx1(79|80)\.\d\+1[34]\.\d\+(9|10)\.\d"),
    Row("bars painted on LR", low(painted_bars), ("borders",), "top 6 LR pixels in LR, 0 in HR, bottom 6"),
    Row("bars, LR squeezed", squeezed, ("borders",), r"70\.0x38\.0[-+]0\.0\+6\.0"),
    Row("limited taken for full", low(misread(("709", False), ("709", True))), ("range",), "limited taken for full"),
    Row("full taken for limited", low(misread(("709", True), ("709", False))), ("range",), "full taken for limited"),
    Row("601 taken for 709", low(misread(("601", False), ("709", False))), ("matrix",), "601 taken for 709"),
    Row("709 taken for 601", low(misread(("709", False), ("601", False))), ("matrix",), "709 taken for 601"),
    Row(
        "601 limited for 709 full",
        low(misread(("601", False), ("709", True))),
        ("matrix",),
        "601 taken for 709 and range: limited",
    ),
    Row("BGR", low(lambda lr: lr[..., ::-1]), ("channels",), "BGR in the place of RGB"),
    Row("gamma 1.1", low(powered(1.1)), ("gamma",), r"power 1\.(10|09)"),
    Row("gamma 2.2", low(powered(2.2)), ("gamma",), r"power 2\.(20|19)"),
    Row("shrunk in linear light", in_light, ("gamma",), "linear light"),
    Row("brightness +4", low(lambda lr: lr + 4), ("levels",), r"brightness \+[34]\.\d"),
    Row("contrast 0.95", low(lambda lr: 0.95 * (lr - 128) + 128), ("levels",), r"contrast x0\.95"),
    Row("saturation 0.9", low(grayed(0.9)), ("levels",), r"saturation x0\.(90|89)"),
    Row("mirrored", low(lambda lr: lr[:, :, ::-1]), ("orientation",), "mirrored left to right"),
    Row("upside down", low(lambda lr: lr[:, ::-1]), ("orientation",), "flipped upside down"),
    Row("rotated by 180", low(lambda lr: lr[:, ::-1, ::-1]), ("orientation",), "rotated by 180 degrees"),
    Row("transposed", low(lambda lr: lr.swapaxes(1, 2)), ("orientation",), "HR transposed;"),
    Row("rotated by 90", low(lambda lr: np.rot90(lr, -1, (1, 2))), ("orientation",), "rotated by 90 degrees clockwise"),
    Row("fields of two moments", low(combed), ("interlaced",), "two moments"),
    Row("shift 0.2, H.264 crf 18", moved(0.2, 0), ("spatial shift",), r"\+0\.(19|2[0123])\d rows", crf=18),
]


def other_footage(movie: Movie, other: Movie) -> tuple[Movie, Movie]:
    return cubic_down(other, 4), levels(movie).astype(np.float64)
