"""vsr-lab footage check LR HR: faults of LR/HR pairs, and the degradation that made LR."""

from collections.abc import Sequence
from functools import cache, partial
from typing import Annotated, Any

import numpy as np
from hydra.core.hydra_config import HydraConfig
from pydantic import BeforeValidator

from vsr_lab.cli.app import begin_run, composed
from vsr_lab.cli.configuration.overrides import given_words
from vsr_lab.cli.configuration.schema import Command, Frames, Names, Scale
from vsr_lab.cli.show import show_facts, show_table
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.parts import FilePath, parse_part
from vsr_lab.degradations import Degradation
from vsr_lab.pair_check import Declared, Findings, check_pair, find_pairs, write_findings


def _checked(node: Any) -> Any:
    """Validate a degradation, and return it unchanged: its scale may be null until the scale of a pair is known."""
    parse_part(_with_scale(node), Degradation)
    return node


def _with_scale(node: Any) -> Any:
    """Replace a scale of null by an example."""
    if isinstance(node, list):
        return [_with_scale(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: 2 if key == "scale" and value is None else _with_scale(value) for key, value in node.items()}


Family = Annotated[dict[str, Any], BeforeValidator(_checked)]


class CheckConfig(Command):
    """Find faults of LR/HR pairs.

    Example: vsr-lab footage check LR HR
    """

    lr: FilePath
    hr: FilePath
    scale: Scale | None
    clips: Names | None
    frames: Frames | None
    degradation: Family | None = None
    families: dict[str, Family]
    """Degradations that are compared with LR."""


def run(config: CheckConfig) -> None:
    """Check every LR/HR pair, and write check.json and a picture of each faulty pair. Raises Refusal for faults."""
    pairs, alone = find_pairs(config.lr, config.hr, config.clips, config.frames)
    declared = _declared(config)
    folder = begin_run(config)
    found = [check_pair(pair, declared) for pair in pairs]
    files = write_findings(folder, pairs, found, declared=declared, sources=(config.lr, config.hr), unpaired=alone)
    _show(found, alone)
    show_facts("written", files)
    faulty = [findings for findings in found if not findings.clean]
    if faulty or alone:
        kinds = ", ".join(dict.fromkeys(fault.kind for findings in faulty for fault in findings.faults))
        message = f"{len(faulty)} of {len(found)} pairs are faulty" + (f" ({kinds})" if kinds else "")
        message += f"; {len(alone)} clips exist on one side only" if alone else ""
        raise Refusal(f"{message}; see {files['check']}")


def _declared(config: CheckConfig) -> Declared:
    """What the user declares."""
    choice = HydraConfig.get().runtime.choices.get("degradation") or None
    return Declared(config.scale, choice, cache(partial(_families, choice)))


def _families(declared: str | None, scale: int) -> dict[str, Degradation]:
    """Build the known degradations and the declared degradation for a scale.

    Degradations with random parameters and degradations that do not support the scale are left out.
    """
    config: CheckConfig = composed("footage check", *given_words(), f"++scale={scale}")
    nodes = {**config.families, **({declared: config.degradation} if declared else {})}
    built: dict[str, Degradation] = {}
    for name, node in nodes.items():
        try:
            family = parse_part(node, Degradation).build()
        except UserError as error:
            if name == declared:
                raise UserError("degradation", str(error), "choose another degradation=, or remove it") from error
            continue
        if family.sample(np.random.default_rng(0)) != family.sample(np.random.default_rng(1)):
            if name == declared:
                raise UserError(
                    "degradation",
                    f"{name} has random parameters, so LR cannot be compared with it",
                    "remove degradation=",
                )
        elif family.scale == scale:
            built[name] = family
    return built


def _show(found: Sequence[Findings], alone: Sequence[str]) -> None:
    rows: list[list[str]] = []
    for findings in found:
        lines = [f"FAULT {fault}" for fault in findings.faults] + findings.notes + findings.unjudged
        first, *others = lines or ["no findings"]
        rows.append([findings.clip, "clean" if findings.clean else "FAULTY", first])
        rows += [["", "", line] for line in others]
    rows += [[name, "FAULTY", "FAULT missing: only one side has this clip"] for name in alone]
    show_table("pairs", ["clip", "", "findings"], rows, texts=3)
