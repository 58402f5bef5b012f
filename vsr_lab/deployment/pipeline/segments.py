"""Segments of an upscaling. Finished segments are stored in a folder beside the output until the output is complete.

After an interruption, the same command copies the packets of the finished segments. The network continues from the
state that was stored with the last finished segment.
"""

import itertools
import os
import re
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from av.packet import Packet
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.files import MAKER, atomic_path, make_folder, sha256, sync
from vsr_lab.core.network import State
from vsr_lab.core.progress import report
from vsr_lab.core.records import read_record, write_record
from vsr_lab.core.records.deployment import Segment, UpscaleJob
from vsr_lab.core.run_folder import lock_folder, unlock_folder
from vsr_lab.deployment.streams.carriers import AnyPacket

_JOB = "job.json"
_OWN = re.compile(
    rf"\.lock|job\.json|\d{{6}}\.(packets|safetensors)|\.(job|\d{{6}})\.{MAKER}\.partial\.(json|safetensors|packets)"
)
_HEAD = struct.Struct("<qq?BI")  # presentation and decoding time, keyframe, output, bytes that follow
_STATES = 2  # that are kept: they may be larger than the segments


@dataclass
class Part:
    """One segment of the output of an upscaling.

    Attributes:
        number: index of the segment.
        first, last: numbers of its first and last frame (inclusive) in the output.
        finished: whether its packets were stored by an earlier, interrupted run.
        runs: whether the network processes the frames of the segment, to encode them or to compute the state for the
            next segment.
        resumes: whether the network starts with the stored state of the previous segment.
    """

    number: int
    first: int
    last: int
    finished: bool = False
    runs: bool = True
    resumes: bool = False


class Segments:
    """Context manager that stores the finished segments of an upscaling in the folder OUTPUT.segments.

    A video with only one segment needs no folder. The folder is removed when the output is complete, or after an error
    if no segment is finished.

    Args:
        output: the output file.
        job: all settings on which the segments depend.
        record_only: set this if other processes upscale the segments. This object then only records the finished
            segments (see `record`), and the folder is kept, so that the segments can be joined later.

    Raises:
        UserError: at the beginning of the block, if another process writes the same output, if the folder contains
            other files or segments of another upscaling, or if the segments were planned to run in parallel and not
            all of them are finished.
    """

    def __init__(self, output: Path, job: UpscaleJob, record_only: bool = False) -> None:
        self.folder = output.with_name(f"{output.name}.segments")
        self._job, self._finished = job, dict(job.finished)
        bounds = itertools.pairwise([*job.plan.segments, job.plan.frames])
        self._parts = [Part(number, first, stop - 1) for number, (first, stop) in enumerate(bounds)]
        self._kept, self._record_only = len(self._parts) > 1, record_only
        self._writing: BinaryIO | None = None
        self._reading: dict[int, Iterator[AnyPacket]] = {}

    def __enter__(self) -> Self:
        if self._kept:
            _check_folder(self.folder)
            make_folder(self.folder)
            lock_folder(self.folder)
            try:
                self._resume()
            except BaseException:
                unlock_folder(self.folder)
                raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._writing:
            self._writing.close()
        if self._kept:
            if not self._finished or (kind is None and not self._record_only):
                self._remove()
            unlock_folder(self.folder)

    def _remove(self) -> None:
        for path in self.folder.iterdir():
            if _is_own(path):
                path.unlink()
        with suppress(OSError):  # somebody put another file there meanwhile, which is kept
            self.folder.rmdir()

    def at(self, frame: int) -> Part:
        """Segment that contains a frame of the output."""
        return self._parts[bisect_right(self._job.plan.segments, frame) - 1]

    def state_before(self, part: Part) -> State:
        """Stored state of the network after the segment that precedes `part`."""
        path = self._state(part.number - 1)
        with reported(
            SafetensorError,
            path,
            "is not a saved state of a network",
            f"remove {self.folder} and run the command again",
        ):
            tensors = load_file(path)
        return tuple(tensors[name] for name in sorted(tensors))

    def add(self, part: Part, packets: Sequence[AnyPacket], output: int = 0) -> None:
        """Store packets of a segment that is being encoded; output: index of the output file."""
        if not self._kept:
            return
        if self._writing is None:
            self._writing = self.packet_file(part).open("wb")
        write_packets(self._writing, packets, output)

    def finish(self, part: Part, state: State) -> None:
        """Store a finished segment: its packets, and the state of the network after its last frame."""
        if self._writing is None:
            return
        self._writing.close()
        self._writing = None
        packets, saved = self.packet_file(part), self._state(part.number)
        with atomic_path(saved) as temporary:
            save_file({f"{i:04d}": tensor for i, tensor in enumerate(state)}, temporary)
        sync(packets, saved)
        self._finished[part.number] = Segment(packets=sha256(packets), state=sha256(saved))
        self._write_job()
        self._state(part.number - _STATES).unlink(missing_ok=True)

    def packets(self, part: Part, frame: int, output: int = 0) -> list[AnyPacket]:
        """Read the next packet of a finished segment, or at the last frame of the segment all remaining packets.

        Must be called for every frame of the segment, in order.

        Args:
            part: the segment.
            frame: number of the frame in the output.
            output: index of the output file.
        """
        if frame == part.first:
            self._reading[output] = _read(self.packet_file(part), output)
        return list(itertools.islice(self._reading[output], None if frame == part.last else 1))

    def _write_job(self) -> None:
        write_record(self.folder / _JOB, self._job.model_copy(update={"finished": self._finished}))
        sync(self.folder / _JOB)

    def packet_file(self, part: Part) -> Path:
        """Path of the file that stores the packets of a segment."""
        return self.folder / f"{part.number:06d}.packets"

    @property
    def unfinished(self) -> list[Part]:
        """Segments that were not finished when the block began."""
        return [part for part in self._parts if not part.finished]

    def record(self, part: Part, digest: str) -> None:
        """Record that another process finished a segment; digest: SHA-256 of the file `packet_file(part)`."""
        self._finished[part.number] = Segment(packets=digest, state="")
        self._write_job()

    def _state(self, number: int) -> Path:
        return self.folder / f"{number:06d}.safetensors"

    def _resume(self) -> None:
        """Find out which segments are finished, and which the network must process."""
        self._read_finished()
        self._write_job()
        saved = [False] * len(self._parts)
        for number, segment in sorted(self._finished.items()):
            part = self._parts[number]
            packets = self.packet_file(part)
            expected = (part.last - part.first + 1) * (1 + len(self._job.others))
            part.finished = _holds(packets, segment.packets) and _count(packets) == expected
            saved[number] = _holds(self._state(number), segment.state)
            if not part.finished:
                report(f"{packets}: is damaged; frames {part.first} to {part.last} are upscaled again")
        for part, after in zip(reversed(self._parts), [None, *reversed(self._parts[1:])], strict=True):
            needed = after is not None and after.runs and not saved[part.number]
            part.runs = not part.finished or needed
            if after is not None:
                after.resumes = after.runs and not part.runs
        if self.unfinished and not self._record_only and self._job.plan.lead_in is not None:
            raise UserError(
                self.folder, "lacks segments that were to be upscaled in parallel", "run the same command again"
            )
        done = sum(part.finished for part in self._parts)
        report(f"{self.folder}: {done} of {len(self._parts)} segments are finished; the folder is removed at the end")

    def _read_finished(self) -> None:
        """Read from the record which segments are finished.

        Raises:
            UserError: the record cannot be read, or the finished segments are of another upscaling, so that they would
                be lost.
        """
        path = self.folder / _JOB
        if not path.exists():
            return
        try:
            found = read_record(path, UpscaleJob)
        except UserError as error:
            raise error.advising(f"to begin again, remove {self.folder} with its finished segments") from None
        old, new = _flat(found), _flat(self._job)
        changed = [name for name in new if old[name] != new[name]]
        if changed and found.finished:
            problem = f"has {len(found.finished)} finished segments of an upscaling with another {', '.join(changed)}"
            raise UserError(self.folder, problem, "repeat the earlier command, or remove the folder to begin again")
        self._finished = (
            {}
            if changed
            else {part.number: found.finished[part.number] for part in self._parts if part.number in found.finished}
        )


def _flat(job: UpscaleJob) -> dict[str, object]:
    plan = {f"plan.{name}": value for name, value in job.plan}
    return {**{name: value for name, value in job if name not in {"plan", "finished"}}, **plan}


def _check_folder(folder: Path) -> None:
    """Raise UserError if a folder contains files that no upscaling wrote, so that it must not be used and removed."""
    if folder.is_symlink():
        raise UserError(folder, "is a symbolic link", "remove it, or choose another output=")
    if not folder.is_dir():
        return
    found = {path.name for path in folder.iterdir()}
    others = sorted(name for name in found if not _is_own(folder / name))
    job = folder / _JOB
    if job.name in found and not others and UpscaleJob.model_fields["record"].default.encode() not in job.read_bytes():
        others = [_JOB]
    if others or (job.name not in found and any(not name.startswith(".") for name in found)):
        named = f", such as {others[0]}" if others else ""
        problem = f"contains files that no upscaling wrote{named}"
        raise UserError(folder, problem, "move these files, or choose another output=")


def _is_own(path: Path) -> bool:
    return _OWN.fullmatch(path.name) is not None and path.is_file() and not path.is_symlink()


def _holds(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _count(path: Path) -> int:
    """Number of packets in a file; -1 if the last packet is not complete."""
    count, left = 0, path.stat().st_size
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            size = _HEAD.unpack(head)[-1]
            file.seek(size, os.SEEK_CUR)
            count, left = count + 1, left - _HEAD.size - size
    return -1 if left else count


def write_packets(file: BinaryIO, packets: Sequence[AnyPacket], output: int = 0) -> None:
    """Append encoded packets, with timestamps and keyframe flags, to a file that stores the packets of a segment.

    output: index of the output file that the packets belong to, if the upscaling writes several files.
    """
    for packet in packets:
        file.write(_HEAD.pack(packet.pts, packet.dts, packet.is_keyframe, output, packet.size))
        file.write(bytes(packet))


def _read(path: Path, output: int) -> Iterator[AnyPacket]:
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            pts, dts, key, own, size = _HEAD.unpack(head)
            if own != output:
                file.seek(size, os.SEEK_CUR)
                continue
            packet = Packet(file.read(size))
            packet.pts, packet.dts, packet.is_keyframe = pts, dts, key
            yield packet
