"""Damaged files of every kind, from seeds, read in another process: python -m tests.property.fuzz_video --files 2000

A read may end in frames or in a UserError. Anything else counts as wrong: another exception, a crash, a hang. Each file
has its own time; what hangs is told with the lines in which it did, and what goes wrong is kept where --keep says.
"""

import argparse
import io
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.weaving import panned, write_gray

SECONDS = 20.0  # a file of 24 small frames that takes longer hangs
_START = 120.0  # a worker imports first
_SOURCES: dict[str, tuple[str, dict[str, str]]] = {
    "h264.mp4": ("libx264", {"preset": "ultrafast", "bf": "2"}),
    "ffv1.mkv": ("ffv1", {"slicecrc": "1", "level": "3"}),
    "vp9.webm": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "20", "b:v": "0"}),
    "h264.ts": ("libx264", {"preset": "ultrafast"}),
    "mpeg4.avi": ("mpeg4", {"qmin": "2", "qmax": "4"}),
    "raw.y4m": ("wrapped_avframe", {}),
    "hevc.mp4": ("libx265", {"preset": "ultrafast", "x265-params": "log-level=none"}),
    "mpeg2.ts": ("mpeg2video", {"bf": "2"}),
    "mjpeg.avi": ("mjpeg", {"strict": "unofficial", "qmin": "2", "qmax": "4"}),
}
Damaging = Callable[[bytes, np.random.Generator], bytes]


def _flips(data: bytes, rng: np.random.Generator, low: float, high: float) -> bytes:
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 60))):
        out[int(rng.uniform(low, high) * (len(out) - 1))] ^= 1 << int(rng.integers(8))
    return bytes(out)


def _overwritten(data: bytes, rng: np.random.Generator) -> bytes:
    at, length = int(rng.integers(len(data))), int(rng.integers(1, 4000))
    return data[:at] + rng.bytes(min(length, len(data) - at)) + data[at + length :]


def _cut_out(data: bytes, rng: np.random.Generator) -> bytes:
    at, length = int(rng.integers(len(data))), int(rng.integers(1, 4000))
    return data[:at] + data[at + length :]


def _swapped(data: bytes, rng: np.random.Generator) -> bytes:
    """Two top-level boxes of an mp4 in each other's place; elsewhere two blocks."""
    if data[4:8] == b"ftyp":
        boxes, at = [], 0
        while at < len(data):
            size = max(8, int.from_bytes(data[at : at + 4], "big"))
            boxes.append(data[at : at + size])
            at += size
        return b"".join(boxes[int(n)] for n in rng.permutation(len(boxes)))
    a, b = sorted(int(n) for n in rng.integers(0, len(data) - 600, 2))
    b = max(b, a + 512)
    return data[:a] + data[b : b + 512] + data[a + 512 : b] + data[a : a + 512] + data[b + 512 :]


def _spliced(data: bytes, rng: np.random.Generator) -> bytes:
    """Packets in each other's place, twice or missing, in Matroska; what is no video is swapped."""
    try:
        with av.open(io.BytesIO(data), "r") as source:
            stream = source.streams.video[0]
            packets = [packet for packet in source.demux(stream) if packet.size and packet.dts is not None]
            payloads = [bytes(packet) for packet in packets]
            out = io.BytesIO()
            with av.open(out, "w", format="matroska") as target:
                copy = target.add_stream_from_template(stream)
                for packet in packets:
                    payload = payloads[int(rng.integers(len(payloads)))] if rng.random() < 0.4 else bytes(packet)
                    for _ in range(int(rng.integers(0, 3)) if rng.random() < 0.2 else 1):
                        new = av.Packet(payload)
                        new.pts, new.dts, new.time_base = packet.pts, packet.dts, packet.time_base
                        new.is_keyframe, new.stream = packet.is_keyframe, copy
                        target.mux(new)
            return out.getvalue()
    except (av.error.FFmpegError, IndexError, ValueError):
        return _swapped(data, rng)


KINDS: dict[str, Damaging] = {
    "flips at the head": lambda data, rng: _flips(data, rng, 0, 0.03),
    "flips anywhere": lambda data, rng: _flips(data, rng, 0, 1),
    "flips at the end": lambda data, rng: _flips(data, rng, 0.97, 1),
    "truncated": lambda data, rng: data[: int(rng.integers(1, len(data)))],
    "head cut off": lambda data, rng: data[int(rng.integers(1, len(data))) :],
    "overwritten": _overwritten,
    "cut out": _cut_out,
    "swapped": _swapped,
    "spliced packets": _spliced,
    "twice over": lambda data, rng: data + data[int(rng.integers(len(data))) :],
    "random bytes": lambda data, rng: rng.bytes(int(rng.integers(1, len(data)))),
    "zeros": lambda data, rng: bytes(len(data)),
    "empty": lambda data, rng: b"",
}


@dataclass(frozen=True)
class Fuzzed:
    """One damaged file, or a folder with one; kind: how it was damaged."""

    path: Path
    kind: str


def _sources(folder: Path) -> dict[str, bytes]:
    for name, (codec, options) in _SOURCES.items():
        write_gray(folder / name, panned(24), codec, options, gop=8)
    picture = av.VideoFrame.from_ndarray(panned(1)[0].astype(np.uint8), format="gray")
    picture.to_image().save(folder / "frame.png")
    return {name: (folder / name).read_bytes() for name in (*_SOURCES, "frame.png")}


def make_damaged(folder: Path, count: int, seed: int = 0) -> Iterator[Fuzzed]:
    """`count` files, the same for the same seed, kinds and encodings in turn; every ninth with another's suffix."""
    whole = folder / "whole"
    whole.mkdir(parents=True)
    sources = _sources(whole)
    names, kinds = list(sources), list(KINDS)
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        name, kind = names[number % len(names)], kinds[number % len(kinds)]
        data = KINDS[kind](sources[name], rng)
        suffix = name.split(".")[1]
        if number % 9 == 8:
            kind, data = "wrong suffix", sources[name]
            suffix = str(rng.choice([other.split(".")[1] for other in names if other != name]))
        if suffix == "png":  # a folder of frames, one of them damaged
            path = folder / f"{number}"
            path.mkdir()
            for n in range(3):
                (path / f"{n}.png").write_bytes(data if n == 1 else sources["frame.png"])
        else:
            path = folder / f"{number}.{suffix}"
            path.write_bytes(data)
        yield Fuzzed(path, kind)


def judge_all(files: list[Fuzzed], damaged: str, seconds: float = SECONDS) -> Iterator[tuple[Fuzzed, str]]:
    """Each file with "frames", "refused", or what went wrong. One worker reads many; a new one starts where it dies."""
    todo = list(files)
    while todo:
        worker = _Worker([file.path for file in todo], damaged)
        assert not worker.is_dead, "the worker does not start"
        while todo and not worker.is_dead:
            yield todo.pop(0), worker.next(seconds)
        worker.stop()


class _Worker:
    """A process that reads files one after another, and says of each how it went."""

    def __init__(self, paths: list[Path], damaged: str) -> None:
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.property.fuzz_worker", damaged]
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- as long as the worker
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=self._said, text=True)  # fmt: skip
        self._paths = iter(paths)
        self.is_dead = self._answer(_START) != "ready"

    def next(self, seconds: float) -> str:
        """What comes of the next file."""
        assert self._process.stdin
        self._process.stdin.write(f"{next(self._paths)}\n")
        self._process.stdin.flush()
        return self._answer(seconds)

    def _answer(self, seconds: float) -> str:
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        line = self._process.stdout.readline().strip() if ready and self._process.stdout else ""
        self.is_dead = not line
        if line:
            return line
        if not ready:  # the worker then says where each of its threads is
            self._process.send_signal(signal.SIGABRT)
        code = self._process.wait()
        self._said.seek(0)
        stack = [" ".join(found) for found in re.findall(r'File ".*/(\S+)", (line \d+)', self._said.read())]
        where = f" in {', '.join(stack[:3])}" if stack else ""
        return (f"crashed ({code})" if ready else "hung") + where

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def _keep(path: Path, folder: Path | None) -> None:
    if folder and path.is_dir():
        shutil.copytree(path, folder / path.name, dirs_exist_ok=True)
    elif folder:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)


def main() -> None:
    """Print a tally by kind of damage; exit 1 where anything but frames and refusals came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    tally: dict[str, Counter[str]] = {}
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        files = list(make_damaged(Path(folder) / "fuzz", given.files, given.seed))
        for damaged in ("refuse", "keep"):
            steps = track(judge_all(files, damaged), damaged, len(files), console=Console(stderr=True))
            for file, outcome in steps:
                sound = outcome in ("frames", "refused")
                tally.setdefault(file.kind, Counter())[f"{outcome if sound else 'wrong'} {damaged}"] += 1
                if not sound:
                    wrong.append(f"{file.path.name} {file.kind} {damaged}: {outcome}")
                    _keep(file.path, given.keep)
    columns = [f"{outcome} {damaged}" for damaged in ("refuse", "keep") for outcome in ("frames", "refused", "wrong")]
    table = Table("damage", *columns, box=None, title=f"{given.files} files, seed {given.seed}")
    for kind, counts in [*tally.items(), ("all", sum(tally.values(), Counter[str]()))]:
        table.add_row(kind, *(str(counts[column]) for column in columns))
    Console().print(table, *wrong, sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
