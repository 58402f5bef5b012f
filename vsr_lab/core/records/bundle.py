"""manifest.json and parity.json of a bundle."""

import hashlib
import json
from typing import Literal

from pydantic import JsonValue

from vsr_lab.core.ranges import Name
from vsr_lab.core.records import Part, Record


class BundleManifest(Record, command="export", given_as="folder"):
    """manifest.json of a bundle: the folder that contains an exported network and all data needed to run it.

    Attributes:
        scale: upscaling factor.
        warm_up: number of additional passes over the first frame, see `StreamingNetwork`.
        parameters: number of weights.
        network: class path and keywords that build the network.
        content: content type that the network was trained for; None: not recorded.
        pixel_format: pixel format for which the network was trained; None: not recorded. Upscaled files get its chroma
            subsampling if that is finer than the one of the source.
        trained_with: "adversarial" if a discriminator was used; "unknown" if the weights file does not record it.
        about: notes on the training, such as its settings.
        graphs: format of each exported graph (such as onnx) -> name of its file.
        created: time of the export, ISO 8601 in UTC.
        sha256: file name -> SHA-256, for every other file of the bundle except the signature.
        fingerprint: hash of all other values of this manifest.
    """

    record: Literal["bundle"] = "bundle"
    schema_version: Literal[2] = 2
    name: Name
    scale: int
    warm_up: int
    parameters: int
    network: dict[str, JsonValue]
    content: str | None
    pixel_format: str | None
    trained_with: Literal["fidelity", "adversarial", "unknown"] = "unknown"
    about: dict[str, JsonValue]
    graphs: dict[str, Name]
    created: str
    versions: dict[str, str]
    sha256: dict[Name, str]

    fingerprint: str = ""

    def computed_fingerprint(self) -> str:
        """Compute the fingerprint from the other values."""
        record = self.model_dump(mode="json", exclude={"fingerprint"})
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


class Parity(Part):
    """Difference between the outputs of an exported graph and of its network on test clips of three frame sizes.

    Attributes:
        format: format of the graph, such as onnx.
        worst: largest absolute difference, RGB in [0, 1].
        worst_frame: number of the frame with that difference.
        tolerance: largest difference that is accepted.
        frames: number of frames of each test clip.
    """

    format: str
    worst: float
    worst_frame: int
    tolerance: float
    frames: int


class ParityReport(Record, command="export", given_as="folder"):
    """parity.json of a bundle: each of its graphs compared with the network."""

    record: Literal["parity"] = "parity"
    schema_version: Literal[1] = 1
    formats: list[Parity]
