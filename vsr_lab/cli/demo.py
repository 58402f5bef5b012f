"""vsr-lab demo: from training to upscaling by the other commands, on footage from installed packages."""

import time
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from vsr_lab.cli import compare, export, select, train, upscale
from vsr_lab.cli.app import begin_run, composed
from vsr_lab.cli.configuration.overrides import key_of, normalise
from vsr_lab.cli.configuration.schema import Command, Int, Names, Section
from vsr_lab.cli.configuration.usage import options
from vsr_lab.cli.evaluate import judge
from vsr_lab.cli.show import show, show_facts, show_table
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import config_dir
from vsr_lab.core.parts import FilePath, Text
from vsr_lab.core.records.evaluation import Choice, Selection
from vsr_lab.footage.shots import Shot, ShotSelection, find_shots
from vsr_lab.video import VideoWriter
from vsr_lab.workflows.demo_footage import write_demo_footage

_PER_FRAME = "per-frame"
_SET_BY_DEMO = (
    *("run_dir", "content", "name", "init_from", "resume", "data.root", "data.store", "data.content"),
    *("candidate", "suite", "suite.root", "suite.name", "suite.content", "bundle", "input", "output", "overwrite"),
)


class DemoFootage(Section):
    """Footage of the demo."""

    train_screens: Annotated[Int, Field(ge=1, le=1000)]
    frames: Annotated[Int, Field(ge=8, le=10_000)]


class DemoConfig(Command):
    """Train, evaluate, select, export and upscale on footage from installed packages.

    Example: vsr-lab demo
    """

    contents: Names
    footage: DemoFootage
    start: FilePath
    train: list[Text]
    specialist: list[Text]
    per_frame: list[Text]
    evaluate: list[Text]
    upscale: list[Text]

    results = "*"


def run(config: DemoConfig) -> None:
    """Prepare footage, train, evaluate, select, export and upscale; print a table and the paths of the results."""
    start = time.monotonic()
    weights_file = config.start if config.start.exists() else config_dir().parent / config.start
    if not weights_file.is_file():
        raise UserError("start", f"{config.start} is not a file", "set start= to a network.safetensors")
    _check_overrides(config, weights_file)
    root = begin_run(config, has_runs=True)
    manifest = write_demo_footage(root / "footage", config.footage.train_screens, config.footage.frames)
    weights = _train_all(config, root, manifest, weights_file)
    runs = _evaluate_all(config, root, manifest, weights)
    names = f"[{','.join(str(folder) for folder in runs)}]"
    selection = select.write_selection(_compose("select", f"runs={names}", f"run_dir={root / 'select'}"))
    decided = [f"runs={names}", f"selection={root / 'select' / 'selection.json'}"]
    report = compare.run(
        _compose("compare", *decided, f"run_dir={root / 'compare'}", "title='Cross-content comparison'")
    )
    bundles = _export_all(root, selection)
    files = {"report": report / "report.html", "selection": root / "select" / "selection.json"}
    if bundles:
        files |= _upscale_one(config, root, manifest, bundles)
    _show_outcome(selection, time.monotonic() - start)
    show_facts("open", files)


def _check_overrides(config: DemoConfig, start: Path) -> None:
    """Compose every command once, so that a mistake in a list of overrides is reported before anything is written.

    Raises:
        UserError: an override is refused by its command, or sets what the demo sets itself.
    """
    there = config_dir() / "demo.yaml"  # stands for the files that the commands before it write
    manifest = ["suite=manifest", f"suite.root={there}", "candidate=bicubic"]
    for content in config.contents:
        if content not in options("content"):
            raise UserError("contents", f"has no option {content!r}", f"choose from {', '.join(options('content'))}")
    begin = ["content=mixed", f"data.root={there}", f"init_from={start}"]
    for key, command, words in (
        ("train", "train", begin),
        ("specialist", "train", [*begin, *config.train]),
        ("per_frame", "train", [*begin, *config.train]),
        ("evaluate", "evaluate", manifest),
        ("upscale", "upscale", [f"bundle={there.parent}", f"input={there}", "output=demo.mp4"]),
    ):
        own: list[str] = getattr(config, key)
        for word in own:
            if key_of(word) in _SET_BY_DEMO or word.startswith("-"):
                raise UserError(key, f"{word} cannot be set", "remove this key, which the demo sets for each command")
        try:
            found = composed(command, *normalise(command, [*words, *own]))
        except UserError as error:
            raise UserError(key, str(error)) from error
        if key in {"specialist", "per_frame"}:
            train.build_network(found)  # takes the weights, or refuses them


def _compose(command: str, *words: str) -> Any:
    """Compose a command's configuration, and print the command line that does the same."""
    show(f"\nvsr-lab {command} {' '.join(words)}", "dim")
    return composed(command, *normalise(command, words))


def _train_all(config: DemoConfig, root: Path, manifest: Path, start: Path) -> dict[str, Path]:
    """Train a specialist per content type and a per-frame generalist, from weights `start`. Returns name -> weights."""
    shared = [f"data.root={manifest}", f"data.store={root / 'store'}", f"init_from={start}", *config.train]
    weights: dict[str, Path] = {}
    for content in config.contents:
        own = [f"content={content}", f"data.content={content}", f"run_dir={root / 'train' / content}"]
        weights[content] = train.train(_compose("train", *own, *shared, *config.specialist)).weights
    own = ["content=mixed", f"name={_PER_FRAME}", f"run_dir={root / 'train' / _PER_FRAME}"]
    weights[_PER_FRAME] = train.train(_compose("train", *own, *shared, *config.per_frame)).weights
    return weights


def _evaluate_all(config: DemoConfig, root: Path, manifest: Path, weights: dict[str, Path]) -> list[Path]:
    """Evaluate every candidate on every content type, in one pass per content type; return the run folders."""
    candidates = {"bicubic": ["candidate=bicubic"]}
    for name, path in weights.items():
        candidates[name] = ["candidate=checkpoint", f"candidate.path={path}", f"candidate.name={name}"]
    folders: list[Path] = []
    for content in config.contents:
        footage = ["suite=manifest", f"suite.root={manifest}", f"suite.name={content}", f"suite.content={content}"]
        configs = [
            _compose("evaluate", *own, *footage, *config.evaluate, f"run_dir={root / 'evaluate' / content / name}")
            for name, own in candidates.items()
        ]
        folders += judge(configs)
    return folders


def _export_all(root: Path, selection: Selection) -> dict[str, Path]:
    """Export a bundle for every content type with a selected candidate: content type -> folder."""
    return {
        str(choice.content): export.run(
            _compose(
                "export",
                f"candidate.path={choice.candidate_facts.path}",
                f"selection={root / 'select' / 'selection.json'}",
                *(["allow_provisional=true"] if choice.provisional else []),
                f"run_dir={root / 'export' / str(choice.content)}",
            )
        )
        for choice in selection.choices
        if choice.chosen and choice.candidate_facts
    }


def _upscale_one(config: DemoConfig, root: Path, manifest: Path, bundles: dict[str, Path]) -> dict[str, Path]:
    """Upscale a test clip of the last content type that has a bundle."""
    content, bundle = list(bundles.items())[-1]
    shot = find_shots(manifest, ShotSelection(split="eval", content=content))[0]
    source, output = root / "upscale" / "input.mkv", root / "upscale" / f"{content}.mp4"
    _record(shot, source)
    own = [f"bundle={bundle}", f"input={source}", f"output={output}", "overwrite=true", *config.upscale]
    upscale.run(_compose("upscale", *own))
    return {"video": output, "provenance": output.with_name(output.name + ".provenance.json")}


def _record(shot: Shot, path: Path) -> None:
    """Write the shot to a lossless file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clip = shot.read(0, shot.frames)
    with VideoWriter(path, shot.size, Fraction(25)) as writer:
        writer.write(clip.eight_bit(), clip.timestamps - clip.timestamps[0])


def _show_outcome(selection: Selection, seconds: float) -> None:
    rows = [
        [str(choice.content), choice.chosen or "nothing deployable", _gate(choice, "psnr"), _gate(choice, "flicker")]
        for choice in selection.choices
    ]
    show_table(f"demo done in {seconds / 60:.1f} min", ["content", "chosen", "PSNR", "flicker"], rows)


def _gate(choice: Choice, gate: str) -> str:
    verdicts = choice.gates.get(choice.chosen or "", [])
    return next((verdict.reason for verdict in verdicts if verdict.gate == gate), "")
