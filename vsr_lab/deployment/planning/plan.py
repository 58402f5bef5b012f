"""The plan of an upscaling: whether each stream, tag and property of the source is copied, converted or dropped."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np

from vsr_lab.core.errors import UserError
from vsr_lab.core.records.bundle import BundleManifest
from vsr_lab.core.records.deployment import Plan, StreamPlan, VideoPlan
from vsr_lab.deployment.planning.choice import choose_video
from vsr_lab.deployment.planning.encoding import ENCODERS, Encoding
from vsr_lab.deployment.planning.outputs import IMAGES, container_of, for_images
from vsr_lab.deployment.planning.trial import CLOCKS, Trial, first_packets, try_plan
from vsr_lab.deployment.streams.carriers import AUDIO_ENCODERS
from vsr_lab.deployment.streams.output import Planned
from vsr_lab.deployment.streams.picture_text import takes_text
from vsr_lab.deployment.streams.survey import SourceStream, survey
from vsr_lab.deployment.streams.timing import chapters_between, later_timecode, timing_of
from vsr_lab.video import VideoFile
from vsr_lab.video.color_conversion import bits_of, has_alpha
from vsr_lab.video.damage import GAP, Damage
from vsr_lab.video.disclosure import DISCLOSURE
from vsr_lab.video.writer import check_encoder, reason_of

UNDISCLOSED = "the note that it was upscaled, which label=visible draws into every frame"  # is never left out
_SHORTEST = 8  # frames of a segment: more than encoders reorder
_LATEST = 60  # seconds: a later start in these is no start time, but a clock
_BITMAPS = {"pgssub", "dvdsub", "dvbsub", "xsub"}
_SIMPLE = {"subrip", "srt", "mov_text", "webvtt", "text"}  # subtitles without styles, equal in each other's form
_CANNOT = (ValueError, av.error.FFmpegError, OverflowError)


def make_plan(video: VideoFile, output: Path, *, scale: int, bundle: BundleManifest, encoding: Encoding) -> Planned:
    """Decide how an output is encoded, and what is done with each stream and property of the source.

    Args:
        video: the source.
        output: file to write; its suffix determines the container.
        scale: scale of the network.
        bundle: manifest of the bundle.
        encoding: settings of the output.

    Returns:
        The plan, with the data of the source that is needed to write the output.

    Raises:
        UserError: a stream or property cannot be kept, and encoding.unsupported is None; the settings, the encoder or
            the container cannot be used; data is missing in the source; or `encoding.evidence` is set, and the network
            was not trained for fidelity or the source is transparent.
    """
    return _Planner(video, output, encoding).plan(scale, bundle)


def check_disclosed(plan: Plan, output: Path) -> None:
    """Raise UserError if, by its plan, neither metadata nor frames of an output disclose that it was upscaled."""
    if UNDISCLOSED in plan.dropped:
        raise UserError(output, f"cannot keep {UNDISCLOSED}", "set label=visible, or end output= in .mp4 or .mkv")


class _Planner:
    def __init__(self, video: VideoFile, output: Path, encoding: Encoding) -> None:
        self._video, self._output, self._encoding = video, output, encoding
        self._survey = survey(video.probe)
        self._container = container_of(output, encoding)
        if self._container == IMAGES:
            self._encoding = for_images(encoding, output)
        self._firsts = first_packets(video.path)
        self._converted: list[str] = []
        self._lost: list[str] = []
        self._shift = self._clock_shift() + self._cut()
        coarse = self._container == "avi"
        self._timing = timing_of(video.probe.index, video.probe.rate, self._shift, coarse)

    def plan(self, scale: int, bundle: BundleManifest) -> Planned:
        """Make the plan: first for the video, then for every other stream separately, then for all together."""
        if self._encoding.evidence:
            self._check_evidence(bundle)
        self._check_gaps()
        choice = choose_video(
            self._video,
            self._survey,
            self._encoding,
            container=self._container,
            scale=scale,
            timing=self._timing,
            trained=bundle.pixel_format,
        )
        self._converted += choice.converted
        self._lost += choice.lost
        plan = self._draft(choice.video)
        self._check_video(plan)
        streams = [self._decide(plan, stream) for stream in self._survey.streams]
        plan = plan.model_copy(update={"streams": streams, "chapters": len(self._survey.chapters)})
        plan, trial, tags, sei = self._tried(plan, self._tags(bundle.name))
        self._lost += [
            f"{stream.kind} {stream.index} ({stream.note})"
            for stream in plan.streams
            if stream.action == "drop" and stream.note
        ]
        self._lost += trial.lost
        if not (trial.disclosed or plan.video.label):
            self._lost.append(UNDISCLOSED)
        self._refuse()
        kept = {"tags": list(trial.tags), "chapters": trial.chapters}
        done = plan.model_copy(update={"converted": self._converted, "dropped": self._lost, **kept})
        return self._planned(self._estimated(done), tags, sei)

    def _check_gaps(self) -> None:
        index, window = self._video.source.index, self._video.window
        gaps = [tick for tick in index.gaps if not window or window[0] <= tick * index.base < window[1]]
        if gaps and self._video.read_options.damaged is None:
            found = Damage(broken=tuple(np.flatnonzero(np.isin(index.ticks, gaps)).tolist()), reason=GAP)
            raise UserError(self._video.path, f"is damaged: {found}", f"{found.remedy}, or set damaged=keep")

    def _check_evidence(self, bundle: BundleManifest) -> None:
        if bundle.trained_with != "fidelity":
            problem = (
                f"was trained with {bundle.trained_with} losses, but evidence=true needs a network trained for fidelity"
            )
            raise UserError(bundle.name, problem, "set evidence=false, or choose another bundle=")
        if self._survey.transparent and self._encoding.background is None:
            problem = "is transparent, which evidence=true cannot show"
            raise UserError(self._video.path, problem, "set background=black or another color")

    def _planned(self, plan: Plan, tags: Mapping[str, str], sei: str = "") -> Planned:
        return Planned(plan, self._survey, self._timing, tags, self._firsts, sei, self._video.window)

    def _clock_shift(self) -> Fraction:
        start = self._survey.start
        if self._survey.container not in CLOCKS or self._container in CLOCKS or 0 <= start <= _LATEST:
            return Fraction(0)
        self._converted.append(f"the clock of {float(start):.1f} s starts at 0")
        return -start

    def _cut(self) -> Fraction:
        """Cut chapters and timecode to the part of the source. Returns the shift in seconds to the file's start."""
        video, window = self._video, self._video.window
        if window is None:
            return Fraction(0)
        index, frames = video.probe.index, f"frames {video.first} to {video.first + video.frames - 1}"
        late = int(index.ticks[0]) * index.base - int(video.source.index.ticks[0]) * video.source.index.base
        length = int(index.ticks[-1] + index.last - index.ticks[0]) * index.base
        self._converted.append(f"{frames} alone ({float(late):.3f} to {float(late + length):.3f} s), as asked")
        chapters = chapters_between(self._survey.chapters, window)
        first, rate = self._survey.timecode, video.source.rate
        timecode = later_timecode(first, round(late * rate), rate) if video.first else first
        if first and not timecode:
            self._lost.append(f"the timecode {first}, which is none of {rate} frames a second")
        elif timecode != first:
            self._converted.append(f"the timecode {first} as {timecode}, that of the first frame")
        self._survey = replace(self._survey, chapters=chapters, timecode=timecode)
        return -late

    def _draft(self, video: VideoPlan) -> Plan:
        if self._video.path.is_dir():
            given = "as asked" if self._encoding.rate else "as rate= is not set"
            self._converted.append(f"images at {self._video.rate} frames a second, {given}")
        if headless := self._video.source.index.headless:
            self._converted.append(f"{headless} pictures before the first keyframe, which cannot be decoded, left out")
        if self._video.probe.codec == "prores" and self._video.probe.bits == 12 and bits_of(video.pixel_format) < 12:
            self._converted.append("12 bits of ProRes 4444 as 10, which its encoders take")
        if self._survey.views:
            self._converted.append("the first view of a stereoscopic video (MV-HEVC)")
        main = self._survey.streams[self._survey.video]
        upscaled = StreamPlan(index=main.index, kind="video", codec=main.codec, action="upscale", to=video.codec)
        return Plan(
            preset=self._encoding.name,
            container=self._container,
            video=video,
            streams=[upscaled],
            first=self._video.first,
            frames=self._video.frames,
            shift=float(self._shift),
            evidence=self._encoding.evidence,
            segments=self._segments(video),
            lead_in=self._encoding.lead_in,
        )

    def _segments(self, video: VideoPlan) -> list[int]:
        """First frames of the segments. Remaining frames of less than half a segment belong to the segment before."""
        if video.codec.startswith("libvpx") and has_alpha(video.pixel_format):
            return [0]  # alpha is not in the data of its packets
        if self._encoding.evidence:
            return [0]  # the files beside the output are written in one piece
        count, step = self._video.frames, max(_SHORTEST, round(self._encoding.segment * self._timing.rate))
        return [first for first in range(0, count, step) if not first or count - first >= step / 2]

    def _check_video(self, plan: Plan) -> None:
        """Raise UserError unless the encoder can be opened and the container supports its stream."""
        video = plan.video
        width, height = video.size
        base = 1 / Fraction(video.rate)
        if video.codec.rpartition("_")[2] in {"nvenc", "qsv", "amf", "v4l2m2m", "vaapi"}:  # is the hardware there
            check_encoder(video.codec, (height, width), base, pixel_format=video.pixel_format, options={})
        check_encoder(video.codec, (height, width), base, pixel_format=video.pixel_format, options=video.options)
        try:
            self._try(plan, {})
        except _CANNOT as error:
            problem = f"{self._output.suffix} cannot hold {video.codec}, {video.pixel_format} ({reason_of(error)})"
            raise UserError(self._output, problem, "end it in .mp4 or .mkv, or choose another codec=") from error

    def _try(self, plan: Plan, tags: Mapping[str, str], sei: str = "") -> Trial:
        return try_plan(self._planned(plan, tags, sei), self._output.suffix)

    def _decide(self, plan: Plan, stream: SourceStream) -> StreamPlan:
        """Plan one stream: the first of its options that the container supports."""
        if stream.index == self._survey.video:
            return plan.streams[0]
        base = StreamPlan(index=stream.index, kind=stream.kind, codec=stream.codec, action="drop")
        if stream.kind == "audio" and self._encoding.audio == "drop":
            self._converted.append(f"{stream} left out as asked")
            return base
        if stream.kind == "data" and (kept := self._by_muxer(stream)):
            return base.model_copy(update={"action": "convert", "to": kept})
        asked = False
        for option in self._possibilities(stream):
            tried = plan.model_copy(update={"streams": [plan.streams[0], option]})
            lossy = option.action == "convert" and not _is_lossless(stream, option)
            if self._takes(tried):
                if lossy and not self._may_convert(stream):
                    asked = True
                    continue
                if option.action == "convert":
                    self._converted.append(f"{stream} as {option.to}")
                return option
        hint = "set audio=transcode to encode it again" if stream.kind == "audio" else "unsupported=convert converts it"
        reason = f"{stream.codec}{' in ' + stream.language if stream.language else ''}" + (f", {hint}" if asked else "")
        return base.model_copy(update={"note": reason})

    def _may_convert(self, stream: SourceStream) -> bool:
        return self._encoding.unsupported == "convert" or (
            stream.kind == "audio" and self._encoding.audio == "transcode"
        )

    def _takes(self, plan: Plan) -> bool:
        try:
            return not any("streams" in lost for lost in self._try(plan, {}).lost)
        except _CANNOT:
            return False

    def _by_muxer(self, stream: SourceStream) -> str:
        """Note for a data stream that the muxer itself creates."""
        if self._survey.timecode and (stream.metadata.get("timecode") or stream.codec in {"unknown", "None"}):
            return "timecode"
        return "chapters" if self._survey.chapters and stream.codec == "bin_data" else ""

    def _possibilities(self, stream: SourceStream) -> Iterator[StreamPlan]:
        base = StreamPlan(index=stream.index, kind=stream.kind, codec=stream.codec, action="copy", to=stream.codec)
        convert = base.model_copy(update={"action": "convert"})
        has_adts = stream.codec == "aac" and not stream.extradata and self._container != "mpegts"
        if stream.kind == "audio" and self._encoding.audio == "transcode" and stream.codec != "unknown":
            yield from (convert.model_copy(update={"to": codec}) for codec in AUDIO_ENCODERS)
        elif has_adts:
            yield convert.model_copy(update={"to": "aac (raw)"})
        elif stream.kind == "cover" and "matroska" in self._container:
            yield base.model_copy(update={"to": "attachment"})
        else:
            yield base
        if stream.codec == "unknown":
            return
        if stream.kind == "audio":
            yield from (convert.model_copy(update={"to": codec}) for codec in AUDIO_ENCODERS)
        if stream.kind == "subtitle" and stream.codec not in _BITMAPS:
            yield from (convert.model_copy(update={"to": codec}) for codec in ("mov_text", "webvtt", "srt"))

    def _tags(self, bundle: str) -> dict[str, str]:
        tags = {**self._survey.tags, "disclosure": DISCLOSURE, "vsr_lab_bundle": bundle}
        own = any(key.lower() == "comment" for key in tags)
        return tags if own else {"comment": DISCLOSURE, **tags}

    def _tried(self, plan: Plan, tags: dict[str, str]) -> tuple[Plan, Trial, Mapping[str, str], str]:
        """Try all streams together. If the container drops the disclosure, store it in the comment or in the video."""
        try:
            trial = self._try(plan, tags)
            if not trial.disclosed and (own := next((key for key in tags if key.lower() == "comment"), None)):
                joined = {**tags, own: tags[own] if tags[own] == DISCLOSURE else f"{tags[own]} | {DISCLOSURE}"}
                second = self._try(plan, joined)
                if second.disclosed:
                    return plan, second, joined, ""
            if not trial.disclosed and takes_text(plan.video.codec):
                return plan, self._try(plan, tags, DISCLOSURE), tags, DISCLOSURE
        except _CANNOT as error:
            problem = f"cannot hold all streams of the source together ({reason_of(error)})"
            raise UserError(self._output, problem, "end output= in .mkv") from error
        return plan, trial, tags, ""

    def _refuse(self) -> None:
        if self._lost and self._encoding.unsupported is None:
            what = "; ".join(self._lost)
            remedy = "label=visible" if self._lost == [UNDISCLOSED] else "unsupported=drop or unsupported=convert"
            problem = f"cannot keep these parts of {self._video.path.name}: {what}"
            found = self._survey.of_frames
            anywhere = {*found.dynamic, *found.unwritten}.issuperset(self._lost)  # which none can keep
            hint = "set unsupported=drop" if anywhere else f"choose another suffix for output=, or set {remedy}"
            raise UserError(self._output, problem, hint)

    def _estimated(self, plan: Plan) -> Plan:
        """Add estimates to the plan: file size from usual bits per pixel, memory from the frames that are queued."""
        width, height = plan.video.size
        coded = ENCODERS["bits_per_pixel"].get(plan.video.codec, 0.15) * width * height * plan.frames / 8
        seconds = float(plan.frames / self._timing.rate)
        other = sum(stream.bit_rate for stream in self._survey.streams if stream.kind == "audio") * seconds / 8
        memory = width * height * (3 * 4 * 4 + 6 * 6)
        return plan.model_copy(update={"output_bytes": round(coded + other), "memory_bytes": memory})


def _is_lossless(stream: SourceStream, option: StreamPlan) -> bool:
    if stream.kind == "subtitle":
        return stream.codec in _SIMPLE
    return option.to == "aac (raw)"
