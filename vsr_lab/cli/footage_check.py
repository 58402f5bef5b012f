"""vsr-lab footage check LR HR: faults of LR/HR pairs, and the degradation that made LR."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from vsr_lab.cli.app import begin_run, build, plain
from vsr_lab.cli.show import show_files, show_table
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import inside, write_json
from vsr_lab.core.progress import progress_bar
from vsr_lab.degradations import Degradation
from vsr_lab.pair_check import Declared, Findings, ShotPair, check_pair, find_pairs, write_picture


def run(cfg: DictConfig) -> None:
    """Check every pair; write check.json and a picture of each faulty one. Raises Refusal if there are faults."""
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
            files[findings.clip] = inside(folder, f"{findings.clip}.png")
            write_picture(files[findings.clip], pair, findings, _degradation_of(findings, declared))
    _show(found, alone)
    show_files("written", files)
    faulty = [findings for findings in found if not findings.clean]
    if faulty or alone:
        kinds = ", ".join(dict.fromkeys(fault.kind for findings in faulty for fault in findings.faults))
        message = f"{len(faulty)} of {len(found)} pairs are faulty" + (f" ({kinds})" if kinds else "")
        message += f"; {len(alone)} clips exist on one side only" if alone else ""
        raise Refusal(f"{message}; see {files['check']}")


def _checked(pair: ShotPair, declared: Declared) -> Findings:
    with progress_bar(f"checking {pair.name}", pair.low.frames + pair.high.frames) as update:
        return check_pair(pair, declared, lambda: update(advance=1))


def _declared(cfg: DictConfig) -> Declared:
    """What the user declares. Raises UserError for an invalid scale."""
    if cfg.scale is not None and (not isinstance(cfg.scale, int) or cfg.scale < 1):
        raise UserError(f"scale={cfg.scale}", "is no whole number of at least 1", "set scale=4, or leave it out")
    choice = HydraConfig.get().runtime.choices.get("degradation")
    return Declared(cfg.scale, choice or None, lambda scale: _families(cfg, choice, scale))


def _families(cfg: DictConfig, declared: str | None, scale: int) -> dict[str, Degradation]:
    """The known degradations and the declared one at a scale.

    Random ones and those that do not exist at it are left out.
    """
    at_scale = cast(DictConfig, OmegaConf.merge(cfg, {"scale": scale}))
    nodes = {str(name): node for name, node in at_scale.families.items()}
    if declared:
        nodes[declared] = at_scale.degradation
    built: dict[str, Degradation] = {}
    for name, node in nodes.items():
        try:
            family: Degradation = build(node)
        except UserError:
            if name == declared:
                raise
            continue
        if family.sample(np.random.default_rng(0)) != family.sample(np.random.default_rng(1)):
            if name == declared:
                raise UserError("degradation", f"{name} is random, so LR cannot be compared with it", "leave it out")
        elif family.scale == scale:
            built[name] = family
    return built


def _degradation_of(findings: Findings, declared: Declared) -> Degradation | None:
    """The declared degradation, or the nearest one that was found."""
    measured = findings.measured.get("degradation")
    return declared.families(measured["scale"]).get(declared.name or measured["nearest"]) if measured else None


def _show(found: Sequence[Findings], alone: Sequence[str]) -> None:
    rows: list[list[str]] = []
    for findings in found:
        lines = [f"FAULT {fault}" for fault in findings.faults] + findings.notes + findings.unjudged
        first, *others = lines or ["no findings"]
        rows.append([findings.clip, "clean" if findings.clean else "FAULTY", first])
        rows += [["", "", line] for line in others]
    rows += [[name, "FAULTY", "FAULT missing: only one side has this clip"] for name in alone]
    show_table("pairs", ["clip", "", "findings"], rows, texts=3)
