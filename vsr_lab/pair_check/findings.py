"""Results of a check: faults with their size and remedy, properties that cannot be tested, and all measurements."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One fault of an LR/HR pair.

    Attributes:
        kind: name of the fault, such as "spatial shift".
        size: the measured values as text.
        remedy: how to correct the fault.
        value: the measured values as numbers, by name.
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
        notes: other information.
        measured: all measurements, by name.
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
        """Append a fault."""
        self.faults.append(Fault(kind, size, remedy, value or {}))

    def as_json(self) -> dict[str, Any]:
        """Plain values for check.json."""
        return {"verdict": "clean" if self.clean else "faulty", **asdict(self)}
