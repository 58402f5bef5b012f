"""Pairs of LR and HR clips, and the results of a check: faults, properties that cannot be tested, measurements."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from vsr_lab.core.errors import UserError
from vsr_lab.footage.shots import Shot, ShotSelection, find_shots


class ShotPair(NamedTuple):
    """An LR shot and an HR shot that should have the same content."""

    name: str
    low: Shot
    high: Shot


def find_pairs(lr: Path, hr: Path, clips: list[str] | None, frames: str | None) -> tuple[list[ShotPair], list[str]]:
    """Find pairs of LR and HR clips with the same name. If there is one LR and one HR clip, their names may differ.

    Args:
        lr, hr: files, folders or manifests.
        clips: names to use; None: all. Not used if there is one LR and one HR clip.
        frames: frames to use of every clip, "start:stop", such as "60:84"; None: all.

    Returns:
        The pairs, and the names of clips that are only in LR or only in HR (none if `clips` is given).

    Raises:
        UserError: no name is in both LR and HR, LR and HR are the same file, or a name in `clips` is missing in one of
            them.
    """
    lows, highs = (find_shots(root, ShotSelection(frames=frames)) for root in (lr, hr))
    if len(lows) == len(highs) == 1:
        return _different([ShotPair(highs[0].name, lows[0], highs[0])]), []
    low_of, high_of = ({shot.name: shot for shot in shots} for shots in (lows, highs))
    names = sorted(low_of.keys() & high_of.keys())
    if not names:
        raise UserError(
            lr,
            f"shares no clip name with {hr}",
            f"rename the clips to the same names (the first are {lows[0].name} and {highs[0].name})",
        )
    alone = sorted(low_of.keys() ^ high_of.keys())
    if clips:
        missing = sorted(set(clips) - set(names))
        if missing:
            raise UserError(hr, f"has no pair of clips named {', '.join(missing)}", f"choose from {', '.join(names)}")
        names, alone = clips, []
    return _different([ShotPair(name, low_of[name], high_of[name]) for name in names]), alone


def _different(pairs: list[ShotPair]) -> list[ShotPair]:
    """Return the pairs. Raises UserError if LR and HR of a pair are the same file."""
    for _, low, high in pairs:
        if low.path.resolve() == high.path.resolve():
            hint = "set hr= to the footage at the higher resolution, and lr= to the other"
            raise UserError(low.path, "is both LR and HR", hint)
    return pairs


@dataclass(frozen=True)
class Fault:
    """One fault of an LR/HR pair.

    Attributes:
        kind: name of the fault, such as "spatial shift".
        size: how large the fault is: a text with the measured values.
        remedy: how to correct the fault.
        value: the same values for programs: name -> number or list.
    """

    kind: str
    size: str
    remedy: str
    value: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}: {self.size}; {self.remedy}"


@dataclass
class Findings:
    """Faults and measurements of one LR/HR pair.

    Attributes:
        clip: name of the pair.
        faults: faults, in the order in which they were found.
        unjudged: properties that cannot be tested with this content, with the reason.
        notes: other information, as sentences.
        measured: all measurements: part of the check, such as "time" or "geometry" -> name -> value.
    """

    clip: str
    faults: list[Fault] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    measured: dict[str, Any] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not self.faults

    def add(self, kind: str, size: str, remedy: str, value: dict[str, Any] | None = None) -> None:
        """Append a fault, see `Fault`."""
        self.faults.append(Fault(kind, size, remedy, value or {}))

    def as_json(self) -> dict[str, Any]:
        """Convert the findings to plain values for check.json."""
        return {"verdict": "clean" if self.clean else "faulty", **asdict(self)}
