"""Selection of the candidate to deploy on each suite: it passes every gate and is on the Pareto front."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.core.records import write_record
from vsr_lab.core.records.evaluation import Choice, Selection, Verdict
from vsr_lab.evaluation.gates import Gate
from vsr_lab.evaluation.results import FRONT, Run, by_suite, check_comparable, pareto_front, read_runs


def select(
    runs: Iterable[Run | Path | str],
    gates: Mapping[str, Mapping[str, Gate]],
    baseline: str = "bicubic",
    *,
    rank_by: str = "psnr",
    front: Mapping[str, int] = FRONT,
    folder: Path | str | None = None,
    begin: Callable[[], object] = lambda: None,
) -> Selection:
    """Select a candidate for every suite: the best that passes every gate and is on the Pareto front.

    Args:
        runs: folders that `evaluate` wrote, or evaluations, all under one protocol.
        gates: content type -> gate name -> gate, in the order in which they are tested; a candidate that fails one
            skips the rest. "default" is for content types without gates of their own.
        baseline: the candidate that gates compare with; it is never selected.
        rank_by: metric (higher is better) that ranks the candidates on the front.
        front: axes of the Pareto front: metric -> +1 (higher is better) or -1.
        folder: folder for selection.json; None: not written.
        begin: called once, after all checks and before the first write.

    Returns:
        For every suite the chosen candidate, or None, and the verdict of every gate.

    Raises:
        UserError: evaluations cannot be compared or lack a metric, or a suite lacks the baseline.

    Example:
        >>> from vsr_lab.evaluation.gates import Floor, NotWorse
        >>> gates = {"default": {"psnr": Floor("psnr", 5.0), "flicker": NotWorse("flicker", 100.0)}}
        >>> selection = vsr_lab.select(["judged/bicubic", "judged/small"], gates)
        >>> selection.choices[0].chosen
        'small'
    """
    runs = read_runs(runs)
    check_comparable(runs)
    if front.get(rank_by) == -1:
        raise UserError("rank_by", f"must be a metric of which higher is better, got {rank_by!r}")
    for run in runs:
        for key, metric in (("rank_by", rank_by), *(("front", metric) for metric in front)):
            if metric not in run.summary.metrics:
                raise UserError(run.folder, f"has no {metric}, which {key} names", "evaluate it with that metric")
    choices: list[Choice] = []
    for suite, candidates in by_suite(runs).items():
        if baseline not in candidates:
            raise UserError(suite, f"has no run of {baseline}, which the gates compare with", "evaluate it too")
        own = gates.get(candidates[baseline].summary.content or "default", gates["default"])
        choices.append(_choose(candidates, own, baseline, rank_by=rank_by, front=front))
    selection = Selection(
        protocol=runs[0].summary.protocol, baseline=baseline, rank_by=rank_by, front=dict(front), choices=choices
    )
    begin()
    if folder is not None:
        write_record(Path(folder) / "selection.json", selection)
    return selection


def _choose(
    candidates: dict[str, Run], gates: Mapping[str, Gate], baseline: str, *, rank_by: str, front: Mapping[str, int]
) -> Choice:
    reference = candidates[baseline]
    verdicts = {name: _judge(run, reference, gates) for name, run in candidates.items() if name != baseline}
    deployable = [name for name, found in verdicts.items() if len(found) == len(gates) and all(v.passed for v in found)]
    on_front = pareto_front({name: candidates[name] for name in deployable}, front)
    best = max(on_front, key=lambda name: candidates[name].summary.metrics[rank_by].mean, default=None)
    return Choice(
        suite=reference.suite,
        content=reference.summary.content,
        chosen=best,
        candidate_facts=candidates[best].summary.candidate_facts if best else None,
        verdict=f"{best} is deployable" if best else "nothing deployable",
        deployable=deployable,
        pareto=on_front,
        gates=verdicts,
    )


def _judge(run: Run, baseline: Run, gates: Mapping[str, Gate]) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for name, gate in gates.items():
        verdicts.append(gate.judge(name, run, baseline))
        if not verdicts[-1].passed:
            break
    return verdicts
