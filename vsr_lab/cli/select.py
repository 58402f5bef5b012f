"""vsr-lab select: which candidate may be deployed, for each suite of test clips."""

from typing import Annotated, ClassVar

from pydantic import Field

from vsr_lab.cli.app import begin_run, composed
from vsr_lab.cli.configuration.overrides import given_words, key_of
from vsr_lab.cli.configuration.schema import Command, Names, Runs
from vsr_lab.cli.runs import read_runs
from vsr_lab.cli.show import show, show_facts, show_table
from vsr_lab.core.errors import Refusal
from vsr_lab.core.parts import FilePath, Part, Text, describes
from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.core.records.evaluation import Choice, Gain, Selection
from vsr_lab.evaluation.gates import Gate
from vsr_lab.evaluation.objective import known_metrics, mean_label
from vsr_lab.evaluation.ranking import describe_stability
from vsr_lab.evaluation.selection import select


class SelectConfig(Command):
    """Select the candidate that may be deployed, for each suite of test clips.

    Example: vsr-lab select runs=[results/evaluate/a,results/evaluate/b]
    """

    runs: Runs
    baseline: Text
    rank_by: Names
    """Metrics that rank the candidates; the next one decides where the first finds them equal."""
    front: Names
    """Metrics of the Pareto front, each in its own direction."""
    votes: FilePath | None
    """votes.json of the same evaluations, whose preference decides before rank_by; null: metrics alone decide."""
    gates: Annotated[dict[str, Annotated[Part[Gate], describes(Gate)]], Field(min_length=1)]
    # The runs say their content types.
    ignored: ClassVar[frozenset[str]] = frozenset({"content", "data", "loss", "validation", "pixel_format"})


def run(config: SelectConfig) -> None:
    """Write selection.json. Raises Refusal, after writing it, if at least one suite has no deployable candidate."""
    selection = write_selection(config)
    empty = [choice.suite for choice in selection.choices if not choice.chosen]
    if empty:
        file = config.run_dir / "selection.json"
        raise Refusal(f"nothing deployable for {', '.join(empty)}; see the failed gates in {file}")


def write_selection(config: SelectConfig) -> Selection:
    """Test the candidates by the gates, write selection.json, print every result, and return the selection."""
    runs = read_runs(config.runs)
    gates = {name: gate.build() for name, gate in config.gates.items()}
    contents = {run.summary.content for run in runs if run.summary.content}
    selection = select(
        runs,
        {"default": gates, **{content: _gates_of(content, config, gates) for content in contents}},
        config.baseline,
        rank_by=config.rank_by,
        front=config.front,
        votes=config.votes,
        folder=config.run_dir,
        begin=lambda: begin_run(config),
    )
    for choice in selection.choices:
        header = ["candidate", "gate", "result", "what", "number", "bound"]
        show_table(f"{choice.suite}: {choice.verdict}", header, _gate_rows(choice), texts=4)
        if choice.chosen:
            _show_contenders(choice, choice.chosen, selection)
            for name, text in choice.votes.items():
                show(f"against {name}: {text}")
    show_facts("selected", {"selection": config.run_dir / "selection.json"})
    return selection


def _show_contenders(choice: Choice, chosen: str, selection: Selection) -> None:
    """Print the gains of all deployable candidates over the baseline and the chosen one, and why it was chosen."""
    (metric,) = known_metrics("rank_by", selection.rank_by[:1])
    rows: list[list[str]] = []
    for name, found in choice.contenders.items():
        result = _result(name, chosen, choice)
        rows.append([name, result, *_gain(found.over_baseline, metric), *_gain(found.over_chosen, metric)])
    columns = [f"gain over {other}" for other in (selection.baseline, chosen)]
    header = ["candidate", "result", columns[0], "better on", columns[1], "better on"]
    show_table(f"{choice.suite}: {mean_label(metric)} of the candidates that no gate refused", header, rows, texts=2)
    show(f"{chosen}: {choice.reason}")
    if choice.stability is None:
        show("stability: cannot be tested with one clip")
    else:
        show(f"stability: {describe_stability(choice.stability, chosen)}")
    if choice.ties:
        show(selection.tie_rule)


def _result(name: str, chosen: str, choice: Choice) -> str:
    if name == chosen:
        return "chosen"
    if name in choice.ties:
        return f"tied with {chosen}"
    return f"behind {chosen}" if name in choice.pareto or choice.votes else "not on the front"


def _gain(gain: Gain | None, metric: MetricFacts) -> tuple[str, str]:
    """A gain with its interval, and on how many clips it is positive; empty for None."""
    if gain is None:
        return "", ""
    ends = gain.interval(f"{{:+.{metric.digits}f}}".format, "(too short to tell)")
    return f"{gain.mean:+.{metric.digits}f} {metric.unit} {ends}", f"{gain.wins} of {gain.clips}"


def _gate_rows(choice: Choice) -> list[list[str]]:
    """Rows of the table of gates: every gate of every candidate, those that failed in capital letters."""
    gates = dict.fromkeys(verdict.gate for verdicts in choice.gates.values() for verdict in verdicts)
    rows: list[list[str]] = []
    for name, verdicts in choice.gates.items():
        found = {verdict.gate: verdict for verdict in verdicts}
        failed = any(verdict.outcome == "fail" for verdict in verdicts)
        for gate in gates:
            if verdict := found.get(gate):
                result = "FAIL" if verdict.outcome == "fail" else verdict.outcome
                rows.append([name, gate, result, verdict.reason, *map(_number, (verdict.value, verdict.bound))])
            elif failed:
                rows.append([name, gate, "not tested", "failed before", "", ""])
    return rows


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _gates_of(content: str, config: SelectConfig, gates: dict[str, Gate]) -> dict[str, Gate]:
    """Gates for a content type: those of config, changed by the objective, the content's yaml, and the command line.

    A gate that is not changed is taken from `gates` (the gates of config, already built), so that its stored results
    for a network are reused.
    """
    typed = [word for word in given_words() if key_of(word) == "objective" or key_of(word).startswith("gates")]
    own = composed("select", f"content={content}", "runs=[.]", *typed).gates
    return {name: gates[name] if gate == config.gates.get(name) else gate.build() for name, gate in own.items()}
