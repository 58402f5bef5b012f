"""The record of an upscaled file is found by its hash, and after a rename or remux by its pictures."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vsr_lab.cli.provenance import ProvenanceConfig, run
from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.records import read_record
from vsr_lab.core.records.deployment import Pair, Provenance
from vsr_lab.deployment import Bundle, Encoding, upscale
from vsr_lab.deployment.provenance import FrameHashes, find_provenance, provenance_path
from vsr_lab.deployment.provenance.search import agreement, frame_hash

WriteVideo = Callable[..., Path]


def _shapes(seed: int, count: int = 12) -> Frames:
    """Frames (T, 48, 64, 3) of large soft shapes, others in every frame."""
    random = np.random.default_rng(seed)
    small = [random.integers(0, 256, (4, 5, 3), np.uint8) for _ in range(count)]
    large = [cv2.resize(frame, (64, 48), interpolation=cv2.INTER_CUBIC) for frame in small]
    return np.asarray(large, np.uint8)


def _hashes(frames: Frames) -> list[str]:
    hashes = FrameHashes()
    for number, frame in enumerate(frames):
        hashes.add(number / 4, frame)
    return hashes.values


def _remuxed(path: Path, target: Path) -> Path:
    with av.open(str(path)) as source, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    return target


def _config(video: Path, **changes: object) -> ProvenanceConfig:
    keys = {"records": None, "original": None, "trust": None, "pair": None, "overwrite": False}
    return ProvenanceConfig.model_validate({"input": video, **keys, **changes})


@pytest.fixture
def source(write_video: WriteVideo) -> Path:
    """Three seconds at 4 frames a second."""
    return write_video("in/source.mkv", _shapes(1), [n / 4 for n in range(12)])


@pytest.fixture
def output(tmp_path: Path, bundle: Bundle, source: Path) -> Path:
    upscale(bundle, source, tmp_path / "large.mp4")
    return tmp_path / "large.mp4"


def test_hashes_survive_scaling_and_depth_and_tell_pictures_apart() -> None:
    one = _shapes(1)
    larger = np.stack([cv2.resize(frame, (256, 192), interpolation=cv2.INTER_CUBIC) for frame in one])
    assert agreement(_hashes(one), _hashes(larger)) == 1
    assert agreement(_hashes(one), _hashes(_shapes(2))) == 0
    assert agreement([], []) == 0
    deep = one[0].astype(np.uint16) * 257
    assert frame_hash(deep) == frame_hash(one[0])
    assert frame_hash(np.full((48, 64, 3), 90, np.uint8)) == ""


def test_seconds_without_a_frame_are_empty() -> None:
    hashes = FrameHashes()
    for seconds, frame in zip((0, 0.5, 3.2), _shapes(1), strict=False):
        hashes.add(seconds, frame)
    assert [bool(value) for value in hashes.values] == [True, False, False, True]


def test_a_shorter_video_is_another_one() -> None:
    hashes = _hashes(_shapes(1, 40))
    assert agreement(hashes, hashes[:7]) == 0
    assert agreement(hashes, hashes[:9]) == 1  # cut by a second


def test_unchanged_and_renamed_files_are_found_by_their_bytes(output: Path, tmp_path: Path) -> None:
    found = find_provenance(output)
    assert found is not None and (found.how, found.record.source.file) == ("bytes", "source.mkv")
    renamed = output.rename(tmp_path / "other name.mp4")
    found = find_provenance(renamed)
    assert found is not None and found.how == "bytes"


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".ts"])
def test_a_remuxed_file_is_found_by_its_pictures(output: Path, tmp_path: Path, suffix: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    remuxed = _remuxed(output, tmp_path / "elsewhere" / f"remuxed{suffix}")
    assert find_provenance(remuxed) is None  # nothing lies beside it
    found = find_provenance(remuxed, tmp_path)
    assert found is not None and (found.how, found.agreement) == ("pictures", 1)
    run(_config(remuxed, records=tmp_path))


def test_a_labelled_file_is_found_by_its_pictures(bundle: Bundle, source: Path, tmp_path: Path) -> None:
    upscale(bundle, source, tmp_path / "large.mp4", encoding=Encoding(label="visible"))
    (tmp_path / "elsewhere").mkdir()
    found = find_provenance(_remuxed(tmp_path / "large.mp4", tmp_path / "elsewhere" / "remuxed.mkv"), tmp_path)
    assert found is not None and (found.how, found.agreement) == ("pictures", 1)


def test_another_video_has_no_record(output: Path, write_video: WriteVideo, capsys: pytest.CaptureFixture[str]) -> None:
    other = write_video("large2.mkv", _shapes(2), [n / 4 for n in range(12)])
    assert find_provenance(other, output.parent) is None
    with pytest.raises(Refusal, match=r"large2.mkv: has no record in .*set records="):
        run(_config(other))


def test_an_original_is_no_upscaled_file(output: Path, source: Path) -> None:
    assert find_provenance(source, output.parent) is None


def test_a_file_that_was_altered_beside_its_record_is_refused(output: Path) -> None:
    with output.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(Refusal, match="was changed after upscaling"):
        run(_config(output))


def test_another_video_under_the_name_of_a_record_is_refused(
    output: Path, write_video: WriteVideo, tmp_path: Path
) -> None:
    shutil.copy(write_video("other.mkv", _shapes(2), [n / 4 for n in range(12)]), output)
    with pytest.raises(Refusal, match=r"is not the file that large.mp4.provenance.json describes"):
        run(_config(output))


def test_the_original_is_checked(output: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(_config(output, original=source))
    assert "its SHA-256 is right" in capsys.readouterr().out
    with pytest.raises(Refusal, match=r"is not the original, which is source.mkv"):
        run(_config(output, original=output))


def test_the_pair_is_written_and_nothing_else_is_replaced(output: Path, source: Path, tmp_path: Path) -> None:
    path = tmp_path / "pair.json"
    run(_config(output, pair=path))
    pair = read_record(path, Pair)
    assert (pair.original.file, pair.upscaled.file, pair.scale, pair.frames) == ("source.mkv", "large.mp4", 2, 12)
    with pytest.raises(UserError, match=r"pair.json: already exists"):
        run(_config(output, pair=path))
    run(_config(output, pair=path, overwrite=True))
    before = source.read_bytes()
    with pytest.raises(UserError):
        run(_config(output, pair=source, overwrite=True))
    assert source.read_bytes() == before


def test_damaged_records_of_other_files_are_passed_over(output: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mp4.provenance.json").write_text("{")
    found = find_provenance(output)
    assert found is not None and found.how == "bytes"
    (tmp_path / "large.mp4.provenance.json").write_text("{")
    with pytest.raises(UserError, match=r"large.mp4.provenance.json: "):
        find_provenance(output)


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found"):
        find_provenance(tmp_path / "none.mp4")
    with pytest.raises(UserError, match="is not a file"):
        find_provenance(tmp_path)


def test_a_record_with_other_hashes_is_passed_over(output: Path, tmp_path: Path) -> None:
    record = provenance_path(output)
    found = json.loads(record.read_text())
    record.unlink()
    found["frame_hashes"], found["output"]["sha256"] = ["zz" for _ in found["frame_hashes"]], "0"
    (output.parent / "x.provenance.json").write_text(json.dumps(found))
    assert find_provenance(output) is None


def test_codes_of_terminals_in_a_record_are_not_printed(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = provenance_path(output)
    record.write_text(json.dumps({**json.loads(record.read_text()), "disclosure": "\x1b[31mred"}))
    run(ProvenanceConfig(input=output, records=None, original=None, trust=None, pair=None, overwrite=False))
    assert "\\x1b[31mred" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"\xa0\xff", b"not a certificate", None])
def test_trust_has_to_be_certificates(output: Path, tmp_path: Path, content: bytes | None) -> None:
    trust = tmp_path / "roots.pem"
    if content is None:
        os.mkfifo(trust)
    else:
        trust.write_bytes(content)
    with pytest.raises(UserError, match=r"roots\.pem"):
        run(ProvenanceConfig(input=output, records=None, original=None, trust=trust, pair=None, overwrite=False))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("source", "size"), [-1, 32]),
        (("output", "bits"), 10**30),
        (("frames",), -1),
        (("scale",), 0),
        (("cuts",), [-3]),
        (("plan", "shift"), 1e300),
        (("plan", "seconds"), -1.0),
        (("plan", "video", "rate"), "25/0"),
        (("plan", "video", "matrix"), 999),
        (("plan", "output_bytes"), 2**70),
    ],
)
def test_nonsense_numbers_are_refused(output: Path, path: tuple[str, ...], value: object) -> None:
    record = json.loads(provenance_path(output).read_text())
    place = record
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    provenance_path(output).write_text(json.dumps(record))
    with pytest.raises(UserError, match=path[-1]):
        read_record(provenance_path(output), Provenance)


def test_a_gap_of_years_has_no_hashes() -> None:
    found = FrameHashes()
    for seconds in (0.0, 3e9):
        found.add(seconds, np.zeros((16, 16, 3), np.uint8))
    assert found.values == [""]
