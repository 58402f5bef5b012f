"""Warnings of faults in the output of candidates, by the bounds of the gates in configs/gates/standard.yaml."""

from functools import cache

import yaml

from vsr_lab.core.files import config_dir
from vsr_lab.core.parts import parse_part
from vsr_lab.evaluation.gates.sanity import Limit, SanityGate
from vsr_lab.evaluation.results import Run


def find_faults(run: Run, baseline: Run | None = None) -> list[str]:
    """Faults in the output of a candidate, one sentence each, such as "ours: walk is one frame late".

    Args:
        run: evaluation of the candidate. Interpolation has no faults, since bounds are relaxed to the values of
            interpolation. Faults whose metrics were not evaluated are not found.
        baseline: evaluation of the baseline on the same suite; a bound that the baseline violates is relaxed. None:
            bounds are not relaxed, and bounds that have a margin to the baseline are not tested.
    """
    if run.summary.candidate_facts.kind == "interpolation":
        return []
    found: list[str] = []
    for name, gate in _sanity_gates().items():
        is_relative = isinstance(gate, Limit) and gate.margin > 0
        if gate.metric not in run.values or (is_relative and baseline is None):
            continue
        verdict = gate.judge(name, run, baseline if baseline and gate.metric in baseline.values else None)
        if not verdict.passed:
            found.append(f"{run.candidate}{_fault(gate)}: {verdict.reason}")
            if not isinstance(gate, Limit):  # late or mirrored frames violate limits too
                break
    return found


def _fault(gate: SanityGate) -> str:
    return f" {gate.fault}" if isinstance(gate, Limit) and gate.fault else ""


@cache  # of one yaml, for all runs
def _sanity_gates() -> dict[str, SanityGate]:
    nodes: dict[str, dict[str, object]] = yaml.safe_load((config_dir() / "gates/standard.yaml").read_text("utf-8"))
    own = {name: node for name, node in nodes.items() if str(node["_target_"]).startswith(f"{SanityGate.__module__}.")}
    return {name: parse_part(node, SanityGate).build() for name, node in own.items()}
