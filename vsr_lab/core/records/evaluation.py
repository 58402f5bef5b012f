"""summary.json and selection.json: the result of an evaluation, and which candidates may be deployed."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Final, Literal, Self

from pydantic import Field, JsonValue, model_validator

from vsr_lab.core.ranges import Name
from vsr_lab.core.records import Part, Record
from vsr_lab.core.records.deployment import Runtime

Position = Annotated[int, Field(ge=0, le=10**9)]


class Estimate(Part):
    """Mean of a metric, and its 95 % confidence interval.

    Attributes:
        low, high: ends of the interval; None if there are too few values.
        about: "clips" if the interval is also valid for other clips of the same kind, "frames" if it is only valid for
            the measured clips; None if there is no interval.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    about: Literal["clips", "frames"] | None = None

    @property
    def clear(self) -> bool:
        """Whether a difference is significant: its interval excludes zero and is valid for other clips too."""
        return self.about == "clips" and (self.above(0) or (self.high is not None and self.high < 0))

    def interval(self, form: Callable[[float], str], missing: str = "") -> str:
        """Format the confidence interval as "[low, high]", followed by " on these frames" if `about` is "frames".

        Args:
            form: function that formats a number.
            missing: returned if there is no interval.
        """
        if self.low is None or self.high is None:
            return missing
        return f"[{form(self.low)}, {form(self.high)}]" + (" on these frames" if self.about == "frames" else "")

    def negative(self) -> "Estimate":
        """The estimate with inverted sign: mean and interval times -1."""
        low, high = (None if end is None else -end for end in (self.high, self.low))
        return Estimate(mean=-self.mean, low=low, high=high, about=self.about)

    def above(self, bound: float) -> bool:
        """Whether the whole interval is above a bound."""
        return self.low is not None and self.low > bound


class ProtocolFacts(Part):
    """Name and settings of the protocol of an evaluation (color, crop, frames, metrics).

    Attributes:
        fingerprint: hash of the settings; numbers with different fingerprints are not comparable.
        description: the settings in words.
    """

    name: str
    fingerprint: str
    scale: int
    description: str


class CandidateFacts(Part):
    """Facts about a candidate (a network or another method whose output is evaluated).

    Attributes:
        kind: "interpolation" (such as bicubic), "network" (a network in memory), "checkpoint", "bundle", "onnx",
            "published" (weights published by the authors of a network), "spandrel" (a file that the package spandrel
            loads), "frames" (SR frames that another tool wrote), or a user-defined kind.
        parameters: number of weights.
        path: absolute path of the file or folder from which the candidate was read.
        sha256: SHA-256 of the file at `path`. For a bundle: of its manifest.json, which contains the hashes of the
            other files. For SR frames: of the names and files of the evaluated clips. None if there is no file.
        architecture: class of the network.
        content: content type that the candidate was trained for; None: not known.
        runtime: library, precision and device that ran the network of a bundle; None: it is no bundle.
        about: other notes stored in the file, such as how it was trained.
    """

    kind: str
    parameters: int | None = None
    path: str | None = None
    sha256: str | None = None
    architecture: str | None = None
    content: str | None = None
    runtime: Runtime | None = None
    about: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def trained_with(self) -> str:
        """How the candidate was trained: "adversarial", "fidelity" (also interpolation) or "unknown" (not recorded)."""
        return str(self.about.get("trained_with", "fidelity" if self.kind == "interpolation" else "unknown"))


class Shown(Part):
    """Part of a clip whose frames `evaluate` saved as pictures/CLIP/hr.mkv, lr.mkv and sr.mkv.

    Attributes:
        frame: number of the middle frame of the clip.
        row, column: centre of the area with most motion and detail in that frame, in HR pixels.
        first: number, in the clip, of the first saved frame.
        saved: how many frames were saved.
        rate: frames per second.
    """

    clip: str
    frame: Position
    row: Position
    column: Position
    first: Position
    saved: Position
    rate: Annotated[float, Field(ge=0.01, le=1000)]

    @model_validator(mode="after")
    def _is_saved(self) -> Self:
        if self.saved and not self.first <= self.frame < self.first + self.saved:
            raise ValueError(f"frame {self.frame} is not among the {self.saved} saved from {self.first}")
        return self


WorstKind = Literal["frame", "tile"]


class WorstPlace(Part):
    """Frame of a clip in which a candidate is worst, and a tile of 16x16 pixels in it.

    Attributes:
        kind: "tile": the tile of the whole clip with the largest difference `error` - `bicubic`; "frame": the frame
            with the lowest PSNR, and the tile of this frame with the largest difference.
        frame: number of the frame.
        top, left: corner of the tile, in HR pixels.
        error, bicubic: mean absolute error in the tile, in 8-bit levels, of the candidate and of bicubic interpolation
            of LR.
    """

    clip: str
    kind: WorstKind
    frame: Position
    top: Position
    left: Position
    error: float
    bicubic: float


class Evaluated(Record):
    """Candidate, suite (set of test clips) and protocol of an evaluation, without the scores.

    Attributes:
        worst: the worst frame and the worst tile of each clip; pictures of both are saved. Empty if no frames were
            saved.
    """

    candidate: Name
    candidate_facts: CandidateFacts
    suite: Name
    content: str | None
    suite_fingerprint: str
    protocol: ProtocolFacts
    metric_fingerprints: dict[str, str]
    ms_per_frame: float
    pictures: list[Shown]
    worst: list[WorstPlace] = Field(default_factory=list[WorstPlace])

    @property
    def fingerprint(self) -> str:
        """Hash of the names of candidate and suite, the candidate's file, the clips and the protocol."""
        known = (self.candidate, self.candidate_facts.sha256, self.suite, self.suite_fingerprint)
        return hashlib.sha256(repr((*known, self.protocol.fingerprint)).encode()).hexdigest()


class Summary(Evaluated, command="evaluate", given_as="folder"):
    """summary.json: the result of one candidate on one suite under one protocol.

    Attributes:
        clips, frames: number of clips and of scored frames.
        metrics: metric -> mean over frames, then over clips.
        per_clip: clip -> metric -> mean; None if the metric has no value.
        versions: versions of Python and of the packages that computed the numbers.
        machine: the processor on which ms_per_frame was measured.
    """

    record: Literal["summary"] = "summary"
    schema_version: Literal[1] = 1
    clips: int
    frames: int
    metrics: dict[str, Estimate]
    per_clip: dict[str, dict[str, float | None]]
    versions: dict[str, str]
    machine: str = ""


TOO_FEW: Final = "too few clips"


class Verdict(Part):
    """Result of one gate, a test that a candidate must pass before it may be deployed.

    Attributes:
        value, bound: measured value, and the bound that it was compared with.
        outcome: "pass", "fail", or "too few clips" if the candidate passed on these clips, but there are too few of
            them to conclude that it would pass on others.
        reason: the result as a sentence with the numbers.
        p: p-value of the statistical test of this gate, before the correction for the number of candidates; None if the
            gate has none.
    """

    gate: str
    value: float | None
    bound: float | None
    outcome: Literal["pass", "fail", "too few clips"]
    reason: str
    p: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the outcome is "pass"; "too few clips" does not count as passed."""
        return self.outcome == "pass"


class Gain(Estimate):
    """Gain of a candidate over another, paired by frame, in the first metric of `rank_by`; positive if it is better.

    Attributes:
        wins: number of clips on which the candidate is better.
        clips: number of all compared clips.
    """

    wins: int
    clips: int


class Contender(Part):
    """Gains of a deployable candidate over the baseline, and over the chosen candidate (None: it is the chosen one)."""

    over_baseline: Gain
    over_chosen: Gain | None


class Stability(Part):
    """How often a choice is the same for other clips; only the ranking is repeated, not the gates and the front.

    Attributes:
        clips: number of clips.
        left_out: fraction of the clips for which leaving out that one clip does not change the choice.
        resampled: candidate -> fraction of the resamples of the clips (bootstrap) in which it is chosen.
        resamples: number of resamples. Up to 5 clips have all possible resamples, weighted by their probabilities; more
            clips have 200 random resamples, drawn with a fixed seed.
    """

    clips: int
    left_out: float
    resampled: dict[str, float]
    resamples: int


class Choice(Part):
    """Result of `select` on one suite: which candidate may be deployed, and why.

    Attributes:
        chosen: the selected candidate; None if every candidate failed a gate.
        provisional: whether the outcome of a gate of the chosen candidate is "too few clips".
        reason: the metric or property by which the chosen candidate was preferred to the other deployable ones.
        votes: name of each other deployable candidate -> text on the votes for the chosen candidate against this one;
            empty if people did not vote.
        ties: candidates that are tied with the chosen candidate in the votes or, without votes, in the first metric of
            `rank_by`, see `Selection.tie_rule`.
        contenders: deployable candidate -> its gains over the baseline and over the chosen candidate; empty if no
            candidate is deployable.
        stability: how often the choice is the same for other clips; None if there is only one clip.
        deployable: candidates with the outcome "pass" or "too few clips" in every gate.
        pareto: deployable candidates on the Pareto front, see `vsr_lab.evaluation.ranking.undominated`.
        gates: candidate -> results of its gates in order. Gates that were not tested are left out: after a failed gate,
            the gates that run the network; if the candidate lacks values, all gates but "scores".
        scores: "chosen" and "baseline" -> metric -> mean over the clips of the suite, with its 95 % interval; empty if
            no candidate was chosen.
    """

    suite: str
    content: str | None
    chosen: str | None
    provisional: bool
    reason: str
    votes: dict[str, str] = Field(default_factory=dict)
    ties: list[str]
    contenders: dict[str, Contender] = Field(default_factory=dict)
    stability: Stability | None
    candidate_facts: CandidateFacts | None
    verdict: str
    deployable: list[str]
    pareto: list[str]
    gates: dict[str, list[Verdict]]
    scores: dict[Literal["chosen", "baseline"], dict[str, Estimate]] = Field(default_factory=dict)


class Selection(Record, command="select"):
    """selection.json: for each suite of test clips, the best of the candidates that failed no gate.

    Attributes:
        rank_by: metrics by which the candidates that failed no gate are ranked, the most important first.
        tie_rule: when two candidates are tied, and what decides then.
        front: metrics that are the axes of the Pareto front -> +1 (higher is better) or -1.
        choices: result for each suite.
    """

    record: Literal["selection"] = "selection"
    schema_version: Literal[2] = 2
    protocol: ProtocolFacts
    baseline: str
    rank_by: list[str]
    tie_rule: str
    front: dict[str, int]
    choices: list[Choice]
