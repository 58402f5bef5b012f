"""Shots: ranges of frames of video files or folders of images, with a crop, which are read like a video."""

import difflib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vsr_lab.core.clip import Clip, check_range, to_frames_like
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import check_sha256, inside
from vsr_lab.core.ranges import Downscale, LayoutName, Names, Window
from vsr_lab.core.resize import imresize
from vsr_lab.footage.layouts import AUTO, Lows, check_split, lr_path_at_scale, read_layout
from vsr_lab.footage.tables import TABLE_SUFFIXES, check_paths, read_rows
from vsr_lab.video import REFUSE, Footage, ReadOptions, open_footage

# Columns of a manifest that are read here; others are notes.
_READ = (
    *("path", "name", "split", "content_type", "start", "stop", "downscale", "crop", "cuts", "problem", "sha256"),
    *("deinterlace", "tone_map", "damaged"),
)


@dataclass(frozen=True)
class Shot:
    """A range of frames of a video file or folder of images, which are cropped and then downscaled when they are read.

    Unlike a shot of a film, it may contain scene cuts.

    Args:
        name: name of the clip.
        path: video file or folder of images.
        start: number of the first frame, counted from the start of the file.
        stop: number of the frame after the last; None: to the end of the file.
        downscale: factor by which frames are downscaled, >= 1; use more than 1 to reduce coding artefacts of a lossy
            file.
        crop: (width, height, x, y) in source pixels; None: whole frames.
        cuts: numbers of the first frames of scenes, counted from the start of the file.
        lows: recorded LR of the shot in the same dataset: (scale, path) pairs.
        read_options: how to read interlaced, HDR and damaged files.
        sha256: expected SHA-256 of the file, which is checked when it is opened; "": it is not checked.
    """

    name: str
    path: Path
    start: int = 0
    stop: int | None = None
    downscale: float = 1.0
    crop: tuple[int, int, int, int] | None = None
    cuts: tuple[int, ...] = ()
    lows: Lows = ()
    read_options: ReadOptions = REFUSE
    sha256: str = ""

    @cached_property
    def footage(self) -> Footage:
        if self.sha256:
            check_sha256(self.path, self.sha256)
        footage = open_footage(self.path, read_options=self.read_options)
        last = footage.frames if self.stop is None else self.stop
        check_range(self.path, footage.frames, self.start, last)
        if self.crop:
            width, height, x, y = self.crop
            if min(x, y) < 0 or min(width, height) < 1 or y + height > footage.size[0] or x + width > footage.size[1]:
                raise UserError(
                    self.path,
                    f"is {footage.size[1]}x{footage.size[0]}, too small for crop (width, height, x, y) {self.crop}",
                    "correct the column crop",
                )
        return footage

    @property
    def rate(self) -> Fraction | float:
        """Frames per second of the file; the mean if the rate varies."""
        return self.footage.rate

    @property
    def frames(self) -> int:
        return (self.footage.frames if self.stop is None else self.stop) - self.start

    def __len__(self) -> int:
        return self.frames

    @property
    def size(self) -> tuple[int, int]:
        """Height and width after crop and downscale."""
        height, width = (self.crop[1], self.crop[0]) if self.crop else self.footage.size
        return int(np.ceil(height / self.downscale - 1e-9)), int(np.ceil(width / self.downscale - 1e-9))

    def read(self, start: int, stop: int) -> Clip:
        """Read frames start..stop-1, counted from the start of the shot."""
        clip = self.footage.read(self.start + start, self.start + stop)
        frames = clip.frames
        if self.crop:
            width, height, x, y = self.crop
            frames = frames[:, y : y + height, x : x + width]
        if self.downscale != 1:
            frames = to_frames_like(imresize(replace(clip, frames=frames).tensor(), 1 / self.downscale), frames)
        return replace(clip, frames=frames)

    def window(self, first: int, last: int) -> "Shot":
        """Part of the shot: frames first..last-1, counted from the start of the shot."""
        return replace(self, start=self.start + first, stop=self.start + last)


def parse_window(text: str | None) -> tuple[int, int | None]:
    """Parse "60:84" as (60, 84), "60:" as (60, None) and None as (0, None). Raises UserError for other text."""
    if not text:
        return 0, None
    first, colon, last = str(text).partition(":")
    if not colon or not (first or "0").isdecimal() or not (last or "0").isdecimal():
        raise UserError("frames", f"must be START:STOP, such as 60:84, got {text}")
    return int(first or 0), int(last) if last else None


@dataclass(frozen=True, kw_only=True)
class ShotSelection(ReadOptions):
    """Which clips of a folder or manifest are used, and settings for those clips whose manifest row does not set them.

    Args:
        clips: names to use, all of which must exist; None: all.
        frames: frames to use of each clip, "start:stop", such as "60:84"; None: all.
        downscale: factor by which HR is downscaled before use, >= 1. A factor above 1 reduces coding artefacts of lossy
            files.
        split: split to use, such as "test". In a manifest it is a value of the column `split`, and None means all rows;
            rows with an empty cell are always used. In a dataset folder None means the split for training.
        content: value of the column `content_type` of the manifest rows to use; rows with an empty cell are always
            used. None: all rows.
        layout: structure of a dataset folder, such as "reds" (see `footage.layouts`); "auto" detects it.
    """

    clips: Names | None = None
    frames: Window | None = None
    downscale: Downscale = 1.0
    split: str | None = None
    content: str | None = None
    layout: LayoutName = AUTO

    @property
    def read_options(self) -> ReadOptions:
        """The options for interlaced, HDR and damaged files as a `ReadOptions` object."""
        return ReadOptions(deinterlace=self.deinterlace, tone_map=self.tone_map, damaged=self.damaged)


def find_shots(
    root: Path, selection: ShotSelection = ShotSelection(), *, report: Callable[[str], None] = lambda line: None
) -> list[Shot]:
    """List the shots of a folder, a video file, or a manifest (CSV or Parquet; columns are listed in data/README.md).

    Rows of a manifest with a value in the column `problem` are skipped.

    Args:
        root: folder, file or manifest.
        selection: which shots are used, and settings for them.
        report: called with a line of text that describes the detected structure of a dataset folder.

    Raises:
        UserError: root cannot be read or does not have the structure `selection.layout`, a row or key is invalid, two
            clips have the same name, no shot is selected, or a clip does not exist.
    """
    start, stop = parse_window(selection.frames)
    split, content = selection.split, selection.content
    usual = Shot("", root, start, stop, selection.downscale, read_options=selection.read_options)
    if root.suffix in TABLE_SUFFIXES:
        shots = _read_manifest(root, usual, split, content)
    else:
        if content:
            problem = "is not a manifest with a column content_type, by which clips could be selected"
            raise UserError(root, problem, "remove the key content, or give the manifest of vsr-lab footage index")
        found = read_layout(root, selection.layout)
        entries = found.parts[found.part(split, root)]
        shots = [replace(usual, name=entry.name, path=entry.path, lows=entry.lows) for entry in entries]
        if found.high:
            report(found.describe(root, split))
    for shot in shots:
        inside(Path(), shot.name, root)  # what is written of a clip is named after it
    twice = [name for name, count in Counter(shot.name for shot in shots).items() if count > 1]
    if twice:
        raise UserError(
            root, f"has two clips named {twice[0]}", "use a manifest with different names in its column name"
        )
    if selection.clips:
        known = {shot.name: shot for shot in shots}
        missing = [name for name in selection.clips if name not in known]
        if missing:
            raise UserError(
                "clips", f"{root} has no clip {', '.join(missing)}", f"choose from {', '.join(sorted(known))}"
            )
        shots = [known[name] for name in selection.clips]
    if not shots:
        raise UserError(
            root, f"lists no footage for split={split} and content={content}", "correct the manifest, or these keys"
        )
    return shots


def find_lr_shots(
    high: Sequence[Shot], lr_root: str | None, scale: int, frames: str | None = None
) -> list[Shot] | None:
    """Find the recorded LR clips that belong to HR shots.

    Args:
        high: the HR shots.
        lr_root: folder with LR clips of the same names; "auto": LR in the same dataset folder as the HR; None: there is
            no recorded LR.
        scale: ratio of HR size to LR size.
        frames: frames to use of each clip in a folder `lr_root`, such as "60:84"; None: all. With "auto", the frames of
            the HR shots are used.

    Returns:
        One LR shot per HR shot, in the same order; None if lr_root is None.

    Raises:
        UserError: the LR of a shot is missing, or a shot has more than one LR at this scale.
    """
    if lr_root is None:
        return None
    if lr_root == AUTO:
        return [replace(shot, path=lr_path_at_scale(shot.name, shot.lows, scale), lows=(), sha256="") for shot in high]
    names, options = [shot.name for shot in high], high[0].read_options
    return find_shots(Path(lr_root), ShotSelection(clips=names, frames=frames, **vars(options)))


def check_lr_shot(high: Shot, low: Shot, scale: int) -> None:
    """Check that an LR shot has as many frames as the HR shot, and 1/scale of the HR size, rounded down.

    Raises:
        UserError: the number of frames or the size is wrong.
    """
    if high.frames != low.frames:
        raise UserError(low.path, f"has {low.frames} frames, but its HR has {high.frames}", "give both the same frames")
    expected = (high.size[0] // scale, high.size[1] // scale)
    if low.size != expected:
        size, wanted = (f"{width}x{height}" for height, width in (low.size, expected))
        raise UserError(
            low.path, f"is {size}, but its HR size divided by scale {scale} is {wanted}", "correct scale= or this clip"
        )


def splits_of(root: Path) -> list[str]:
    """Values of the column `split` of a manifest; empty if root is not a manifest."""
    rows = read_rows(root) if root.suffix in TABLE_SUFFIXES else []
    return sorted({row["split"] for row in rows if row.get("split")})


def _read_manifest(path: Path, default: Shot, split: str | None, content: str | None) -> list[Shot]:
    rows = read_rows(path)
    for column in rows[0] if rows else ():
        near = difflib.get_close_matches(column.strip().lower(), (*_READ, "frames"), 1, 0.8)
        if near and column not in (*_READ, "frames"):
            raise UserError(path, f"has an unknown column {column!r}", f"did you mean {near[0]}?")
    check_paths(path, rows)
    check_split(split, (row.get("split", "") for row in rows), path)
    wanted = [
        row
        for row in rows
        if not row.get("problem")  # `footage index` could not read it, and said so
        and (not split or (row.get("split") or split) == split)
        and (not content or (row.get("content_type") or content) == content)
    ]
    return [_row_to_shot(path, row, default) for row in wanted]


def _name_of(path: str) -> str:
    """Path without its suffix, and without components that lead out of the manifest's folder."""
    return "/".join(part for part in Path(path).with_suffix("").parts if part not in {"..", Path(path).anchor})


def _integers(row: dict[str, str], column: str) -> list[int]:
    try:
        return [int(number) for number in (row.get(column) or "").split()]
    except ValueError as error:
        raise ValueError(f"{column} must hold integers, got {row[column]!r}") from error


def _row_to_shot(manifest: Path, row: dict[str, str], default: Shot) -> Shot:
    options: dict[str, Any] = {key: row.get(key) or usual for key, usual in vars(default.read_options).items()}
    try:
        crop = tuple(_integers(row, "crop")) or None
        if crop and len(crop) != 4:
            raise ValueError(f"crop has {len(crop)} numbers, not 4")
        downscale = float(row.get("downscale") or default.downscale)
        if not 1 <= downscale <= 16:
            raise ValueError(f"downscale must be >= 1 and <= 16, got {downscale}")
        cuts = tuple(_integers(row, "cuts"))
        start, stop = (
            (*_integers(row, key), usual)[0] for key, usual in {"start": default.start, "stop": default.stop}.items()
        )
        if start is None or start < 0 or min(cuts, default=0) < 0 or (row.get("stop") and stop and start >= stop):
            raise ValueError("start, stop and cuts must be >= 0, and stop > start")
        return Shot(
            name=row.get("name") or _name_of(row["path"]),
            path=manifest.parent / row["path"],
            start=start,
            stop=stop,
            downscale=downscale,
            crop=crop,  # pyright: ignore[reportArgumentType]
            cuts=cuts,
            read_options=ReadOptions(**options),
            sha256=row.get("sha256") or "",
        )
    except ValueError as error:
        raise UserError(manifest, f"row {row['path']}: {error}", "correct this row") from error
