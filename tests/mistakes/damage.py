"""How each damaged or hostile file is made of the whole ones: name -> function(world, path of what is made)."""

import csv
import json
import os
import pickle
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

Make = Callable[[Path, Path], None]


class Payload:
    """Unpickled, it writes a file PWNED into the folder it was made for."""

    def __init__(self, world: Path) -> None:
        self.code = f"open({str(world / 'PWNED')!r}, 'w').close()"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, (self.code,)


def copy(source: str, *changes: Callable[[Path, Path], None]) -> Make:
    """A copy of a file or folder of the world, changed."""

    def make(world: Path, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if (world / source).is_dir():
            shutil.copytree(world / source, path, symlinks=True)
        else:
            shutil.copy2(world / source, path)
        for change in changes:
            change(world, path)

    return make


def _edit(record: dict[str, Any], key: str, value: Any) -> None:
    """Set, or with value GONE remove, a dotted key that is there; `+key` adds one, of `a|b` the first that is there.

    Raises KeyError where there is none: the format changed, and the table of copies has to.
    """
    names = key.lstrip("+").split("|")
    found = [(holder, last) for name in names for holder, last in [_holder(record, name)] if holder is not None]
    present = [(holder, last) for holder, last in found if last in holder or key.startswith("+")]
    if not present:
        raise KeyError(key)
    holder, last = present[0]
    if value is GONE:
        del holder[last]
    else:
        holder[last] = value(holder.get(last)) if callable(value) else value


def _holder(record: Any, key: str) -> tuple[dict[str, Any] | None, str]:
    *above, last = key.split(".")
    for name in above:
        record = record.get(name) if isinstance(record, dict) else None
    return (record if isinstance(record, dict) else None), last


GONE = object()


def in_json(file: str, edits: dict[str, Any]) -> Callable[[Path, Path], None]:
    """Edit a JSON file of a folder."""

    def change(world: Path, folder: Path) -> None:
        record = json.loads((folder / file).read_text(encoding="utf-8"))
        for key, value in edits.items():
            _edit(record, key, value)
        (folder / file).write_text(json.dumps(record), encoding="utf-8")

    return change


def in_yaml(edits: dict[str, Any]) -> Callable[[Path, Path], None]:
    """Edit a run's config.yaml."""

    def change(world: Path, folder: Path) -> None:
        record = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        for key, value in edits.items():
            _edit(record, key, value)
        text = yaml.safe_dump(record, sort_keys=False).replace("WORLD", str(world))
        (folder / "config.yaml").write_text(text, encoding="utf-8")

    return change


def in_header(edits: dict[str, Any]) -> Callable[[Path, Path], None]:
    """Edit the note in a safetensors file."""

    def change(world: Path, path: Path) -> None:
        data = path.read_bytes()
        (size,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + size])
        note = json.loads(header["__metadata__"]["vsr_lab"])
        for key, value in edits.items():
            _edit(note, key, value)
        header["__metadata__"]["vsr_lab"] = json.dumps(note)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])

    return change


def as_type(name: str) -> Callable[[Path, Path], None]:
    """Convert every tensor of a safetensors file."""

    def change(world: Path, path: Path) -> None:
        import torch
        from safetensors import safe_open
        from safetensors.torch import save_file

        with safe_open(path, framework="pt") as file:
            note, names = file.metadata(), list(file.keys())
            tensors = {key: file.get_tensor(key).to(getattr(torch, name)) for key in names}
        save_file(tensors, path, metadata=note)

    return change


def in_onnx(edits: dict[str, Any], text: str | None = None) -> Callable[[Path, Path], None]:
    """Edit the note in an ONNX file, or replace it by text."""

    def change(world: Path, path: Path) -> None:
        import onnx

        model = onnx.load(path)
        note = json.loads(model.metadata_props[0].value)
        for key, value in edits.items():
            _edit(note, key, value)
        model.metadata_props[0].value = json.dumps(note) if text is None else text
        onnx.save(model, path)

    return change


def in_frames(change_table: Callable[[Any, Any], Any]) -> Callable[[Path, Path], None]:
    """Edit frames.parquet: change_table(polars, table) returns the new one."""

    def change(world: Path, folder: Path) -> None:
        import polars

        path = folder / "frames.parquet"
        change_table(polars, polars.read_parquet(path)).write_parquet(path)

    return change


def bytes_of(file: str, new: Callable[[bytes], bytes]) -> Callable[[Path, Path], None]:
    """Replace the bytes of a file in a folder, or of the file itself with file=""."""

    def change(world: Path, path: Path) -> None:
        place = path / file if file else path
        place.write_bytes(new(place.read_bytes()))

    return change


def table(text: str) -> Make:
    """A manifest; WORLD stands for the world's absolute path."""

    def make(world: Path, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("WORLD", str(world)), encoding="utf-8")

    return make


def rows(columns: str, *cells: str) -> Make:
    """A manifest of hr/c1.mkv, c2.mkv, ... with one more cell each."""
    return table(f"{columns}\n" + "".join(f"../hr/c{n}.mkv,{cell}\n" for n, cell in enumerate(cells, 1)))


def pickled(world: Path, path: Path) -> None:
    """A plain pickle that would run code."""
    path.write_bytes(pickle.dumps(Payload(world)))


def torch_pickled(world: Path, path: Path) -> None:
    """What torch.save writes of an object that would run code when loaded."""
    import torch

    torch.save(Payload(world), path)


def zip_bomb(world: Path, path: Path) -> None:
    """A .pth of kilobytes that unpacks to 200 MB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * (200 << 20))


def checkpoint(value: Any) -> Callable[[Path, Path], None]:
    """A run both of whose checkpoints hold value, or would run code where value is Payload."""

    def change(world: Path, run: Path) -> None:
        import torch

        for name in ("last.ckpt", "last.previous.ckpt"):
            torch.save(Payload(world) if value is Payload else value, run / "checkpoints" / name)

    return change


def clip_folder(name: str, size: tuple[int, int], *suffixes: str, frames: int = 8) -> Make:
    """A folder with a clip of pictures, one of each suffix for every frame."""

    def make(world: Path, path: Path) -> None:
        from PIL import Image

        clip = path / name
        clip.mkdir(parents=True)
        rng = np.random.default_rng(0)
        for t in range(frames):
            picture = Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8))
            for suffix in suffixes:
                picture.save(clip / f"{t:04}{suffix}")

    return make


def footage_named(name: bytes) -> Make:
    """A folder with four clips, one of them under a name of these bytes."""

    def make(world: Path, path: Path) -> None:
        shutil.copytree(world / "hr", path)
        (path / "c1.mkv").rename(path / os.fsdecode(name))

    return make


def fifo(world: Path, path: Path) -> None:
    """A folder with a pipe under the name of a video, beside a real one."""
    path.mkdir(parents=True)
    os.mkfifo(path / "a.mkv")
    shutil.copy2(world / "hr/c1.mkv", path / "good.mkv")


def self_linked(world: Path, path: Path) -> None:
    """A video that is a link to itself."""
    (path / "a.mkv").symlink_to("a.mkv")


def linked(world: Path, path: Path) -> None:
    """A folder whose only clips lie behind a link."""
    path.mkdir(parents=True)
    (path / "elsewhere").symlink_to(world / "hr")


def huge_picture(world: Path, path: Path) -> None:
    """A clip of a picture of a few hundred bytes that says it has 3.6 billion pixels."""
    clip_folder("clip", (32, 32), ".png", frames=2)(world, path)
    for picture in path.rglob("*.png"):
        data = bytearray(picture.read_bytes())
        data[16:24] = struct.pack(">II", 60_000, 60_000)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        picture.write_bytes(data)


def evil_content(name: str, gate: dict[str, Any]) -> Callable[[Path, Path], None]:
    """A summary whose content is the path of a yaml outside the package, with a gate of its own."""

    def change(world: Path, run: Path) -> None:
        from vsr_lab.cli.configuration.usage import config_dir

        text = yaml.safe_dump({"gates": {"evil": gate}}).replace("WORLD", str(world))
        (world / f"{name}.yaml").write_text(f"# @package _global_\n{text}", encoding="utf-8")
        relative = os.path.relpath(world / name, (config_dir() / "content").resolve())
        in_json("summary.json", {"content": relative})(world, run)

    return change


def arrays(world: Path, path: Path) -> None:
    path.mkdir()
    np.save(path / "mydata.npy", np.zeros(8))
    (path / "mydata.json").write_text("{}", encoding="utf-8")
    (path / "x.partial").write_text("mine", encoding="utf-8")


def victims(world: Path, path: Path) -> None:
    (path / "pic").mkdir(parents=True)
    shutil.copy2(world / "hr/c2.mkv", path / "movie.mkv")
    for name in ("hr.png", "sr.png", "lr.png", "notes.txt"):
        (path / "pic" / name).write_bytes(b"irreplaceable")


def natural(world: Path, path: Path) -> None:
    """Ordinary footage and a manifest two folders down that names it by ../../"""
    shutil.copytree(world / "hr", path / "footage")
    lists = path / "lists/a"
    lists.mkdir(parents=True)
    with (lists / "m.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["path"], *([f"../../footage/c{n}.mkv"] for n in range(1, 5))])


def nested_run(world: Path, path: Path) -> None:
    """A training run inside the run folder."""
    shutil.copytree(world / "runA", path / "runA")


def absolute_graph(world: Path, path: Path) -> None:
    in_json("manifest.json", {"graphs.onnx.file": str(path / "step.onnx")})(world, path)
    record = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    record["sha256"][str(path / "step.onnx")] = record["sha256"]["step.onnx"]
    (path / "manifest.json").write_text(json.dumps(record), encoding="utf-8")
