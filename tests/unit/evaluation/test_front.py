"""The Pareto front: with one clip of every candidate, a difference above the margin of ties counts."""

import numpy as np

from tests.unit.evaluation.conftest import MakeRun
from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.evaluation.ranking import Contest, front_of, undominated


def _metric(name: str, better: str = "higher") -> MetricFacts:
    return MetricFacts.model_validate({"name": name, "label": name, "unit": "dB", "digits": 2, "better": better})


def _front(points: dict[str, tuple[float, float]]) -> list[str]:
    contests = [
        Contest(_metric(str(axis)), {name: np.array([point[axis]]) for name, point in points.items()}, 1)
        for axis in range(2)
    ]
    return undominated(list(points), contests)


def test_a_point_worse_in_everything_is_off_the_front() -> None:
    assert _front({"best": (3, 3), "worst": (1, 1), "sharp": (4, 1), "calm": (1, 4)}) == ["best", "sharp", "calm"]


def test_a_point_equal_in_one_and_worse_in_another_is_off_the_front() -> None:
    assert _front({"a": (3, 3), "b": (3, 2)}) == ["a"]


def test_equal_points_share_the_front() -> None:
    assert _front({"a": (3, 3), "b": (3, 3)}) == ["a", "b"]


def test_nothing_has_no_front() -> None:
    assert front_of({}, [_metric("psnr")]) == []


def test_a_front_is_of_all_axes(make_run: MakeRun) -> None:
    """Without the third axis "faithful" would be dominated."""
    rows = {"sharp": (32.0, 1.0, 40.0), "faithful": (31.0, 1.1, 50.0), "dominated": (31.5, 1.2, 39.0)}
    runs = {
        name: make_run(name, {m: {"walk": [v]} for m, v in zip(("psnr", "flicker", "lr"), row, strict=True)})
        for name, row in rows.items()
    }
    axes = [_metric("psnr"), _metric("flicker", "lower"), _metric("lr")]
    assert front_of(runs, axes) == ["sharp", "faithful"]
    assert front_of(runs, axes[:2]) == ["sharp"]
