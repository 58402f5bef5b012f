"""manifest.json of a bundle, and VIDEO.provenance.json of an upscaled video."""

import hashlib
import json
from typing import ClassVar, Literal

from pydantic import JsonValue

from vsr_lab.core.ranges import Name
from vsr_lab.core.records import Part, Record


class BundleManifest(Record):
    """manifest.json of a bundle.

    Attributes:
        warm_up: number of additional passes over the first frame, whose outputs are discarded.
        network: class path and keywords that build the network.
        content: content type that the network was trained for.
        pixel_format: default pixel format of upscaled files.
        about: notes on training.
        graphs: format -> file name.
        created: ISO 8601, UTC.
        sha256: file name -> hash, of every other file of the bundle.
        fingerprint: hash of everything else in this manifest.
    """

    command: ClassVar[str] = "export"
    record: Literal["bundle"] = "bundle"
    schema_version: Literal[1] = 1
    name: str
    scale: int
    warm_up: int
    parameters: int
    network: dict[str, JsonValue]
    content: str | None
    pixel_format: str | None
    about: dict[str, JsonValue]
    graphs: dict[str, Name]
    created: str
    versions: dict[str, str]
    sha256: dict[Name, str]

    fingerprint: str = ""

    def computed_fingerprint(self) -> str:
        """Compute what `fingerprint` must be."""
        record = self.model_dump(mode="json", exclude={"fingerprint"})
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


class VideoFacts(Part):
    """A video file.

    Attributes:
        size: width and height in pixels.
        bits: bits per sample.
        matrix: color matrix, such as bt709.
        assumed: the file does not specify its matrix.
    """

    file: str
    sha256: str
    size: tuple[int, int]
    bits: int
    matrix: str
    full_range: bool
    assumed: bool = False


class Provenance(Record):
    """VIDEO.provenance.json: how an upscaled video was made.

    Attributes:
        created: ISO 8601, UTC.
        deinterlace, tone_map, damaged: how the source was read, see `vsr_lab.video.ReadOptions`.
        damage: damage found in the source.
        cuts: first frames of new scenes; None if they were not detected.
        bundle, bundle_sha256: name of the bundle, and the hashes of its files.
        codec, pixel_format, options: settings of the encoder.
        tile, overlap: in LR pixels; 0: whole frames.
    """

    command: ClassVar[str] = "upscale"
    record: Literal["provenance"] = "provenance"
    schema_version: Literal[1] = 1
    disclosure: str
    created: str
    source: VideoFacts
    output: VideoFacts
    deinterlace: str | None
    tone_map: str | None
    damaged: str | None
    damage: str
    frames: int
    scale: int
    cuts: list[int] | None
    bundle: str
    bundle_sha256: dict[str, str]
    codec: str
    pixel_format: str
    options: dict[str, str]
    tile: int
    overlap: int
    versions: dict[str, str]
