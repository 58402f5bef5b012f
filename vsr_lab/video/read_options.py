"""What a user asks to be done with footage that cannot be read as it is."""

from dataclasses import dataclass, fields

from vsr_lab.core.errors import UserError

_CHOICES = {
    "deinterlace": ("auto", "bwdif", "ivtc", "keep"),
    "tone_map": ("bt2390",),
    "damaged": ("keep",),
}


@dataclass(frozen=True)
class ReadOptions:
    """None refuses what would need it; footage that needs nothing is read as it is, whatever is said here.

    deinterlace: "bwdif" makes one whole frame of every two fields, "ivtc" finds the film frames of a telecined stream,
    "auto" does what each file needs, "keep" reads fields weaved as they are. tone_map: "bt2390" brings PQ and HLG to
    BT.709. damaged: "keep" reads what can be decoded. Raises UserError for any other word.
    """

    deinterlace: str | None = None
    tone_map: str | None = None
    damaged: str | None = None

    def __post_init__(self) -> None:
        for key in fields(self):
            word, known = getattr(self, key.name), _CHOICES[key.name]
            if word is not None and word not in known:
                raise UserError(f"{key.name}={word}", "is not known", f"say null or {', '.join(known)}")

    @property
    def changes(self) -> bool:
        """Whether frames may come out other than they are stored."""
        return self.deinterlace not in (None, "keep") or self.tone_map is not None or self.damaged is not None


REFUSE = ReadOptions()
