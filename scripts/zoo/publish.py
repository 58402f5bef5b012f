"""Publishes weights of the zoo: the file, its card, and a check of both.

    python scripts/zoo/publish.py NAME WEIGHTS CARD.yaml   # results/zoo/weights/NAME.safetensors and NAME.md
    python scripts/zoo/publish.py cards                    # rewrites every card, after judge.py measured again

NAME: CONTENT_SIZE_xSCALE, such as animation_nano_x2, or CONTENT_stream_SIZE_xSCALE of a streaming network. A network
for degraded footage has the kind after its content, live_action_archival_nano_x2, and lies in results/zoo/robust; one
that was trained with a discriminator is called live_action_perceptual_small_x4 and lies in results/zoo/perceptual.
WEIGHTS: network.safetensors of a run, or a file of gpu.py or last_layer.py. CARD.yaml: the fields of `Card`, except
those of its cost, which is measured. The file has half precision, and its note what the card says.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
import yaml
from leaderboard import COLUMNS, ROOT, Scores, interval, read_scores, start_of
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import sha256, write_text
from vsr_lab.core.network import FrameNetwork
from vsr_lab.footage.tables import read_rows
from vsr_lab.models import load_network, read_note, save_network

TABLES = ROOT / "results/zoo"
WEIGHTS = TABLES / "weights"
ROBUST = TABLES / "robust"
PERCEPTUAL = TABLES / "perceptual"
NAME = re.compile(
    r"(?P<content>live_action|animation|screen_capture)_(?:(?P<kind>archival|surveillance|compressed|perceptual)_)?"
    r"(?:stream_)?(?:nano|small)_x(?P<scale>[24])"
)
# Published weights that a network may begin from: their authors and licence.
STARTS = {
    "span_ch28_x4": "SPAN with 28 channels, baseline of the NTIRE 2026 challenge on efficient SR "
    "(github Amazingren/NTIRE2026_ESR), MIT",
    "span_ch48_x4": "SPAN with 48 channels (Wan et al. 2024), its authors' weights, Apache-2.0",
    "span_ch48_x2": "SPAN with 48 channels (Wan et al. 2024), its authors' weights, Apache-2.0",
}


class Card(BaseModel):
    """What a card says of its file.

    Attributes:
        summary: what the network is good for, and what not.
        start: the weights that it began from: a key of STARTS.
        command: commands that made it, one a line.
        machine: what they ran on, and for how long.
        seed: of the training.
        trained_with: fidelity losses alone, or also adversarial ones, which invent detail; its start included.
        data: clips that it was trained on: values of the column clips of results/zoo/sources.csv.
        validation: validation beside the start and bicubic, Markdown.
        degraded: of a network for degraded footage, what LR was made by, and scores on other sources, Markdown.
        perceptual: of a network that was trained with a discriminator, scores on other sources, Markdown.
        ms, timed_on: milliseconds of a frame of 320x180 and the CPU, when it was published; None on a busy machine.
    """

    model_config = ConfigDict(extra="forbid")
    summary: str = Field(min_length=1)
    start: str
    command: str = Field(min_length=1)
    machine: str = Field(min_length=1)
    seed: int
    trained_with: Literal["fidelity", "adversarial"]
    data: list[str] = Field(min_length=1)
    validation: str = Field(min_length=1)
    degraded: str = ""
    perceptual: str = ""
    ms: float | None = None
    timed_on: str = ""


def publish(name: str, weights: Path, card: Path) -> Path:
    """Write the file and its card. Raises UserError if the name, the card or the network does not fit."""
    found = NAME.fullmatch(name)
    network, note = load_network(weights)
    if not found or network.scale != int(found["scale"]):
        raise UserError(name, f"is no name for a network of x{network.scale}", "use CONTENT_SIZE_xSCALE")
    told = read_card(card)
    is_perceptual = found["kind"] == "perceptual"
    for key, expected in (("degraded", bool(found["kind"]) and not is_perceptual), ("perceptual", is_perceptual)):
        if bool(getattr(told, key)) != expected:
            raise UserError(f"{card}: {key}", f"belongs to a {key} network, and only there", "see its name")
    folder = PERCEPTUAL if is_perceptual else ROBUST if told.degraded else WEIGHTS
    path = folder / f"{name}.safetensors"
    kept = ("degradation", "pixel_format", "steps")
    about = {key: note["about"][key] for key in kept if key in note["about"]}
    about |= {
        "name": name,
        "content": found["content"],
        "scale": network.scale,
        "seed": told.seed,
        "init_from": told.start,
    }
    about["trained_with"] = told.trained_with
    path.parent.mkdir(parents=True, exist_ok=True)
    save_network(network.half(), about | {"card": told.model_dump()}, path)
    ms, machine = _timed(name, path)
    about["card"] = told.model_copy(update={"ms": ms, "timed_on": machine}).model_dump()
    save_network(network, about, path)
    write_text(path.with_suffix(".md"), page(path))
    return path


def read_card(path: Path) -> Card:
    """Read CARD.yaml. Raises UserError for another key, start or clip than there is."""
    try:
        card = Card.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(
            f"{path}: {'.'.join(map(str, first['loc']))}", first["msg"], "see scripts/zoo/publish.py"
        ) from error
    if card.start not in STARTS:
        raise UserError(f"{path}: start", f"{card.start} has no authors and licence", f"use one of {', '.join(STARTS)}")
    unknown = set(card.data) - {row["clips"] for row in read_rows(TABLES / "sources.csv")}
    if unknown:
        raise UserError(f"{path}: data", f"{min(unknown)} has no licence", f"add it to {TABLES / 'sources.csv'}")
    return card


def page(path: Path) -> str:
    """The card of a published file, from its note and the tables of judge.py."""
    about = read_note(path)["about"]
    card = Card.model_validate(about["card"])
    network, note = load_network(path)
    streams = "Per frame" if isinstance(network, FrameNetwork) else "Streaming"
    parameters = sum(parameter.numel() for parameter in network.parameters())
    rows = read_rows(TABLES / "sources.csv")
    sources = [(f"`{row['clips']}`", row["source"], row["licence"]) for row in rows if row["clips"] in card.data]
    kind = f"{streams}, x{network.scale}, {about['content'].replace('_', ' ')}: `{note['network']['_target_']}`"
    lines = [
        f"# {path.stem}\n",
        f"{kind}, {parameters:,} parameters.",
        f"{_cost(path, card)} Half precision on disk.\n",
        f"{card.summary.strip()}\n",
        f"- **Start** `{card.start}`: {STARTS[card.start]}.",
        f"- **Made on** {card.machine.strip()}, seed {card.seed}, with {card.trained_with} losses, by\n",
        *(f"  {line}" for line in ("```", *card.command.strip().splitlines(), "```")),
        "\n- **Footage**, degraded in training:\n"
        if card.degraded
        else "\n- **Footage**, LR by MATLAB's bicubic, rounded:\n",
        *_table(("clips", "source", "licence"), sources),
        "\n- **Validation**\n",
        *_indented(card.validation),
        *_others(path, card),
        "\n- **Use** with `vsr-lab evaluate` and `vsr-lab export`: `candidate=checkpoint`",
        f"  `candidate.path=results/zoo/{path.parent.name}/{path.name}`; to train it further: `init_from=`.",
        f"- **Limits** Made for {'degraded' if card.degraded else 'clean'} footage, enlarged {network.scale} times.",
        "  What it adds is learnt, plausible and not recorded: read no face, plate or text from it as evidence.",
    ]
    return "\n".join(lines) + "\n"


def _indented(text: str) -> list[str]:
    return [f"  {line}".rstrip() for line in text.strip().splitlines()]


def _others(path: Path, card: Card) -> list[str]:
    if card.degraded:
        return ["\n- **Degraded clips of other sources**\n", *_indented(card.degraded)]
    if card.perceptual:
        return ["\n- **Clips of other sources**\n", *_indented(card.perceptual)]
    return ["\n- **Clips of other sources** ([leaderboard](../../leaderboard.md)):\n", *_judged(path)]


def _judged(path: Path) -> Sequence[str]:
    """Scores of a file, its start and bicubic, of every suite that it was judged on."""
    table = TABLES / "scores.csv"
    suites = read_scores(table) if table.exists() else []
    names = (path.stem, start_of(path.stem) or "", "bicubic")
    judged = [scores for scores in suites if path.stem in scores.means]
    rows = [_scores(scores, name) for scores in judged for name in dict.fromkeys(names) if name in scores.means]
    if not rows:
        return ["  not judged yet"]
    return _table(("suite", "candidate", "PSNR-Y", "SSIM-Y", "flicker", "legibility", "over its start"), rows)


def _scores(scores: Scores, name: str) -> tuple[str, ...]:
    means = [scores.mean(name, metric) for metric in COLUMNS]
    start = (start_of(name) if name in scores.ours else None) or ""
    gains = scores.gains(name, start)
    over = "{:+.2f} ({:+.2f} to {:+.2f})".format(*interval(gains)) if gains else "-"
    digits = [places for _, places in COLUMNS.values()]
    shown = ["-" if mean is None else f"{mean:.{places}f}" for mean, places in zip(means, digits, strict=True)]
    return (scores.suite, name, *shown, over)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"  | {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _cost(path: Path, card: Card) -> str:
    """Milliseconds of a frame and the machine: of cost.csv if it has this file, else of when it was published."""
    table = TABLES / "cost.csv"
    ms, machine = card.ms, card.timed_on
    for row in read_rows(table) if table.exists() else []:
        if (row["candidate"], row["version"]) == (path.stem, sha256(path)[:8]):
            ms, machine = float(row["ms"]), f"{row['threads']} threads of {row['machine']}"
    if ms is None:
        return "Its ms a frame are not measured yet."
    return f"{ms:.0f} ms a frame (LR of 320x180, float32, {machine})."


def _timed(name: str, path: Path) -> tuple[float | None, str]:
    from judge import Entry, cost

    from vsr_lab.evaluation.candidates import checkpoint

    try:
        row: dict[str, Any] = cost(Entry(name, int(name[-1]), path, checkpoint))
    except UserError as error:
        print(error)
        return None, ""
    return float(row["ms"]), f"{torch.get_num_threads()} threads of {row['machine']}"


def main(words: list[str]) -> None:
    """Publish one file, or rewrite all cards."""
    if words == ["cards"]:
        for path in sorted(path for folder in (WEIGHTS, ROBUST, PERCEPTUAL) for path in folder.glob("*.safetensors")):
            write_text(path.with_suffix(".md"), page(path))
        return
    name, weights, card = words
    path = publish(name, Path(weights), Path(card))
    print(f"wrote {path} and {path.with_suffix('.md')}")
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "tests/golden/test_zoo.py", "-k", name], cwd=ROOT, check=True
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
