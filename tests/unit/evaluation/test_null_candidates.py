"""How often the gate `psnr` and `select` accept candidates that are no better than the baseline, or than each other."""

from pathlib import Path

import numpy as np
import pytest

from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.core.records.evaluation import CandidateFacts, ProtocolFacts, Summary
from vsr_lab.evaluation.gates import Above
from vsr_lab.evaluation.ranking import Contest
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.selection import select
from vsr_lab.evaluation.statistics import Values, estimate

_CANDIDATES, _FRAMES = 10, 24


def _series(rng: np.random.Generator) -> Values:
    """Frames that resemble their neighbours: AR(0.7)."""
    values = rng.normal(0, 0.4 / 2**0.5, _FRAMES)
    for t in range(1, _FRAMES):
        values[t] = 0.7 * values[t - 1] + np.sqrt(1 - 0.7**2) * values[t]
    return values


def _run(name: str, clips: dict[str, Values]) -> Run:
    """An evaluation in memory, without files."""
    summary = Summary(
        candidate=name,
        candidate_facts=CandidateFacts(kind="interpolation"),
        suite="film",
        content=None,
        suite_fingerprint="clips",
        protocol=ProtocolFacts(name="base", fingerprint="settings", scale=2, description=""),
        metric_fingerprints={"psnr": "as it is"},
        ms_per_frame=1.0,
        pictures=[],
        clips=len(clips),
        frames=_FRAMES * len(clips),
        metrics={"psnr": estimate(clips)},
        per_clip={clip: {"psnr": float(values.mean())} for clip, values in clips.items()},
        versions={},
    )
    run = Run(Path(name), summary)
    run.__dict__["values"] = {"psnr": clips}
    return run


@pytest.mark.slow
@pytest.mark.parametrize("clips", [2, 3, 5, 8, 12, 20])
def test_candidates_without_a_gain_pass_about_as_rarely_as_claimed(clips: int) -> None:
    """Gains of the clips have mean 0 and deviation 1 dB. The bound on single clips is left out: it refuses more.

    Of one candidate 2.5 in 100 may pass. Of ten, one of which is the best by chance, 5 in 100 at most.
    """
    rng, trials, gate = np.random.default_rng(clips), 600, Above("psnr", 0.0)
    single = {"pass": 0, "too few clips": 0, "fail": 0}
    chosen = provisional = 0
    for _ in range(trials):
        names = [str(clip) for clip in range(clips)]
        base = {name: 30 + _series(rng) for name in names}
        bicubic = _run("bicubic", base)
        nulls = [
            _run(f"null{n}", {name: 30 + rng.normal() + _series(rng) for name in names}) for n in range(_CANDIDATES)
        ]
        for run in nulls:
            single[gate.judge("psnr", run, bicubic).outcome] += 1
        (choice,) = select([bicubic, *nulls], {"default": {"psnr": gate}}, rank_by=["psnr"], front=["psnr"]).choices
        chosen += choice.chosen is not None and not choice.provisional
        provisional += choice.provisional
    alone = [100 * single[outcome] / trials / _CANDIDATES for outcome in ("pass", "too few clips")]
    ten = [100 * count / trials for count in (chosen, provisional)]
    print(f"\n| {clips} | " + " | ".join(f"{share:.1f}" for share in (*alone, *ten)) + " |")
    assert alone[0] <= 4
    assert ten[0] <= 7
    if clips >= 8:
        assert alone[1] == 0, "enough clips for a decision"


@pytest.mark.slow
@pytest.mark.parametrize("clips", [2, 3, 5, 8, 12, 20])
def test_equal_candidates_are_tied(clips: int) -> None:
    """In 5 of 100 suites at most (7 with random errors) one of two, or any of ten, is called better."""
    rng, trials, called = np.random.default_rng(clips), 2000, {2: 0, _CANDIDATES: 0}
    psnr = MetricFacts(name="psnr", label="PSNR", unit="dB", digits=2, better="higher")
    for _ in range(trials):
        means = {f"same{n}": 30 + rng.normal(size=clips) for n in range(_CANDIDATES)}
        contest = Contest(psnr, means, clips)
        for count in called:
            called[count] += bool(contest.wins(list(means)[:count]))
    shares = [100 * count / trials for count in called.values()]
    print(f"\n| {clips} | " + " | ".join(f"{share:.1f}" for share in shares) + " |")
    assert max(shares) <= 7
