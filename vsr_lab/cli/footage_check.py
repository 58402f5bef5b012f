"""vsr-lab footage check LR HR: is this LR what this HR says it is?"""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vsr_lab.cli.app import begin_run, build, plain
from vsr_lab.cli.show import show_files, show_table
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import write_json
from vsr_lab.degradations import Degradation
from vsr_lab.pair_check import Declared, Findings, ShotPair, check_pair, find_pairs, write_picture


def run(cfg: DictConfig) -> None:
    """Check every pair, write check.json and a picture of each faulty one. Refuses where there are faults."""
    pairs, alone = find_pairs(Path(str(cfg.lr)), Path(str(cfg.hr)), plain(cfg.clips), cfg.frames)
    declared = _declared(cfg)
    folder = begin_run(cfg)
    found = [_checked(pair, declared) for pair in pairs]
    files = {"check": folder / "check.json"}
    report = {
        "schema": 1,
        "lr": str(cfg.lr),
        "hr": str(cfg.hr),
        "declared": {"degradation": declared.name, "scale": declared.scale},
        "unpaired": alone,
        "clips": {findings.clip: findings.as_json() for findings in found},
    }
    write_json(files["check"], report)
    for pair, findings in zip(pairs, found, strict=True):
        if not findings.clean:
            files[findings.clip] = folder / f"{findings.clip}.png"
            write_picture(files[findings.clip], pair, findings, _shown(findings, declared))
    _show(found, alone)
    show_files("written", files)
    faulty = [findings for findings in found if not findings.clean]
    if faulty or alone:
        kinds = dict.fromkeys(fault.kind for findings in faulty for fault in findings.faults)
        said = f"{len(faulty)} of {len(found)} pairs are faulty" + (f" ({', '.join(kinds)})" if kinds else "")
        raise Refusal(said + (f"; {len(alone)} clips have no partner" if alone else "") + f"; see {files['check']}")


def _checked(pair: ShotPair, declared: Declared) -> Findings:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(f"checking {pair.name}", total=pair.low.frames + pair.high.frames)
        return check_pair(pair, declared, lambda: progress.advance(task))


def _declared(cfg: DictConfig) -> Declared:
    """What the user says of the pairs. Raises UserError for a scale that is none."""
    if cfg.scale is not None and (not isinstance(cfg.scale, int) or cfg.scale < 1):
        raise UserError(f"scale={cfg.scale}", "is no whole number of at least 1", "say scale=4, or leave it out")
    choice = HydraConfig.get().runtime.choices.get("degradation")
    return Declared(cfg.scale, choice or None, lambda scale: _families(cfg, choice, scale))


def _families(cfg: DictConfig, declared: str | None, scale: int) -> dict[str, Degradation]:
    """The known families and the declared one at a scale, without those that do not exist there (KAIR's BD at odd
    scales) and those that draw at random."""
    at_scale = cast(DictConfig, OmegaConf.merge(cfg, {"scale": scale}))
    nodes = {str(name): node for name, node in at_scale.families.items()}
    if declared:
        nodes[declared] = at_scale.degradation
    built: dict[str, Degradation] = {}
    for name, node in nodes.items():
        try:
            family: Degradation = build(node)
        except UserError:
            continue
        if family.scale == scale and family.sample(np.random.default_rng(0)) == family.sample(np.random.default_rng(1)):
            built[name] = family
    return built


def _shown(findings: Findings, declared: Declared) -> Degradation | None:
    """The degradation to show HR by: the declared one, or the nearest that was found."""
    measured = findings.measured.get("degradation")
    return declared.families(measured["scale"]).get(declared.name or measured["nearest"]) if measured else None


def _show(found: Sequence[Findings], alone: Sequence[str]) -> None:
    rows = []
    for findings in found:
        lines = [f"FAULT {fault}" for fault in findings.faults] + findings.notes + findings.unjudged
        for i, line in enumerate(lines or ["nothing to say"]):
            rows.append(
                [findings.clip if i == 0 else "", ("clean" if findings.clean else "FAULTY") if i == 0 else "", line]
            )
    rows += [[name, "FAULTY", "FAULT partner missing: only one side has this clip"] for name in alone]
    show_table("pairs", ["clip", "", "what was found"], rows, texts=3)
