"""Rows of a catalogue's manifest: what a person writes there, and what is measured."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vsr_lab.curation.content import ContentModel
from vsr_lab.curation.features import FEATURES
from vsr_lab.curation.scan import VERSION, Scan, rate_of
from vsr_lab.video import Footage, VideoFile
from vsr_lab.video.color_conversion import is_rgb
from vsr_lab.video.interlace_detection import detect_interlacing

Row = dict[str, object]

# Kept whatever is measured: these are a person's, and so is every column that is in no list here.
_BY_HAND = ("split", "content_type", "start", "stop", "downscale", "crop", "licence", "source", "note")
_SUGGESTED = ("suggested_content", "suggested_confidence", "suggested_because", "suggested_crop", "suggested_downscale")
_SEEN = ("motion", "detail", "noise", "brightness", "still")
_FACTS = (
    "width", "height", "frames", "rate", "duration", "vfr", "codec", "pix_fmt", "bits", "matrix", "range", "assumed",
    "turn", "sample_aspect", "field_order", "backend", "reason",
)  # fmt: skip
MEASURED = (*_SUGGESTED, "cuts", "down_up_x2_db", *_SEEN, *_FACTS, "problem")
STAMPS = ("bytes", "modified", "sha256", "indexed")
COLUMNS = ("path", "name", *_BY_HAND, *MEASURED, *STAMPS)


@dataclass(frozen=True)
class Stamp:
    """What a file looks like from outside: its size, and when it was changed last (nanoseconds). A folder of frames has
    the sum of sizes and the latest time."""

    bytes: int
    modified: int


def stamp_of(path: Path) -> Stamp:
    """The stamp of a video or of a folder of frames."""
    facts = [file.stat() for file in sorted(path.iterdir())] if path.is_dir() else [path.stat()]
    return Stamp(sum(fact.st_size for fact in facts), max((fact.st_mtime_ns for fact in facts), default=0))


def measured(footage: Footage, scan: Scan, model: ContentModel) -> Row:
    """The measured columns of a source that was decoded to its end."""
    mean = dict(
        zip(FEATURES, scan.features.mean(0) if len(scan.looks) else [float("nan")] * len(FEATURES), strict=True)
    )
    row: Row = {"cuts": " ".join(str(cut) for cut in scan.cuts), "down_up_x2_db": round(float(scan.soft[0]), 1)}
    if len(scan.looks):
        row |= {name: round(float(mean[name]), 4) for name in _SEEN}
        said = model.suggest(scan.features)
        row |= {
            "suggested_content": said.kind,
            "suggested_confidence": round(said.confidence, 2),
            "suggested_because": " ".join(said.because),
        }
    row["suggested_crop"] = " ".join(str(number) for number in scan.crop)
    row["suggested_downscale"] = "" if scan.soft[1] == 1 else float(scan.soft[1])
    return row | facts(footage)


def facts(footage: Footage) -> Row:
    """What is known of a source from its probe."""
    height, width = footage.size
    row: Row = {"width": width, "height": height, "frames": footage.frames, "rate": round(rate_of(footage), 4)}
    row["duration"] = round(footage.frames / rate_of(footage), 3)
    if not isinstance(footage, VideoFile):
        return row
    probe, gaps = footage.probe, np.diff(footage.probe.timestamps)
    row["duration"] = round(float(probe.timestamps[-1]) + 1 / rate_of(footage), 3)
    return row | {
        "rate": str(probe.rate),
        "vfr": _yes(len(gaps) > 1 and float(np.ptp(gaps)) > 0.2 * float(np.median(gaps))),
        "codec": probe.codec,
        "pix_fmt": probe.pixel_format,
        "bits": probe.bits,
        "matrix": probe.colour.matrix,
        "range": "full" if probe.colour.full_range else "limited",
        "assumed": _yes(probe.colour.assumed),
        "turn": _turn(probe.orientation.transposed, probe.orientation.flip_y, probe.orientation.flip_x),
        "sample_aspect": "" if probe.sample_aspect == 1 else str(probe.sample_aspect),
        "field_order": "" if is_rgb(probe.pixel_format) else str(detect_interlacing(probe.path, probe.stream)),
        "backend": probe.backend,
        "reason": probe.reason,
    }


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _turn(transposed: bool, flip_y: bool, flip_x: bool) -> str:
    """ "90 right", "180", "mirrored", ...; nothing where the picture is stored upright."""
    names = {
        (False, True, True): "180",
        (True, False, True): "90 right",
        (True, True, False): "90 left",
        (False, False, True): "mirrored",
        (False, True, False): "upside down",
    }
    return names.get((transposed, flip_y, flip_x), "mirrored and turned" if transposed else "")


def merged(by_hand: Mapping[str, object], found: Row, path: str, name: str, stamp: Stamp, digest: str) -> Row:
    """One row: what a person wrote (any column that is not measured), what was found, and the stamps."""
    row: Row = dict.fromkeys(COLUMNS, "")
    row |= {column: cell for column, cell in by_hand.items() if column not in (*MEASURED, *STAMPS)}
    row |= {column: found.get(column, "") for column in MEASURED}
    row["path"], row["name"] = path, by_hand.get("name") or name
    return row | {"bytes": stamp.bytes, "modified": stamp.modified, "sha256": digest, "indexed": VERSION}


def path_cell(file: Path, manifest: Path) -> str:
    """How the manifest names the file: relative where it lies below the manifest's folder, absolute elsewhere."""
    file, home = Path(os.path.abspath(file)), Path(os.path.abspath(manifest.parent))  # noqa: PTH100 - links stay links
    return file.relative_to(home).as_posix() if file.is_relative_to(home) else str(file)
