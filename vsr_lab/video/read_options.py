"""Options for footage that cannot be read as it is: interlaced, HDR, damaged, or in linear light."""

from dataclasses import dataclass, fields
from typing import get_args

from vsr_lab.core.errors import UserError
from vsr_lab.core.ranges import Damaged, Deinterlace, ToneMap, Transfer


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How to read interlaced, HDR, damaged and linear files. None means that such a file raises an error.

    Args:
        deinterlace: "bwdif": deinterlace, one frame per two fields; "ivtc": restore the frames of telecined film;
            "auto": choose between the two for each file; "keep": read interlaced frames as they are stored.
        tone_map: "bt2390": convert PQ and HLG to BT.709; "keep": read their signal without conversion.
        damaged: "keep": read the frames that can be decoded.
        transfer: transfer function by which the values of linear light (OpenEXR) are encoded: "srgb", for values in
            [0, 1], or "pq", for values in [0, 100].

    Raises:
        UserError: an option has another value, or "bt2390" is combined with `transfer`.
    """

    deinterlace: Deinterlace | None = None
    tone_map: ToneMap | None = None
    damaged: Damaged | None = None
    transfer: Transfer | None = None

    def __post_init__(self) -> None:
        for field in fields(ReadOptions):
            word, known = getattr(self, field.name), get_args(get_args(field.type)[0])
            if word is not None and word not in known:
                raise UserError(f"{field.name}={word}", "is not known", f"use null or {', '.join(known)}")

        if self.transfer and self.tone_map == "bt2390":
            hint = "keep tone_map= for HDR video, or transfer= for linear light"
            raise UserError("tone_map=bt2390", "cannot be combined with transfer=", hint)

    @property
    def changes(self) -> bool:
        """Whether any option (except `transfer`) is set that makes frames differ from those in the file."""
        return self.deinterlace not in (None, "keep") or self.tone_map not in (None, "keep") or self.damaged is not None


REFUSE = ReadOptions()
