"""Records of an upscaling: the plan, job.json while it runs, and VIDEO.provenance.json."""

from typing import Annotated, Literal

from pydantic import Field

from vsr_lab.core.records import Part, Record

Count = Annotated[int, Field(ge=0, le=2**48)]
Side = Annotated[int, Field(ge=1, le=2**17)]
Scale = Annotated[int, Field(ge=1, le=64)]
Code = Annotated[int, Field(ge=0, le=255)]
Shift = Annotated[float, Field(ge=-1e9, le=1e9)]
Rate = Annotated[str, Field(pattern=r"^[1-9]\d{0,17}(/[1-9]\d{0,17})?$")]


class VideoFacts(Part):
    """Name, hash and format of a video file.

    Attributes:
        size: width and height in pixels.
        bits: bits per sample.
        matrix: YUV matrix, such as bt709.
        assumed: whether the file does not specify the matrix, so that the reader chose the most likely one.
    """

    file: str
    sha256: str
    size: tuple[Side, Side]
    bits: Annotated[int, Field(ge=1, le=64)]
    matrix: str
    full_range: bool
    assumed: bool = False


class StreamPlan(Part):
    """Decision of `upscale` about one stream of the source file.

    Attributes:
        index: index of the stream in the source.
        kind: video, audio, subtitle, cover, attachment or data.
        codec: codec in the source.
        action: upscale, copy, convert or drop.
        to: codec in the output, or "attachment", "timecode" or "chapters"; empty if the stream is dropped.
        note: why the stream is dropped; empty if the stream is kept, or if the user set `audio=drop`.
    """

    index: Count
    kind: str
    codec: str
    action: Literal["upscale", "copy", "convert", "drop"]
    to: str = ""
    note: str = ""


class VideoPlan(Part):
    """How the upscaled stream is encoded.

    Attributes:
        codec: FFmpeg's name of the encoder.
        options: options of the encoder.
        size: width and height in pixels.
        sample_aspect: width of a pixel divided by its height, a fraction such as "1/1".
        rate: frames per second, a fraction such as "25/1".
        time_base: duration of a tick (unit of timestamps) in seconds, a fraction such as "1/1000".
        constant: whether all frames have the same duration.
        primaries, transfer, matrix: code points of ITU-T H.273; 2 is unspecified.
        range: "full" or "limited".
        label: text that is drawn at the bottom of every frame; empty: no label.
    """

    codec: str
    pixel_format: str
    options: dict[str, str]
    size: tuple[Side, Side]
    sample_aspect: str
    rate: Rate
    time_base: str
    constant: bool
    primaries: Code
    transfer: Code
    matrix: Code
    range: Literal["full", "limited"]
    label: str = ""


class Runtime(Part):
    """Library, device and precision with which `upscale` runs the network.

    Attributes:
        backend: torch, onnxruntime or openvino.
        device: cpu or cuda.
        precision: float32, bfloat16 or float16.
        threads: number of CPU threads; 0 is the default of the backend.
        version: version of the backend's package.
        psnr: lowest PSNR of a frame, in dB, between the outputs of this runtime and of torch in float32, in a trial of
            a few frames; None if no trial was run, or if the outputs are equal.
        speed: frames per second in the trial, divided by those of torch in float32 on the CPU; None if no trial was
            run.
        refused: other runtimes whose output differs too much from that of torch in float32, each as a sentence with
            the difference.
    """

    backend: str
    device: str
    precision: str
    threads: Count
    version: str
    psnr: Annotated[float, Field(ge=-1e3, le=1e3)] | None = None
    speed: Annotated[float, Field(ge=0, le=1e9)] | None = None
    refused: list[str] = Field(default_factory=list[str])

    def __str__(self) -> str:
        return f"{self.backend} {self.precision} on {self.device}"


class Plan(Part):
    """All decisions of `upscale` about its output file, made before the first frame is processed.

    Attributes:
        preset: name of the encoding preset.
        container: FFmpeg's name of the output's format.
        video: how the upscaled stream is encoded.
        streams: what is done with each stream of the source.
        first: index of the first frame of the output among the frames of the source, counted after deinterlacing.
        frames: number of frames of the output.
        shift: seconds that are added to every timestamp.
        chapters: number of chapters that are written.
        tags: names of the source's metadata tags that are kept. Chapters and tags that the container does not keep are
            listed in `dropped`.
        converted: properties of the source that are kept in another form.
        dropped: properties of the source that the output does not keep.
        runtime: library, device and precision that run the network; None if no runtime was chosen.
        tile: size of the tiles in which frames are processed, in LR pixels; 0: whole frames.
        skip_repeats: whether, for a frame that repeats the previous frame, the output is repeated without running the
            network.
        evidence: whether the original is shown beside SR.
        segments: number of the first frame of each segment, a part that is encoded separately; [0]: one segment.
        lead_in: number of frames before each segment that the network processes first, starting with its initial
            state; None: the network continues with its state after the previous segment.
        grain: standard deviation of the synthetic grain in bands of luma from black to white, for RGB in [0, 1]; empty:
            no grain.
        seconds: estimated time of the upscaling; None if the speed of the network was not measured.
        output_bytes, memory_bytes: estimated size of the output and estimated use of memory.
    """

    preset: str
    container: str
    video: VideoPlan
    streams: list[StreamPlan]
    first: Count = 0
    frames: Count
    shift: Shift = 0.0
    chapters: Count = 0
    tags: list[str] = Field(default_factory=list[str])
    converted: list[str] = Field(default_factory=list[str])
    dropped: list[str] = Field(default_factory=list[str])
    runtime: Runtime | None = None
    tile: Count = 0
    skip_repeats: bool = False
    evidence: bool = False
    segments: list[Count] = Field(default_factory=lambda: [0])
    lead_in: Count | None = None
    grain: list[Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=list)
    seconds: Annotated[float, Field(ge=0, le=1e12)] | None = None
    output_bytes: Count = 0
    memory_bytes: Count = 0


class Segment(Part):
    """A finished segment: hashes of its packets, and of the state of the network after its last frame.

    The hash of the state is empty if the segment was upscaled in parallel with other segments.
    """

    packets: str
    state: str


class UpscaleJob(Record, command="upscale"):
    """job.json in the folder of an unfinished upscaling: its settings, and which segments are finished.

    An interrupted upscaling is continued only if all settings are equal to those of the new call.

    Attributes:
        source: name of the source file.
        size, modified: size of the source in bytes, and time of its last change in ns since 1970.
        bundle: fingerprint of the bundle.
        plan: the plan, without the tile size, the estimated memory, and measurements of the runtime.
        others: plans of the other output files.
        finished: index of each finished segment -> hashes of its files.
    """

    record: Literal["upscale_job"] = "upscale_job"
    schema_version: Literal[1] = 1
    source: str
    size: int
    modified: int
    bundle: str
    plan: Plan
    others: list[Plan] = Field(default_factory=list[Plan])
    deinterlace: str | None
    tone_map: str | None
    damaged: str | None
    transfer: str | None = None
    background: str | None
    tile: Count
    overlap: Count
    watch_cuts: bool
    versions: dict[str, str]
    finished: dict[int, Segment] = Field(default_factory=dict[int, Segment])


class Provenance(Record, command="upscale"):
    """VIDEO.provenance.json: how an upscaled video was made.

    Attributes:
        created: time at which the record was made, ISO 8601 in UTC.
        plan: the plan that was made before the first frame.
        deinterlace, tone_map, damaged, transfer: options with which the source was read, see
            `vsr_lab.video.ReadOptions`.
        damage: damaged frames of the source, as text; empty if none were found.
        cuts: numbers of the first frames of new scenes; None if scene cuts were not detected.
        bundle: name of the bundle.
        bundle_sha256: name of each file of the bundle -> SHA-256.
        tile, overlap: size and overlap of tiles in LR pixels; tile 0: whole frames.
        repeats: number of frames on which the network was not run because they repeat the previous frame.
        frame_hashes: perceptual hash of the first frame of each second, 64 bits in hexadecimal; empty for a blank
            frame and for a second without frames. With these hashes, the record can be found for a video that was
            renamed or remuxed.
    """

    record: Literal["provenance"] = "provenance"
    schema_version: Literal[1] = 1
    disclosure: str
    created: str
    source: VideoFacts
    output: VideoFacts
    deinterlace: str | None
    tone_map: str | None
    damaged: str | None
    transfer: str | None = None
    damage: str
    frames: Count
    scale: Scale
    cuts: list[Count] | None
    bundle: str
    bundle_sha256: dict[str, str]
    plan: Plan
    tile: Count
    overlap: Count
    versions: dict[str, str]
    repeats: Count = 0
    frame_hashes: list[Annotated[str, Field(pattern=r"^([0-9a-f]{16})?$")]] = Field(default_factory=list)


class Pair(Record, command="provenance"):
    """Record that links an original video with its upscaled version, for media libraries that offer both.

    Frame n of the upscaled version is frame first + n of the original, unless the original was deinterlaced or damaged.

    Attributes:
        scale: upscaling factor.
        first: number of the first frame of the original that was upscaled.
        frames: number of frames of the upscaled version.
        shift: seconds by which timestamps of the upscaled version are later than those of the original.
        rate: frames per second of the upscaled version, a fraction such as "25/1".
    """

    record: Literal["pair"] = "pair"
    schema_version: Literal[1] = 1
    disclosure: str
    original: VideoFacts
    upscaled: VideoFacts
    scale: Scale
    first: Count = 0
    frames: Count
    shift: Shift
    rate: Rate
