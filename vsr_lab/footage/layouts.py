"""Folder layouts of common datasets, detected by the names of folders and files without opening images."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsr_lab.core.errors import UserError, suggestion
from vsr_lab.video import find_footage

AUTO = "auto"
ANY_SCALE = 0  # of recorded LR whose folder does not say its scale

_HIGH = re.compile(r"gt|hr|hq|truth|target|sharp|high", re.IGNORECASE)
_LOW = re.compile(r"(?:bi|bd|lr|lq|low|input|bicubic|x)[_-]?x?(\d)?", re.IGNORECASE)
_HIGH_STEM = re.compile(r"(.+)[_-](?:gt|hr|hq)", re.IGNORECASE)
_LOW_STEM = re.compile(r"(.+)[_-](?:lr|lq)(?:[_-]?x?(\d))?", re.IGNORECASE)
# The four clips of train_sharp that the field judges on; trained on, they would judge nothing.
_REDS4 = frozenset({"000", "011", "015", "020"})

Lows = tuple[tuple[int, Path], ...]


@dataclass(frozen=True)
class Entry:
    """One clip of a dataset folder.

    Attributes:
        name: name of the clip.
        path: video file or folder of images with the HR frames.
        lows: recorded LR of the clip in the same dataset: (scale, path) pairs; scale 0 (`ANY_SCALE`) if the name of its
            folder or file does not say the scale.
    """

    name: str
    path: Path
    lows: Lows = ()


@dataclass(frozen=True)
class Layout:
    """Detected structure of a dataset folder: which subfolders contain HR and LR, and the clips.

    Attributes:
        name: name of the structure, such as "reds" or "vimeo90k".
        high: names of the HR folders as one text for messages, such as "train_sharp and val_sharp".
        low: folders with recorded LR, relative to the dataset folder.
        parts: name of a split, such as "train" -> clips of this split; "" -> all clips if the dataset has no splits.
    """

    name: str
    high: str
    low: tuple[str, ...]
    parts: dict[str, list[Entry]]

    def part(self, split: str | None, root: Path) -> str:
        """Find the key in `parts` of the split to use.

        Args:
            split: the split that the user selected; None: the first split, which is that for training if there is one.
            root: the dataset folder, for the error message.

        Raises:
            UserError: there is no such split.
        """
        check_split(split, self.parts, root)
        return split or next(iter(self.parts))

    def describe(self, root: Path, split: str | None) -> str:
        """Describe the detected structure in one line, for the log.

        Args:
            root: the dataset folder.
            split: the split that the user selected, or None.
        """
        part = self.part(split, root)
        others = [name for name in self.parts if name != part]
        line = f"{root}: layout {self.name}; HR is {self.high}, {len(self.parts[part])} clips"
        line += f" of split {part} (there are {', '.join(others)} too)" if others else ""
        if self.low:
            line += f"; recorded LR in {', '.join(self.low)} is used only with lr_root=auto"
        return line


def check_split(split: str | None, known: Iterable[str], root: Path) -> None:
    """Raise UserError, which names `root`, unless split is None or one of the known splits."""
    names = sorted({*known} - {""})
    if split and split not in names:
        none = "remove split=, or give a manifest (CSV) that has a column named split"
        hint = suggestion(split, names, f"choose one of {', '.join(names)}" if names else none)
        raise UserError(root, f"has no split {split!r}", hint)


def read_layout(root: Path, name: str = AUTO) -> Layout:
    """Detect the structure of a dataset folder.

    Args:
        root: the dataset folder.
        name: expected structure, such as "reds"; "auto" accepts any.

    Raises:
        UserError: `name` is unknown; or the folder does not exist, does not have the structure `name`, or contains no
            footage.
    """
    if name != AUTO and name not in LAYOUTS:
        raise UserError(f"layout={name}", "is not known", f"choose one of {', '.join([AUTO, *LAYOUTS])}")
    if not root.exists():
        raise UserError(root, "not found", "check the path")
    for known, read in LAYOUTS.items():
        if name in (AUTO, known) and root.is_dir() and (layout := read(root)):
            return layout
    if name not in (AUTO, _FOOTAGE):
        raise UserError(
            root, f"is not laid out as {name}", "set layout=auto, or arrange the folders as in data/README.md"
        )
    return Layout(_FOOTAGE, "", (), {"": _clips(root, root)})


def _clips(root: Path, where: Path) -> list[Entry]:
    """The clips in `where`, which is root or a folder in it; root itself if it is a single clip."""
    return [Entry(_clip_name(root, where, path), path) for path in find_footage(where)]


def _clip_name(root: Path, where: Path, path: Path) -> str:
    """Path below `where` without suffix; the name of root if the clip is root itself."""
    relative = path.relative_to(where) if path != where else Path(root.name)
    return (relative.with_suffix("") if path.is_file() else relative).as_posix()


def _folders(root: Path) -> list[str]:
    """Names of the folders in root, including links to folders, sorted."""
    if not root.is_dir():
        return []
    with os.scandir(root) as found:
        return sorted(entry.name for entry in found if entry.is_dir() and not entry.name.startswith("."))


def _scale(match: re.Match[str]) -> int:
    return int(match[match.lastindex]) if match.lastindex and match[match.lastindex].isdecimal() else ANY_SCALE


def _lows(root: Path) -> list[tuple[int, str]]:
    """(scale, name) of the folders in root that contain recorded LR."""
    return [(_scale(match), name) for name in _folders(root) if (match := _LOW.fullmatch(name))]


def _reds(root: Path) -> Layout | None:
    """train_sharp/000, val_sharp/000, and train_sharp_bicubic/X4/000; also one level down, as they are packed."""
    parts: dict[str, list[Entry]] = {"train": [], "val": [], "reds4": []}
    taken: list[str] = []
    lows: set[str] = set()
    for split in ("train", "val"):
        high = next((p for p in (root / f"{split}_sharp", root / split / f"{split}_sharp") if p.is_dir()), None)
        if high is None:
            continue
        taken.append(str(high.relative_to(root)))
        shrunk = high.with_name(f"{high.name}_bicubic")
        twins = [(scale, shrunk / name) for scale, name in _lows(shrunk)]
        lows |= {str(path.relative_to(root)) for _, path in twins}
        for name in _folders(high):
            part = "reds4" if split == "train" and name in _REDS4 else split
            parts[part].append(Entry(name, high / name, tuple((scale, path / name) for scale, path in twins)))
    parts = {name: entries for name, entries in parts.items() if entries}
    return Layout("reds", " and ".join(taken), tuple(sorted(lows)), parts) if parts else None


def _vimeo90k(root: Path) -> Layout | None:
    """sequences/00001/0001/im1.png .. im7.png, split by sep_trainlist.txt and sep_testlist.txt where they are."""
    high = root / "sequences"
    if not high.is_dir():
        return None
    parts: dict[str, list[Entry]] = {}
    for split in ("train", "test"):
        listed = root / f"sep_{split}list.txt"
        if listed.is_file():
            names = listed.read_text(encoding="utf-8").split()
            parts[split] = [Entry(name, high / name) for name in names]
    if not parts:
        groups = _folders(high)
        parts[""] = [Entry(f"{a}/{b}", high / a / b) for a in groups for b in _folders(high / a)]
    parts = {name: entries for name, entries in parts.items() if entries}
    return Layout("vimeo90k", "sequences", (), parts) if parts else None


def _pairs(root: Path) -> Layout | None:
    """GT/calendar beside BIx4/calendar (Vid4, UDM10), HR/a.mp4 beside LR/a.mp4: nothing but such folders."""
    folders = _folders(root)
    high = [name for name in folders if _HIGH.fullmatch(name)]
    low = _lows(root)
    if len(high) != 1 or len(folders) != 1 + len(low):
        return None
    twins = {path: {entry.name: entry.path for entry in _clips(root, root / path)} for _, path in low}
    entries = [
        Entry(
            clip.name,
            clip.path,
            tuple((scale, twins[path][clip.name]) for scale, path in low if clip.name in twins[path]),
        )
        for clip in _clips(root, root / high[0])
    ]
    return Layout("pairs", high[0], tuple(path for _, path in low), {"": entries})


def _spmcs(root: Path) -> Layout | None:
    """car05_001/truth beside car05_001/input4, clip by clip."""
    entries: list[Entry] = []
    lows: set[str] = set()
    for name in _folders(root):
        clip = root / name
        high = [inner for inner in _folders(clip) if _HIGH.fullmatch(inner)]
        if len(high) != 1:
            return None
        low = _lows(clip)
        lows |= {path for _, path in low}
        entries.append(Entry(name, clip / high[0], tuple((scale, clip / path) for scale, path in low)))
    return (
        Layout("spmcs", "CLIP/truth or the like", tuple(f"CLIP/{low}" for low in sorted(lows)), {"": entries})
        if lows
        else None
    )


def _twins(root: Path) -> Layout | None:
    """a_hr.mp4 beside a_lr.mp4, or a_lrx4.mp4: nothing but such files or frame folders."""
    with os.scandir(root) as found:
        paths = [root / entry.name for entry in found if not entry.name.startswith(".")]
    stems = {
        path: path.stem if path.is_file() else path.name
        for path in sorted(paths)
        if path.suffix not in {".csv", ".txt", ".md"}
    }
    high = {match[1]: path for path, stem in stems.items() if (match := _HIGH_STEM.fullmatch(stem))}
    low = [(match, path) for path, stem in stems.items() if (match := _LOW_STEM.fullmatch(stem))]
    if not high or not low or len(high) + len(low) != len(stems):
        return None
    entries = [
        Entry(name, path, tuple((_scale(match), twin) for match, twin in low if match[1] == name))
        for name, path in high.items()
    ]
    return Layout("twins", "CLIP_hr", ("CLIP_lr",), {"": entries})


_FOOTAGE = "footage"
LAYOUTS: dict[str, Callable[[Path], Layout | None]] = {
    "reds": _reds,
    "vimeo90k": _vimeo90k,
    "pairs": _pairs,
    "spmcs": _spmcs,
    "twins": _twins,
    _FOOTAGE: lambda root: None,
}


def lr_path_at_scale(name: str, lows: Sequence[tuple[int, Path]], scale: int) -> Path:
    """Select the recorded LR of a clip at 1/scale of the HR size; if there is none, the LR whose scale is not known.

    Args:
        name: name of the clip, for the error message.
        lows: (scale, path) pairs of the recorded LR of the clip.
        scale: ratio of HR size to LR size.

    Raises:
        UserError: the clip has no such LR, or more than one.
    """
    fitting = [path for at, path in lows if at == scale] or [path for at, path in lows if at == ANY_SCALE]
    if len(fitting) == 1:
        return fitting[0]
    problem = f"has {len(fitting) or 'no'} recorded LR clips at 1/{scale} of the HR size"
    raise UserError(name, problem, "set lr_root=FOLDER, or lr_root=null to compute LR from HR")
