"""vsr-lab select: which candidate may ship, per content type."""

from functools import lru_cache
from typing import Any

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from vsr_lab.cli.app import begin_run, build, plain
from vsr_lab.cli.runs import read_runs
from vsr_lab.cli.show import show_files, show_table
from vsr_lab.core.errors import Refusal
from vsr_lab.core.files import write_json
from vsr_lab.evaluation import Gate, select


def run(cfg: DictConfig) -> None:
    """Write selection.json. Refuses, after writing it, where some content type has nothing deployable."""
    selection = write_selection(cfg)
    empty = [choice["suite"] for choice in selection["choices"] if not choice["chosen"]]
    if empty:
        raise Refusal(f"nothing deployable for {', '.join(empty)}; selection.json says which gate failed")


def write_selection(cfg: DictConfig) -> dict[str, Any]:
    """Judge the runs, show every gate, write selection.json and return it."""
    runs = read_runs(cfg.runs)
    contents = {run.summary["content"] for run in runs} - {None}
    gates = {"default": _gates(cfg.gates), **{content: _gates_of(content) for content in contents}}
    selection = select(runs, gates, cfg.baseline, cfg.rank_by, plain(cfg.front))
    folder = begin_run(cfg)
    write_json(folder / "selection.json", selection)
    for choice in selection["choices"]:
        rows = [
            [name, v["gate"], "passed" if v["passed"] else "FAILED", v["reason"]]
            for name, verdicts in choice["gates"].items()
            for v in verdicts
        ]
        show_table(f"{choice['suite']}: {choice['verdict']}", ["candidate", "gate", "", "number"], rows)
    show_files("selected", {"selection": folder / "selection.json"})
    return selection


def _gates_of(content: str) -> dict[str, Gate]:
    """The gates as the content type's yaml changes them, and the command line after it."""
    typed = [override for override in HydraConfig.get().overrides.task if override.lstrip("+~").startswith("gates")]
    return _gates(compose("select", [f"content={content}", *typed]).gates)


def _gates(cfg: DictConfig) -> dict[str, Gate]:
    return {str(name): _gate(OmegaConf.to_yaml(gate, resolve=True)) for name, gate in cfg.items()}


@lru_cache(maxsize=64)
def _gate(settings: str) -> Gate:
    """One object for equal settings: what it found of a network holds for every content type."""
    return build(OmegaConf.create(settings))
