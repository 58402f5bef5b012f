"""Reading of video files and of folders of images through the same interface."""

import copy
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vsr_lab.core.clip import Clip, check_range
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import identity
from vsr_lab.video.damage import Damage, drop_frames, find_damage, find_damage_between
from vsr_lab.video.decoders import AvDecoder, Decoder, open_decoder
from vsr_lab.video.deinterlace import FilteredDecoder, filter_chain_for
from vsr_lab.video.hdr import tone_map
from vsr_lab.video.image_sequence import FRAME_SUFFIXES, ImageSequence
from vsr_lab.video.linear_light import is_linear
from vsr_lab.video.probe import Probe, probe
from vsr_lab.video.read_options import REFUSE, ReadOptions

VIDEO_SUFFIXES = frozenset({
    ".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".m2ts", ".mts", ".mxf", ".y4m", ".wmv",
    ".asf", ".flv", ".f4v", ".3gp", ".3g2", ".vob", ".ogv", ".ogm", ".gif", ".apng", ".dv", ".m2v", ".m2p", ".divx",
    ".nut", ".mk3d", ".ivf", ".h264", ".264", ".hevc", ".265",
})  # fmt: skip


_NEAR = 1e-3  # seconds: times of Matroska are rounded to milliseconds
_FOREVER = Fraction(10**9)  # seconds


class Footage(Protocol):
    """Interface of a video source whose frames are read by number: a video file or a folder of images.

    It can be pickled, and used after a fork: each process opens the file when it first reads a frame.
    """

    @property
    def frames(self) -> int: ...
    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        ...

    @property
    def rate(self) -> Fraction | float:
        """Frames per second; the mean if the rate varies."""
        ...

    def read(self, start: int, stop: int) -> Clip:
        """Read frames start..stop-1. Raises UserError if there are no such frames, or if one cannot be decoded."""
        ...


class VideoFile:
    """A video file whose frames are read by number, as upright RGB with exact timestamps.

    The file stays open from the first read until its last frame is read or `close` is called.

    Args:
        path: the file, or a folder of images.
        read_options: how to read interlaced, HDR and damaged files.
        advanced: called at times, while the packets of the file are read, with the number of bytes read so far.

    Attributes:
        probe: properties of the frames as they are returned (after deinterlacing).
        source: properties of the frames in the file.
        chain: deinterlacing filters; None if frames are read as they are stored.
        first: number of the first frame among all frames of the file, after deinterlacing; 0 unless this is a `part`.
        window: for a `part`, start and end of its sound and other streams, in seconds by the timestamps of the file;
            None: the whole file.

    Raises:
        UserError: the file cannot be read correctly with these options. Damage is found when frames are read. If
            `read_options.damaged` is set, the constructor already searches for damage, by decoding the whole file.
    """

    def __init__(
        self, path: Path, read_options: ReadOptions = REFUSE, advanced: Callable[[int], object] | None = None
    ) -> None:
        self.path = path
        self.read_options = read_options
        source = probe(path, cut_short=read_options.damaged is not None, advanced=advanced)
        _refuse(source, read_options)
        if is_linear(source.pixel_format):
            source = replace(source, transfer=read_options.transfer or "")
        self._damage = find_damage(source) if read_options.damaged else None
        self.source = drop_frames(source, self._damage.lost) if self._damage else source
        self.chain = filter_chain_for(self.source, read_options)
        self.probe: Probe = self.chain.output(self.source) if self.chain else self.source
        self._decoder: Decoder | None = None
        self.first = 0
        self.window: tuple[Fraction, Fraction] | None = None

    def at_rate(self, rate: Fraction) -> "VideoFile":
        """Copy of the video with the frame rate `rate`; only for a folder of images, which has no timestamps."""
        other = copy.copy(self)
        other.probe = replace(self.probe, rate=rate, index=replace(self.probe.index, base=1 / rate))
        return other

    def part(self, start: float, stop: float | None = None) -> "VideoFile":
        """Part of the video as a `VideoFile`, from `start` to `stop` (exclusive) in seconds after the first frame.

        Raises:
            UserError: there are no frames in this part.
        """
        if not start and stop is None:
            return self
        index, times = self.probe.index, self.probe.timestamps
        until = _FOREVER if stop is None else Fraction(stop)
        first, last = (int(place) for place in np.searchsorted(times, [start - _NEAR, float(until) - _NEAR]))
        if first >= last:
            problem = f"has no frame from {start:g} s to {'its end' if stop is None else f'{stop:g} s'}"
            raise UserError(self.path, problem, f"its last frame is at {times[-1]:.3f} s; change start= or stop=")
        ticks = np.append(index.ticks, index.ticks[-1] + (index.last or round(1 / (self.rate * index.base))))
        chosen = replace(index, ticks=ticks[first:last], last=int(ticks[last] - ticks[last - 1]))
        part = copy.copy(self)
        part.first, part.probe = first, replace(self.probe, index=chosen)
        begin, zero, end = (int(ticks[place]) * index.base for place in (first, 0, last))
        if last == len(times):  # sound may end after the last frame, and begin before the first
            end = max(end, zero + until)
        part.window = begin if first else -_FOREVER, end
        return part

    @property
    def rate(self) -> Fraction:
        return self.probe.rate

    @property
    def frames(self) -> int:
        return self.probe.frames

    @property
    def aspect(self) -> Fraction:
        """Pixel aspect ratio (width / height) of the frames as they are returned."""
        return self.probe.aspect

    @property
    def size(self) -> tuple[int, int]:
        return self.probe.size

    def read(self, start: int, stop: int) -> Clip:
        check_range(self.path, self.frames, start, stop)
        self.check(start, stop)
        if self._decoder is None:
            self._decoder = self._open()
        frames = self._decoder.read(self.first + start, self.first + stop)
        if stop == self.frames:
            self.close()
        clip = Clip(frames, self.probe.timestamps[start:stop], self.probe.colour, self.path)
        if self.is_tone_mapped:
            clip = tone_map(clip, self.source.hdr, self.source.peak)
        return clip

    def check(self, start: int, stop: int) -> None:
        """Raise UserError if the groups of pictures that contain frames start..stop-1 are damaged.

        Nothing is checked if `read_options.damaged` is set.
        """
        if self.read_options.damaged:
            return
        start, stop = self.first + start, self.first + stop
        needed = self.chain.needs(start, stop, self.source.frames) if self.chain else (start, stop)
        damage = find_damage_between(self.source, *needed, self.close)
        if damage:
            raise UserError(self.path, f"is damaged: {damage}", f"{damage.remedy}, or set damaged=keep")

    @property
    def is_tone_mapped(self) -> bool:
        """Whether frames are converted from HDR to BT.709."""
        return bool(self.source.hdr) and self.read_options.tone_map == "bt2390"

    @property
    def damage(self) -> Damage:
        """Damaged frames, as numbers in the file before deinterlacing. The first call decodes the whole file."""
        if self._damage is None:
            self._damage = find_damage(self.source)
        return self._damage

    def _open(self) -> Decoder:
        if not self.chain and not self.read_options.damaged:
            return open_decoder(self.source)
        decoder = AvDecoder(self.source, careful=self.read_options.damaged is not None)
        return FilteredDecoder(self.source, self.chain, decoder) if self.chain else decoder

    def close(self) -> None:
        """Close the file to free memory; the next read opens it again."""
        if self._decoder:
            self._decoder.close()
        self._decoder = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_decoder": None}  # decoders cannot be pickled


def _refuse(probe: Probe, read_options: ReadOptions) -> None:
    """Raise UserError for HDR without tone mapping, linear light without transfer, and for more than 16 bits."""
    if probe.hdr and not read_options.tone_map:
        raise UserError(probe.path, f"is HDR ({probe.hdr})", "set tone_map=bt2390 to bring it to BT.709")
    if is_linear(probe.pixel_format):
        if not read_options.transfer:
            problem = "contains linear light in floating point, but networks need coded values such as sRGB"
            raise UserError(probe.path, problem, "set transfer=srgb for values up to 1, or transfer=pq for up to 100")
    elif probe.bits > 16:
        raise UserError(probe.path, f"has {probe.bits} bits per sample", "convert it to 16 bits or fewer")


def open_footage(path: Path, read_options: ReadOptions = REFUSE) -> Footage:
    """Open a video file or a folder of images. Damaged frames are found as described in `VideoFile`.

    Args:
        path: the file or folder.
        read_options: how to read interlaced, HDR, damaged and linear files; not used for a folder.

    Raises:
        UserError: the path does not exist, or cannot be read correctly with these options.
    """
    if path.is_dir():
        return ImageSequence(path)
    if not path.is_file():
        raise UserError(path, "is not a regular file" if path.exists() else "not found", "check the path")
    return VideoFile(path, read_options)


def read_video(
    path: Path | str, start: int = 0, stop: int | None = None, *, read_options: ReadOptions = REFUSE
) -> Clip:
    """Read frames of a video file or of a folder of images.

    Args:
        path: the file or folder.
        start, stop: range of frames to read, `stop` exclusive; stop None: to the end.
        read_options: how to read interlaced, HDR, damaged and linear files; not used for a folder.

    Returns:
        Frames, uint8 or uint16 RGB (T, H, W, 3), with timestamps; `Clip.tensor()` is float32 (T, 3, H, W) in [0, 1].

    Raises:
        UserError: the path does not exist, cannot be read correctly with these options, or has no such frames.

    Example:
        >>> clip = vsr_lab.read_video("footage/a.mkv", 0, 8)
        >>> clip.frames.shape, clip.tensor().shape
        ((8, 64, 80, 3), torch.Size([8, 3, 64, 80]))
    """
    footage = open_footage(Path(path), read_options=read_options)
    return footage.read(start, footage.frames if stop is None else stop)


def is_frame_folder(path: Path) -> bool:
    """Whether a path is a folder with images but no videos. Images next to videos are assumed to be cover pictures."""
    suffixes = {file.suffix.lower() for file in path.iterdir()} if path.is_dir() else set[str]()
    return bool(suffixes & FRAME_SUFFIXES) and not suffixes & VIDEO_SUFFIXES


def find_footage(root: Path) -> list[Path]:
    """Find video files and folders of images at any depth under root, sorted by path.

    Images next to videos are assumed to be cover pictures and are ignored. If root is a file or itself a folder of
    images, only root is returned.

    Raises:
        UserError: root does not exist or is a device, nothing is found, or a link leads to a folder that contains it.
    """
    if not root.exists():
        raise UserError(root, "not found", "check the path")
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise UserError(root, "is neither a file nor a folder", "give a video or a folder of videos")
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(root, followlinks=True):  # lists each folder once: Vimeo-90K has 64,612
        for link in (path for name in folders if (path := Path(folder, name)).is_symlink()):
            if Path(folder).resolve().is_relative_to(link.resolve()):
                raise UserError(link, "is a symbolic link to a folder that contains it", "remove the link")
        # Each folder is listed once, by whichever of its names: there may be exponentially many ways to it by links.
        places = {name: identity(Path(folder, name)) for name in folders}
        folders[:] = [name for name, place in sorted(places.items()) if place not in seen and not seen.add(place)]
        suffixes = {Path(file).suffix.lower() for file in files}
        if suffixes & VIDEO_SUFFIXES:
            found += [Path(folder, file) for file in files if Path(file).suffix.lower() in VIDEO_SUFFIXES]
        elif suffixes & FRAME_SUFFIXES:
            if Path(folder) == root:
                return [root]
            found.append(Path(folder))
    if not found:
        raise UserError(root, "contains neither a video nor a folder of pictures", "give another folder")
    return sorted(found)


def read_chunks(footage: Footage, start: int, stop: int, size: int) -> Iterator[Clip]:
    """Read frames start..stop-1 in clips of at most `size` frames, to limit memory use."""
    for first in range(start, stop, size):
        yield footage.read(first, min(first + size, stop))
