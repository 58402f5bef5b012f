"""A part of a file: its frames, times and other streams, and the preview of one."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.delivery.making import Film, make
from tests.unit.conftest import WriteVideo
from vsr_lab import upscale
from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.records import read_record
from vsr_lab.core.records.deployment import Provenance
from vsr_lab.deployment import Bundle, Encoding
from vsr_lab.deployment.pipeline import UpscaleSettings, upscale_in_parallel
from vsr_lab.deployment.provenance import provenance_path
from vsr_lab.deployment.runtimes import RuntimeOptions
from vsr_lab.deployment.streams.timing import later_timecode
from vsr_lab.fleet import Local
from vsr_lab.video import VideoFile
from vsr_lab.workflows.batch import Source, Task, Upscaler
from vsr_lab.workflows.preview import preview_of, write_picture

LOSSLESS = Encoding(codec="ffv1", start=0.4, stop=1.2)
RATE = 25


@pytest.fixture
def long(frames: Frames) -> Frames:
    """40 different frames."""
    return np.concatenate([frames // divisor for divisor in range(1, 6)])


@pytest.fixture
def source(tmp_path: Path, long: Frames) -> Path:
    """A file with 1.6 s of pictures, sound whose samples count, and two chapters."""
    return _write(tmp_path / "talking.mkv", long, len(long))


@pytest.fixture
def longer_sound(tmp_path: Path, long: Frames) -> Path:
    """The same with 1.8 s of sound."""
    return _write(tmp_path / "longer.mkv", long, len(long) + 5)


def _write(path: Path, long: Frames, sounds: int) -> Path:
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=RATE)
        video.height, video.width, video.pix_fmt = *long.shape[1:3], "bgr0"
        audio = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        ends = (0, 800, 1600)
        container.set_chapters(
            [
                {"id": n, "start": begin, "end": end, "time_base": Fraction(1, 1000), "metadata": {"title": str(n)}}
                for n, (begin, end) in enumerate(pairwise(ends), 1)
            ]
        )
        for number in range(sounds):
            if number < len(long):
                container.mux(video.encode(av.VideoFrame.from_ndarray(long[number], format="rgb24")))
            samples = np.arange(320 * number, 320 * (number + 1), dtype=np.int16)[None]
            sound = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            sound.sample_rate, sound.pts = 8000, 320 * number
            container.mux(audio.encode(sound))
        for stream in (video, audio):
            container.mux(stream.encode(None))
    return path


def test_frames_sound_and_chapters_of_the_part_begin_at_zero(
    bundle: Bundle, source: Path, long: Frames, tmp_path: Path
) -> None:
    output = tmp_path / "part.mkv"
    provenance = upscale(bundle, source, output, encoding=LOSSLESS)
    video = VideoFile(output)
    assert np.array_equal(video.read(0, video.frames).frames, long[10:30].repeat(2, 1).repeat(2, 2))
    assert video.probe.timestamps == pytest.approx(np.arange(20) / RATE, abs=1e-3)
    assert (provenance.plan.first, provenance.frames, provenance.plan.shift) == (10, 20, -0.4)
    with av.open(str(output)) as container:
        sound = [packet for packet in container.demux(audio=0) if packet.size]
        chapters = [(chapter["start"], chapter["end"]) for chapter in container.chapters()]
    assert [float((packet.pts or 0) * packet.time_base) for packet in sound[:2]] == pytest.approx([0, 0.04], abs=1e-3)
    assert b"".join(map(bytes, sound)) == np.arange(3200, 9600, dtype=np.int16).tobytes()
    assert chapters == [(0, 400_000_000), (400_000_000, 800_000_000)]


def test_segments_of_a_part_in_parallel_are_those_of_a_serial_run(
    bundle: Bundle, source: Path, long: Frames, tmp_path: Path
) -> None:
    encoding = Encoding(codec="ffv1", start=0.4, stop=1.2, segment=0.4)
    settings = UpscaleSettings(RuntimeOptions("torch"), encoding)
    upscale_in_parallel(bundle.folder, source, tmp_path / "part.mkv", Local(1), settings=settings)
    assert np.array_equal(VideoFile(tmp_path / "part.mkv").read(0, 20).frames, long[10:30].repeat(2, 1).repeat(2, 2))


def test_uneven_times_are_kept(bundle: Bundle, write_video: WriteVideo, frames: Frames, tmp_path: Path) -> None:
    times = [0, 0.1, 0.4, 0.5, 0.9, 1.0, 1.3, 1.4]
    upscale(bundle, write_video("uneven.mkv", frames, times), tmp_path / "part.mkv", encoding=LOSSLESS)
    assert VideoFile(tmp_path / "part.mkv").probe.timestamps == pytest.approx([0, 0.1, 0.5, 0.6], abs=2e-3)


@pytest.mark.parametrize("start", [1.6, 100.0])
def test_a_part_without_frames_is_refused(bundle: Bundle, source: Path, tmp_path: Path, start: float) -> None:
    with pytest.raises(UserError, match=f"has no frame from {start:g} s to its end"):
        upscale(bundle, source, tmp_path / "part.mkv", encoding=Encoding(start=start))


def test_damage_outside_the_part_does_not_matter(
    bundle: Bundle, source: Path, write_video: WriteVideo, long: Frames, tmp_path: Path
) -> None:
    options = {"g": "10", "keyint_min": "10", "sc_threshold": "0", "bf": "0"}
    path = write_video("broken.mkv", long, codec="libx264", options=options)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(packet.pos or 0, packet.size) for packet in container.demux(video=0) if packet.size]
    position, size = packets[35]
    data[position + 20 : position + size] = bytes(size - 20)
    path.write_bytes(data)
    upscale(bundle, path, tmp_path / "sound.mkv", encoding=LOSSLESS)
    with pytest.raises(UserError, match="is damaged"):
        upscale(bundle, path, tmp_path / "damaged.mkv", encoding=Encoding(codec="ffv1", start=1.2))


def test_a_preview_is_short_and_has_a_picture(bundle: Bundle, source: Path, tmp_path: Path) -> None:
    settings = UpscaleSettings(RuntimeOptions("torch"), Encoding(start=0.8))
    task = Task(Source(source, ""), tmp_path / "new.mkv")
    upscaler, task = preview_of(Upscaler(bundle.folder, settings), task)
    upscaler.upscale(task)
    picture = write_picture(task, upscaler.settings.encoding, overwrite=False)
    assert picture == tmp_path / "new.preview.png" and picture.stat().st_size > 1000
    assert read_record(provenance_path(tmp_path / "new.preview.mkv"), Provenance).frames == 20
    with pytest.raises(UserError, match=r"new\.preview\.png: already exists"):
        preview_of(upscaler, Task(Source(source, ""), tmp_path / "new.mkv"))
    replacing = replace(upscaler, settings=replace(upscaler.settings, overwrite=True))
    with pytest.raises(UserError, match=r"new\.preview\.png: is the input"):
        preview_of(replacing, Task(Source(picture, ""), tmp_path / "new.mkv"))


@pytest.mark.parametrize(("start", "stop", "samples"), [(0.4, None, (3200, 14400)), (0.0, 1.7, (0, 13760))])
def test_sound_after_the_last_frame_belongs_to_a_part_that_reaches_it(
    bundle: Bundle, longer_sound: Path, tmp_path: Path, start: float, stop: float | None, samples: tuple[int, int]
) -> None:
    encoding = Encoding(codec="ffv1", start=start, stop=stop)
    upscale(bundle, longer_sound, tmp_path / "part.mkv", encoding=encoding)
    with av.open(str(tmp_path / "part.mkv")) as container:
        sound = b"".join(bytes(packet) for packet in container.demux(audio=0))
    assert sound == np.arange(*samples, dtype=np.int16).tobytes()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_cover_belongs_to_every_part(bundle: Bundle, tmp_path: Path, suffix: str) -> None:
    source = make(Film("cover.mp4", cover=True), tmp_path)
    made = upscale(bundle, source, tmp_path / f"part{suffix}", encoding=Encoding(start=0.3))
    assert [(stream.kind, stream.action) for stream in made.plan.streams] == [("video", "upscale"), ("cover", "copy")]
    with av.open(str(tmp_path / f"part{suffix}")) as container:
        assert [stream.codec_context.name for stream in container.streams.video] == ["h264", "png"]


@pytest.mark.parametrize(
    ("first", "frames", "rate", "later"),
    [
        ("10:00:00:24", 1, Fraction(25), "10:00:01:00"),
        ("23:59:59:23", 1, Fraction(24000, 1001), "00:00:00:00"),
        ("01:00:00:00", 108000, Fraction(30000, 1001), "02:00:00:00"),
        ("00:00:59;29", 1, Fraction(30000, 1001), "00:01:00;02"),
        ("00:09:59;29", 1, Fraction(30000, 1001), "00:10:00;00"),
        ("01:00:00;00", 107892, Fraction(30000, 1001), "02:00:00;00"),  # an hour of 3600 s
        ("23:59:59;29", 1, Fraction(30000, 1001), "00:00:00;00"),
        ("00:00:59;59", 1, Fraction(60000, 1001), "00:01:00;04"),
        ("01:00:00;00", 1, Fraction(25), ""),
        ("01:00:00:29", 1, Fraction(25), ""),
        ("tomorrow", 1, Fraction(25), ""),
    ],
)
def test_a_later_timecode_follows_smpte_12m(first: str, frames: int, rate: Fraction, later: str) -> None:
    assert later_timecode(first, frames, rate) == later


def test_every_drop_frame_timecode_of_a_day_is_counted() -> None:
    labels = [
        f"{minute // 60:02}:{minute % 60:02}:{second:02};{number:02}"
        for minute in range(24 * 60)
        for second in range(0, 60, 20)
        for number in range(30)
        if minute % 10 == 0 or second or number >= 2
    ]
    rate = Fraction(30000, 1001)
    starts = [index for index, label in enumerate(labels) if label.endswith(":40;29")]
    made = {labels[index]: later_timecode(labels[index], 19 * 30 + 1, rate) for index in starts}
    expected = [labels[(index + 1) % len(labels)] for index in starts]
    assert list(made.values()) == expected and len(made) == 24 * 60


@pytest.mark.parametrize(
    ("film", "later"),
    [
        (Film("a.mov", rate=Fraction(25), timecode="01:02:03:20"), "01:02:04:05"),
        (Film("b.mov", rate=Fraction(30000, 1001), timecode="00:00:59;22"), "00:01:00;04"),
    ],
)
def test_the_timecode_is_that_of_the_first_frame_that_is_upscaled(
    bundle: Bundle, tmp_path: Path, film: Film, later: str
) -> None:
    source = make(film, tmp_path)
    start = float(10 / film.rate)
    made = upscale(bundle, source, tmp_path / "part.mov", encoding=Encoding(start=start))
    assert made.plan.first == 10 and made.plan.dropped == []
    assert f"the timecode {film.timecode} as {later}, that of the first frame" in made.plan.converted
    with av.open(str(tmp_path / "part.mov")) as container:
        assert {stream.metadata["timecode"] for stream in container.streams if "timecode" in stream.metadata} == {later}
