"""Upscaling of many files: a folder, the matches of a pattern, or the rows of a manifest."""

import glob
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import digest_of, identity, inside, sha256
from vsr_lab.core.records import read_record
from vsr_lab.core.records.deployment import Plan, Provenance
from vsr_lab.curation.content import UNSURE
from vsr_lab.deployment import Bundle, Encoding, open_bundle, plan_upscale
from vsr_lab.deployment.pipeline import UpscaleSettings, upscale_all, upscale_in_parallel
from vsr_lab.deployment.planning import suffix_for
from vsr_lab.deployment.planning.outputs import files_beside
from vsr_lab.deployment.provenance import provenance_path
from vsr_lab.fleet import Executor, Ledger, Local, stamp
from vsr_lab.footage.tables import TABLE_SUFFIXES, read_rows
from vsr_lab.video import REFUSE, ReadOptions, find_footage
from vsr_lab.video.reader import is_frame_folder
from vsr_lab.workflows.auto_bundle import AutoBundle

LEDGER = "ledger.sqlite"
_PARTS = ("start", "stop", "crop", "downscale")  # columns of manifests that select a part of a file


@dataclass(frozen=True)
class Source:
    """A file to upscale, as listed in a folder or manifest.

    Attributes:
        path: the file.
        name: relative path of the output, without its suffix.
        read_options: how to read interlaced, HDR and damaged files.
        content: content type; empty if it is not known.
    """

    path: Path
    name: str
    read_options: ReadOptions = REFUSE
    content: str = ""


@dataclass(frozen=True)
class Task:
    """A file to upscale, with the path of its output.

    Attributes:
        source: the file.
        output: file to write.
        others: further files to write from the same run of the network, each with its settings.
        made_here: whether none of the outputs existed when the task was begun, in this run of the batch or in an
            earlier run that was interrupted. Outputs that exist now are then the result of this task.
    """

    source: Source
    output: Path
    others: tuple[tuple[Path, Encoding], ...] = ()
    made_here: bool = False

    @property
    def outputs(self) -> list[Path]:
        """All files to write."""
        return [self.output, *(path for path, _ in self.others)]


@dataclass(frozen=True)
class Upscaler:
    """Upscales single files of a batch with a bundle and settings. The object can be pickled for other processes.

    Args:
        bundle: folder of the bundle, or an `AutoBundle`, which chooses a bundle for each file.
        settings: settings for all files.
    """

    bundle: Path | AutoBundle
    settings: UpscaleSettings

    def upscale(self, task: Task, executor: Executor | None = None) -> list[Provenance]:
        """Upscale a file like `vsr_lab.upscale`, and return the provenance of each output.

        executor: runs segments of the file in parallel; None: one by one. With several outputs it is not used.
        """
        if task.made_here and (made := _made(task)):
            return made
        source, chosen = task.source, self.settings
        if executor and not task.others:
            folder, output = self.folder(source), task.output
            options = source.read_options
            return [upscale_in_parallel(folder, source.path, output, executor, settings=chosen, read_options=options)]
        return self.upscale_all(source, {task.output: chosen.encoding, **dict(task.others)})

    def upscale_all(self, source: Source, outputs: Mapping[Path, Encoding]) -> list[Provenance]:
        """Upscale a file into several output files at once, see `vsr_lab.deployment.pipeline.upscale_all`."""
        return upscale_all(
            self.open(source),
            source.path,
            outputs,
            inference=self.settings.inference,
            read_options=source.read_options,
            overwrite=self.settings.overwrite,
        )

    def plan(self, task: Task) -> Plan:
        """Plan the upscaling of a file without writing the output, see `vsr_lab.deployment.pipeline.plan_upscale`."""
        source, chosen = task.source, self.settings
        return plan_upscale(
            self.open(source),
            source.path,
            task.output,
            encoding=chosen.encoding,
            inference=chosen.inference,
            read_options=source.read_options,
        )

    def encoded(self, encoding: Encoding) -> "Upscaler":
        """Copy of the upscaler with other settings of the output."""
        return replace(self, settings=replace(self.settings, encoding=encoding))

    def folder(self, source: Source) -> Path:
        """Folder of the bundle for a file."""
        if isinstance(self.bundle, AutoBundle):
            return self.bundle.choose(source.path, source.read_options, source.content)
        return self.bundle

    def open(self, source: Source) -> Bundle:
        """Open the bundle for a file."""
        return open_bundle(self.folder(source), self.settings.runtime)

    def fingerprint(self) -> str:
        """Hash of the bundles and settings. Outputs that were made with other bundles or settings have another hash.

        Threads, the share of memory and `overwrite` are not part of it. Raises UserError for an unusable bundle.
        """
        bundles = self.bundle.bundles if isinstance(self.bundle, AutoBundle) else {"": self.bundle}
        manifests = {content: open_bundle(path, None).manifest.fingerprint for content, path in bundles.items()}
        runtime = replace(self.settings.runtime, threads=0)
        inference = replace(self.settings.inference, share=0)
        return _hash(manifests, replace(self.settings, overwrite=False, runtime=runtime, inference=inference))


class FileResult(NamedTuple):
    """Result of one file of a batch.

    Attributes:
        task: the file and its output.
        state: "done", "kept" (the output was already complete) or "refused".
        frames: number of frames that were upscaled.
        error: why the file was refused, one sentence.
        traceback: Python traceback if the error is a defect of vsr_lab, else "".
    """

    task: Task
    state: Literal["done", "kept", "refused"]
    frames: int = 0
    error: str = ""
    traceback: str = ""


def is_batch(where: Path) -> bool:
    """Whether a path stands for several files: a folder of videos, a file name pattern or a manifest."""
    pattern = not where.exists() and glob.has_magic(str(where))
    return (where.is_dir() and not is_frame_folder(where)) or pattern or where.suffix in TABLE_SUFFIXES


def find_sources(where: Path, read_options: ReadOptions = REFUSE) -> list[Source]:
    """Find the files to upscale.

    Args:
        where: a file, a folder with videos at any depth, a pattern such as "in/*.mkv", or a manifest with a column
            `path` and optional columns `name`, `content_type`, `suggested_content`, `deinterlace`, `tone_map`,
            `damaged` and `transfer`.
        read_options: options for files for which the manifest sets none.

    Raises:
        UserError: there are no files, or the manifest has no column `path` or selects parts of files.
    """
    if where.suffix in TABLE_SUFFIXES:
        return [_row_source(where, row, read_options) for row in read_rows(where)]
    if not where.exists() and glob.has_magic(str(where)):
        fixed = list(takewhile(lambda part: not glob.has_magic(part), where.parts))
        root = Path(*fixed)
        paths = sorted(path for path in root.glob(str(Path(*where.parts[len(fixed) :]))) if path.is_file())
        if not paths:
            raise UserError(where, "matches no file", "check the pattern, and quote it for the shell")
        return _named(paths, root, read_options)
    return _named(find_footage(where), where if where.is_dir() else where.parent, read_options)


def other_files(folder: Path, sources: Iterable[Source]) -> list[Path]:
    """Files in a folder, at any depth, except sources and files in a source that is a folder of images."""
    used = {source.path for source in sources}
    return sorted(path for path in folder.rglob("*") if path.is_file() and not used & {path, path.parent})


def _named(paths: Sequence[Path], root: Path, read_options: ReadOptions) -> list[Source]:
    """Name outputs after their sources; the suffix of the source is kept if two outputs would have the same name."""
    names = [path.relative_to(root) if path != root else Path(path.name) for path in paths]
    count = Counter(name.with_suffix("") for name in names)
    short = [name if count[name.with_suffix("")] > 1 else name.with_suffix("") for name in names]
    return [Source(path, name.as_posix(), read_options) for path, name in zip(paths, short, strict=True)]


def _row_source(manifest: Path, row: dict[str, str], usual: ReadOptions) -> Source:
    if "path" not in row:
        raise UserError(manifest, "has no column path", "add a column path with the files to upscale")
    if part := next((column for column in _PARTS if row.get(column) not in {None, "", "0", "1", "1.0"}), None):
        raise UserError(
            manifest,
            f"row {row['path']}: has a value in {part}, but files are upscaled completely",
            f"empty the column {part}",
        )
    options: dict[str, Any] = {key: row.get(key) or value for key, value in vars(usual).items()}
    path = Path(row["path"])
    name = row.get("name") or path.with_suffix("").name
    content = row.get("content_type") or row.get("suggested_content", "")
    return Source(manifest.parent / path, name, ReadOptions(**options), "" if content == UNSURE else content)


def tasks_of(sources: Sequence[Source], folders: Mapping[Path, Encoding]) -> list[Task]:
    """Make a task for each source, with the path of its output in each folder.

    Args:
        sources: the files.
        folders: folders of the outputs -> settings of the outputs in it, which determine their suffixes.

    Raises:
        UserError: two sources would have the same output, or an output would be outside the folder or replace a source.
    """
    tasks: list[Task] = []
    for source in sources:
        named = [
            (inside(folder, f"{source.name}{suffix_for(source.path, encoding)}", source.path), encoding)
            for folder, encoding in folders.items()
        ]
        tasks.append(Task(source, named[0][0], tuple(named[1:])))
    twice = [output for output, count in Counter(path for task in tasks for path in task.outputs).items() if count > 1]
    if twice:
        raise UserError(
            twice[0], "would be the output of two files", "give each a different name in the column name of a manifest"
        )
    inputs = {identity(source.path) for source in sources if source.path.exists()}
    for task in tasks:
        for output, encoding in zip(task.outputs, folders.values(), strict=True):
            for path in (output, *files_beside(output, encoding)):
                if path.exists() and identity(path) in inputs:
                    raise UserError(path, "is an input of this batch", "choose another output=")
    return tasks


def upscale_files(tasks: Sequence[Task], folder: Path, upscaler: Upscaler, executor: Executor) -> Iterator[FileResult]:
    """Upscale many files into a folder. Files that an earlier call finished, as the ledger there says, are skipped.

    Args:
        tasks: result of `tasks_of`.
        folder: folder of the outputs and of the ledger.
        upscaler: bundle and settings.
        executor: runs the tasks in several processes or on a cluster. If it has more workers than there are files left,
            files are upscaled one after another, and the segments of each in parallel.

    Yields:
        The result of each file, in the order of completion.

    Raises:
        UserError: another process writes to the folder, or a bundle cannot be used.
    """
    common = upscaler.fingerprint()
    settings = {
        task.output.relative_to(folder).as_posix(): _hash(
            common, task.source.read_options, task.source.content, task.others
        )
        for task in tasks
    }
    with Ledger(folder / LEDGER) as ledger:
        waiting: dict[str, Task] = {}
        for (key, hashed), task in zip(settings.items(), tasks, strict=True):
            if ledger.is_done(key, hashed):
                yield FileResult(task, "kept")
            else:
                is_new = not any(output.exists() for output in task.outputs)
                waiting[key] = replace(task, made_here=ledger.is_begun(key, hashed) or is_new)
                if waiting[key].made_here:  # else a later call would take older outputs for those of this call
                    ledger.begin(key, hashed)
        before = {task.source.path: stamp(task.source.path) for task in waiting.values() if task.source.path.exists()}
        outcomes = executor.run(upscaler.upscale, waiting)
        one_by_one = len(waiting) < executor.workers and not any(task.others for task in tasks)
        if one_by_one:  # each in segments that run in parallel
            outcomes = Local().run(partial(upscaler.upscale, executor=executor), waiting)
        for outcome in outcomes:
            key, task, made = outcome.key, waiting[outcome.key], outcome.result
            if made is None:
                ledger.fail(key, settings[key], outcome.error)
                yield FileResult(task, "refused", error=outcome.error, traceback=outcome.traceback)
            else:
                written = {path: one.output.sha256 for path, one in zip(task.outputs, made, strict=True)}
                ledger.finish(key, settings[key], {task.source.path: made[0].source.sha256, **written}, before)
                yield FileResult(task, "done", made[0].frames)


def _made(task: Task) -> list[Provenance] | None:
    """Provenance of a task's outputs; None if one is missing, incomplete, or made from another source."""
    notes = [provenance_path(output) for output in task.outputs]
    if not all(path.is_file() for path in (*task.outputs, *notes)):
        return None
    made = [read_record(note, Provenance) for note in notes]
    if {one.source.sha256 for one in made} != {digest_of(task.source.path)}:
        return None
    same = all(one.output.sha256 == sha256(output) for one, output in zip(made, task.outputs, strict=True))
    return made if same else None


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
