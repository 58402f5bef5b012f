"""Which frames of a file are lost, and which come out of broken data: named by number, never guessed.

Decoders conceal what they cannot read and hand out a frame as if nothing were wrong. So every packet that a read needs
is decoded once more, by one thread, and what the decoder complains of is put down to the packet that made it. A window
of a long file is looked at from the keyframe before it to the one behind; a whole file only where it is asked for.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import av
import av.error
import av.logging
import numpy as np

from vsr_lab.core.errors import UserError
from vsr_lab.video.packets import PacketIndex, open_input, packets_of
from vsr_lab.video.probe import Probe, describe_change


@dataclass(frozen=True)
class Damage:
    """lost: numbers of frames that cannot be decoded, or are of another size or colour than the first; broken: of
    frames decoded from data with errors in it (what refers to them may be wrong up to the next keyframe); reason: what
    the decoder said first; remedy: what helps."""

    lost: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()
    reason: str = ""
    remedy: str = "fetch it again"

    def __bool__(self) -> bool:
        return bool(self.lost or self.broken)

    def __str__(self) -> str:
        kinds = {"lost": self.lost, "broken": self.broken}
        parts = [f"{kind} frames {format_ranges(numbers)}" for kind, numbers in kinds.items() if numbers]
        return ", ".join(parts) + (f" ({self.reason})" if self.reason else "")


def format_ranges(numbers: tuple[int, ...], most: int = 6) -> str:
    """(3, 4, 5, 9) as "3-5 9"; after `most` runs, how many numbers there are in all."""
    groups = np.split(np.array(numbers), np.flatnonzero(np.diff(numbers) > 1) + 1)
    shown = [f"{group[0]}-{group[-1]}" if len(group) > 1 else f"{group[0]}" for group in groups[:most]]
    return " ".join(shown) + (f" ... ({len(numbers)} in all)" if len(groups) > most else "")


# libav hands its messages to Python only while it is told to, for all threads at once; and a decoder with threads of
# its own that is closed while one of them has something to say waits for ever. So whoever may meet damage with several
# threads, or listens, does so alone.
LISTENING = threading.Lock()


@dataclass
class _Known:
    """Of one file: its damage where all of it was looked at, and the groups of pictures known to be sound."""

    damage: Damage | None = None
    sound: set[int] = field(default_factory=set[int])


_known: dict[tuple[str, int, int], _Known] = {}


def _known_of(probe: Probe) -> _Known:
    status = probe.path.stat()
    return _known.setdefault((str(probe.path), status.st_size, status.st_mtime_ns), _Known())


def find_damage(probe: Probe) -> Damage:
    """Decode every frame of the file once, without turning it into RGB; the same file is looked at once."""
    known = _known_of(probe)
    if known.damage is None:
        with LISTENING, _libav_speaks():
            known.damage = _scan(probe)
    return known.damage


def find_damage_between(probe: Probe, start: int, stop: int, hush: Callable[[], None]) -> Damage:
    """The damage that frames start..stop-1 may show: all that lies in their groups of pictures, each looked at once.

    Where something is wrong there the whole file is looked at, since a decoder that enters between may complain of
    what it has not seen. hush: closes the caller's decoder before libav is listened to: its threads may be at work.
    """
    known, index = _known_of(probe), probe.index
    if start >= stop or (known.damage is not None and not known.damage):
        return Damage()
    first, last = (int(group) for group in np.searchsorted(index.keys, index.ticks[[start, stop - 1]], side="right"))
    new = [group for group in range(first, last + 1) if group not in known.sound]
    if known.damage is None and new:
        hush()
        with LISTENING, _libav_speaks():
            if new[0] > 0 and _is_sound(probe, new[0], new[-1]):
                known.sound.update(range(new[0], new[-1] + 1))
                return Damage()
    if not new:
        return Damage()
    edges = [index.ticks[0], *index.keys, index.ticks[-1] + 1]
    here = set(range(*np.searchsorted(index.ticks, [edges[first], edges[last + 1]]).tolist()))
    found = find_damage(probe)
    lost, broken = (tuple(n for n in numbers if n in here) for numbers in (found.lost, found.broken))
    return replace(found, lost=lost, broken=broken) if lost or broken else Damage()


def _is_sound(probe: Probe, first: int, last: int) -> bool:
    """Whether every frame from keyframe number `first`, counted from 1, to before that after `last` comes out right."""
    keys, ticks = probe.index.keys, probe.index.ticks
    start, stop = int(keys[first - 1]), int(keys[last] if last < len(keys) else ticks[-1] + 1)
    came: set[int] = set()
    try:
        with open_input(probe.path) as container, av.logging.Capture() as said:
            stream: Any = container.streams[probe.stream]
            stream.codec_context.thread_count = 1
            container.seek(start, stream=stream)
            for packet in packets_of(container, stream):
                before = len(said)
                frames = packet.decode()
                here = [frame for frame in frames if start <= (frame.pts or 0) < stop]
                if any(frame.is_corrupt or describe_change(probe, frame) for frame in here):
                    return False
                if len(said) > before and (packet.pts is None or start <= packet.pts < stop):
                    return False
                came.update(frame.pts for frame in frames)
                if any(frame.pts >= stop for frame in frames):
                    break
    except (av.error.FFmpegError, TypeError):
        return False
    return came.issuperset(ticks[(ticks >= start) & (ticks < stop)].tolist())


@contextmanager
def _libav_speaks() -> Generator[None]:
    level, brief = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_skip_repeated(False)
    av.logging.set_level(av.logging.ERROR)
    try:
        yield
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(brief)


def _scan(probe: Probe) -> Damage:
    came: list[int | None] = []
    broken: list[tuple[int, int | None]] = []  # the frame's or packet's number as it came, and its frame's time
    ticks, tick = frozenset(probe.index.ticks.tolist()), None
    reason = change = ""
    try:
        with open_input(probe.path) as container, av.logging.Capture() as said:
            stream: Any = container.streams[probe.stream]
            stream.codec_context.thread_count = 1  # what is said belongs to the packet just given
            for number, packet in enumerate(packets_of(container, stream)):
                before = len(said)
                if packet.pts in ticks or packet.is_discard:
                    tick = packet.pts  # that of a second field is its frame's
                try:
                    frames = packet.decode()
                except av.error.FFmpegError as error:
                    frames = []
                    reason = reason or (error.strerror or "")
                change = change or next((found for frame in frames if (found := describe_change(probe, frame))), "")
                frames = [frame for frame in frames if not describe_change(probe, frame)]
                broken += [(len(came) + n, frame.pts) for n, frame in enumerate(frames) if frame.is_corrupt]
                came += [frame.pts for frame in frames]
                if len(said) > before:
                    reason = reason or said[before][2].strip()
                    broken.append((number, tick))
    except av.error.FFmpegError as error:  # the container itself ends here
        reason = reason or (error.strerror or "")
    damage = _numbered(probe.index, came, broken, reason or change)
    return damage if reason or not change else replace(damage, remedy="cut it there")


def drop_frames(probe: Probe, lost: tuple[int, ...]) -> Probe:
    """The stream without its lost frames: the others keep their times, so that the gap shows, and are counted anew."""
    if not lost:
        return probe
    if len(lost) == probe.frames:
        raise UserError(probe.path, "holds no frame that can be decoded", "fetch it again")
    index = probe.index
    return replace(probe, index=replace(index, ticks=np.delete(index.ticks, lost)))


def _numbered(index: PacketIndex, came: list[int | None], broken: list[tuple[int, int | None]], reason: str) -> Damage:
    count = len(index.ticks)
    if index.counted:  # no times to go by: a broken packet's number stands for its frame's
        lost = np.arange(min(len(came), count), count)
        numbers = [number * count // index.packets for number, _ in broken]
        harmed = np.unique(np.clip(np.array(numbers, np.int64), 0, count - 1))
    else:
        lost = np.flatnonzero(~np.isin(index.ticks, [tick for tick in came if tick is not None]))
        harmed = np.flatnonzero(np.isin(index.ticks, [tick for _, tick in broken if tick is not None]))
    harmed = np.setdiff1d(harmed, lost)
    return Damage(tuple(lost.tolist()), tuple(harmed.tolist()), reason if len(lost) or len(harmed) else "")
