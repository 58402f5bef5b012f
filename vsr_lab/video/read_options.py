"""Options for footage that cannot be read as it is: interlaced, HDR or damaged."""

from dataclasses import dataclass
from typing import get_args

from vsr_lab.core.errors import UserError
from vsr_lab.core.ranges import Damaged, Deinterlace, ToneMap

_CHOICES = {"deinterlace": get_args(Deinterlace), "tone_map": get_args(ToneMap), "damaged": get_args(Damaged)}


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How to read interlaced, HDR and damaged files. None means that such a file raises an error.

    Args:
        deinterlace: "bwdif": deinterlace, one frame per two fields; "ivtc": restore the frames of telecined film;
            "auto": choose between the two for each file; "keep": read interlaced frames as they are stored.
        tone_map: "bt2390": convert PQ and HLG to BT.709; "keep": read their signal without conversion.
        damaged: "keep": read the frames that can be decoded.

    Raises:
        UserError: any other value.
    """

    deinterlace: Deinterlace | None = None
    tone_map: ToneMap | None = None
    damaged: Damaged | None = None

    def __post_init__(self) -> None:
        for key, known in _CHOICES.items():
            word = getattr(self, key)
            if word is not None and word not in known:
                raise UserError(f"{key}={word}", "is not known", f"use null or {', '.join(known)}")

    @property
    def changes(self) -> bool:
        """Whether any option is set that converts frames, so that they may differ from those in the file."""
        return self.deinterlace not in (None, "keep") or self.tone_map not in (None, "keep") or self.damaged is not None


REFUSE = ReadOptions()
