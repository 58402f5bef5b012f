"""Inspection of files and folders: what each is, whether vsr_lab can use it, and by which command."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import check_file, read_json
from vsr_lab.core.network import StreamingNetwork
from vsr_lab.core.records import read_record
from vsr_lab.core.records.evaluation import Selection
from vsr_lab.core.records.kinds import RECORDS
from vsr_lab.core.run_folder import RUN_MARK, is_saved, is_unfinished
from vsr_lab.deployment import MANIFEST, open_bundle
from vsr_lab.deployment.export import open_onnx
from vsr_lab.evaluation.results import read_run
from vsr_lab.footage.tables import TABLE_SUFFIXES, lack_of_paths, read_rows
from vsr_lab.models import load_network
from vsr_lab.models.files import PICKLES, WEIGHTS
from vsr_lab.models.initial import checkpoint_weights, read_tensors
from vsr_lab.video import Probe, VideoFile, find_footage, open_footage, probe
from vsr_lab.video.disclosure import find_disclosure

# What a run of each command leaves, with the key that takes it; {} is the path, quoted for a shell.
_RUNS = {
    "selection.json": ("a selection", "export selection={}/selection.json"),
    "summary.json": ("an evaluation", "compare runs=[{}] or select runs=[{}]"),
    "report.html": ("a comparison", "open {}/report.html in a browser"),
    WEIGHTS: ("a training", f"export candidate.path={{}}/{WEIGHTS}"),
    "manifest.csv": ("an index of footage", "train data.root={}/manifest.csv"),
    "check.json": ("a check of pairs", "read {}/check.json"),
}


@dataclass(frozen=True)
class Inspection:
    """Type and properties of a file or folder, as determined by `inspect`.

    Attributes:
        kind: type of the file or folder, such as "a video".
        facts: properties of the file or folder, by name.
        use: arguments of vsr-lab by which it is used, such as "compare runs=[PATH]"; the path is quoted for a shell.
        problem: why it cannot be used without further options; empty if it can.
    """

    kind: str
    facts: dict[str, str] = field(default_factory=dict[str, str])
    use: str = ""
    problem: str = ""


Reader = Callable[[Path], Inspection]


def inspect(path: Path) -> Inspection:
    """Determine what a file or folder is, and which command can use it. No code in the file is executed.

    Args:
        path: a video, picture, folder of footage, manifest, weights file, ONNX graph, bundle, run or record.

    Raises:
        UserError: there is no such file or folder.
    """
    kind, read = _reader(path)
    try:
        found = read(path)
        return replace(found, use=found.use.replace("{}", quote(str(path))))
    except UserError as error:
        return Inspection(kind, problem=str(error))


def _reader(path: Path) -> tuple[str, Reader]:
    """Type of a file or folder by its name and content, and the function that reads it."""
    if not path.is_dir():
        check_file(path, "check the path")
        return _BY_SUFFIX.get(path.suffix.lower(), ("a file", _video))
    if (path / MANIFEST).is_file():
        return "a bundle", _bundle
    return ("a run", _run) if (path / RUN_MARK).is_file() else ("a folder", _footage)


def _footage(path: Path) -> Inspection:
    found = find_footage(path)
    if found == [path]:
        frames = open_footage(path)
        facts = {"size": _size(frames.size), "frames": str(frames.frames)}
        return Inspection("a folder of frames", facts, "train data.root={}")
    return Inspection("a folder of footage", {"clips": str(len(found))}, "footage index {}")


def _bundle(path: Path) -> Inspection:
    manifest = open_bundle(path).manifest
    facts = {
        "name": manifest.name,
        "scale": f"x{manifest.scale}",
        "content": manifest.content or "not stated",
        "parameters": f"{manifest.parameters:,}",
        "graphs": ", ".join(manifest.graphs) or "none",
        "made": f"{manifest.created} by vsr_lab {manifest.versions.get('vsr-lab', '')}",
        "files": "all as exported, by their hashes",
    }
    return Inspection("a bundle", facts, "upscale bundle={} input=IN.mp4 output=OUT.mp4")


def _run(path: Path) -> Inspection:
    file = next((file for file in _RUNS if (path / file).is_file()), "")
    kind, use = _RUNS.get(file, ("a run", ""))
    if is_unfinished(path):
        hint = f"; train resume={path} continues it" if is_saved(path) else "; the same command begins it again"
        return Inspection(kind, problem=f"{path}: was stopped before its end{hint}")
    if file == "summary.json":
        read_run(path)
    elif file == "selection.json":
        read_record(path / file, Selection)
    elif file == "check.json":
        read_json(path / file)
    elif file == WEIGHTS:
        load_network(path / file)
    return Inspection(kind, {"settings": str(path / RUN_MARK)}, use)


def _weights(path: Path) -> Inspection:
    network, note = load_network(path)
    about = note["about"]
    facts = {
        "name": str(about.get("name") or "not stated"),
        "network": str(note["network"]["_target_"]),
        "scale": f"x{network.scale}",
        "parameters": f"{sum(p.numel() for p in network.parameters()):,}",
        "content": str(about.get("content") or "not stated"),
        "steps": str(about.get("step", "not stated")),
    }
    if isinstance(network, StreamingNetwork):
        return Inspection("weights", facts, "export candidate.path={}")
    facts["future"] = "it needs future frames, so it can be evaluated and not exported"
    return Inspection("weights", facts, "evaluate candidate=checkpoint candidate.path={}")


def _pickle(path: Path) -> Inspection:
    loaded = read_tensors(path)
    state = loaded.get("state_dict")
    if not isinstance(state, dict):
        problem = "does not describe the network that its weights are for; set model= and train init_from= this file"
        return Inspection("weights as PyTorch saves them", problem=f"{path}: {problem}")
    facts = {"tensors": str(len(checkpoint_weights(state, path))), "steps": str(loaded.get("global_step"))}
    return Inspection("a checkpoint of a training", facts, "train init_from={}")


def _graph(path: Path) -> Inspection:
    network = open_onnx(path)
    facts = {"scale": f"x{network.scale}", "warm-up": f"{network.warm_up} frames"}
    return Inspection("an ONNX graph", facts, "evaluate candidate=onnx candidate.path={}")


def _table(path: Path) -> Inspection:
    rows = read_rows(path)
    if lack := lack_of_paths(rows):
        return Inspection("a table", {"rows": str(len(rows))}, problem=f"{path}: {lack}")
    facts = {"clips": str(len(rows)), "left out": str(sum(bool(row.get("problem")) for row in rows))}
    for column in ("split", "content_type"):
        values = sorted({row[column] for row in rows if row.get(column)})
        facts[column.replace("_", " ")] = ", ".join(values) or "not stated"
    return Inspection("a manifest of footage", facts, "train data.root={} or evaluate suite.root={}")


def _record(path: Path) -> Inspection:
    value = read_json(path)
    kind = value.get("record") if isinstance(value, dict) else None
    model = next((model for model in RECORDS if model.model_fields["record"].default == kind), None)
    if not model:
        return Inspection("a JSON file", problem=f"{path}: is not a record of vsr_lab")
    read_record(path, model)
    facts = {"schema version": str(value["schema_version"]), "written by": f"vsr-lab {model.command}"}
    return Inspection(f"a record of vsr_lab: {kind}", facts)


def _video(path: Path) -> Inspection:
    found = probe(path)
    facts = _facts(found)
    if made := find_disclosure(path):
        facts["origin"] = f"{made}; it cannot be used as HR"
    try:
        VideoFile(path)
    except UserError as error:
        return Inspection("a video", facts, problem=str(error))
    return Inspection("a video", facts, "upscale bundle=BUNDLE input={} output=OUT.mp4")


def _facts(found: Probe) -> dict[str, str]:
    matrix = f"{found.colour.matrix}{' (assumed)' if found.colour.assumed else ''}"
    facts = {
        "size": _size(found.size),
        "frames": f"{found.frames} at {float(found.rate):.6g} a second",
        "codec": f"{found.codec} {found.pixel_format}",
        "color": f"{matrix}, {'full' if found.colour.full_range else 'limited'} range, {found.bits} bits",
        "audio tracks": str(found.audio),
    }
    facts |= {"pixels": f"{found.aspect} as wide as high"} if found.aspect != 1 else {}
    facts |= {"HDR": found.hdr} if found.hdr else {}
    return facts | ({"fields": "interlaced"} if found.interlaced else {})


def _size(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"


_BY_SUFFIX: dict[str, tuple[str, Reader]] = {
    ".safetensors": ("weights", _weights),
    **dict.fromkeys(PICKLES, ("a pickle", _pickle)),
    ".onnx": ("an ONNX graph", _graph),
    ".json": ("a JSON file", _record),
    **dict.fromkeys(TABLE_SUFFIXES, ("a table", _table)),
}
