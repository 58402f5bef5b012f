"""Detection of damaged frames, which cannot be decoded or are decoded from corrupt data.

Decoders conceal errors: they output a frame without reporting the damage. Therefore every packet that the requested
frames depend on is decoded a second time with one thread, and log messages of the decoder are attributed to the packet
that caused them. For a range of frames, only the groups of pictures that contain these frames are checked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import av
import av.error
import av.logging
import numpy as np

from vsr_lab.core.errors import UserError
from vsr_lab.video.libav_log import LOG_LOCK, libav_logging
from vsr_lab.video.packets import PacketIndex, decoder_of, open_input, packets_of
from vsr_lab.video.probe import Probe, describe_change

GAP = "data is missing in the stream"


@dataclass(frozen=True)
class Damage:
    """Frames of a file that cannot be decoded or were decoded from corrupt data.

    Attributes:
        lost: numbers of frames that cannot be decoded, or whose size or colour format differs from the first frame, see
            `describe_change`.
        broken: numbers of frames decoded from corrupt data; frames that refer to them may be wrong too.
        reason: first error message of the decoder, or how frames differ from the first one.
        remedy: hint for the user, such as "fetch it again".
    """

    lost: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()
    reason: str = ""
    remedy: str = "copy or download the file again"

    def __bool__(self) -> bool:
        return bool(self.lost or self.broken)

    def __str__(self) -> str:
        kinds = {"lost": self.lost, "broken": self.broken}
        parts = [f"{kind} frames {format_ranges(numbers)}" for kind, numbers in kinds.items() if numbers]
        return "; ".join(parts) + (f" ({self.reason})" if self.reason else "")


def format_ranges(numbers: Sequence[int]) -> str:
    """Format [3, 4, 5, 9] as "3-5, 9". If there are more than eight ranges, the others are only counted."""
    runs = np.split(np.array(numbers), np.flatnonzero(np.diff(numbers) > 1) + 1)
    shown = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs[:8])
    return shown + (f" and {len(runs) - 8} more" if len(runs) > 8 else "")


@dataclass
class _Known:
    """Cached results for a file: its damage (None: not fully checked yet), and groups of pictures without damage."""

    damage: Damage | None = None
    sound: set[int] = field(default_factory=set[int])


_known: dict[tuple[str, int, int], _Known] = {}


def _known_of(probe: Probe) -> _Known:
    status = probe.path.stat()
    return _known.setdefault((str(probe.path), status.st_size, status.st_mtime_ns), _Known())


def find_damage(probe: Probe) -> Damage:
    """Find damaged frames by decoding every frame of a file. The result is cached until the file changes."""
    known = _known_of(probe)
    if known.damage is None:
        with LOG_LOCK, libav_logging():
            known.damage = _scan(probe)
    return known.damage


def find_damage_between(probe: Probe, start: int, stop: int, close_decoder: Callable[[], None]) -> Damage:
    """Find damaged frames in the groups of pictures that contain frames start..stop-1. The result is cached.

    If an error is found, the whole file is checked, because a decoder that starts in the middle of a file may report
    missing reference frames although no frame is damaged.

    Args:
        probe: properties of the file.
        start, stop: range of frames, `stop` exclusive.
        close_decoder: function that closes the caller's decoder of the file. Otherwise messages of that decoder could
            appear in the log, from which errors are detected here.
    """
    known, index = _known_of(probe), probe.index
    if start >= stop or (known.damage is not None and not known.damage):
        return Damage()
    first, last = (int(group) for group in np.searchsorted(index.keys, index.ticks[[start, stop - 1]], side="right"))
    new = [group for group in range(first, last + 1) if group not in known.sound]
    if known.damage is None and new:
        close_decoder()
        with LOG_LOCK, libav_logging():
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
    """Whether the groups of pictures first..last, counted from 1, decode without errors."""
    keys, ticks = probe.index.keys, probe.index.ticks
    start, stop = int(keys[first - 1]), int(keys[last] if last < len(keys) else ticks[-1] + 1)
    came: set[int] = set()
    try:
        with open_input(probe.path) as container, av.logging.Capture() as said:
            stream: Any = container.streams[probe.stream]
            stream.codec_context.thread_count = 1
            decode: Any = decoder_of(stream)
            container.seek(start, stream=stream)
            for packet in packets_of(container, stream):
                before = len(said)
                frames = decode(packet)
                here = [frame for frame in frames if start <= (frame.pts or 0) < stop]
                if any(frame.is_corrupt or describe_change(probe, frame) for frame in here):
                    return False
                torn = len(said) > before or packet.pts in probe.index.gaps
                if torn and (packet.pts is None or start <= packet.pts < stop):
                    return False
                came.update(frame.pts for frame in frames)
                if any(frame.pts >= stop for frame in frames):
                    break
    except (av.error.FFmpegError, TypeError):
        return False
    return came.issuperset(ticks[(ticks >= start) & (ticks < stop)].tolist())


def _scan(probe: Probe) -> Damage:
    came: list[int | None] = []
    broken: list[tuple[int, int | None]] = []  # number of the frame or packet, and the frame's timestamp
    ticks, tick = frozenset(probe.index.ticks.tolist()), None
    reason = change = ""
    try:
        with open_input(probe.path) as container, av.logging.Capture() as said:
            stream: Any = container.streams[probe.stream]
            stream.codec_context.thread_count = 1  # so that messages belong to the current packet
            decode = decoder_of(stream)
            for number, packet in enumerate(packets_of(container, stream)):
                before = len(said)
                if packet.pts in ticks or packet.is_discard:
                    tick = packet.pts  # a second field belongs to this frame
                try:
                    frames = decode(packet)
                except av.error.FFmpegError as error:
                    frames = []
                    reason = reason or (error.strerror or "")
                change = change or next((found for frame in frames if (found := describe_change(probe, frame))), "")
                frames = [frame for frame in frames if not describe_change(probe, frame)]
                broken += [(len(came) + n, frame.pts) for n, frame in enumerate(frames) if frame.is_corrupt]
                came += [frame.pts for frame in frames]
                if len(said) > before or packet.pts in probe.index.gaps:
                    reason = reason or (said[before][2].strip() if len(said) > before else GAP)
                    broken.append((number, tick))
    except av.error.FFmpegError as error:  # the container cannot be read further
        reason = reason or (error.strerror or "")
    damage = _to_damage(probe.index, came, broken, reason or change)
    return damage if reason or not change else replace(damage, remedy="split the video at this frame")


def drop_frames(probe: Probe, lost: tuple[int, ...]) -> Probe:
    """Copy of the properties of a file, without lost frames. Other frames are renumbered and keep their timestamps.

    Raises UserError if all frames are lost.
    """
    if not lost:
        return probe
    if len(lost) == probe.frames:
        raise UserError(probe.path, "holds no frame that can be decoded", "copy or download the file again")
    index = probe.index
    return replace(probe, index=replace(index, ticks=np.delete(index.ticks, lost)))


def _to_damage(index: PacketIndex, came: list[int | None], broken: list[tuple[int, int | None]], reason: str) -> Damage:
    count = len(index.ticks)
    if index.counted:  # without timestamps the number of the packet is the best estimate
        lost = np.arange(min(len(came), count), count)
        numbers = [number * count // index.packets for number, _ in broken]
        harmed = np.unique(np.clip(np.array(numbers, np.int64), 0, count - 1))
    else:
        lost = np.flatnonzero(~np.isin(index.ticks, [tick for tick in came if tick is not None]))
        harmed = np.flatnonzero(np.isin(index.ticks, [tick for _, tick in broken if tick is not None]))
    harmed = np.setdiff1d(harmed, lost)
    return Damage(tuple(lost.tolist()), tuple(harmed.tolist()), reason if len(lost) or len(harmed) else "")
