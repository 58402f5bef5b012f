"""First section of the report: for each suite the candidate to deploy, the reasons, and the cost of a wrong choice."""

from typing import Literal, NamedTuple

from vsr_lab.core.crops import TILE
from vsr_lab.core.records.comparison import MetricFacts, SuiteFacts
from vsr_lab.core.records.evaluation import TOO_FEW, Choice, Estimate, Selection, Verdict
from vsr_lab.evaluation.objective import mean_label
from vsr_lab.evaluation.ranking import describe_stability
from vsr_lab.evaluation.statistics import MANY_CLIPS
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.text import interval, number, signed, with_unit


class Refused(NamedTuple):
    """A candidate that may not be deployed, and the reason."""

    name: str
    why: str


class GateRow(NamedTuple):
    """A gate (test with a threshold) and its result for each candidate, or why it was not tested."""

    gate: str
    verdicts: list[Verdict | str]


class Decision(NamedTuple):
    """Result of `select` for one suite, as the sentences and the table of the report.

    Attributes:
        suite: the suite.
        status: "final"; "provisional" if there are too few clips; "nothing" if every candidate failed a gate.
        chosen: name of the selected candidate; None if there is none.
        answer: sentence that names the candidate that may be deployed.
        gain: gain of the chosen candidate over the baseline, in the first metric by which candidates are ranked.
        why: sentences on the reason, ties, and the stability of the choice.
        missing: sentences on what is missing for a final choice.
        refused: the other candidates, with reasons.
        costs: sentences on the loss of quality if a candidate chosen or trained for another content type is used.
        candidates, gates: columns and rows of the table of gates; the first column is the chosen candidate, if any.
    """

    suite: SuiteFacts
    status: Literal["final", "provisional", "nothing"]
    chosen: str | None
    answer: str
    gain: str
    why: list[str]
    missing: list[str]
    refused: list[Refused]
    costs: list[str]
    candidates: list[str]
    gates: list[GateRow]


def decisions(lookup: Lookup) -> list[Decision]:
    """Describe the result of `select` for each suite; empty if the comparison was made without selection.json."""
    selection = lookup.comparison.selection
    if selection is None:
        return []
    suites = {suite.name: suite for suite in lookup.comparison.suites}
    return [_decision(lookup, selection, choice, suites[choice.suite]) for choice in selection.choices]


def _decision(lookup: Lookup, selection: Selection, choice: Choice, suite: SuiteFacts) -> Decision:
    chosen, content = choice.chosen, choice.content or choice.suite
    metric = lookup.metric(selection.rank_by[0])
    status = "nothing" if chosen is None else "provisional" if choice.provisional else "final"
    names = sorted(choice.gates, key=lambda name: name != chosen)
    refused = [Refused(name, _why_not(lookup, choice, metric, name)) for name in names if name != chosen]
    if chosen is None:
        answer = f"Nothing ships for {content}: no candidate passed every gate."
    elif choice.provisional:
        answer = f"{chosen} ships for {content}, provisionally: shown for these clips only."
    else:
        answer = f"{chosen} ships for {content}."
    return Decision(
        suite=suite,
        status=status,
        chosen=chosen,
        answer=answer,
        gain=_gap(lookup, suite, metric, chosen, selection.baseline) if chosen else "",
        why=[*_why(choice, suite, _labels(lookup, selection)), *_worst(lookup, choice)],
        missing=_missing(choice, suite),
        refused=refused,
        costs=_costs(lookup, selection, choice, suite),
        candidates=names,
        gates=_gates(choice, names),
    )


def _why(choice: Choice, suite: SuiteFacts, front: list[str]) -> list[str]:
    if choice.chosen is None:
        return []
    passed, verdicts = len(choice.deployable), choice.gates[choice.chosen]
    open_gates = [verdict.gate for verdict in verdicts if verdict.outcome == TOO_FEW]
    gates = f"{len(verdicts) - len(open_gates)} of {len(verdicts)} gates are passed"
    gates += f"; too few clips for {', '.join(open_gates)}." if open_gates else "."
    if passed == 1:
        reason = "It is the only candidate that no gate refused."
    elif choice.votes:
        reason = f"Of {passed} candidates that no gate refused: {choice.reason}."
    elif len(choice.pareto) == 1:
        reason = f"Of {passed} candidates that no gate refused, it alone is on the Pareto front of {', '.join(front)}."
    else:
        reason = f"Of {len(choice.pareto)} candidates that no gate refused: {choice.reason}."
    ties = [f"Tied with it: {', '.join(choice.ties)}."] if choice.ties else []
    if choice.stability is None:
        stable = "With one clip, the stability of the choice cannot be tested."
    elif passed == 1:
        stable = "Stability: with no other candidate left, leaving out a clip cannot change the choice."
    else:
        stable = f"Stability: {describe_stability(choice.stability, choice.chosen)}."
    return [gates, reason, *ties, stable]


def _worst(lookup: Lookup, choice: Choice) -> list[str]:
    """Sentence on the worst tile of the chosen candidate, if it is known."""
    own = [
        place for place in lookup.comparison.worst if (place.suite, place.candidate) == (choice.suite, choice.chosen)
    ]
    tiles = [place for place in own if place.kind == "tile"]
    if not tiles:
        return []
    place = max(tiles, key=lambda place: place.error - place.bicubic)
    where = f"in {place.clip}, frame {place.frame}, at x {place.left}, y {place.top}"
    errors = f"error {number(place.error, 1)} levels, bicubic {number(place.bicubic, 1)}"
    return [f"Its worst tile of {TILE}×{TILE} pixels is {where}: {errors}."]


def _missing(choice: Choice, suite: SuiteFacts) -> list[str]:
    verdicts = choice.gates.get(choice.chosen or "", [])
    open_gates = [
        f"{verdict.gate}: {verdict.reason}; the whole interval must be above {measured(verdict.bound)}"
        for verdict in verdicts
        if verdict.outcome == TOO_FEW
    ]
    if not open_gates:
        return []
    count = len(suite.clips)
    least = f", at least {MANY_CLIPS} are needed" if count < MANY_CLIPS else ""
    return [*open_gates, f"more clips of independent sources: {count} here{least}"]


def _why_not(lookup: Lookup, choice: Choice, metric: MetricFacts | None, name: str) -> str:
    failed = next((verdict for verdict in choice.gates[name] if verdict.outcome == "fail"), None)
    if failed:
        return f"refused by {failed.gate}: {failed.reason}"
    if name in choice.votes:
        equal = "not significantly less preferred; " if name in choice.ties else ""
        return f"{equal}{choice.chosen} is {choice.votes[name]}"
    suite = lookup.suite(choice.suite)
    gap = _gap(lookup, suite, metric, name, choice.chosen) if choice.chosen else ""
    behind = f"tied with {choice.chosen}: {choice.reason}" if name in choice.ties else "behind"
    if name not in choice.pareto:
        front = ", ".join(_labels(lookup, lookup.comparison.selection))
        behind += f", and another is at least as good in {front} and better in one of them"
    return f"{behind}; {gap}"


def _labels(lookup: Lookup, selection: Selection | None) -> list[str]:
    """Labels of the axes of the selection's Pareto front."""
    return [lookup.label(name) for name in (selection.front if selection else ())]


def _gap(lookup: Lookup, suite: SuiteFacts, metric: MetricFacts | None, name: str, other: str | None) -> str:
    """Text on the mean difference between two candidates in a metric, with its interval."""
    found = lookup.pair(suite.name, metric.name, name, other) if metric and other else None
    if metric is None or found is None:
        return "difference not measured"
    clips = f"better on {found.wins} of {len(suite.clips)} clips"
    return f"{_number(metric, found.difference)} against {other}, {clips}"


def _number(metric: MetricFacts, found: Estimate) -> str:
    ends = interval(found, metric.digits) or "(no interval: too few clips)"
    return f"{mean_label(metric)} {with_unit(signed(found.mean, metric.digits), metric.unit)} {ends}"


def _costs(lookup: Lookup, selection: Selection, choice: Choice, suite: SuiteFacts) -> list[str]:
    """Sentences on the difference in each ranking metric if a network for other content is used on this suite."""
    if choice.chosen is None:
        return []
    ships = {
        other.chosen: other.content or other.suite for other in selection.choices if other.content != suite.content
    }
    trained = {c.name: c.content for c in lookup.comparison.candidates if c.content not in (None, suite.content)}
    costs: list[str] = []
    for name in dict.fromkeys([*ships, *trained]):
        if name is None or name == choice.chosen:
            continue
        role = f"ships for {ships[name]}" if name in ships else f"was trained for {trained[name]}"
        metrics = [metric for metric in map(lookup.metric, selection.rank_by) if metric]
        gaps = [(m, lookup.difference(suite.name, m.name, name, choice.chosen)) for m in metrics]
        numbers = [_number(metric, gap) for metric, gap in gaps if gap]
        loses = any(gap and gap.clear and (gap.mean < 0) == (metric.better == "higher") for metric, gap in gaps)
        what = f"{'a clear loss' if loses else 'no clear loss'}: {'; '.join(numbers)}"
        costs.append(f"By {name}, which {role}: {what if numbers else 'not measured'}.")
    return costs


def _gates(choice: Choice, names: list[str]) -> list[GateRow]:
    by_name = {name: {verdict.gate: verdict for verdict in choice.gates[name]} for name in names}
    gates = dict.fromkeys(verdict.gate for name in names for verdict in choice.gates[name])
    untested = {name: "not needed" if name in choice.deployable else "not tested: refused before" for name in names}
    return [GateRow(gate, [by_name[name].get(gate, untested[name]) for name in names]) for gate in gates]


def measured(value: float | None) -> str:
    """Format a measured value or the bound of a gate with four significant digits."""
    return number(value, 0) if value is None else f"{value:.4g}".replace("-", "\N{MINUS SIGN}")
