"""Options for footage that cannot be read as it is: interlaced, HDR or damaged."""

from dataclasses import dataclass, fields

from vsr_lab.core.errors import UserError

_CHOICES = {
    "deinterlace": ("auto", "bwdif", "ivtc", "keep"),
    "tone_map": ("bt2390", "keep"),
    "damaged": ("keep",),
}


@dataclass(frozen=True)
class ReadOptions:
    """How to read interlaced, HDR and damaged files; None refuses them. Other files are read as they are.

    Args:
        deinterlace: "bwdif" deinterlaces to one frame per two fields, "ivtc" restores the frames of telecined film,
            "auto" chooses for each file, "keep" reads interlaced frames as they are stored.
        tone_map: "bt2390" converts PQ and HLG to BT.709, "keep" reads their signal as it is.
        damaged: "keep" reads the frames that can be decoded.

    Raises:
        UserError: any other value.
    """

    deinterlace: str | None = None
    tone_map: str | None = None
    damaged: str | None = None

    def __post_init__(self) -> None:
        for key in fields(self):
            word, known = getattr(self, key.name), _CHOICES[key.name]
            if word is not None and word not in known:
                raise UserError(f"{key.name}={word}", "is not known", f"use null or {', '.join(known)}")

    @property
    def changes(self) -> bool:
        """Whether frames may differ from those that are stored."""
        return self.deinterlace not in (None, "keep") or self.tone_map not in (None, "keep") or self.damaged is not None


REFUSE = ReadOptions()
