"""comparison.json and video_comparison.json: several evaluations, or two versions of one video, side by side."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from vsr_lab.core.records import Part, Record
from vsr_lab.core.records.evaluation import CandidateFacts, Estimate, ProtocolFacts, Selection, Shown, WorstPlace


class Presentation(Part):
    """How a metric is displayed.

    Attributes:
        label, unit: name of the metric in reports, and its unit.
        better: whether higher or lower values are better.
        digits: number of decimals.
        note: explanation that is shown with the metric.
        truth: name of the metric that measures the same property of HR itself (such as true_warp_error for
            warp_error); None if there is none.
    """

    label: str
    unit: str
    better: Literal["higher", "lower"]
    digits: Annotated[int, Strict(), Field(ge=0, le=10)]
    note: str = ""
    truth: str | None = None


class MetricFacts(Presentation):
    """Name of a metric, and how the metric is displayed."""

    name: str


class SuiteFacts(Part):
    """A suite (set of test clips) of a comparison; frames: number of scored frames of all its clips."""

    name: str
    content: str | None
    clips: list[str]
    frames: int


class Competitor(Part):
    """A candidate of a comparison.

    Attributes:
        ms_per_frame: mean time per frame over the suites of the candidate; None if the time was not measured, as
            for frames that another tool wrote.
    """

    name: str
    parameters: int | None
    ms_per_frame: float | None
    content: str | None


class Cell(Estimate):
    """Mean of one metric for one candidate on one suite, with its confidence interval.

    Attributes:
        truth: value of the metric for HR itself, if it is defined, as for warp_error; else None.
        difference: mean of candidate minus baseline, paired by frame; None for the baseline.
    """

    candidate: str
    suite: str
    metric: str
    truth: float | None = None
    difference: Estimate | None = None


class PairDifference(Part):
    """Difference between two candidates in one metric on one suite.

    Attributes:
        difference: mean of candidate minus other, paired by frame.
        wins, losses: number of clips on which `candidate` is better, and on which it is worse.
        p: p-value of the two-sided test with the null hypothesis that both are equal, adjusted for the number of pairs
            on the suite; None for fewer than 2 clips.
    """

    suite: str
    metric: str
    candidate: str
    other: str
    difference: Estimate
    wins: int
    losses: int
    p: float | None

    def turned(self) -> "PairDifference":
        """The same difference with `candidate` and `other` exchanged, and the sign inverted."""
        return self.model_copy(
            update={
                "candidate": self.other,
                "other": self.candidate,
                "difference": self.difference.negative(),
                "wins": self.losses,
                "losses": self.wins,
            }
        )


class ClipMeans(Part):
    """A candidate's mean of every metric on a clip; None if the metric has no value."""

    suite: str
    clip: str
    candidate: str
    means: dict[str, float | None]


class Origin(Part):
    """How the numbers of a candidate on a suite were computed: weights, clips, versions of packages, and machine."""

    candidate: str
    suite: str
    facts: CandidateFacts
    suite_fingerprint: str
    versions: dict[str, str]
    machine: str


class Curve(Part):
    """Values of a metric for each frame of a clip, from frame 0; None for a frame that the metric does not score."""

    suite: str
    clip: str
    metric: str
    candidate: str
    values: list[float | None]


class CandidateFrames(Part):
    """Saved frames of a candidate; sr: path of their video, relative to the folder of the comparison."""

    candidate: str
    sr: str


class ClipFrames(Shown):
    """Saved frames of a clip; lr, hr: paths of their videos, relative to the folder of the comparison."""

    suite: str
    lr: str
    hr: str
    candidates: list[CandidateFrames]


class CandidatePlace(WorstPlace):
    """The worst frame or tile of a candidate in a clip of a suite."""

    suite: str
    candidate: str

    @property
    def key(self) -> str:
        """Name of the place within its clip."""
        return f"{self.kind} of {self.candidate}"


class Comparison(Record, command="compare"):
    """comparison.json: all numbers and texts of report.html, the comparison of several candidates.

    Attributes:
        front: metrics that are the axes of the Pareto front -> +1 (higher is better) or -1.
        pareto: suite -> candidates on the Pareto front.
        worst: the worst frame and the worst tile of every candidate in every clip.
        warnings: faults in the output of candidates, one sentence each.
        selection: result of `select` for these evaluations; None if the report was made without it.
    """

    record: Literal["comparison"] = "comparison"
    schema_version: Literal[1] = 1
    title: str
    protocol: ProtocolFacts
    baseline: str
    suites: list[SuiteFacts]
    candidates: list[Competitor]
    metrics: list[MetricFacts]
    cells: list[Cell]
    pairs: list[PairDifference]
    clip_means: list[ClipMeans]
    selection: Selection | None
    origins: list[Origin]
    front: dict[str, int]
    pareto: dict[str, list[str]]
    curves: list[Curve]
    pictures: list[ClipFrames]
    worst: list[CandidatePlace] = Field(default_factory=list[CandidatePlace])
    warnings: list[str] = Field(default_factory=list[str])
    notes: list[str]


class VideoFacts(Part):
    """One of the videos in a comparison of two versions of a video.

    Attributes:
        name: a, b or truth (the ground truth).
        steps: what was done to align this video with the reference, as sentences.
    """

    name: str
    path: str
    height: int
    width: int
    frames: int
    frames_per_second: float
    steps: list[str]


class VideoMetric(Part):
    """A metric of two versions, a and b, of a video.

    Attributes:
        better: whether higher or lower values are better; "" if neither.
        a, b: mean over the frames of each version; None if the metric has no value.
    """

    name: str
    label: str
    unit: str
    better: Literal["higher", "lower", ""]
    a: float | None = None
    b: float | None = None


class VideoComparison(Record, command="compare"):
    """video_comparison.json: metrics of two versions of one video.

    Attributes:
        reference: name of the video with which the others are aligned: the ground truth if there is one, else the
            version with more pixels per frame.
        frames: number of frames of the reference that all other videos show too.
    """

    record: Literal["video_comparison"] = "video_comparison"
    schema_version: Literal[1] = 1
    videos: list[VideoFacts]
    reference: str
    frames: int
    metrics: list[VideoMetric]
