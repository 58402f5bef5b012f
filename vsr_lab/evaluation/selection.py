"""Selection of the candidate to deploy for each suite, among those that fail no gate and are on the Pareto front."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.core.records import write_record
from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.core.records.evaluation import TOO_FEW, Choice, Selection, Verdict
from vsr_lab.core.records.votes import PairVotes
from vsr_lab.evaluation.completeness import Needed
from vsr_lab.evaluation.gates import Gate, NotWorse
from vsr_lab.evaluation.objective import FIDELITY, FRONT, axes, known_metrics
from vsr_lab.evaluation.preference import duel, read_votes
from vsr_lab.evaluation.ranking import TIE_RULE, Ranking, front_of
from vsr_lab.evaluation.results import Run, by_suite, check_comparable, read_runs
from vsr_lab.evaluation.statistics import holm

_SIGNIFICANT = 0.025  # one-sided
_EYES = ("st_lpips", "lpips", "dists")  # one of which must agree where it is not known whether a network does


def select(
    runs: Iterable[Run | Path | str],
    gates: Mapping[str, Mapping[str, Gate]],
    baseline: str = "bicubic",
    *,
    rank_by: Sequence[str] = ("psnr", "flicker"),
    front: Sequence[str] = FRONT,
    votes: Path | str | None = None,
    folder: Path | str | None = None,
    begin: Callable[[], object] = lambda: None,
) -> Selection:
    """Select, for every suite, the best candidate among those that fail no gate and are on the Pareto front.

    If PSNR or another metric of `FIDELITY` ranks first and nobody voted, adversarially trained networks fail. A network
    whose training is unknown fails unless its measured ST-LPIPS, LPIPS or DISTS is not worse than that of the baseline.

    Args:
        runs: evaluations, or folders that `evaluate` wrote, all under one protocol.
        gates: content type -> name -> gate, in the order of the tests; "default", which is required, is for content
            types without gates of their own. Gates that run the network are not tested after a failed gate.
        baseline: name of the candidate that gates compare with; it is never selected.
        rank_by: metrics by which candidates on the front are ranked, the most important first, see `Ranking`.
        front: metrics of the Pareto front.
        votes: votes.json of `vote`. The votes are then used before the metrics, and all candidates that fail no gate
            are ranked, whether they are on the front or not.
        folder: folder for selection.json; None: it is not written.
        begin: called once, after all checks and before the file is written.

    Returns:
        For every suite the chosen candidate, or None, and the result of every gate.

    Raises:
        UserError: the evaluations cannot be compared, the baseline was not evaluated on a suite or lacks a metric, or
            the votes are on other evaluations or too few, see `read_votes`.

    Example:
        >>> from vsr_lab.evaluation.gates import Floor, NotWorse
        >>> gates = {"default": {"psnr": Floor("psnr", 5.0), "flicker": NotWorse("flicker", 100.0, 100.0)}}
        >>> selection = vsr_lab.select(["judged/bicubic", "judged/small"], gates)
        >>> selection.choices[0].chosen
        'small'
    """
    runs = read_runs(runs)
    check_comparable(runs)
    ranking, front_metrics = Ranking.by(rank_by), known_metrics("front", front)
    rows = read_votes(Path(votes), runs, baseline) if votes else []
    choices: list[Choice] = []
    for suite, candidates in by_suite(runs).items():
        if baseline not in candidates:
            problem = f"has no evaluation of the baseline {baseline}"
            raise UserError(f"suite {suite!r}", problem, "add it to runs=, or choose another baseline=")
        own = gates.get(candidates[baseline].summary.content or "default", gates["default"])
        needed = Needed({"rank_by": rank_by, "front": front}, own.values())
        needed.check_baseline(candidates[baseline])
        by_people = replace(ranking, votes=[row for row in rows if row.suite == suite])
        verdicts = _judge(candidates, own, baseline, needed)
        choices.append(_choose(candidates, verdicts, baseline, ranking=by_people, front=front_metrics))
    by, used = list(rank_by), runs[0].summary.protocol
    selection = Selection(
        protocol=used, baseline=baseline, rank_by=by, tie_rule=TIE_RULE, front=axes(front), choices=choices
    )
    begin()
    if folder is not None:
        write_record(Path(folder) / "selection.json", selection)
    return selection


def _choose(
    candidates: dict[str, Run],
    verdicts: dict[str, list[Verdict]],
    baseline: str,
    *,
    ranking: Ranking,
    front: Sequence[MetricFacts],
) -> Choice:
    reference = candidates[baseline]
    for name, found in verdicts.items():
        if _not_failed(found):
            if ranking.votes:
                found += _voted(ranking.votes, name, baseline)
            elif ranking.metrics[0].name in FIDELITY:
                found += _invents(candidates[name], reference, ranking.metrics[0].label)
    deployable = [name for name, found in verdicts.items() if _not_failed(found)]
    on_front = front_of({name: candidates[name] for name in deployable}, front)
    contenders = {name: candidates[name] for name in (deployable if ranking.votes else on_front)}
    best = ranking.best(contenders) if contenders else None
    provisional = bool(best) and not all(verdict.passed for verdict in verdicts[best.name])
    return Choice(
        suite=reference.suite,
        content=reference.summary.content,
        chosen=best.name if best else None,
        provisional=provisional,
        reason=best.reason if best else "",
        votes={
            name: f"{duel(ranking.votes, best.name, name)} for it"
            for name in deployable
            if best and ranking.votes and name != best.name
        },
        ties=ranking.ties(best.name, contenders) if best else [],
        contenders=ranking.contenders({name: candidates[name] for name in deployable}, reference, best.name)
        if best
        else {},
        stability=ranking.stability(contenders, best.name) if best else None,
        candidate_facts=candidates[best.name].summary.candidate_facts if best else None,
        verdict=_verdict(best.name if best else None, provisional),
        deployable=deployable,
        pareto=on_front,
        gates=verdicts,
        scores={"chosen": candidates[best.name].summary.metrics, "baseline": reference.summary.metrics} if best else {},
    )


def _voted(votes: Sequence[PairVotes], name: str, baseline: str) -> list[Verdict]:
    """Verdict from the votes of people on a candidate and the baseline; empty if there are no votes on this pair."""
    found = duel(votes, name, baseline)
    if not found.votes:
        return []
    outcome, reason = "fail" if found.lost else "pass", f"{found} for {baseline}"
    return [Verdict(gate="votes", value=found.clips_won, bound=found.clips_lost, outcome=outcome, reason=reason)]


def _invents(run: Run, baseline: Run, label: str) -> list[Verdict]:
    """Judge a network that was, or may have been, trained adversarially; such networks invent detail.

    Returns an empty list for all other candidates. label: label of the first metric by which candidates are ranked.
    """
    trained_with = run.summary.candidate_facts.trained_with
    if trained_with == "fidelity":
        return []
    if trained_with == "adversarial":
        return [_not_ranked(f"trained adversarially, which {label} does not rank; set objective=perceptual")]
    metric = next((name for name in _EYES if name in run.values and name in baseline.values), None)
    if metric is None:
        reason = f"its file does not say how it was trained, so {label} alone does not rank it"
        return [_not_ranked(f"{reason}; evaluate it and {baseline.candidate} with one of {', '.join(_EYES)} too")]
    return [NotWorse(metric, 0.0, clip_margin=0.1, slack=0.002).judge("trained_with", run, baseline)]


def _not_ranked(reason: str) -> Verdict:
    return Verdict(gate="trained_with", value=None, bound=None, outcome="fail", reason=reason)


def _verdict(chosen: str | None, provisional: bool) -> str:
    if chosen is None:
        return "nothing deployable"
    return f"{chosen} is deployable" + (" provisionally, shown for these frames only" if provisional else "")


def _judge(
    candidates: Mapping[str, Run], gates: Mapping[str, Gate], baseline: str, needed: Needed
) -> dict[str, list[Verdict]]:
    """Test candidates by the gates. Returns candidate -> verdicts.

    The p-values of a gate are corrected for the number of candidates that failed no earlier gate. A candidate without
    the needed scores is tested by no gate. A candidate that failed a gate is not tested by slow gates.
    """
    reference = candidates[baseline]
    verdicts = {name: needed.missing(run, reference) for name, run in candidates.items() if name != baseline}
    complete = [name for name, found in verdicts.items() if not found]
    for gate_name, gate in gates.items():
        left = [name for name in complete if _not_failed(verdicts[name])]
        tested = left if gate.is_slow else complete
        found = {name: gate.judge(gate_name, candidates[name], reference) for name in tested}
        found |= _corrected({name: found[name] for name in left})
        for name, verdict in found.items():
            verdicts[name].append(verdict)
    return verdicts


def _not_failed(verdicts: Sequence[Verdict]) -> bool:
    return all(verdict.outcome != "fail" for verdict in verdicts)


def _corrected(verdicts: dict[str, Verdict]) -> dict[str, Verdict]:
    """Set the outcome to "too few clips" if a test is not significant after the correction for several candidates."""
    tested = {name: verdict.p for name, verdict in verdicts.items() if verdict.p is not None}
    adjusted = holm(tested)
    return {
        name: verdict.model_copy(
            update={"outcome": TOO_FEW, "reason": f"{verdict.reason}; not significant among {len(verdicts)} candidates"}
        )
        if verdict.passed and adjusted.get(name, 0) > _SIGNIFICANT
        else verdict
        for name, verdict in verdicts.items()
    }
