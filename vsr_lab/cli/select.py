"""vsr-lab select: the candidate that may be deployed, for each suite."""

from functools import lru_cache
from pathlib import Path

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from vsr_lab.cli.app import begin_run, build, plain
from vsr_lab.cli.runs import read_runs
from vsr_lab.cli.show import console, show_files, show_table
from vsr_lab.core.errors import Refusal
from vsr_lab.core.records.evaluation import Selection
from vsr_lab.evaluation import Gate, select


def run(cfg: DictConfig) -> None:
    """Write selection.json. Raises Refusal, after writing it, if a content type has no deployable candidate."""
    selection = write_selection(cfg)
    empty = [choice.suite for choice in selection.choices if not choice.chosen]
    if empty:
        raise Refusal(f"nothing deployable for {', '.join(empty)}; selection.json says which gate failed")


def write_selection(cfg: DictConfig) -> Selection:
    """Test the evaluations, write selection.json, print every gate and return the selection."""
    runs = read_runs(plain(cfg.runs))
    contents = {run.summary.content for run in runs if run.summary.content}
    gates = {"default": _gates(cfg.gates), **{content: _gates_of(content) for content in contents}}
    folder = Path(cfg.run_dir)
    selection = select(
        runs,
        gates,
        cfg.baseline,
        rank_by=plain(cfg.rank_by),
        front=plain(cfg.front),
        folder=folder,
        begin=lambda: begin_run(cfg),
    )
    for choice in selection.choices:
        rows = [
            [
                name,
                verdict.gate,
                verdict.outcome.upper() if verdict.outcome == "fail" else verdict.outcome,
                verdict.reason,
            ]
            for name, verdicts in choice.gates.items()
            for verdict in verdicts
        ]
        show_table(f"{choice.suite}: {choice.verdict}", ["candidate", "gate", "", "number"], rows)
        if choice.chosen:
            equal = f"; equal: {', '.join(choice.ties)}" if choice.ties else ""
            left = "" if choice.stability is None else f"; the same without any one clip in {choice.stability:.0%}"
            console.print(f"{choice.chosen}: {choice.reason}{equal}{left}", markup=False)
    show_files("selected", {"selection": folder / "selection.json"})
    return selection


def _gates_of(content: str) -> dict[str, Gate]:
    """The gates of a content type, changed first by its yaml and then by the command line."""
    typed = [override for override in HydraConfig.get().overrides.task if override.lstrip("+~").startswith("gates")]
    return _gates(compose("select", [f"content={content}", *typed]).gates)


def _gates(cfg: DictConfig) -> dict[str, Gate]:
    return {str(name): _gate(OmegaConf.to_yaml(gate, resolve=True)) for name, gate in cfg.items()}


@lru_cache(maxsize=64)
def _gate(settings: str) -> Gate:
    """Build a gate; equal settings share one object, whose results for a network are reused for every content type."""
    return build(OmegaConf.create(settings))
