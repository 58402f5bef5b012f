"""Warnings: faults in the output of one candidate, by the bounds of the gates, with a baseline or without."""

from collections.abc import Callable

import pytest

from vsr_lab.evaluation.faults import find_faults
from vsr_lab.evaluation.results import Run

MakeRun = Callable[..., Run]


@pytest.fixture
def ours(make_run: MakeRun) -> Callable[..., Run]:
    """ours(**{metric: value in every frame}): an evaluation of frames of another tool."""

    def make(**values: float) -> Run:
        clips = {metric: {"walk": [value] * 6} for metric, value in values.items()}
        return make_run("ours", clips, candidate_facts={"kind": "frames"})

    return make


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ({"frame_offset": -1.0}, "ours: walk is one frame late"),
        ({"orientation": 2.0}, "ours: walk is flipped upside down"),
        ({"registration": 0.5}, "ours is shifted: registration 0.500 in walk, at most 0.200"),
        ({"lr_sharpness": 0.5}, "ours is blurred in a part of the picture: lr_sharpness 0.500 in walk, at least 0.920"),
    ],
)
def test_each_fault_is_named(ours: Callable[..., Run], values: dict[str, float], warning: str) -> None:
    assert find_faults(ours(**values)) == [warning]


def test_a_bound_with_a_margin_to_the_baseline_needs_one(make_run: MakeRun, ours: Callable[..., Run]) -> None:
    """On still clips a good network can have as much of it as bicubic."""
    bicubic, still = (make_run("bicubic", {"grid": {"walk": [value] * 6}}) for value in (1.0, 2.0))
    assert find_faults(ours(grid=2.0)) == find_faults(ours(grid=2.0), still) == []
    assert find_faults(ours(grid=2.0), bicubic) == [
        "ours has a checkerboard, or lines at the borders of blocks: grid 2.000 in walk, at most 1.300"
    ]


def test_good_output_has_none(ours: Callable[..., Run]) -> None:
    assert find_faults(ours(frame_offset=0.0, color_bias=0.5, registration=0.05, lr_sharpness=1.0, psnr=30.0)) == []


def test_what_late_frames_cause_is_not_listed(ours: Callable[..., Run]) -> None:
    assert len(find_faults(ours(frame_offset=-1.0, registration=2.0, color_bias=3.0))) == 1


def test_a_baseline_that_has_the_fault_too_relaxes_the_bound(make_run: MakeRun, ours: Callable[..., Run]) -> None:
    """Recorded LR, say, with which nothing agrees. Of interpolation itself nothing is said."""
    bicubic = make_run("bicubic", {"registration": {"walk": [0.6] * 6}})
    assert find_faults(ours(registration=0.5), bicubic) == find_faults(bicubic) == []
    assert find_faults(ours(registration=0.7), bicubic) == [
        "ours is shifted: registration 0.700 in walk, at most 0.600"
    ]


def test_a_baseline_that_was_evaluated_without_the_metric_relaxes_nothing(
    make_run: MakeRun, ours: Callable[..., Run]
) -> None:
    assert len(find_faults(ours(registration=0.5), make_run("bicubic", {"psnr": {"walk": [30.0] * 6}}))) == 1
