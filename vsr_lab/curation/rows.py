"""Rows of a manifest: manual columns, which a person fills in, and measured columns."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vsr_lab.core.orientation import UPRIGHT
from vsr_lab.curation.content import ContentModel
from vsr_lab.curation.features import FEATURES
from vsr_lab.curation.scan import VERSION, Scan, Stamp, frame_rate
from vsr_lab.video import Footage, VideoFile
from vsr_lab.video.color_conversion import is_rgb
from vsr_lab.video.interlace_detection import detect_interlacing

Row = dict[str, object]

# Never overwritten; the same holds for columns that are in no list here.
_MANUAL = ("split", "content_type", "start", "stop", "downscale", "crop", "licence", "source", "note")
_SUGGESTED = ("suggested_content", "suggested_confidence", "suggested_because", "suggested_crop", "suggested_downscale")
_SHOWN = ("motion", "detail", "noise", "brightness", "still")
_FACTS = (
    "width", "height", "frames", "rate", "duration", "vfr", "codec", "pix_fmt", "bits", "matrix", "range", "assumed",
    "turn", "sample_aspect", "field_order", "backend", "reason",
)  # fmt: skip
MEASURED = (*_SUGGESTED, "cuts", "down_up_x2_db", *_SHOWN, *_FACTS, "problem")
STAMPS = ("bytes", "modified", "sha256", "indexed")
COLUMNS = ("path", "name", *_MANUAL, *MEASURED, *STAMPS)


def measured_columns(footage: Footage, scan: Scan, model: ContentModel) -> Row:
    """The measured columns of a source: values by column."""
    softness, downscale = (float(value) for value in scan.softness)
    row: Row = {"cuts": " ".join(str(cut) for cut in scan.cuts), "down_up_x2_db": round(softness, 1)}
    if len(scan.measured):
        mean = dict(zip(FEATURES, scan.features.mean(0), strict=True))
        row |= {name: round(float(mean[name]), 4) for name in _SHOWN}
        suggestion = model.suggest(scan.features)
        row |= {
            "suggested_content": suggestion.kind,
            "suggested_confidence": round(suggestion.confidence, 2),
            "suggested_because": " ".join(suggestion.because),
        }
    row["suggested_crop"] = " ".join(str(number) for number in scan.crop)
    row["suggested_downscale"] = "" if downscale == 1 else downscale
    return row | probed_columns(footage)


def probed_columns(footage: Footage) -> Row:
    """The columns that are known without decoding frames: values by column."""
    height, width = footage.size
    rate = frame_rate(footage)
    row: Row = {"width": width, "height": height, "frames": footage.frames, "rate": round(rate, 4)}
    row["duration"] = round(footage.frames / rate, 3)
    if not isinstance(footage, VideoFile):
        return row
    probe, gaps = footage.probe, np.diff(footage.probe.timestamps)
    return row | {
        "duration": round(float(probe.timestamps[-1]) + 1 / rate, 3),
        "rate": str(probe.rate),
        "vfr": _yes(len(gaps) > 1 and float(np.ptp(gaps)) > 0.2 * float(np.median(gaps))),
        "codec": probe.codec,
        "pix_fmt": probe.pixel_format,
        "bits": probe.bits,
        "matrix": probe.colour.matrix,
        "range": "full" if probe.colour.full_range else "limited",
        "assumed": _yes(probe.colour.assumed),
        "turn": "" if probe.orientation == UPRIGHT else probe.orientation.name,
        "sample_aspect": "" if probe.sample_aspect == 1 else str(probe.sample_aspect),
        "field_order": "" if is_rgb(probe.pixel_format) else str(detect_interlacing(probe.path, probe.stream)),
        "backend": probe.backend,
        "reason": probe.reason,
    }


def _yes(value: bool) -> str:
    return "yes" if value else ""


def merge_row(manual: Mapping[str, object], found: Row, path: str, name: str, stamp: Stamp, digest: str) -> Row:
    """Build a row of a manifest from the columns that a person filled in and from measured columns.

    Args:
        manual: existing row; its columns that are not measured are kept.
        found: measured columns.
        path: path of the file.
        name: name of the clip.
        stamp: size and modification time of the file.
        digest: SHA-256 of the file.
    """
    row: Row = dict.fromkeys(COLUMNS, "")
    row |= {column: cell for column, cell in manual.items() if column not in (*MEASURED, *STAMPS)}
    row |= {column: found.get(column, "") for column in MEASURED}
    row["path"], row["name"] = path, manual.get("name") or name
    return row | {"bytes": stamp.bytes, "modified": stamp.modified, "sha256": digest, "indexed": VERSION}


def absolute_path(path: Path) -> Path:
    """The absolute path; links are not resolved."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def path_cell(file: Path, manifest: Path) -> str:
    """The path of a file as written to the manifest: relative to the manifest's folder if it is below it."""
    file, home = absolute_path(file), absolute_path(manifest.parent)
    return file.relative_to(home).as_posix() if file.is_relative_to(home) else str(file)
