"""Gates of content types."""

from types import SimpleNamespace
from typing import Any

import pytest
from hydra import initialize_config_dir

from vsr_lab.cli import select
from vsr_lab.cli.app import composed
from vsr_lab.cli.configuration.usage import config_dir, options
from vsr_lab.core.parts import Part, parse_part
from vsr_lab.core.records.evaluation import Choice, Verdict
from vsr_lab.evaluation.gates import Gate
from vsr_lab.evaluation.objective import axes, metric_facts
from vsr_lab.evaluation.ranking import Ranking


def _parts(floor: float) -> dict[str, Part[Gate]]:
    exporter = {"_target_": "vsr_lab.deployment.export.OnnxExporter", "frames": 4}
    nodes: dict[str, dict[str, Any]] = {
        "export_parity": {"_target_": "vsr_lab.evaluation.gates.network.ExportParity", "exporter": exporter},
        "lr_consistency": {"_target_": "vsr_lab.evaluation.gates.Floor", "metric": "lr_consistency", "floor": floor},
    }
    return {name: parse_part(node, Gate) for name, node in nodes.items()}


def test_a_gate_that_a_content_type_does_not_change_is_the_same_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """ExportParity remembers verdicts by its exporter, so another object would export every network again."""
    config: Any = SimpleNamespace(gates=_parts(35.0))
    monkeypatch.setattr(select, "composed", lambda *words: SimpleNamespace(gates=_parts(33.0)))
    monkeypatch.setattr(select, "given_words", list)
    gates = {name: part.build() for name, part in config.gates.items()}
    own = select._gates_of("screen_capture", config, gates)
    assert own["export_parity"] is gates["export_parity"]
    assert vars(own["lr_consistency"])["floor"] == 33.0


@pytest.mark.parametrize("objective", options("objective"))
def test_an_objective_names_metrics_that_rank_and_gates_that_can_be_built(objective: str) -> None:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        config = composed("select", f"objective={objective}", "runs=[.]", "run_dir=run")
    signs = {"psnr": 1, "st_lpips": -1, "legibility": 1, "flicker": -1, "lr_consistency": 1}
    assert axes(config.front).items() <= signs.items()
    assert [metric.name for metric in Ranking.by(config.rank_by).metrics] == config.rank_by
    assert all(isinstance(gate.build(), Gate) for gate in config.gates.values())


@pytest.mark.parametrize("objective", options("objective"))
def test_what_decides_says_how_well_it_agrees_with_people(objective: str) -> None:
    """Or that this is not known, as of ST-LPIPS. Legibility measures text, not pictures."""
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        first = composed("select", f"objective={objective}", "runs=[.]", "run_dir=run").rank_by[0]
    (metric,) = metric_facts([first])
    assert first == "legibility" or "greement with people" in metric.note
    assert ("is not known" in metric.note) == (first == "st_lpips")


def test_the_table_has_every_gate_of_every_candidate_with_number_and_bound() -> None:
    passed = Verdict(gate="psnr", value=0.25, bound=0.0, outcome="pass", reason="+0.25")
    failed = Verdict(gate="psnr", value=-1.0, bound=0.0, outcome="fail", reason="-1.00")
    drift = Verdict(gate="drift", value=0.01, bound=0.1, outcome="pass", reason="steady")
    empty: dict[str, Any] = {"provisional": False, "reason": "", "ties": [], "stability": None, "candidate_facts": None}
    empty |= {"verdict": "", "deployable": ["good"], "pareto": ["good"], "suite": "film", "content": None}
    choice = Choice(chosen="good", gates={"good": [passed, drift], "bad": [failed]}, **empty)
    assert select._gate_rows(choice) == [
        ["good", "psnr", "pass", "+0.25", "0.25", "0"],
        ["good", "drift", "pass", "steady", "0.01", "0.1"],
        ["bad", "psnr", "FAIL", "-1.00", "-1", "0"],
        ["bad", "drift", "not tested", "failed before", "", ""],
    ]
