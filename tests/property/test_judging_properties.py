"""What has to hold of metrics and statistics whatever is measured."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.flow import Motion
from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.evaluation.ranking import Contest, undominated
from vsr_lab.evaluation.statistics import estimate, paired
from vsr_lab.metrics import flicker, psnr, ssim

few = settings(max_examples=30, derandomize=True)
seeds = st.integers(0, 2**31)
colours = st.sampled_from(["y", "rgb"])


def _clip(seed: int, frames: int = 2, height: int = 16, width: int = 20) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return quantise(torch.rand(1, frames, 3, height, width, generator=generator))


def _motion(seed: int, frames: int = 3, height: int = 16, width: int = 20) -> Motion:
    generator = torch.Generator().manual_seed(seed)
    flow = torch.randn(1, frames - 1, 2, height, width, generator=generator) * 3
    mask = (torch.rand(1, frames - 1, 1, height, width, generator=generator) > 0.3).float()
    return Motion(flow, -flow, mask)


@few
@given(seeds, seeds, colours)
def test_psnr_and_ssim_do_not_care_which_is_the_truth(one: int, other: int, colour: str) -> None:
    a, b = _clip(one), _clip(other)
    assert torch.allclose(psnr(a, b, colour), psnr(b, a, colour))
    assert torch.allclose(ssim(a, b, colour), ssim(b, a, colour), atol=1e-6)


@few
@given(seeds, colours, st.floats(0.01, 0.4), st.floats(1.2, 3))
def test_more_of_the_same_noise_is_never_better(seed: int, colour: str, level: float, times: float) -> None:
    hr = _clip(seed)
    noise = torch.randn(hr.shape, generator=torch.Generator().manual_seed(seed + 1)) * level
    assert (psnr(hr + noise, hr, colour) > psnr(hr + times * noise, hr, colour)).all()


@few
@given(seeds, seeds, colours)
def test_psnr_and_ssim_stay_in_their_range(one: int, other: int, colour: str) -> None:
    a, b = _clip(one), _clip(other)
    assert ((psnr(a, b, colour) >= 0) & (psnr(a, b, colour) <= 100)).all()
    assert ((ssim(a, b, colour) >= -1) & (ssim(a, b, colour) <= 1 + 1e-6)).all()


@few
@given(seeds, seeds, st.tuples(*[st.floats(-0.5, 0.5, width=32)] * 3))
def test_flicker_does_not_see_a_constant(seed: int, other: int, constant: tuple[float, float, float]) -> None:
    hr, sr, motion = _clip(seed, 3), _clip(other, 3), _motion(seed)
    shifted = sr + torch.tensor(constant).view(3, 1, 1)
    assert flicker(shifted, hr, motion)[0, 1:].tolist() == pytest.approx(
        flicker(sr, hr, motion)[0, 1:].tolist(), abs=1e-3
    )


@few
@given(seeds, seeds, st.floats(0, 3))
def test_flicker_grows_with_the_error(seed: int, other: int, times: float) -> None:
    hr, motion = _clip(seed, 3), _motion(seed)
    error = _clip(other, 3) - 0.5
    once, more = (flicker(hr + k * error, hr, motion)[0, 1:] for k in (1, times))
    assert more.tolist() == pytest.approx((once * times).tolist(), rel=1e-4, abs=1e-3)


# Statistics

_values = st.lists(st.floats(-100, 100), min_size=1, max_size=40)
_clips = st.dictionaries(st.text("abc", min_size=1, max_size=3), _values, min_size=1, max_size=10)


@few
@given(_clips)
def test_the_mean_is_inside_its_interval(clips: dict[str, list[float]]) -> None:
    found = estimate({name: np.array(values) for name, values in clips.items()})
    assert found.mean == pytest.approx(np.mean([np.mean(values) for values in clips.values()]), abs=1e-9)
    assert (found.low is None) == (found.high is None) == (found.about is None)
    if found.low is not None and found.high is not None:
        assert found.low <= found.mean + 1e-9
        assert found.high >= found.mean - 1e-9


@few
@given(_clips, st.floats(-50, 50))
def test_an_estimate_moves_with_its_values(clips: dict[str, list[float]], shift: float) -> None:
    assume(len(clips) > 1)
    plain = estimate({name: np.array(values) for name, values in clips.items()})
    moved = estimate({name: np.array(values) + shift for name, values in clips.items()})
    for end in ("mean", "low", "high"):
        assert getattr(moved, end) == pytest.approx(getattr(plain, end) + shift, abs=1e-5)


@few
@given(_clips)
def test_nothing_differs_from_itself(clips: dict[str, list[float]]) -> None:
    ours = {name: np.array(values) for name, values in clips.items()}
    found = paired(ours, ours)
    assert (found.mean, found.clear) == (0, False)


_METRICS = [
    MetricFacts(name=name, label=name, unit="dB", digits=2, better=better)
    for name, better in (("a", "higher"), ("b", "lower"))
]
_names = st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=1, max_size=6, unique=True)


@st.composite
def _contests(draw: st.DrawFn) -> tuple[list[str], list[Contest]]:
    """Candidates with whole decibels in two metrics on one to four clips."""
    names, clips = draw(_names), draw(st.integers(1, 4))
    values = st.lists(st.integers(0, 4), min_size=clips, max_size=clips)
    means = [{name: np.array(draw(values), np.float64) for name in names} for _ in _METRICS]
    return names, [Contest(metric, own, clips) for metric, own in zip(_METRICS, means, strict=True)]


def _beats(one: str, other: str, contests: list[Contest]) -> bool:
    """Whether the means of a candidate are as good in both metrics, and better in one."""
    gains = [contest.gain(one, other) for contest in contests]
    return min(gains) >= 0 and max(gains) > 0


@settings(few, max_examples=100)
@given(_contests())
def test_the_front_contains_every_candidate_whose_means_no_other_beats(given_: tuple[list[str], list[Contest]]) -> None:
    names, contests = given_
    front = undominated(names, contests)
    best = [name for name in names if not any(_beats(other, name, contests) for other in names)]
    assert best
    assert set(best) <= set(front)


@settings(few, max_examples=100)
@given(_contests())
def test_whatever_is_off_the_front_is_beaten_by_one_on_it(given_: tuple[list[str], list[Contest]]) -> None:
    names, contests = given_
    front = undominated(names, contests)
    for name in set(names) - set(front):
        assert any(_beats(best, name, contests) for best in front)


@settings(few, max_examples=100)
@given(_contests())
def test_with_one_clip_the_front_is_that_of_the_means(given_: tuple[list[str], list[Contest]]) -> None:
    """Whole decibels are above the margin of ties."""
    names, contests = given_
    alone = [Contest(own.metric, {name: own.means[name][:1] for name in names}, 1) for own in contests]
    best = [name for name in names if not any(_beats(other, name, alone) for other in names)]
    assert undominated(names, alone) == best
