"""Video that is seldom met and legal: read right, or refused by name."""

import multiprocessing
import multiprocessing.queues
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.frame import VideoFrame

from tests.field_coding import write_field_pictures
from tests.parity.encodings import x264
from tests.parity.planes import drawn_number, encode, frame_of, picture, to_planes
from tests.weaving import interlaced, panned
from vsr_lab.core.errors import UserError
from vsr_lab.video import ReadOptions, VideoFile

_LOSSLESS = {"preset": "ultrafast", "qp": "0", "g": "6"}
_MPEG = {"b:v": "6M", "g": "8", "bf": "1", "qmin": "1", "qmax": "3", "b_strategy": "0", "sc_threshold": "1000000000"}


def _frame(number: int, format: str = "yuv420p", size: tuple[int, int] = (48, 96), matrix: str = "bt709") -> VideoFrame:
    return frame_of(to_planes(picture(number, *size), format, matrix, False), format)


def _write(
    path: Path,
    numbers: range,
    codec: str = "libx264",
    format: str = "yuv420p",
    size: tuple[int, int] = (48, 96),
    options: dict[str, str] | None = None,
    ticks: list[int] | None = None,
    matrix: str = "bt709",
) -> Path:
    """Frames with these numbers drawn in. ticks: their times in ms, every 40 where nothing is said."""
    frames = [_frame(n, format, size, matrix) for n in numbers]
    tags = {"colorspace": 1 if matrix == "bt709" else 6, "color_range": 1}
    encode(path, frames, codec, options or x264(bframes=2, keyint=6), tags, ticks, None, None)
    return path


def _numbers(video: VideoFile) -> list[int]:
    """What is drawn into the frames, which are read in order and each by itself."""
    whole = video.read(0, video.frames).frames
    for n in np.random.default_rng(0).permutation(video.frames):
        assert np.array_equal(video.read(n, n + 1).frames[0], whole[n])
    return [drawn_number(frame / 255) for frame in whole]


def _steps(video: VideoFile) -> list[float]:
    """The different times from a frame to the next."""
    return sorted({round(float(step), 3) for step in np.diff(video.probe.timestamps)})


# Edit lists


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    while data:
        size, kind = struct.unpack(">I4s", data[:8])
        yield kind, data[8:size]
        data = data[size:]


def _rebuilt(data: bytes, change: Callable[[bytes, bytes], bytes]) -> bytes:
    """Boxes with the body of every one changed, innermost first."""
    out = b""
    for kind, body in _boxes(data):
        body = _rebuilt(body, change) if kind in (b"moov", b"trak", b"edts") else body
        body = change(kind, body)
        out += struct.pack(">I4s", len(body) + 8, kind) + body
    return out


def _edited(path: Path, *parts: tuple[int, int, int]) -> Path:
    """24 frames of which these parts are shown: how many frames, from which on (-1: nothing), at what speed."""
    data = _write(path, range(24)).read_bytes()
    (clock,) = struct.unpack(">I", data[(at := data.index(b"mdhd") + 16) : at + 4])
    (start,) = struct.unpack(">i", data[(at := data.index(b"elst") + 16) : at + 4])
    entries = b"".join(
        struct.pack(">Iihh", 40 * count, -1 if first < 0 else start + first * clock // 25, speed, 0)
        for count, first, speed in parts
    )
    listed = struct.pack(">II", 0, len(parts)) + entries
    path.write_bytes(_rebuilt(data, lambda kind, body: listed if kind == b"elst" else body))
    return path


@pytest.mark.parametrize(
    ("parts", "shown"),
    [([(15, 0, 1)], range(15)), ([(10, 5, 1)], range(5, 15)), ([(9, -1, 1), (24, 0, 1)], range(24))],
    ids=["end trimmed", "both trimmed", "begins late"],
)
def test_one_part_is_read_as_it_is_shown(tmp_path: Path, parts: list[tuple[int, int, int]], shown: range) -> None:
    video = VideoFile(_edited(tmp_path / "a.mp4", *parts))
    assert _numbers(video) == list(shown)
    assert _steps(video) == [0.04]


@pytest.mark.parametrize(
    "parts",
    [[(8, 0, 1), (8, 12, 1)], [(8, 12, 1), (8, 0, 1)], [(8, 0, 1), (5, -1, 1), (8, 12, 1)]],
    ids=["cut out", "swapped", "pause"],
)
def test_more_parts_are_refused(tmp_path: Path, parts: list[tuple[int, int, int]]) -> None:
    """libav: the eighth step is 80 ms; right; frames 0, 1 and 2 once more in the pause."""
    with pytest.raises(UserError, match=rf"a\.mp4: has an edit list with {len(parts)} parts"):
        VideoFile(_edited(tmp_path / "a.mp4", *parts))


def test_another_speed_and_nothing_shown_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="changes the speed"):
        VideoFile(_edited(tmp_path / "a.mp4", (12, 0, 2)))
    with pytest.raises(UserError, match="holds no frame that"):
        VideoFile(_edited(tmp_path / "a.mp4", (0, 3, 1)))


# AVI


def test_a_packed_bitstream_is_read_in_order(tmp_path: Path) -> None:
    """MPEG-4 ASP as DivX 5 wrote it into AVI: a B-frame in the packet of the frame after it, then a placeholder."""
    plain = _write(tmp_path / "plain.avi", range(24), "mpeg4", options={**_MPEG, "flags": "+cgop"}, matrix="bt601")
    with av.open(str(plain)) as source, av.open(str(tmp_path / "a.avi"), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        coded = [bytes(packet) for packet in source.demux(video=0) if packet.size]
        vop = [data.index(b"\0\0\1\xb6") + 4 for data in coded]
        is_b = [data[at] >> 6 == 2 for data, at in zip(coded, vop, strict=True)]
        for n, data in enumerate(coded):
            if n == 0:
                data = data.replace(b"\0\0\1\xb3", b"\0\0\1\xb2DivX503b1393p\0\0\1\xb3", 1)
            if is_b[n]:
                data = b"\0\0\1\xb6\x50\x7f"
            elif n + 1 < len(coded) and is_b[n + 1]:
                data += coded[n + 1]
            packet = av.Packet(data)
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 25), coded[n][vop[n]] >> 6 == 0
            packet.pts = packet.dts = n
            container.mux(packet)
    assert any(is_b)
    video = VideoFile(tmp_path / "a.avi")
    assert _numbers(video) == list(range(24))
    assert _steps(video) == [0.04]


def test_frames_that_an_avi_shows_for_longer_are_no_lost_ones(tmp_path: Path) -> None:
    """Captures skip frames: the AVI counts them, and holds nothing of them."""
    ticks = [40 * n + 120 * (n > 7) for n in range(24)]
    video = VideoFile(_write(tmp_path / "a.avi", range(24), "mpeg4", options={**_MPEG, "bf": "0"}, ticks=ticks))
    assert _numbers(video) == list(range(24))
    assert _steps(video) == [0.04, 0.16]


# MPEG-TS


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("second", [0, 300, 20_000])
def test_recordings_strung_together_are_read_in_the_order_of_the_file(
    tmp_path: Path, b_frames: int, second: int
) -> None:
    """The clock begins anew, falls back, or had been ahead: time goes on a frame later."""
    first = 20_000 if second == 0 else 400
    options = x264(bframes=b_frames, keyint=6)
    starts = {"a": (0, first), "b": (12, second if second < first else first)}
    data = b"".join(
        _write(tmp_path / f"{name}.ts", range(number, number + 12), options=options,
               ticks=[start + 40 * n for n in range(12)]).read_bytes()
        for name, (number, start) in starts.items()
    )  # fmt: skip
    (tmp_path / "both.ts").write_bytes(data)
    video = VideoFile(tmp_path / "both.ts")
    assert _numbers(video) == list(range(24))
    assert _steps(video) == [0.04]


def test_a_clock_that_runs_over_goes_on(tmp_path: Path) -> None:
    """33 bits at 90 kHz: 26.5 hours."""
    start = 2**33 // 90 - 240 - 1400  # the muxer adds 1.4 s
    video = VideoFile(_write(tmp_path / "a.ts", range(24), ticks=[start + 40 * n for n in range(24)]))
    assert _numbers(video) == list(range(24))
    assert _steps(video) == [0.04]


# A stream that changes


def _strung(path: Path, *parts: Path) -> Path:
    """The packets of several files, all of one encoder, in one stream."""
    with av.open(str(parts[0])) as template, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(template.streams.video[0])
        for part in parts:
            with av.open(str(part)) as source:
                for packet in source.demux(video=0):
                    if packet.size:
                        packet.stream = stream
                        container.mux(packet)
    return path


@pytest.mark.parametrize(
    ("codec", "format", "backend"),
    [("libx264", "yuv420p", "pyav"), ("libx264", "yuv444p", "decord"), ("libx264rgb", "bgr24", "decord")],
)
def test_another_size_midway_is_refused_where_it_begins(tmp_path: Path, codec: str, format: str, backend: str) -> None:
    """decord would scale it."""
    options, later = {**_LOSSLESS, "x264-params": "repeat-headers=1"}, [40 * n for n in range(12, 24)]
    first = _write(tmp_path / "a.mkv", range(12), codec, format, options=options)
    second = _write(tmp_path / "b.mkv", range(12, 24), codec, format, (64, 80), options, later)
    video = VideoFile(_strung(tmp_path / "both.mkv", first, second))
    assert video.probe.backend == backend
    assert [drawn_number(frame / 255) for frame in video.read(0, 12).frames] == list(range(12))
    with pytest.raises(
        UserError, match=r"lost frames 12-17 \(changes from 96x48 to 80x64\); split the video at this frame"
    ):
        video.read(11, 13)
    kept = VideoFile(tmp_path / "both.mkv", read_options=ReadOptions(damaged="keep"))
    assert _numbers(kept) == list(range(12))


def test_another_matrix_midway_is_refused_where_it_begins(tmp_path: Path) -> None:
    options = {**_LOSSLESS, "x264-params": "repeat-headers=1"}
    later = [40 * n for n in range(12, 24)]
    first = _write(tmp_path / "a.mkv", range(12), format="yuv444p", options=options)
    second = _write(tmp_path / "b.mkv", range(12, 24), format="yuv444p", options=options, ticks=later, matrix="bt601")
    video = VideoFile(_strung(tmp_path / "both.mkv", first, second))
    with pytest.raises(UserError, match=r"changes from bt709 to bt601\); split the video at this frame"):
        video.read(0, 24)


# Fields


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts", "h264"])
@pytest.mark.parametrize("apart", [False, True])
def test_frames_coded_as_two_fields_are_read_exactly(tmp_path: Path, suffix: str, apart: bool) -> None:
    luma = interlaced(panned(48)[:, :96, :96])
    path = write_field_pictures(tmp_path / f"a.{suffix}", luma, apart)
    with pytest.raises(UserError, match="is interlaced tff; set deinterlace=bwdif"):
        VideoFile(path)
    video = VideoFile(path, read_options=ReadOptions(deinterlace="keep"))
    assert (video.frames, video.probe.rate) == (24, 25)
    assert _steps(video) == [0.04]
    whole = video.read(0, 24).frames
    assert np.array_equal(np.rint(whole[..., 1] / 255 * 219 + 16), luma)
    for n in (17, 3, 22, 0, 9):
        assert np.array_equal(video.read(n, n + 1).frames[0], whole[n])
    assert VideoFile(path, read_options=ReadOptions(deinterlace="bwdif")).read(4, 9).frames.shape == (5, 96, 96, 3)


def test_a_broken_second_field_is_its_frames(tmp_path: Path) -> None:
    path = write_field_pictures(tmp_path / "a.mkv", interlaced(panned(48)[:, :96, :96]), apart=True)
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][2 * 9 + 1]
        at = (packet.pos or 0) + packet.size // 2
    data = bytearray(path.read_bytes())
    data[at : at + 300] = b"\0\0\1\x41" * 75
    path.write_bytes(data)
    damage = VideoFile(path, read_options=ReadOptions(deinterlace="keep")).damage
    assert 9 in damage.lost + damage.broken and len(damage.lost + damage.broken) <= 2


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_hevc_of_single_fields_is_refused(tmp_path: Path, suffix: str) -> None:
    """libav hands out each field as a picture of half the height."""
    options = {"x265-params": "interlace=tff:log-level=none:pools=1:frame-threads=1"}
    path = _write(tmp_path / f"a.{suffix}", range(12), "libx265", size=(64, 96), options=options)
    with pytest.raises(UserError, match="is interlaced HEVC that stores fields separately; run ffmpeg"):
        VideoFile(path, read_options=ReadOptions(deinterlace="keep"))


# Several streams


def _streams(path: Path, *streams: tuple[str, str, range, Disposition | None]) -> Path:
    """A file of several streams: codec, format, the numbers drawn in, disposition."""
    with av.open(str(path), "w") as container:
        made = [container.add_stream(codec, rate=25) for codec, _, _, _ in streams]
        for stream, (_, format, _, disposition) in zip(made, streams, strict=True):
            stream.height, stream.width, stream.pix_fmt = 48, 96, format
            if disposition is not None:
                stream.disposition = disposition
        for t in range(24):
            for stream, (_, format, numbers, _) in zip(made, streams, strict=True):
                if t < len(numbers):
                    frame = _frame(numbers[t], format=format)
                    frame.pts, frame.time_base = t, Fraction(1, 25)
                    container.mux(stream.encode(frame))
        for stream in made:
            container.mux(stream.encode(None))
    return path


_FILM = ("libx264", "yuv420p", range(24), None)
_OTHER = ("libx264", "yuv420p", range(100, 124), None)
_STILL = ("mjpeg", "yuvj420p", range(50, 51), None)
_COVER = ("mjpeg", "yuvj420p", range(50, 51), Disposition.attached_pic)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
def test_of_several_streams_the_first_is_read(tmp_path: Path, suffix: str) -> None:
    assert _numbers(VideoFile(_streams(tmp_path / f"a.{suffix}", _FILM, _OTHER))) == list(range(24))
    assert _numbers(VideoFile(_streams(tmp_path / f"b.{suffix}", _OTHER, _FILM))) == list(range(100, 124))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_still_before_the_film_is_passed_over(tmp_path: Path, suffix: str) -> None:
    assert _numbers(VideoFile(_streams(tmp_path / f"a.{suffix}", _STILL, _FILM))) == list(range(24))


def test_a_cover_listed_before_the_film_is_passed_over(tmp_path: Path) -> None:
    path = _streams(tmp_path / "a.mp4", _COVER, _FILM)

    def tags_first(kind: bytes, body: bytes) -> bytes:
        if kind != b"moov":
            return body
        boxes = sorted(_boxes(body), key=lambda box: box[0] != b"udta")
        return b"".join(struct.pack(">I4s", len(inside) + 8, name) + inside for name, inside in boxes)

    path.write_bytes(_rebuilt(path.read_bytes(), tags_first))
    with av.open(str(path)) as container:
        assert [stream.codec_context.name for stream in container.streams.video] == ["mjpeg", "h264"]
    assert _numbers(VideoFile(path)) == list(range(24))


# Tags, and processes


def test_tags_that_are_no_utf_8_do_not_matter(tmp_path: Path) -> None:
    """As programs of the time wrote them into AVI."""
    path = _streams(tmp_path / "a.avi", _FILM)
    data = path.read_bytes()
    assert b"Lavf" in data
    path.write_bytes(data.replace(b"Lavf", b"\xe9t\xe9 "))
    assert _numbers(VideoFile(path)) == list(range(24))


def test_a_stated_length_that_is_none_does_not_matter(tmp_path: Path) -> None:
    path = _streams(tmp_path / "a.mkv", _FILM)
    data = path.read_bytes()
    assert b"00:00:00.96" in data
    path.write_bytes(data.replace(b"00:00:00.96", b"0p:00:00.96"))
    assert _numbers(VideoFile(path)) == list(range(24))


def _read_in_child(video: VideoFile, told: "multiprocessing.queues.SimpleQueue[list[int]]") -> None:
    told.put([drawn_number(frame / 255) for frame in video.read(10, 14).frames])


@pytest.mark.parametrize(
    ("codec", "format", "backend"), [("libx264", "yuv420p", "pyav"), ("libx264rgb", "bgr24", "decord")]
)
def test_a_file_that_is_open_is_read_on_in_a_forked_process(
    tmp_path: Path, codec: str, format: str, backend: str
) -> None:
    path = _write(tmp_path / "a.mkv", range(24), codec, format, options=_LOSSLESS)
    left = VideoFile(path)
    left.read(0, 3)
    del left  # a decoder that is garbage in both processes
    video = VideoFile(path)
    assert video.probe.backend == backend
    video.read(0, 5)
    context = multiprocessing.get_context("fork")
    told = context.SimpleQueue()
    process = context.Process(target=_read_in_child, args=(video, told))
    process.start()
    process.join(30)
    if process.is_alive():
        process.kill()
        pytest.fail("the forked process waits for ever")
    assert told.get() == [10, 11, 12, 13]
    assert [drawn_number(frame / 255) for frame in video.read(5, 8).frames] == [5, 6, 7]
