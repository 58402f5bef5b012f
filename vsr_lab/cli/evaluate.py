"""vsr-lab evaluate: scores of candidates on one suite under one protocol."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from torch import Tensor

from vsr_lab.cli.app import begin_run, composed
from vsr_lab.cli.configuration.overrides import given_words, key_of, quoted
from vsr_lab.cli.configuration.schema import Bool, Command, Count, Int, Scale, Section, check_scale
from vsr_lab.cli.configuration.usage import commented_keys, options
from vsr_lab.cli.runs import check_content
from vsr_lab.cli.show import show, show_facts, show_table
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import inside
from vsr_lab.core.parts import Part, Text, describes
from vsr_lab.core.records.comparison import Presentation
from vsr_lab.core.records.evaluation import Summary
from vsr_lab.degradations import Degradation
from vsr_lab.evaluation.candidates import Candidate
from vsr_lab.evaluation.evaluator import evaluate
from vsr_lab.evaluation.faults import find_faults
from vsr_lab.evaluation.protocol import Protocol, Suite
from vsr_lab.evaluation.results import Run
from vsr_lab.fleet import Local, Ray
from vsr_lab.footage.tables import TABLE_SUFFIXES

Named = Annotated[dict[Text, Text | dict[Text, Text]], Field(min_length=1, max_length=1)]


class Metric(Section):
    """A metric and how it is shown."""

    measure: Annotated[Part[Callable[..., Tensor]], describes()]
    """Function that computes it, with its keywords, and `_partial_: true`."""
    show: Presentation | None
    """How it is shown; null: it is not shown, but gates use it."""


class ProtocolConfig(Section):
    """Everything that a score depends on, except for the candidate and the clips."""

    name: Text
    description: Text
    scale: Scale
    colour: Literal["y", "rgb"]
    crop: Annotated[Int, Field(ge=0, le=1024)]
    crop_multiple: Annotated[Int, Field(ge=1, le=1024)]
    trim: Annotated[Int, Field(ge=0, le=10_000)]
    centre_only: Bool
    degradation: Annotated[Part[Degradation], describes(Degradation)]
    metrics: Annotated[dict[str, Metric], Field(min_length=1)]
    """Metrics by name, with their presentation."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_scale(self.degradation, self.scale)
        return self

    def build(self) -> Protocol:
        """Build the protocol."""
        settings = dict(self)
        settings["degradation"] = self.degradation.build()
        settings["metrics"] = {name: metric.measure.build() for name, metric in self.metrics.items()}
        return Protocol(**settings)


class EvaluateConfig(Command):
    """Score candidates on one suite under one protocol, in one pass. The same command continues an interrupted run.

    Example: vsr-lab evaluate candidate=bicubic suite=vid4 suite.root=FOLDER protocol=vid4-bi-y
    """

    candidate: Annotated[Part[Candidate], describes(Candidate)] | None = None
    """The only candidate."""
    candidates: list[Text | Named] = Field(default_factory=list[Text | Named])
    """Several instead, each KIND or KIND:PATH, such as [bicubic,checkpoint:RUN/network.safetensors,frames:DIR].

    Each is written to a folder of its name in run_dir. {NAME: KIND:PATH} names one, and {NAME: {kind: KIND, path: PATH,
    precision: bfloat16}} sets keys of its kind too.
    """
    suite: Annotated[Part[Suite], describes(Suite)]
    protocol: ProtocolConfig
    save_frames: Annotated[Int, Field(ge=0, le=100_000)]
    """Frames of every clip, around its middle, that are saved losslessly for the report; 0: none."""

    executor: Literal["local", "ray"]
    workers: Count

    results = ".clips/*.json"

    def without_effect(self) -> dict[str, str]:
        found = {"executor": "workers is 1"} if self.workers == 1 else {}
        if Path(self.suite.keywords.get("root", "")).suffix in TABLE_SUFFIXES:
            found["suite.layout"] = "suite.root is a manifest"
        return found

    def only(self) -> Part[Candidate]:
        """The candidate that is set by the key `candidate`. Raises UserError if it is not set."""
        if self.candidate is None:
            hint = f"choose one of {', '.join(options('candidate'))}, or set candidates=[KIND:PATH,...]"
            raise UserError("candidate", "is required", hint)
        return self.candidate


def run(config: EvaluateConfig) -> None:
    """Score the candidates, and write the scores and saved frames of each to its folder."""
    summaries = judge(_each(config) if config.candidates else [config])
    shown = [name for name, metric in config.protocol.metrics.items() if metric.show]
    for folder, summary in summaries.items():
        show_summary(summary, shown)
        show_facts("written", {"summary": folder / "summary.json", "frames": folder / "frames.parquet"})
    runs = [Run(folder, summary) for folder, summary in summaries.items()]
    baseline = next((run for run in runs if run.candidate == "bicubic"), None)
    faults = [fault for run in runs for fault in find_faults(run, baseline)]
    for fault in faults:
        show(f"warning: {fault}", "yellow")
    if faults and baseline is None:
        show("select relaxes a bound that bicubic violates; to see this, evaluate bicubic in the same command")


def _each(config: EvaluateConfig) -> list[EvaluateConfig]:
    """Configuration for each item of `candidates`, with a folder inside config.run_dir as its run_dir."""
    if config.candidate:
        raise UserError(
            "candidate", "cannot be combined with candidates", "remove candidate=, or add it to candidates=[...]"
        )
    words = [word for word in given_words() if key_of(word) not in {"candidates", "run_dir"}]
    configs: dict[str, EvaluateConfig] = {}
    for item in config.candidates:
        kind, keys = _kind_and_keys(item)
        if kind not in options("candidate"):
            raise UserError("candidates", f"has no kind {kind!r}", f"choose from {', '.join(options('candidate'))}")
        defaults = {key: default for key, default in commented_keys(f"candidate/{kind}.yaml").items() if key[0] != "_"}
        if not keys["path"] and defaults.get("path", ("", ""))[0] == "???":
            raise UserError("candidates", f"{kind} has no path", f"write {kind}:PATH")
        if unknown := [key for key in keys if key not in {*defaults, "path", "name"}]:
            raise UserError("candidates", f"{kind} has no key {unknown[0]!r}", f"it has {', '.join(defaults)}")
        own = [f"candidate={kind}", *(quoted(f"++candidate.{key}={value}") for key, value in keys.items() if value)]
        one: EvaluateConfig = composed("evaluate", *words, *own)
        name = one.only().build().name
        if name in configs:
            raise UserError(
                f"{kind}:{keys['path']}",
                f"is the second candidate named {name}",
                "give it another name, as in candidates=[{NAME: KIND:PATH}]",
            )
        configs[name] = one.model_copy(update={"run_dir": inside(config.run_dir, name)})
    return list(configs.values())


def _kind_and_keys(item: Text | Named) -> tuple[str, dict[str, str]]:
    """The kind of an item of `candidates`, and its keys: path, name, and other keys that the item sets."""
    ((name, value),) = item.items() if isinstance(item, dict) else [("", item)]
    if isinstance(value, str):
        kind, _, path = value.partition(":")
        return kind, {"path": path, "name": name}
    own = dict(value)
    if "kind" not in own:
        raise UserError("candidates", f"{name} has no key kind", f"write {{{name}: {{kind: KIND, path: PATH}}}}")
    return own.pop("kind"), {"path": "", **own, "name": name}


def judge(configs: Sequence[EvaluateConfig]) -> dict[Path, Summary]:
    """Evaluate several candidates in one pass over the clips, and write the results of each.

    Args:
        configs: configurations of this command, one per candidate, which differ only in candidate and run_dir.

    Returns:
        Folder of the results -> summary.
    """
    suite, workers = configs[0].suite.build(), configs[0].workers
    check_content("suite.content", suite.content)
    executor = (Ray if configs[0].executor == "ray" else Local)(workers) if workers > 1 else None
    return evaluate(
        {config.run_dir: config.only().build for config in configs},
        suite,
        configs[0].protocol.build(),
        save_frames=configs[0].save_frames,
        executor=executor,
        begin=lambda: [begin_run(config, continued=True) for config in configs],
    )


def show_summary(summary: Summary, shown: Collection[str]) -> None:
    """Print an evaluation as a table, one row per metric: mean, interval and, for few clips, the mean of each clip.

    Args:
        summary: the evaluation.
        shown: metrics that are printed.
    """
    per_clip = summary.per_clip if len(summary.per_clip) <= 5 else {}
    rows = [
        [
            name,
            f"{found.mean:.4f}",
            found.interval("{:.4f}".format, "too few frames"),
            *("" if (mean := means[name]) is None else f"{mean:.4f}" for means in per_clip.values()),
        ]
        for name, found in summary.metrics.items()
        if name in shown
    ]
    title = f"{summary.candidate} on {summary.suite} ({summary.protocol.name}), {summary.frames} frames"
    show_table(title, ["metric", "mean", "95 % interval", *per_clip], rows)
