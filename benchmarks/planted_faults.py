"""Which gate refuses which fault: faults planted on the output of a per-frame network, judged as `select` does.

benchmarks/planted_faults.py FOOTAGE [--weights FILE] [--frames 16] [--size 192] [--recurrent FILE]

FOOTAGE: a folder of three clips or more, each used from its first frame, in a square in the middle of the picture.
--recurrent: weights of a network with memory, whose state is then lost as well. Prints a table in Markdown.

The gates are those of configs/gates/standard.yaml, without the two that test a network's file instead of its output.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from faults import ABSOLUTE, ON_BICUBIC, RELATIVE, UNALTERED, Fault, Material
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from torch import Tensor

from vsr_lab.core.cuts import no_cut
from vsr_lab.core.files import config_dir
from vsr_lab.core.luma import quantise
from vsr_lab.core.network import Network
from vsr_lab.core.parts import parse_part
from vsr_lab.core.records.evaluation import CandidateFacts, Choice
from vsr_lab.core.stream import stream
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation import Gate, Protocol, Run, Suite, evaluate, select
from vsr_lab.evaluation.suites import Pair, read_pairs
from vsr_lab.footage.shots import Shot
from vsr_lab.models import Interpolation, load_network

WEIGHTS = Path(__file__).parents[1] / "results/zoo/weights/live_action_nano_x4.safetensors"
ZOO = UNALTERED | ABSOLUTE | RELATIVE
_OF_THE_FILE = ("export_parity", "drift")  # gates
_SCORED = (
    *("psnr", "flicker", "lr_consistency"),
    *("color_bias", "cell_bias", "registration", "frame_offset", "grid", "lr_sharpness"),
)
_LOST = {"asis": None, "nostate": 1, "drop8": 8}  # a network with memory loses its state every so many frames


@dataclass(frozen=True)
class Faulty:
    """A candidate: the output of a network, and what a fault makes of it."""

    name: str
    scale: int
    fault: Fault
    clips: Mapping[str, Material]
    facts: CandidateFacts = field(default_factory=lambda: CandidateFacts(kind="frames"))

    def frames(self, clip: str, lr: Iterable[Tensor]) -> Iterator[Tensor]:
        """The faulty frames of a clip."""
        return (self.fault(self.clips[clip], t).clamp(0, 1) for t, _ in enumerate(lr))


@dataclass(frozen=True)
class Squares(Suite):
    """A suite, cropped to a square in the middle. size: its side."""

    size: int = 256

    def shots(self) -> list[Shot]:
        """The shots, each a square."""
        return [self._square(shot) for shot in super().shots()]

    def _square(self, shot: Shot) -> Shot:
        height, width = shot.size
        return replace(shot, crop=(self.size, self.size, (width - self.size) // 2, (height - self.size) // 2))


def output(network: Network, clips: Mapping[str, list[Pair]], loses: int | None = None) -> dict[str, Material]:
    """What a network makes of clips. loses: its state is lost every so many frames."""
    made: dict[str, Tensor] = {}
    for name, pairs in clips.items():
        count = iter(range(len(pairs)))
        is_cut = no_cut if loses is None else lambda _, count=count, loses=loses: next(count) % loses == 0
        with torch.inference_mode():
            made[name] = quantise(torch.stack(list(stream(network, (pair.lr for pair in pairs), is_cut))).float())
    names = list(clips)
    others = dict(zip(names, names[1:] + names[:1], strict=True))
    return {n: Material(made[n], made[others[n]], torch.stack([p.hr for p in clips[n]])) for n in names}


def plant(clips: Mapping[str, list[Pair]], weights: Path, recurrent: Path | None) -> list[Faulty]:
    """The candidates, the baseline first. The part of a name before the point says what unaltered output it has."""
    network, _ = load_network(weights)
    scale, asis = network.scale, UNALTERED["asis"][1]
    bicubic, zoo = output(Interpolation(scale).eval(), clips), output(network.eval(), clips)
    made = [Faulty("bicubic", scale, asis, bicubic)]
    made += [Faulty(f"zoo.{name}", scale, fault, zoo) for name, (_, fault) in ZOO.items()]
    made += [Faulty(f"bicubic.{name}", scale, ZOO[name][1], bicubic) for name in ON_BICUBIC if name in ZOO]
    if recurrent:
        memory = load_network(recurrent)[0].eval()
        made += [Faulty(f"memory.{n}", scale, asis, output(memory, clips, loses)) for n, loses in _LOST.items()]
    return made


def settings(scale: int) -> tuple[Protocol, dict[str, Gate]]:
    """The protocol and the gates, as `evaluate` and `select` compose them."""
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        metrics = compose("evaluate", [f"protocol=content-x{scale}-bi-y", "suite=folder"]).protocol.metrics
        gates: dict[str, Any] = OmegaConf.to_object(compose("select").gates)  # pyright: ignore[reportAssignmentType]
    scored = {name: parse_part(OmegaConf.to_object(metrics[name].measure)).build() for name in _SCORED}
    protocol = Protocol("planted", "LR by bicubic", scale, ResizeDown(scale), metrics=scored)
    return protocol, {name: parse_part(gate, Gate).build() for name, gate in gates.items() if name not in _OF_THE_FILE}


def score(candidates: Iterable[Faulty], suite: Suite, protocol: Protocol) -> dict[str, Run]:
    """Evaluations by name. All say the same cost, so that it decides nothing."""
    with TemporaryDirectory() as folder:
        summaries = evaluate({Path(folder, c.name): c for c in candidates}, suite, protocol)
        runs = {path.name: Run(path, done.model_copy(update={"ms_per_frame": 1.0})) for path, done in summaries.items()}
        for run in runs.values():
            assert run.values  # read before the folder is removed
    return runs


def judged(choice: Choice, name: str) -> list[str]:
    """Result, gate, number, bound and reason of a candidate. Of equal ones the faulty one is chosen."""
    last = choice.gates[name][-1]
    if last.outcome == "fail":
        numbers = ["" if number is None else f"{number:.3f}" for number in (last.value, last.bound)]
        return ["refused", last.gate, *numbers, last.reason]
    if choice.chosen == name:
        return ["**chosen**", "", "", "", choice.reason]
    return ["not chosen", "", "", "", choice.reason if name in choice.pareto else "worse by every metric of the front"]


def table(runs: Mapping[str, Run], gates: Mapping[str, Gate]) -> Iterator[str]:
    """Rows of Markdown: every candidate but the first, beside the baseline and the unaltered output; then the count."""
    yield "| planted on | fault | what | result | gate | number | bound | in words |"
    yield "|---|---|---|---|---|---|---|---|"
    results = Counter[str]()
    for name in list(runs)[1:]:
        made_by, _, fault = name.partition(".")
        beside = "zoo.asis" if made_by == "bicubic" else f"{made_by}.asis"
        judged_together = dict.fromkeys(["bicubic", name, beside])
        choice = select([runs[key] for key in judged_together], {"default": gates}).choices[0]
        what = ZOO[fault][0] if fault in ZOO else f"state lost every {_LOST[fault]} frames"
        row = judged(choice, name)
        if fault not in UNALTERED:
            results[f"{row[0]} {row[1]}".strip()] += 1
        yield f"| {made_by} | {fault} | {what} | {' | '.join(row)} |"
    yield f"\n{results.total()} faults: " + ", ".join(f"{count} {result}" for result, count in results.most_common())


def main() -> None:
    """Plant, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", type=Path)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--recurrent", type=Path)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=192)
    options = parser.parse_args()
    suite = Squares("planted", str(options.footage), frames=f"0:{options.frames}", size=options.size)
    protocol, gates = settings(load_network(options.weights)[0].scale)
    clips = {shot.name: list(read_pairs(shot, None, protocol, 8)) for shot in suite.shots()}
    if len(clips) < 3:
        parser.error("needs three clips or more")
    runs = score(plant(clips, options.weights, options.recurrent), suite, protocol)
    print("\n".join(table(runs, gates)))


if __name__ == "__main__":
    main()
