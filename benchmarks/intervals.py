"""Coverage of 95 % intervals over clips: that of evaluations, and others, for clip effects of different skewness."""

from collections.abc import Callable

import numpy as np
from scipy import stats

from vsr_lab.evaluation.statistics import estimate

SUITES, CLIPS, RESAMPLES = 2000, (3, 5, 8, 12, 20), 400
_FRAMES, _CORRELATION, _DEVIATION = 24, 0.7, 0.4  # of a clip
Interval = Callable[[np.ndarray], tuple[float, float]]


def main() -> None:
    """Print a table for each law of the clip effects."""
    for sigma in (0.0, 0.5, 1.0):
        print(f"\n| {f'lognormal, sigma {sigma}' if sigma else 'normal'} | {' | '.join(map(str, CLIPS))} |")
        print("|---" * (1 + len(CLIPS)) + "|")
        for name, interval in METHODS.items():
            shares = [f"{100 * coverage(interval, sigma, clips):.1f}" for clips in CLIPS]
            print(f"| {name} | {' | '.join(shares)} |", flush=True)


def coverage(interval: Interval, sigma: float, clips: int) -> float:
    """Share of the suites whose interval contains the true mean of the clips, 0. Clip effects have deviation 1."""
    rng = np.random.default_rng(clips)
    effects = rng.normal(0, sigma or 1, (SUITES, clips))
    if sigma:
        spread = np.exp(sigma**2)
        effects = (np.exp(effects) - spread**0.5) / np.sqrt((spread - 1) * spread)
    lags = np.arange(1, _FRAMES)
    variance = _DEVIATION**2 * (1 + 2 * ((1 - lags / _FRAMES) * _CORRELATION**lags).sum()) / _FRAMES
    ends = [interval(means) for means in effects + rng.normal(0, variance**0.5, effects.shape)]
    return float(np.mean([low <= 0 <= high for low, high in ends]))


def _ours(means: np.ndarray) -> tuple[float, float]:
    found = estimate({str(i): np.array([mean]) for i, mean in enumerate(means)})
    assert found.low is not None and found.high is not None
    return found.low, found.high


def _student(means: np.ndarray) -> tuple[float, float]:
    half = stats.t.ppf(0.975, len(means) - 1) * stats.sem(means)
    return means.mean() - half, means.mean() + half


def _johnson(means: np.ndarray) -> tuple[float, float]:
    """Johnson, "Modified t tests and confidence intervals for asymmetrical populations", 1978."""
    variance, third = means.var(ddof=1), float(stats.moment(means, 3))
    centre = means.mean() + third / (6 * variance * len(means))
    half = stats.t.ppf(0.975, len(means) - 1) * stats.sem(means)
    return centre - half, centre + half


def _resampled(means: np.ndarray) -> np.ndarray:
    places = np.random.default_rng(0).integers(0, len(means), (RESAMPLES, len(means)))
    return means[places]


def _bootstrap_t(means: np.ndarray) -> tuple[float, float]:
    samples = _resampled(means)
    errors = samples.std(1, ddof=1) / len(means) ** 0.5
    known = errors > 0
    low, high = np.quantile((samples.mean(1)[known] - means.mean()) / errors[known], [0.025, 0.975])
    return means.mean() - high * stats.sem(means), means.mean() - low * stats.sem(means)


def _bca(means: np.ndarray) -> tuple[float, float]:
    """Efron, "Better bootstrap confidence intervals", 1987."""
    samples = _resampled(means).mean(1)
    share = np.clip((samples < means.mean()).mean(), 1 / RESAMPLES, 1 - 1 / RESAMPLES)
    away, bias = means - means.mean(), stats.norm.ppf(share)
    bend = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    ends = [bias + stats.norm.ppf(level) for level in (0.025, 0.975)]
    low, high = np.quantile(samples, [stats.norm.cdf(bias + end / (1 - bend * end)) for end in ends])
    return low, high


METHODS: dict[str, Interval] = {
    "evaluations (Hall)": _ours,
    "Student's t": _student,
    "Johnson's t": _johnson,
    "bootstrap-t": _bootstrap_t,
    "BCa bootstrap": _bca,
}


if __name__ == "__main__":
    main()
