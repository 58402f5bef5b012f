"""`footage check` against pairs whose faults were planted by independent numpy code."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.parity.planted_rows import CLEAN, FAULTS, FRAMES, SIZE, Row, check, low, other_footage, right
from tests.parity.planting import CONTENTS, FAMILIES, Movie, cubic_down, shifted
from vsr_lab.footage.shots import Shot

_BY_NAME = {row.name: row for row in [*CLEAN, *FAULTS]}
# What a content cannot show, or shows otherwise: the row, and what is found there instead.
_HELD = "a frame that HR lost is the same picture as its neighbour, so LR merely has it once more"
EXCEPTIONS = {
    ("screen", "HR lost frame 10"): _HELD,
    ("cartoon", "HR lost frame 10"): _HELD,
    ("still", "gamma 2.2"): "the lamp's light, bent so much, fits another moment better",
    ("still", "HR lost frame 10"): "the lamp's light of frame 10 comes again later",
}


# Close relatives of other rows: left to make test-all.
_LATER = {
    *(f"{family} x2" for family in FAMILIES if family != "bd_kair"),
    *("area x4", "bilinear x4", "bi x3", "bi, declared"),
    *("shift 0.25, -0.5", "shift 0.2, H.264 crf 18", "sigma 2.4 from pixel 0", "LR begins 14 later"),
    *("601 limited for 709 full", "brightness +4", "frames 9, 15, 16 dropped", "bd_duf for bd_kair"),
    "bd_kair, H.264 crf 18",
    "bd_tecogan, H.264 crf 18",
    "two frames cut off",
    "LR begins 3 earlier",
    "bd_kair for bd_duf",
    "area for bi",
    "sigma 2.4 for bd_kair",
    "full taken for limited",
    "709 taken for 601",
    "gamma 1.1",
    "contrast 0.95",
    "shift +0.07 across",
    "shrunk in linear light",
    "shuffled",
    "x3 down, x4 across",
    "LR of a part, blown up",
    "bars, LR squeezed",
    "rotated by 90",
    "bd_kair x2",
    "bd_kair, declared",
    "bd_duf, H.264 crf 18",
    "upside down",
    "rotated by 180",
    "transposed",
    *("saturation 0.9", "BGR", "frame 7 repeated", "HR lost frame 10", "frame 10 frozen", "bars painted on LR"),
    *("bd_tecogan for bd_duf", "bd_duf x4", "bd_tecogan x4", "nearest x4", "mirrored", "reversed"),
}


def rows(some: list[Row]) -> list[object]:
    return [pytest.param(r, id=r.name, marks=[pytest.mark.slow] if r.name in _LATER else []) for r in some]


@lru_cache
def movie(content: str, seed: int = 0) -> Movie:
    return CONTENTS[content](FRAMES, *SIZE, seed=seed)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_rows_are_many_and_named_once() -> None:
    assert len(_BY_NAME) == len(CLEAN) + len(FAULTS)
    assert _BY_NAME.keys() >= _LATER
    assert len({kind for row in FAULTS for kind in row.kinds}) >= 14


@pytest.mark.parametrize("row", rows(FAULTS))
def test_planted_fault_is_found_with_its_size(row: Row, tmp_path: Path) -> None:
    found = check(row, movie("textured"), tmp_path)
    assert right(row, found), found


@pytest.mark.parametrize("row", rows(CLEAN))
def test_clean_pair_passes_and_its_family_is_named(row: Row, tmp_path: Path) -> None:
    found = check(row, movie("textured"), tmp_path)
    assert right(row, found), found


@pytest.mark.slow
@pytest.mark.parametrize("content", ["screen", "still", "cartoon"])
@pytest.mark.parametrize("row", [*CLEAN, *FAULTS], ids=lambda row: row.name)
def test_on_every_content(row: Row, content: str, tmp_path: Path) -> None:
    found = check(row, movie(content), tmp_path)
    kinds = sorted(fault.kind for fault in found.faults)
    if (content, row.name) in EXCEPTIONS:
        assert not found.clean
    else:
        assert kinds == sorted(row.kinds), found


@pytest.mark.parametrize("content", [pytest.param("textured", marks=pytest.mark.slow), "screen"])
def test_other_footage_of_the_same_kind_is_named(content: str, tmp_path: Path) -> None:
    row = Row("other", lambda m: other_footage(m, movie(content, 9)))
    assert [fault.kind for fault in check(row, movie(content), tmp_path).faults] == ["other footage"]


@pytest.mark.parametrize(
    ("size", "family"),
    [
        (-0.6, "bi"),
        (0.12, "bd_kair"),
        *(pytest.param(*row, marks=pytest.mark.slow) for row in ((-0.15, "area"), (0.33, "bi"), (1.4, "bd_kair"))),
    ],
)
def test_shift_is_measured_to_a_twentieth_of_a_pixel(size: float, family: str, tmp_path: Path) -> None:
    row = Row("shift", lambda m: (FAMILIES[family](shifted(m[:8], 4 * size, -2 * size), 4), m[:8]))
    found = check(row, movie("textured"), tmp_path)
    (fault,) = found.faults
    assert fault.kind == "spatial shift"
    assert np.abs(np.array(fault.value["lr_pixels"]) - [size, -size / 2]).max() <= 0.05


def test_flat_content_is_not_judged_and_does_not_pass_in_silence(tmp_path: Path) -> None:
    row = Row("flat", lambda m: (cubic_down(np.full_like(m, 90), 4), np.full_like(m, 90)))
    found = check(row, movie("textured"), tmp_path)
    assert found.clean
    assert any("no detail" in line for line in found.unjudged)
    assert any("no motion" in line for line in found.unjudged)


def test_a_still_clip_has_no_time_to_judge(tmp_path: Path) -> None:
    row = Row("still", lambda m: (cubic_down(m[:1].repeat(8, 0), 4), m[:1].repeat(8, 0)))
    found = check(row, movie("textured"), tmp_path)
    assert found.clean
    assert any("no motion" in line for line in found.unjudged)


def test_a_gray_clip_has_no_matrix_to_judge(tmp_path: Path) -> None:
    row = low(lambda lr: lr)
    gray = movie("textured").mean(-1, keepdims=True).repeat(3, -1).round()
    found = check(Row("gray", row), gray, tmp_path)
    assert found.clean
    assert any("no colour" in line for line in found.unjudged)


@pytest.mark.parametrize("family", ["bi", "bd_kair", "bd_duf", "bd_tecogan"])
@pytest.mark.parametrize(
    ("path", "start"), [("eval/vid4/city.mkv", 0), ("train/animation/bower_bbb480.mp4", 100)], ids=["city", "bunny"]
)
@pytest.mark.slow
def test_on_real_footage(shared_footage: Path, path: str, start: int, family: str, tmp_path: Path) -> None:
    frames = Shot("real", shared_footage / path, start, start + 24).read(0, 24).frames
    real = frames[:, : frames.shape[1] // 8 * 8, : frames.shape[2] // 8 * 8].astype(np.float64)
    clean = Row("clean", lambda m: (FAMILIES[family](m, 4), m), note=f"degradation: {family}, ")
    assert right(clean, found := check(clean, real, tmp_path)), found
    coded = Row("coded", clean.plant, crf=18, note=f"degradation: .*{family}")
    assert right(coded, found := check(coded, real, tmp_path)), found
