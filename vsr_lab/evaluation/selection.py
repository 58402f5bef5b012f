"""Which candidate may ship, per content type: through the gates first, then the best of those on the Pareto front."""

from collections.abc import Mapping
from typing import Any

from vsr_lab.core.errors import UserError
from vsr_lab.evaluation.gates import Gate, Verdict
from vsr_lab.evaluation.results import Run, check_comparable
from vsr_lab.evaluation.statistics import pareto


def select(
    runs: list[Run], gates: Mapping[str, Mapping[str, Gate]], baseline: str, rank_by: str, front: Mapping[str, int]
) -> dict[str, Any]:
    """The selection for every suite among runs.

    gates: content type -> the gates of that type by name, in the order they are tried (a candidate that failed one is
    spared the rest), "default" for types without their own; rank_by: the metric, more is better, that decides among
    those left; front: metric -> +1 (more is better) or -1, the axes of the Pareto front.
    Raises UserError where runs cannot be compared or a suite lacks the baseline.
    """
    check_comparable(runs)
    for run in runs:
        missing = [metric for metric in (rank_by, *front) if metric not in run.summary["metrics"]]
        if missing:
            raise UserError(
                run.folder, f"has no {missing[0]}, which the selection needs", "evaluate it with that metric"
            )
    suites: dict[str, dict[str, Run]] = {}
    for run in runs:
        suites.setdefault(run.suite, {})[run.candidate] = run
    choices: list[dict[str, Any]] = []
    for suite, candidates in suites.items():
        if baseline not in candidates:
            raise UserError(suite, f"has no run of {baseline}, which the gates measure against", "evaluate it too")
        content = candidates[baseline].summary["content"]
        own = gates.get(content or "default", gates["default"])
        choices.append({"suite": suite, "content": content, **_choose(candidates, own, baseline, rank_by, front)})
    first = runs[0].summary
    return {
        "schema": 1,
        "protocol": {"name": first["protocol"], "fingerprint": first["protocol_fingerprint"]},
        "baseline": baseline,
        "rank_by": rank_by,
        "choices": choices,
    }


def _choose(
    candidates: dict[str, Run], gates: Mapping[str, Gate], baseline: str, rank_by: str, front: Mapping[str, int]
) -> dict[str, Any]:
    verdicts = {name: _judge(run, candidates[baseline], gates) for name, run in candidates.items() if name != baseline}
    deployable = [name for name, found in verdicts.items() if len(found) == len(gates) and all(v.passed for v in found)]
    points = {
        name: [sign * candidates[name].summary["metrics"][metric]["mean"] for metric, sign in front.items()]
        for name in deployable
    }
    best = max(pareto(points), key=lambda name: candidates[name].summary["metrics"][rank_by]["mean"], default=None)
    return {
        "chosen": best,
        "candidate_facts": candidates[best].summary["candidate_facts"] if best else None,
        "verdict": f"{best} is deployable" if best else "nothing deployable",
        "deployable": deployable,
        "pareto": pareto(points),
        "gates": {name: [v.to_json() for v in found] for name, found in verdicts.items()},
    }


def _judge(run: Run, baseline: Run, gates: Mapping[str, Gate]) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for name, gate in gates.items():
        verdicts.append(gate.judge(name, run, baseline))
        if not verdicts[-1].passed:
            break
    return verdicts
