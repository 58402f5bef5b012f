"""The result of a check: faults with their size and remedy, what could not be judged, and every measurement."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One fault of a pair. kind: one or two words; size: what was measured, in words; value: the same as numbers."""

    kind: str
    size: str
    remedy: str
    value: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}: {self.size}; {self.remedy}"


@dataclass
class Findings:
    """Of one pair. unjudged: what the content does not show, and why; notes: worth knowing, but not faults."""

    clip: str
    faults: list[Fault] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    measured: dict[str, Any] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not self.faults

    def add(self, kind: str, size: str, remedy: str, value: dict[str, Any] | None = None) -> None:
        """Append a fault."""
        self.faults.append(Fault(kind, size, remedy, value or {}))

    def as_json(self) -> dict[str, Any]:
        """Plain values, for check.json."""
        return {"verdict": "clean" if self.clean else "faulty", **asdict(self)}


def listed(numbers: list[int], most: int = 8) -> str:
    """[3, 4, 5, 9] to "3-5, 9"; of a long list the first `most` runs and the number of the others."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    text = ", ".join(f"{a}-{b}" if b > a else f"{a}" for a, b in runs[:most])
    return text + (f" and {len(runs) - most} more" if len(runs) > most else "")
