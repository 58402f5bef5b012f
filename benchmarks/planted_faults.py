"""Which gate refuses which fault: faults planted on the output of a per-frame network, judged as `select` does.

python benchmarks/planted_faults.py FOOTAGE [--weights FILE] [--frames 16] [--size 192]

FOOTAGE: a folder of three clips or more, each used from its first frame, in a square in the middle of the picture.
--weights: of the network; if it has a memory, its state is lost as well. Prints a table in Markdown.

The gates are those of configs/gates/standard.yaml, without the two that test a network's file instead of its output.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from faults import ABSOLUTE, ON_BICUBIC, RELATIVE, UNALTERED, Fault, Material
from hydra import compose, initialize_config_dir
from more_faults import MORE_ABSOLUTE, MORE_RELATIVE
from omegaconf import OmegaConf
from other_strengths import OTHER_ABSOLUTE, OTHER_RELATIVE
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.files import config_dir
from vsr_lab.core.network import FrameNetwork, Network, stream
from vsr_lab.core.parts import parse_part
from vsr_lab.core.records.evaluation import CandidateFacts, Choice
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.evaluator import evaluate
from vsr_lab.evaluation.gates import Gate
from vsr_lab.evaluation.protocol import Pair, Protocol, Suite, read_pairs
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.selection import select
from vsr_lab.footage.shots import Shot
from vsr_lab.models import Interpolation, load_network

WEIGHTS = Path(__file__).parents[1] / "results/zoo/weights/live_action_nano_x4.safetensors"
ZOO = UNALTERED | ABSOLUTE | RELATIVE | MORE_ABSOLUTE | MORE_RELATIVE | OTHER_ABSOLUTE | OTHER_RELATIVE
Lost = Callable[[int, int], bool]  # whether a network with memory loses it before frame t of n
_OF_THE_FILE = ("export_parity", "drift")  # gates
_SCORED = (
    *("psnr", "flicker", "lr_consistency"),
    *("color_bias", "cell_bias", "registration", "frame_offset", "grid", "lr_sharpness"),
    *("orientation", "ghosting", "combing"),
)
LOST: dict[str, tuple[str, Lost]] = {
    "nostate": ("state lost at every frame", lambda t, n: True),
    "drop8": ("at every eighth", lambda t, n: t % 8 == 0),
    "drop_middle": ("once, in the middle", lambda t, n: t == n // 2),
}


@dataclass(frozen=True)
class Faulty:
    """A candidate: the output of a network, and what a fault makes of it."""

    name: str
    scale: int
    fault: Fault
    clips: Mapping[str, Material]
    facts: CandidateFacts = field(
        default_factory=lambda: CandidateFacts(kind="frames", about={"trained_with": "fidelity"})
    )

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


def output(network: Network, clips: Mapping[str, list[Pair]], loses: Lost = lambda t, n: False) -> dict[str, Material]:
    """What a network makes of clips."""
    made: dict[str, Tensor] = {}
    for name, pairs in clips.items():
        lost = iter([loses(t, len(pairs)) for t in range(len(pairs))])
        with torch.inference_mode():
            frames = stream(network, (pair.lr for pair in pairs), lambda _, lost=lost: next(lost))
            made[name] = quantise(torch.stack(list(frames)).float())
    names = list(clips)
    others = dict(zip(names, names[1:] + names[:1], strict=True))
    return {n: Material(made[n], made[others[n]], torch.stack([p.hr for p in clips[n]])) for n in names}


def plant(clips: Mapping[str, list[Pair]], network: Network) -> list[Faulty]:
    """The candidates, the baseline first. The part of a name before the point says what unaltered output it has."""
    scale, asis = network.scale, UNALTERED["asis"][1]
    bicubic, zoo = output(Interpolation(scale).eval(), clips), output(network, clips)
    made = [Faulty("bicubic", scale, asis, bicubic)]
    made += [Faulty(f"zoo.{name}", scale, fault, zoo) for name, (_, fault) in ZOO.items()]
    made += [Faulty(f"bicubic.{name}", scale, ZOO[name][1], bicubic) for name in ON_BICUBIC if name in ZOO]
    if not isinstance(network, FrameNetwork):
        made += [Faulty(f"zoo.{n}", scale, asis, output(network, clips, loses)) for n, (_, loses) in LOST.items()]
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
    failed = next((verdict for verdict in choice.gates[name] if verdict.outcome == "fail"), None)
    if failed:
        numbers = ["" if number is None else f"{number:.3f}" for number in (failed.value, failed.bound)]
        return ["refused", failed.gate, *numbers, failed.reason]
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
        judged_together = dict.fromkeys(["bicubic", name, "zoo.asis"])
        choice = select([runs[key] for key in judged_together], {"default": gates}).choices[0]
        what = ZOO[fault][0] if fault in ZOO else LOST[fault][0]
        row = judged(choice, name)
        if fault not in UNALTERED:
            results[f"{row[0]} by `{row[1]}`" if row[1] else f"passed by every gate and {row[0]}"] += 1
        yield f"| {made_by} | {fault} | {what} | {' | '.join(row)} |"
    yield f"\n{results.total()} faults: " + ", ".join(f"{count} {result}" for result, count in results.most_common())


def main() -> None:
    """Plant, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", type=Path)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=192)
    options = parser.parse_args()
    suite = Squares("planted", str(options.footage), frames=f"0:{options.frames}", size=options.size)
    network = load_network(options.weights)[0].eval()
    protocol, gates = settings(network.scale)
    clips = {shot.name: list(read_pairs(shot, None, protocol, 8)) for shot in suite.shots()}
    if len(clips) < 3:
        parser.error("needs three clips or more")
    runs = score(plant(clips, network), suite, protocol)
    print("\n".join(table(runs, gates)))


if __name__ == "__main__":
    main()
