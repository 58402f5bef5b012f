"""Selection: through the gates, then the best by rank of those on the front."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import config_dir
from vsr_lab.core.records import write_record
from vsr_lab.core.records.evaluation import Choice
from vsr_lab.core.records.votes import PairVotes, Votes
from vsr_lab.evaluation import gates
from vsr_lab.evaluation.gates import Above, Floor, Gate, NotWorse
from vsr_lab.evaluation.gates.sanity import Limit
from vsr_lab.evaluation.objective import FIDELITY, metric_facts
from vsr_lab.evaluation.preference import preferred
from vsr_lab.evaluation.ranking import Contest, resamples
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.selection import select

MakeRun = Callable[..., Run]
FRONT = ("psnr", "flicker")
GATES: dict[str, dict[str, Gate]] = {
    "default": {"sharp": Floor("psnr", 30), "calm": NotWorse("flicker", 0.0, slack=0)},
    "screen": {"sharp": Floor("psnr", 50)},
}


def _run(make_run: MakeRun, name: str, psnr: float, flicker: float, **facts: Any) -> Run:
    return make_run(name, {"psnr": {"walk": [psnr] * 2}, "flicker": {"walk": [flicker] * 2}}, **facts)


def _choose(runs: list[Run], *rank_by: str) -> Choice:
    (choice,) = select(runs, GATES, "bicubic", rank_by=rank_by or ("psnr",), front=FRONT).choices
    return choice


@pytest.fixture
def bicubic(make_run: MakeRun) -> Run:
    return _run(make_run, "bicubic", 25, 2.0)


def test_the_best_by_rank_of_those_deployable_is_chosen(make_run: MakeRun, bicubic: Run) -> None:
    runs = [bicubic, _run(make_run, "good", 31, 1.5), _run(make_run, "best", 33, 1.9), _run(make_run, "wild", 40, 2.1)]
    choice = _choose(runs)
    assert choice.chosen == "best"
    assert choice.verdict == "best is deployable"
    assert choice.deployable == ["good", "best"]
    assert choice.pareto == ["good", "best"]


def test_what_another_beats_on_the_front_is_not_chosen_even_if_it_ranks_first(make_run: MakeRun) -> None:
    numbers = {"bicubic": (25, 2.0, 0.5), "beaten": (31, 1.5, 0.9), "better": (32, 1.4, 0.8), "calm": (30, 1.0, 0.7)}
    runs = [
        make_run(
            name, {metric: {"walk": [value]} for metric, value in zip(("psnr", "flicker", "ssim"), row, strict=True)}
        )
        for name, row in numbers.items()
    ]
    choice = _choose(runs, "ssim")
    assert choice.deployable == ["beaten", "better", "calm"]
    assert choice.pareto == ["better", "calm"]
    assert choice.chosen == "better"


def test_what_was_trained_adversarially_is_not_ranked_by_psnr(make_run: MakeRun, bicubic: Run) -> None:
    sharp = _run(make_run, "sharp", 33, 1.5)
    facts = sharp.summary.candidate_facts.model_copy(update={"about": {"trained_with": "adversarial"}})
    sharp = replace(sharp, summary=sharp.summary.model_copy(update={"candidate_facts": facts}))
    runs = [bicubic, sharp, _run(make_run, "soft", 31, 1.5)]
    choice = _choose(runs)
    assert (choice.chosen, choice.deployable) == ("soft", ["soft"])
    assert choice.gates["sharp"][-1].reason.startswith("trained adversarially, which PSNR does not rank")
    assert _choose(runs, "flicker").deployable == ["sharp", "soft"]


@pytest.mark.parametrize("metric", sorted(FIDELITY))
def test_no_metric_of_fidelity_ranks_what_was_trained_adversarially(make_run: MakeRun, metric: str) -> None:
    facts = {"kind": "checkpoint", "about": {"trained_with": "adversarial"}}
    better = {"psnr": {"walk": [33.0]}, "flicker": {"walk": [1.0]}, metric: {"walk": [33.0]}}
    worse = {name: {"walk": [1.0 if name == "flicker" else 25.0]} for name in better}
    choice = _choose([make_run("bicubic", worse), make_run("sharp", better, candidate_facts=facts)], metric)
    assert (choice.chosen, choice.gates["sharp"][-1].gate) == (None, "trained_with")


def test_what_does_not_say_how_it_was_trained_is_not_ranked_by_psnr_alone(make_run: MakeRun) -> None:
    """A perceptual metric must agree; one that was not measured does not."""

    def run(name: str, kind: str, psnr: float, **eyes: float) -> Run:
        values = {"psnr": psnr, "flicker": 1.0, **eyes}
        clips = {metric: {"walk": [value] * 2} for metric, value in values.items()}
        return make_run(name, clips, candidate_facts={"kind": kind})

    seen = [run("bicubic", "interpolation", 25, lpips=0.3), run("good", "frames", 31, lpips=0.2)]
    choice = _choose([*seen, run("odd", "frames", 33, lpips=0.4)])
    assert (choice.chosen, choice.deployable) == ("good", ["good"])
    assert (choice.gates["odd"][-1].gate, choice.gates["odd"][-1].value) == ("trained_with", 0.4)
    blind = _choose(
        [run("bicubic", "interpolation", 25), run("good", "frames", 31), run("lanczos", "interpolation", 30)]
    )
    assert blind.deployable == ["lanczos"]
    assert "PSNR alone does not rank it; evaluate it and bicubic with" in blind.gates["good"][-1].reason


def test_nothing_deployable_is_said_so(make_run: MakeRun, bicubic: Run) -> None:
    choice = _choose([bicubic, _run(make_run, "blurred", 24, 0.5)])
    assert (choice.chosen, choice.verdict, choice.candidate_facts) == (None, "nothing deployable", None)
    assert choice.deployable == choice.pareto == []


def test_the_baseline_is_never_chosen_even_where_it_passes(make_run: MakeRun) -> None:
    runs = [_run(make_run, "bicubic", 45, 1.0), _run(make_run, "ours", 40, 0.9)]
    assert _choose(runs).chosen == "ours"
    assert _choose(runs).deployable == ["ours"]
    assert _choose(runs[:1]).chosen is None


def test_every_gate_is_reported_with_its_number_even_after_one_that_failed(make_run: MakeRun, bicubic: Run) -> None:
    gates = _choose([bicubic, _run(make_run, "blurred", 24, 0.5), _run(make_run, "wild", 40, 2.1)]).gates
    assert [(v.gate, v.value, v.passed) for v in gates["blurred"]] == [("sharp", 24, False), ("calm", 0.5, True)]
    assert [(v.gate, v.value, v.passed) for v in gates["wild"]] == [("sharp", 40, True), ("calm", 2.1, False)]


class _Slow(Floor):
    is_slow = True


def test_a_gate_that_runs_the_network_is_not_tested_after_one_that_failed(make_run: MakeRun, bicubic: Run) -> None:
    gates: dict[str, dict[str, Gate]] = {"default": GATES["default"] | {"drift": _Slow("psnr", 1)}}
    runs = [bicubic, _run(make_run, "blurred", 24, 0.5), _run(make_run, "good", 33, 1.9)]
    (choice,) = select(runs, gates, rank_by=["psnr"], front=FRONT).choices
    assert [v.gate for v in choice.gates["blurred"]] == ["sharp", "calm"]
    assert [v.gate for v in choice.gates["good"]] == ["sharp", "calm", "drift"]


NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"psnr": {"walk": [NAN, 40]}}, "psnr has a value in 1 frame of walk, that of bicubic in 2"),
        ({"psnr": {"walk": [NAN, NAN]}}, "psnr has a value in no frame of walk, that of bicubic in 2"),
        (
            {"psnr": {"walk": [40, 40]}, "flicker": {}},
            "has no metric flicker, which front names; evaluate again with +metric@protocol.metrics.flicker=flicker",
        ),
        ({"psnr": {"walk": [40, 40]}, "grid": {"walk": [NAN, NAN]}}, "grid has a value in no frame of walk"),
    ],
)
def test_a_candidate_without_scores_is_refused_alone(
    make_run: MakeRun, values: dict[str, dict[str, list[float]]], reason: str
) -> None:
    """The others are judged as if it were not there."""
    whole = {"psnr": {"walk": [33.0] * 2}, "flicker": {"walk": [1.0] * 2}, "grid": {"walk": [1.0] * 2}}
    broken = {metric: clips for metric, clips in {**whole, **values}.items() if clips}
    runs = [make_run("bicubic", whole | {"psnr": {"walk": [25.0] * 2}}), make_run("broken", broken)]
    gates: dict[str, dict[str, Gate]] = {"default": GATES["default"] | {"grid": Limit("grid", high=2)}}
    (alone,) = select(runs, gates, rank_by=["psnr"], front=FRONT).choices
    assert (alone.chosen, alone.deployable) == (None, [])
    (choice,) = select([*runs, make_run("good", whole)], gates, rank_by=["psnr"], front=FRONT).choices
    assert (choice.chosen, choice.deployable) == ("good", ["good"])
    (verdict,) = choice.gates["broken"]
    assert (verdict.gate, verdict.outcome) == ("scores", "fail")
    assert verdict.reason.startswith(reason)


def test_a_gate_that_needs_what_the_baseline_lacks_is_the_users_to_mend(make_run: MakeRun, bicubic: Run) -> None:
    gates: dict[str, dict[str, Gate]] = {"default": {"grid": Limit("grid", high=2)}}
    with pytest.raises(UserError, match="has no metric grid, which a gate needs"):
        select([bicubic], gates, rank_by=["psnr"], front=FRONT)


def test_a_content_type_has_gates_of_its_own(make_run: MakeRun) -> None:
    facts = {"content": "screen"}
    runs = [_run(make_run, "bicubic", 55, 2.0, **facts), _run(make_run, "ours", 40, 1.0, **facts)]
    assert _choose(runs).chosen is None
    assert [v.bound for v in _choose(runs).gates["ours"]] == [50]


def test_every_suite_has_a_choice_of_its_own(make_run: MakeRun) -> None:
    runs = [
        _run(make_run, name, psnr, 1.0, suite=suite)
        for suite, numbers in {
            "film": {"bicubic": 25, "a": 35, "b": 31},
            "toons": {"bicubic": 25, "a": 31, "b": 35},
        }.items()
        for name, psnr in numbers.items()
    ]
    chosen = {
        choice.suite: choice.chosen for choice in select(runs, GATES, "bicubic", rank_by=["psnr"], front=FRONT).choices
    }
    assert chosen == {"film": "a", "toons": "b"}


def test_a_suite_without_the_baseline_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(UserError, match="suite 'film': has no evaluation of the baseline bicubic"):
        _choose([_run(make_run, "ours", 40, 1.0)])


def test_runs_under_two_protocols_are_refused(make_run: MakeRun, bicubic: Run) -> None:
    with pytest.raises(UserError, match="evaluate both with the same protocol"):
        _choose([bicubic, _run(make_run, "ours", 40, 1.0, protocol={"name": "vid4"})])


def test_a_rank_that_was_not_measured_is_the_users_to_mend(make_run: MakeRun, bicubic: Run) -> None:
    with pytest.raises(UserError, match="ssim"):
        _choose([bicubic, _run(make_run, "ours", 40, 1.0)], "ssim")


def test_the_selection_names_the_protocol_it_rests_on(bicubic: Run) -> None:
    found = select([bicubic], GATES, "bicubic", rank_by=["psnr"], front=FRONT)
    assert (found.protocol.name, found.protocol.fingerprint) == ("base", "settings")
    assert (found.baseline, found.rank_by, found.schema_version) == ("bicubic", ["psnr"], 2)


# Ties


def test_equals_are_ties_that_the_next_metric_decides(make_run: MakeRun, bicubic: Run) -> None:
    """0.1 dB is nothing; the calmer of the two is chosen."""
    runs = [bicubic, _run(make_run, "sharp", 33.08, 1.9), _run(make_run, "calm", 33.0, 1.5)]
    choice = _choose(runs, "psnr", "flicker")
    assert (choice.chosen, choice.ties, choice.reason) == (
        "calm",
        ["sharp"],
        "2 tied by PSNR (mean of frames); best by Flicker",
    )


def test_one_that_is_better_on_every_clip_is_no_tie(make_run: MakeRun) -> None:
    """A slightly blurred output flickers less, but its PSNR is lower on each of three clips."""

    def run(name: str, psnr: list[float], flicker: float) -> Run:
        clips = dict(zip(("walk", "run", "swim"), psnr, strict=True))
        return make_run(
            name,
            {"psnr": {clip: [value] for clip, value in clips.items()}, "flicker": {clip: [flicker] for clip in clips}},
        )

    runs = [run("bicubic", [25.0] * 3, 2.0), run("sharp", [33.08] * 3, 1.9), run("blurred", [33.0] * 3, 1.5)]
    assert _choose(runs, "psnr", "flicker").chosen == "sharp"
    runs[1] = run("sharp", [33.2, 33.1, 32.99], 1.9)
    assert _choose(runs, "psnr", "flicker").chosen == "blurred"


def test_equals_in_everything_are_decided_by_cost_then_by_parameters(make_run: MakeRun, bicubic: Run) -> None:
    slow, fast = (_run(make_run, name, 33, 1.5, ms_per_frame=ms) for name, ms in (("slow", 9.0), ("fast", 3.0)))
    assert _choose([bicubic, slow, fast], "psnr", "flicker").chosen == "fast"
    sizes = {"large": 900, "small": 100}
    both = [
        _run(make_run, name, 33, 1.5, candidate_facts={"kind": "interpolation", "parameters": size})
        for name, size in sizes.items()
    ]
    choice = _choose([bicubic, *both], "psnr", "flicker")
    assert (choice.chosen, choice.reason) == (
        "small",
        "2 tied by PSNR (mean of frames); 2 tied by Flicker; fewest parameters",
    )


def test_of_equals_in_cost_and_size_the_one_that_is_better_at_all_is_chosen(make_run: MakeRun, bicubic: Run) -> None:
    """A network that loses its memory in mid-clip costs as much, and is a little worse."""
    runs = [bicubic, _run(make_run, "loses", 33.0, 1.499), _run(make_run, "keeps", 33.02, 1.5)]
    choice = _choose(runs, "psnr", "flicker")
    assert (choice.chosen, choice.ties) == ("keeps", ["loses"])
    assert choice.reason.endswith("best by PSNR (mean of frames) after all")


def _clips(make_run: MakeRun, name: str, psnr: np.ndarray, flicker: np.ndarray, **facts: Any) -> Run:
    """An evaluation of one frame on each of several clips."""
    values = {"psnr": psnr, "flicker": flicker}
    return make_run(
        name, {metric: {str(i): [value] for i, value in enumerate(row)} for metric, row in values.items()}, **facts
    )


UNEVEN = np.array([1.5, -0.9, 1.2, -0.6, 0.9, -0.3])  # mean 0.3


@pytest.mark.parametrize(
    ("gains", "chosen", "reason"),
    [
        (UNEVEN, "fast", "2 tied by PSNR (mean of frames); fastest, 3 ms a frame"),
        (UNEVEN / 10 + 0.3, "large", "best by PSNR (mean of frames)"),
        (np.array([0.01, 0.02, 0.03]), "fast", "2 tied by PSNR (mean of frames); fastest, 3 ms a frame"),
        (
            np.array([0.2, 2.0, 2.2]),
            "large",
            "2 tied by PSNR (mean of frames); better by PSNR (mean of frames) on every clip",
        ),
    ],
)
def test_a_mean_whose_interval_contains_0_does_not_decide(
    make_run: MakeRun, gains: np.ndarray, chosen: str, reason: str
) -> None:
    """The gain of one candidate over the other is 0.3 dB, 0.3 dB, 0.02 dB and 1.5 dB (on few clips)."""
    base, calm = np.full(len(gains), 33.0), np.full(len(gains), 1.0)
    runs = [
        _clips(make_run, "bicubic", base - 3, 2 * calm),
        _clips(make_run, "large", base + gains, calm + np.resize([0.01, -0.01, 0.015], len(gains)), ms_per_frame=9.0),
        _clips(make_run, "fast", base, calm, ms_per_frame=3.0),
    ]
    choice = _choose(runs)
    assert (choice.chosen, choice.reason) == (chosen, reason)
    tied = reason != "best by PSNR (mean of frames)"
    assert choice.ties == (["fast" if chosen == "large" else "large"] if tied else [])
    gain = choice.contenders["fast" if chosen == "large" else "large"].over_chosen
    assert gain is not None and gain.low is not None and gain.high is not None
    assert (gain.low <= 0 <= gain.high) == tied
    assert gain.mean == pytest.approx(gains.mean() * (-1 if chosen == "large" else 1))
    assert choice.contenders[chosen].over_baseline.wins == len(gains)
    assert choice.contenders[chosen].over_chosen is None


def test_the_gain_of_a_metric_of_which_lower_is_better_is_positive(make_run: MakeRun, bicubic: Run) -> None:
    choice = _choose([bicubic, _run(make_run, "calm", 33, 1.5)], "flicker")
    gain = choice.contenders["calm"].over_baseline
    assert (gain.mean, gain.wins, gain.clips, gain.low) == (0.5, 1, 1, None)


def test_a_difference_that_may_be_chance_excludes_none_from_the_front(make_run: MakeRun) -> None:
    """The slow one is better by every metric of the front, by what its interval calls nothing."""
    ones = np.ones(6)
    runs = [
        _clips(make_run, "bicubic", 30 * ones, 2 * ones),
        _clips(make_run, "slow", 33 + UNEVEN, ones - UNEVEN / 30, ms_per_frame=9.0),
        _clips(make_run, "fast", 33 * ones, ones, ms_per_frame=3.0),
        _clips(make_run, "poor", 32 * ones, 1.3 * ones, ms_per_frame=1.0),
    ]
    choice = _choose(runs)
    assert (choice.pareto, choice.chosen) == (["slow", "fast"], "fast")


def test_of_ten_equal_candidates_the_first_metric_picks_one_rarely(make_run: MakeRun) -> None:
    """Without a correction for the number of pairs, one of them would be better than another in most suites."""
    draw, metric = np.random.default_rng(0), metric_facts(["psnr"])[0]
    names = [str(n) for n in range(10)]
    picked = sum(
        bool(Contest(metric, dict(zip(names, draw.normal(30, 1, (10, 8)), strict=True)), 8).wins(names))
        for _ in range(200)
    )
    assert picked <= 0.08 * 200


@pytest.mark.parametrize(("metric", "best"), [("psnr", "sharp"), ("flicker", "calm")])
def test_each_metric_ranks_in_its_own_direction(make_run: MakeRun, bicubic: Run, metric: str, best: str) -> None:
    runs = [bicubic, _run(make_run, "sharp", 40, 1.9), _run(make_run, "calm", 31, 1.0)]
    assert _choose(runs, metric).chosen == best


METRICS = {
    path.stem: show["better"]
    for path in sorted((config_dir() / "metric").glob("*.yaml"))
    if (show := yaml.safe_load(path.read_text("utf-8"))["show"])
}


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_is_used_in_the_direction_of_its_yaml(make_run: MakeRun, metric: str) -> None:
    """As the only one that gates, makes the front and ranks."""
    values = (
        {"poor": 0.2, "bicubic": 0.3, "good": 0.4}
        if METRICS[metric] == "higher"
        else {"poor": 0.4, "bicubic": 0.3, "good": 0.2}
    )
    runs = [make_run(name, {metric: {str(i): [value + i / 100] for i in range(9)}}) for name, value in values.items()]
    clips: dict[str, dict[str, Gate]] = {"default": {"better": Above(metric, 0.0)}}
    (gated,) = select(runs, clips, rank_by=[metric], front=[metric]).choices
    assert (gated.chosen, gated.gates["poor"][-1].outcome) == ("good", "fail")
    free: dict[str, dict[str, Gate]] = {"default": {"any": Limit(metric, low=-1e3)}}
    (choice,) = select(runs, free, rank_by=[metric], front=[metric]).choices
    assert (choice.chosen, choice.pareto) == ("good", ["good"])


BOUNDS = {"margin": 0.0, "clip_margin": 0.0, "floor": 0.25}
DIRECTED = [kind for kind in vars(gates).values() if inspect.isclass(kind) and issubclass(kind, Gate) and kind != Gate]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", DIRECTED)
def test_every_gate_uses_a_metric_in_its_direction_or_refuses_it(
    make_run: MakeRun, kind: Callable[..., Gate], metric: str
) -> None:
    """A share of decibels has no meaning, and no minimum is required of a metric of which lower is better."""
    higher, is_decibels = METRICS[metric] == "higher", metric_facts([metric])[0].unit == "dB"
    if (kind is NotWorse and is_decibels) or (kind is Floor and not higher):
        with pytest.raises(ValueError, match=metric):
            kind(metric, 0.0)
        return
    needed = {name: BOUNDS[name] for name in inspect.signature(kind).parameters if name in BOUNDS}
    values = {"poor": 0.2, "bicubic": 0.3, "good": 0.4}
    poor, bicubic, good = (
        make_run(name, {metric: {str(i): [value + i / 1000] * 3 for i in range(9)}}) for name, value in values.items()
    )
    if not higher:
        poor, good = good, poor
    gate = kind(metric=metric, **needed)
    assert gate.judge("gate", good, bicubic).outcome == "pass"
    assert gate.judge("gate", poor, bicubic).outcome == "fail"


@pytest.mark.parametrize("kind", DIRECTED)
def test_a_metric_of_unknown_direction_is_refused(kind: Callable[..., Gate]) -> None:
    """`grid` is for gates alone, so its yaml says no direction."""
    with pytest.raises(ValueError, match="does not say whether higher or lower grid is better"):
        kind("grid", 0.0)


@pytest.mark.parametrize("objective", [path.stem for path in (config_dir() / "objective").glob("*.yaml")])
def test_objectives_name_metrics_that_have_a_direction(objective: str) -> None:
    settings = yaml.safe_load((config_dir() / "objective" / f"{objective}.yaml").read_text("utf-8"))
    gated = {gate["metric"] for gate in settings.get("gates", {}).values() if "metric" in gate}
    assert {*settings["front"], *settings["rank_by"], *gated} <= METRICS.keys()


def test_stability_is_the_share_of_clips_that_the_choice_does_not_hang_on(make_run: MakeRun) -> None:
    def run(name: str, values: list[float], flicker: float) -> Run:
        clips = {str(i): [value] * 2 for i, value in enumerate(values)}
        return make_run(name, {"psnr": clips, "flicker": {clip: [flicker] * 2 for clip in clips}})

    runs = [run("bicubic", [25, 25, 25], 1), run("one", [33, 33, 50], 1), run("even", [36, 36, 36], 0.9)]
    choice = _choose(runs)
    assert (choice.chosen, choice.ties) == ("one", ["even"])
    found = choice.stability
    assert found is not None
    assert (found.clips, found.left_out, found.resamples) == (3, pytest.approx(2 / 3), 10)
    drawn = 1 - (2 / 3) ** 3  # that the third clip is among three
    assert found.resampled == {"one": pytest.approx(drawn, abs=1e-6), "even": pytest.approx(1 - drawn, abs=1e-6)}


def test_resamples_are_all_of_few_clips_and_the_same_draws_of_many() -> None:
    for clips in (2, 3, 5):
        found = resamples(clips)
        assert sum(probability for _, probability in found) == pytest.approx(1)
        means = [sum(places.count(clip) * share for places, share in found) for clip in range(clips)]
        assert means == [pytest.approx(1)] * clips
    assert (len(resamples(5)), len(resamples(6))) == (126, 200)
    assert resamples(6) == resamples(6)


def test_one_of_many_that_gain_by_chance_is_not_significant(make_run: MakeRun) -> None:
    """p of 0.02 for one candidate is 0.2 for the best of ten."""
    gains = np.array([0.05, 0.55, 0.3, 0.1, 0.5, 0.3])
    base = make_run("bicubic", {"psnr": {str(i): [30.0] * 8 for i in range(6)}, "flicker": {"0": [1.0]}})
    lucky = {"psnr": {str(i): [30 + gain] * 8 for i, gain in enumerate(gains)}, "flicker": {"0": [1.0]}}
    gates: dict[str, dict[str, Gate]] = {"default": {"psnr": Above("psnr", 0.05)}}
    alone = select([base, make_run("a", lucky)], gates, rank_by=["psnr"], front=["psnr"]).choices[0]
    ten = select([base, *(make_run(f"c{i}", lucky) for i in range(20))], gates, rank_by=["psnr"], front=["psnr"])
    assert not alone.provisional
    assert ten.choices[0].provisional
    assert "not significant among 20 candidates" in ten.choices[0].gates["c0"][0].reason


def test_candidates_that_fail_count_among_those_that_were_tried(make_run: MakeRun) -> None:
    """The best of twenty without a gain passes by chance; that nineteen fail is the reason to doubt it."""
    gains = {
        "lucky": [0.05, 0.55, 0.3, 0.1, 0.5, 0.3],
        **{f"null{i}": [-0.1, 0.1, 0.0, 0.1, -0.1, 0.0] for i in range(19)},
    }
    base = make_run("bicubic", {"psnr": {str(i): [30.0] * 8 for i in range(6)}})
    runs = [
        make_run(name, {"psnr": {str(i): [30 + gain] * 8 for i, gain in enumerate(values)}})
        for name, values in gains.items()
    ]
    gates: dict[str, dict[str, Gate]] = {"default": {"psnr": Above("psnr", 0.05)}}
    (choice,) = select([base, *runs], gates, rank_by=["psnr"], front=["psnr"]).choices
    assert (choice.chosen, choice.provisional) == ("lucky", True)
    assert {choice.gates[f"null{i}"][0].outcome for i in range(19)} == {"fail"}


def _vote(path: Path, runs: list[Run], rows: Mapping[tuple[str, str], list[tuple[int, int]]]) -> Path:
    """votes.json of these evaluations; rows: pair -> votes for the first and for the second, on each clip."""
    pairs = [
        PairVotes(suite="film", clip=str(clip), candidate=a, other=b, wins=wins, losses=losses, ties=0)
        for (a, b), clips in rows.items()
        for clip, (wins, losses) in enumerate(clips)
    ]
    evaluations = {"film": {run.candidate: run.summary.fingerprint for run in runs}}
    fields: dict[str, Any] = {"seed": 0, "voters": {"ann": 9}, "left_out": [], "strengths": [], "agreement": []}
    protocol = runs[0].summary.protocol
    write_record(path, Votes(protocol=protocol, evaluations=evaluations, pairs=pairs, **fields))
    return path


@pytest.fixture
def voted(make_run: MakeRun, bicubic: Run) -> list[Run]:
    """By the metrics, "best" is chosen and "plain" is not even on the front."""
    return [bicubic, _run(make_run, "plain", 31, 1.95), _run(make_run, "best", 33, 1.9)]


def _choose_by(votes: Path, runs: list[Run]) -> Choice:
    return select(runs, GATES, rank_by=["psnr"], front=FRONT, votes=votes).choices[0]


def test_people_decide_before_the_metrics(tmp_path: Path, voted: list[Run]) -> None:
    assert _choose(voted).chosen == "best"
    choice = _choose_by(_vote(tmp_path / "v.json", voted, {("plain", "best"): [(2, 1)] * 6}), voted)
    assert (choice.chosen, choice.ties, choice.reason) == ("plain", [], "best by people's votes")
    assert choice.votes["best"].startswith("preferred on 6 clips and not on 0 (p = 0.031), 12 of 18 votes against 6")


def test_a_preference_that_may_be_chance_leaves_the_choice_to_the_metrics(tmp_path: Path, voted: list[Run]) -> None:
    clips = [(9, 0)] * 5 + [(0, 1)]  # many votes on one clip are one source
    choice = _choose_by(_vote(tmp_path / "v.json", voted, {("plain", "best"): clips}), voted)
    assert (choice.chosen, choice.ties) == ("best", ["plain"])
    assert choice.reason == "2 tied by people's votes; best by PSNR (mean of frames)"


def test_a_candidate_to_which_people_prefer_the_baseline_fails(tmp_path: Path, voted: list[Run]) -> None:
    rows = {("best", "plain"): [(3, 0)] * 6, ("best", "bicubic"): [(0, 3)] * 6, ("bicubic", "plain"): [(1, 1)] * 6}
    choice = _choose_by(_vote(tmp_path / "v.json", voted, rows), voted)
    assert (choice.chosen, choice.deployable) == ("plain", ["plain"])
    assert (choice.gates["best"][-1].gate, choice.gates["best"][-1].outcome) == ("votes", "fail")
    assert choice.gates["plain"][-1].passed


def test_of_equal_candidates_people_prefer_one_by_chance_in_at_most_one_case_of_twenty() -> None:
    draw = np.random.default_rng(0)
    clear = 0
    for _ in range(400):
        rows = [
            PairVotes(suite="film", clip=str(clip), candidate=a, other=b, wins=int(wins), losses=5 - int(wins), ties=0)
            for a, b in (("x", "y"), ("x", "z"), ("y", "z"))
            for clip, wins in enumerate(draw.binomial(5, draw.beta(1, 1, 12)))  # voters agree about a clip
        ]
        clear += len(preferred(rows, ["x", "y", "z"])) == 1
    assert clear <= 0.05 * 400


def test_the_single_votes_are_no_result(tmp_path: Path, voted: list[Run]) -> None:
    with pytest.raises(
        UserError, match=r"votes\.sqlite: contains the single votes.*; give votes\.json of vsr-lab vote serve"
    ):
        select(voted, GATES, rank_by=["psnr"], front=FRONT, votes=tmp_path / "votes.sqlite")


def test_votes_on_others_or_on_too_few_clips_are_refused(tmp_path: Path, voted: list[Run], make_run: MakeRun) -> None:
    few = _vote(tmp_path / "few.json", voted, {("plain", "best"): [(9, 0)] * 5})
    with pytest.raises(UserError, match="votes on 5 clips of film, too few"):
        _choose_by(few, voted)
    path = _vote(tmp_path / "v.json", voted, {("plain", "best"): [(2, 0)] * 6})
    with pytest.raises(UserError, match="no votes on candidate new on suite film"):
        _choose_by(path, [*voted, _run(make_run, "new", 31, 1.5)])
    retrained = _run(make_run, "best", 33, 1.9, candidate_facts={"kind": "checkpoint", "sha256": "other"})
    with pytest.raises(UserError, match="votes on other weights of best"):
        _choose_by(path, [*voted[:2], retrained])
