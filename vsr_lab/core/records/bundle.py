"""manifest.json and parity.json of a bundle."""

import hashlib
import json
from typing import Literal

from pydantic import JsonValue

from vsr_lab.core.ranges import Name
from vsr_lab.core.records import Part, Record
from vsr_lab.core.records.evaluation import Estimate, ProtocolFacts


class GraphTensor(Part):
    """Input or output of an exported graph.

    Attributes:
        shape: sizes of the axes batch, channel, height and width. A size that depends on the LR frame is text: "h" and
            "w" are height and width of the frame, "2*h" is twice its height, "h/2" half of it.
    """

    name: str
    type: Literal["float32", "float16"]
    shape: tuple[int, int, int | str, int | str]


class Graph(Part):
    """Exported graph: the name of its file, and its inputs and outputs in order, including the recurrent state."""

    file: Name
    inputs: list[GraphTensor]
    outputs: list[GraphTensor]


class Processing(Part):
    """What `upscale` does before and after it runs a graph. Other programs must do the same to get the same frames.

    Attributes:
        values: colour space and range of the pixel values of LR frames (input) and SR frames (output).
        clip: (minimum, maximum) to which output values are clamped after the graph, which does not clamp them.
        rounding: how a clamped value is rounded to an integer level of the written video.
        cut_detector: name of the class that detects scene cuts; at a cut, the state of the network is reset.
        cut_thresholds: name -> value of the thresholds of this class, see `vsr_lab.core.cuts`.
    """

    values: Literal["RGB in [0, 1]"] = "RGB in [0, 1]"
    clip: tuple[float, float] = (0.0, 1.0)
    rounding: Literal["half to even"] = "half to even"
    cut_detector: str
    cut_thresholds: dict[str, int | float | tuple[int, int]]


class Scores(Part):
    """Mean metrics of the network and of the baseline on one suite, from the selection that chose the network.

    Attributes:
        baseline: name of the baseline.
        metrics: metric -> mean of the network over the clips, with its 95 % interval.
        baseline_metrics: the same for the baseline.
    """

    suite: str
    protocol: ProtocolFacts
    baseline: str
    metrics: dict[str, Estimate]
    baseline_metrics: dict[str, Estimate]


class BundleManifest(Record, command="export", given_as="folder"):
    """manifest.json of a bundle: the folder that contains an exported network and all data needed to run it.

    Attributes:
        scale: upscaling factor.
        warm_up: number of additional passes over the first frame, see `StreamingNetwork`.
        size_multiple: height and width of LR frames must be multiples of this number.
        parameters: number of weights.
        network: {"_target_": class path, keyword: value, ...}, from which the network is built.
        content: content type that the network was trained for; None: not recorded.
        pixel_format: pixel format for which the network was trained; None: not recorded. Upscaled files get the chroma
            subsampling of this format if it is finer than that of the source.
        trained_with: "adversarial" if a discriminator was used; "unknown" if the weights file does not record it.
        about: notes on the training, such as its settings.
        licence: licence of the weights, such as an SPDX identifier; None: not stated.
        processing: clipping and rounding of outputs, and the rule by which scene cuts are found.
        scores: scores on each suite for which the network was selected; empty if it was exported without a selection.
        graphs: format of each exported graph (such as onnx) -> its file, inputs and outputs.
        created: time of the export, ISO 8601 in UTC.
        sha256: file name -> SHA-256, for every other file of the bundle except the signature.
        fingerprint: hash of all other values of this manifest.
    """

    record: Literal["bundle"] = "bundle"
    schema_version: Literal[3] = 3
    name: Name
    scale: int
    warm_up: int
    size_multiple: int
    parameters: int
    network: dict[str, JsonValue]
    content: str | None
    pixel_format: str | None
    trained_with: Literal["fidelity", "adversarial", "unknown"] = "unknown"
    about: dict[str, JsonValue]
    licence: str | None
    processing: Processing
    scores: list[Scores]
    graphs: dict[str, Graph]
    created: str
    versions: dict[str, str]
    sha256: dict[Name, str]

    fingerprint: str = ""

    def computed_fingerprint(self) -> str:
        """Compute the fingerprint from the other values."""
        record = self.model_dump(mode="json", exclude={"fingerprint"})
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


class Difference(Part):
    """Difference between the outputs of two networks on a test clip.

    Attributes:
        width, height: size of the LR frames.
        worst: largest absolute difference, RGB in [0, 1].
        worst_frame: number of the frame with the largest difference.
        psnr: lowest PSNR of a frame, in dB, between the two outputs clamped to [0, 1]; None if they are equal.
    """

    width: int
    height: int
    worst: float
    worst_frame: int
    psnr: float | None


class Parity(Part):
    """Difference between the outputs of an exported graph and of its network on test clips of three frame sizes.

    Attributes:
        format: format of the graph, such as onnx.
        precision: number format of the graph's weights, inputs and outputs. The network computes in fp32.
        worst, worst_frame, psnr: as in `Difference`, over all sizes.
        tolerance: largest difference that is accepted in fp32; graphs in lower precision need a PSNR of 50 dB.
        frames: number of frames of each test clip.
        sizes: the difference for each size.
        streaming: for a graph without recurrent state, such as onnx_window: difference between its output and that of
            the streaming network, on a clip with motion and without cuts; None for a graph with state.
    """

    format: str
    precision: Literal["fp32", "fp16"]
    worst: float
    worst_frame: int
    psnr: float | None
    tolerance: float
    frames: int
    sizes: list[Difference]
    streaming: Difference | None = None

    @property
    def loss(self) -> str:
        """Text on the difference between a graph without state and the streaming network; "" for other graphs."""
        if self.streaming is None:
            return ""
        if self.streaming.psnr is None:
            return "equal to the output of streaming"
        return f"PSNR {self.streaming.psnr:.1f} dB to the output of streaming, in the worst of {self.frames} frames"


class ParityReport(Record, command="export", given_as="folder"):
    """parity.json of a bundle: each of its graphs compared with the network."""

    record: Literal["parity"] = "parity"
    schema_version: Literal[2] = 2
    formats: list[Parity]
