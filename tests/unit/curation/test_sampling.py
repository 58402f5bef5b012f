"""A representative set: rare kinds of shots get one of their own, and the number says how much better than chance."""

from pathlib import Path

import numpy as np
import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.curation.content import FEATURES
from vsr_lab.curation.sampling import ShotCandidate, choose_shots, shot_candidates
from vsr_lab.curation.scan import Scan
from vsr_lab.footage.shots import Shot


def _candidates(kinds: list[int], frames: int = 50) -> list[ShotCandidate]:
    """So many candidates of each kind; kinds lie far apart, candidates of one kind near each other."""
    rng = np.random.default_rng(0)
    centres = rng.uniform(1, 10, (len(kinds), len(FEATURES)))
    return [
        ShotCandidate(Shot(f"kind{k}_{i}", Path("x"), 0, frames), centres[k] + rng.normal(0, 0.1, len(FEATURES)))
        for k, count in enumerate(kinds)
        for i in range(count)
    ]


def _kind(candidate: ShotCandidate) -> str:
    return candidate.shot.name.split("_")[0]


def test_every_kind_is_chosen_once_however_rare() -> None:
    candidates = _candidates([200, 60, 5, 2, 1])
    sample = choose_shots(candidates, 5, seed=0)
    assert {_kind(candidates[i]) for i in sample.chosen} == {f"kind{k}" for k in range(5)}
    assert sample.shares == pytest.approx([200 / 268, 60 / 268, 5 / 268, 2 / 268, 1 / 268])


def test_far_better_than_a_random_draw_of_as_many() -> None:
    coverage = choose_shots(_candidates([200, 60, 5, 2, 1]), 5, seed=0).coverage
    assert coverage.worst < 0.25 * coverage.random_worst
    assert coverage.mean < 0.6 * coverage.random_mean


def test_shares_are_of_time_and_sum_to_one() -> None:
    candidates = _candidates([3, 3])
    candidates[0] = candidates[0]._replace(shot=Shot("kind0_0", Path("x"), 0, 500))
    sample = choose_shots(candidates, 2, seed=0)
    assert sum(sample.shares) == pytest.approx(1)
    assert sample.shares[0] == pytest.approx(600 / 750)


def test_the_choice_is_the_same_every_time_and_of_all_when_all_are_asked_for() -> None:
    candidates = _candidates([4, 3])
    assert choose_shots(candidates, 3, seed=0).chosen == choose_shots(candidates, 3, seed=9).chosen
    whole = choose_shots(candidates, 7, seed=0)
    assert sorted(whole.chosen) == list(range(7))
    assert whole.coverage.worst == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("n", [0, 8])
def test_more_than_there_are_is_refused(n: int) -> None:
    with pytest.raises(UserError, match="and <= 7, the number of shots"):
        choose_shots(_candidates([4, 3]), n, seed=0)


def _scan(frames: int, cuts: list[int], measured: list[int]) -> Scan:
    empty = np.zeros(0, np.int64)
    features = np.arange(len(measured) * len(FEATURES), dtype=float).reshape(len(measured), -1)
    thumbs = np.zeros((1, 4, 4), np.uint8)
    change = np.zeros(frames, np.float32)
    return Scan(np.array(cuts), change, np.array(measured), features, empty, thumbs, empty, np.zeros(2))


def test_candidates_lie_between_cuts_and_long_ones_are_divided() -> None:
    shot = Shot("clip", Path("x"), 0, 500)
    candidates = shot_candidates(shot, _scan(500, [60, 65], [10, 62, 100, 300, 450]), rate=25)
    assert [(candidate.shot.start, candidate.shot.stop) for candidate in candidates] == [(0, 60), (65, 282), (282, 500)]
    assert candidates[2].features == pytest.approx(_scan(500, [], [0] * 5).features[3:5].mean(0))


def test_a_window_of_a_file_is_counted_from_its_first_frame() -> None:
    candidates = shot_candidates(Shot("clip", Path("x"), 100, 180), _scan(500, [60, 140], [110, 150]), rate=25)
    assert [(candidate.shot.start, candidate.shot.stop) for candidate in candidates] == [(100, 140), (140, 180)]
