"""Upscaling and planning of many files with a table of the results, and the table of the plan for one file."""

from collections.abc import Sequence
from enum import IntEnum
from itertools import count
from pathlib import Path

from av.video.reformatter import ColorPrimaries, ColorTrc

from vsr_lab.cli.show import show, show_facts, show_table
from vsr_lab.core.errors import Incomplete, printable
from vsr_lab.core.files import write_text
from vsr_lab.core.progress import tracked
from vsr_lab.core.records.deployment import Plan, Runtime
from vsr_lab.fleet import Executor
from vsr_lab.workflows.batch import LEDGER, Task, Upscaler, upscale_files

_GIB = 2**30
# Code points of ITU-T H.273.
_MATRICES = {0: "rgb", 1: "bt709", 2: "unspecified", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc"}


def upscale_batch(tasks: Sequence[Task], folders: Sequence[Path], upscaler: Upscaler, executor: Executor) -> None:
    """Upscale many files into folders, and print a table of the results. Raises Incomplete if some were refused."""
    folder, *others = folders
    results = list(tracked("upscaling", upscale_files(tasks, folder, upscaler, executor), len(tasks), "files"))
    rows = [[str(result.task.source.path), result.state, str(result.frames or "")] for result in results]
    show_table(f"{len(results)} files", ["file", "", "frames"], rows, texts=2)
    _show_refused({str(result.task.source.path): result.error for result in results if result.error})
    files = {"folder": folder, **{f"folder {n}": other for n, other in enumerate(others, 2)}, "ledger": folder / LEDGER}
    if traces := [result.traceback for result in results if result.traceback]:
        files["defects"] = next(path for n in count(1) if not (path := folder / f"tracebacks-{n}.txt").exists())
        write_text(files["defects"], "\n".join(traces), errors="replace", replace=False)
    counts = {state: sum(result.state == state for result in results) for state in ("done", "kept", "refused")}
    show_facts(f"{counts['done']} files upscaled, {counts['kept']} done before", files)
    if counts["refused"]:
        raise Incomplete(
            f"{counts['refused']} of {len(results)} files were refused; run the same command again to retry them"
        )


def plan_batch(tasks: Sequence[Task], folder: Path, upscaler: Upscaler, executor: Executor) -> None:
    """Plan the upscaling of many files, and print a table. Raises Incomplete if some files cannot be upscaled."""
    sources = {str(task.source.path): task for task in tasks}
    outcomes = sorted(executor.run(upscaler.plan, sources), key=lambda outcome: outcome.key)
    rows = [
        [
            outcome.key,
            "; ".join(plan.dropped) or "nothing",
            str(plan.frames),
            f"{plan.output_bytes / 2**20:.0f}",
            "" if plan.seconds is None else f"{plan.seconds:.0f}",
        ]
        for outcome in outcomes
        if (plan := outcome.result) is not None
    ]
    show_table(f"to {folder}", ["file", "not kept", "frames", "MiB", "seconds"], rows, texts=2)
    refused = {outcome.key: outcome.error for outcome in outcomes if outcome.error}
    _show_refused(refused)
    if refused:
        raise Incomplete(f"{len(refused)} of {len(tasks)} files cannot be upscaled")


def _show_refused(errors: dict[str, str]) -> None:
    for path, error in errors.items():
        show(printable(f"refused: {error}" if path in error else f"refused: {path}: {error}"), "yellow")


def show_runtime(runtime: Runtime | None) -> str:
    """Describe a runtime (library, device, precision), with its measured speed and precision if a trial was run."""
    if runtime is None:
        return ""
    speed = "" if runtime.speed is None else f", {runtime.speed:.1f} x the speed of torch in float32"
    psnr = "" if runtime.psnr is None else f", {runtime.psnr:.1f} dB to it"
    return "; refused: ".join([f"{runtime}{speed}{psnr}", *runtime.refused])


def _name(codes: type[IntEnum], code: int) -> str:
    return next((known.name.lower() for known in codes if known == code), str(code))


def show_plan(plan: Plan, refused: bool) -> None:
    """Print the plan of an upscaling as a table.

    Args:
        plan: the plan.
        refused: whether `upscale` refuses a file if the output cannot keep all of its streams and properties.
    """
    video = plan.video
    rows = [
        (str(s.index), s.kind, s.codec, s.action, " ".join(part for part in (s.to, s.note) if part))
        for s in plan.streams
    ]
    show_table(f"{plan.preset} -> {plan.container}", ("stream", "kind", "codec", "action", "to"), rows, texts=5)
    primaries, transfer = _name(ColorPrimaries, video.primaries), _name(ColorTrc, video.transfer)
    matrix = _MATRICES.get(video.matrix, str(video.matrix))
    colors = f"{primaries} primaries, {transfer} transfer, {matrix} matrix, {video.range} range"
    options = " ".join(f"{key}={value}" for key, value in video.options.items())
    width, height = video.size
    lines = {
        "video": f"{width}x{height} {video.pixel_format}, {plan.frames} frames at {video.rate}, {colors}; {options}",
        "kept": f"{plan.chapters} chapters, tags: {', '.join(plan.tags) or 'none'}",
        "converted": "; ".join(plan.converted) or "nothing",
        "refused" if refused and plan.dropped else "dropped": "; ".join(plan.dropped) or "nothing",
        "runtime": show_runtime(plan.runtime),
        "repeats": "skipped: they have the output of the frame that they repeat" if plan.skip_repeats else "run",
        "segments": f"{len(plan.segments)}, of which finished ones are kept if the upscaling is interrupted",
        "tiles": f"of {plan.tile} pixels" if plan.tile else "none: whole frames",
        "size": f"about {plan.output_bytes / 2**20:.0f} MiB",
        "time": "unknown" if plan.seconds is None else f"about {plan.seconds:.0f} s for the network",
        "memory": f"about {plan.memory_bytes / _GIB:.1f} GiB",
    }
    show_facts("", lines)
