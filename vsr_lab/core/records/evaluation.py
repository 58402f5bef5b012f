"""summary.json and selection.json: the results of an evaluation, and the candidates that may be deployed."""

from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from vsr_lab.core.records import Part, Record


class Estimate(Part):
    """A mean and the ends of its 95 % interval, which equal the mean if no interval can be computed."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval of a difference does not contain 0."""
        return not self.low <= 0 <= self.high


class ProtocolFacts(Part):
    """The protocol of an evaluation. Numbers whose fingerprints (hashes of the settings) differ are not comparable."""

    name: str
    fingerprint: str
    scale: int
    description: str


class CandidateFacts(Part):
    """Description of a candidate.

    Attributes:
        kind: interpolation, checkpoint, bundle, onnx, published, spandrel, frames, or a user-defined kind.
        parameters: number of weights.
        path: absolute path of the file or folder that it was read from.
        architecture: class of the network.
        content: content type that it was trained for.
        about: other notes stored in the file, such as how it was trained.
    """

    kind: str
    parameters: int | None = None
    path: str | None = None
    architecture: str | None = None
    content: str | None = None
    about: dict[str, JsonValue] = Field(default_factory=dict)


class Shown(Part):
    """Position of the images saved for a clip: the frame of the crops, and the pixel row of the x-t slices."""

    clip: str
    frame: int
    row: int


class Evaluated(Record):
    """Candidate, suite and protocol of an evaluation."""

    candidate: str
    candidate_facts: CandidateFacts
    suite: str
    content: str | None
    suite_fingerprint: str
    protocol: ProtocolFacts
    metric_fingerprints: dict[str, str]
    ms_per_frame: float
    pictures: list[Shown]


class Summary(Evaluated):
    """summary.json: the result of one candidate on one suite under one protocol.

    Attributes:
        clips, frames: number of clips and of scored frames.
        metrics: metric -> mean over frames, then over clips.
        per_clip: clip -> metric -> mean; None if the metric has no value.
        versions: versions of Python and of the packages that computed the numbers.
    """

    command: ClassVar[str] = "evaluate"
    record: Literal["summary"] = "summary"
    schema_version: Literal[1] = 1
    clips: int
    frames: int
    metrics: dict[str, Estimate]
    per_clip: dict[str, dict[str, float | None]]
    versions: dict[str, str]


class Verdict(Part):
    """The outcome of one gate: the value, the bound it was compared with, whether it passed, and why."""

    gate: str
    value: float | None
    bound: float | None
    passed: bool
    reason: str


class Choice(Part):
    """The selection for one suite.

    Attributes:
        chosen: the selected candidate; None if no candidate passed every gate.
        deployable: candidates that passed every gate.
        pareto: deployable candidates on the Pareto front.
        gates: candidate -> verdicts, up to the first failed gate.
    """

    suite: str
    content: str | None
    chosen: str | None
    candidate_facts: CandidateFacts | None
    verdict: str
    deployable: list[str]
    pareto: list[str]
    gates: dict[str, list[Verdict]]


class Selection(Record):
    """selection.json: the candidate that may be deployed on each suite.

    Attributes:
        front: axes of the Pareto front: metric -> +1 (higher is better) or -1.
    """

    command: ClassVar[str] = "select"
    record: Literal["selection"] = "selection"
    schema_version: Literal[1] = 1
    protocol: ProtocolFacts
    baseline: str
    rank_by: str
    front: dict[str, int]
    choices: list[Choice]
