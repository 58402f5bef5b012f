"""Pairs on disk: LR that fits its HR, and records from which it is made again, bit for bit."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra.utils import instantiate

from tests.encoded import write_encoded
from vsr_lab.core.clip import Frames, to_frames, to_tensor
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import read_json
from vsr_lab.data.degrade_files import RECORD, DegradationJob, write_pairs
from vsr_lab.footage.shots import ShotSelection, check_lr_shot, find_shots
from vsr_lab.video import open_footage, probe

WriteVideo = Callable[..., Path]
TARGET = "vsr_lab.degradations."
BI = {"_target_": f"{TARGET}ResizeDown", "scale": 2}
NOISY = {
    "_target_": f"{TARGET}Compose",
    "steps": [
        {"_target_": f"{TARGET}GateWeave", "amplitude": [0.3, 0.6]},
        BI,
        {"_target_": f"{TARGET}TapeNoise", "luma": [0, 0.1], "chroma": [0, 0.1]},
        {"_target_": f"{TARGET}Codec", "codec": "h264", "quality": [20, 35]},
    ],
}


def degrading(config: dict[str, Any], **changes: Any) -> DegradationJob:
    values = {"seed": 0, "window": 3, "memory_gib": 1.0, **changes}
    return DegradationJob(instantiate(config, _convert_="all"), **values)


def texture(frames: int, height: int, width: int) -> Frames:
    return np.random.default_rng(0).integers(0, 256, (frames, height, width, 3)).astype(np.uint8)


@pytest.fixture
def root(tmp_path: Path, write_video: WriteVideo) -> Path:
    """Two clips, one of a size that is no multiple of 2 and in a folder of its own."""
    write_video("hr/a.mkv", texture(7, 32, 48))
    write_video("hr/reel.2/b.c.mkv", texture(5, 33, 49))
    return tmp_path / "hr"


@pytest.mark.parametrize("config", [BI, NOISY], ids=["bi", "noisy"])
def test_pairs_fit_whatever_the_size_and_are_found_by_name(tmp_path: Path, root: Path, config: dict[str, Any]) -> None:
    out = tmp_path / "out"
    high = find_shots(root)
    pairs = write_pairs(high, degrading(config), out)
    assert [pair.name for pair in pairs] == ["a", "reel.2/b.c"]
    selection = ShotSelection(clips=[shot.name for shot in high])
    for lr_root in (out / "lr", out / "manifest.csv"):
        for shot, twin in zip(high, find_shots(lr_root, selection), strict=True):
            check_lr_shot(shot, twin, 2)
    if config is BI:
        assert not (out / "hr").exists()
    else:
        for shot, twin in zip(find_shots(out / "hr", selection), find_shots(out / "lr", selection), strict=True):
            assert shot.size == (32, 48)
            check_lr_shot(shot, twin, 2)


@pytest.mark.parametrize("config", [BI, NOISY], ids=["bi", "noisy"])
def test_a_record_makes_the_same_lr_again_bit_for_bit(tmp_path: Path, root: Path, config: dict[str, Any]) -> None:
    high = find_shots(root)
    write_pairs(high, degrading(config), tmp_path / "out")
    write_pairs(high[1:], degrading(config, window=2), tmp_path / "again")  # alone, and in other runs of frames
    for shot in high:
        record = read_json(tmp_path / "out" / "lr" / f"{shot.name}{RECORD}")
        (twin,) = find_shots(tmp_path / "out" / "lr", ShotSelection(clips=[shot.name]))
        stored = twin.read(0, twin.frames).frames
        hr = shot.read(0, shot.frames).tensor()[..., :32, :48]
        with torch.inference_mode():
            made = instantiate(record["degradation"], _convert_="all").apply(hr, record["params"])
        assert np.array_equal(to_frames(made), stored)
    name = f"{high[1].name}{RECORD}"
    first, second = (read_json(tmp_path / run / "lr" / name) for run in ("out", "again"))
    assert first == second and len(first["lr_frames_sha256"]) == 64


def test_frames_are_degraded_in_runs_only_where_that_changes_nothing(tmp_path: Path, root: Path) -> None:
    shot = find_shots(root)[0]
    assert [len(lr) for lr, _, _ in degrading(BI).chunks(shot, {})] == [3, 3, 1]
    noisy = degrading(NOISY)
    assert [len(lr) for lr, _, _ in noisy.chunks(shot, noisy.params("a"))] == [7]


def test_clips_draw_their_own_parameters_and_keep_them(root: Path) -> None:
    noisy = degrading(NOISY)
    assert noisy.params("a") == noisy.params("a") != noisy.params("b")
    assert degrading(NOISY, seed=1).params("a") != noisy.params("a")


def test_a_window_of_a_manifest_is_degraded_as_a_clip_of_its_own(tmp_path: Path, root: Path) -> None:
    (root / "manifest.csv").write_text("name,path,start,stop,crop\ncut,a.mkv,2,6,20 16 4 8\n")
    shots = find_shots(root / "manifest.csv")
    (pair,) = write_pairs(shots, degrading(BI), tmp_path / "out")
    (twin,) = find_shots(tmp_path / "out" / "lr", ShotSelection(clips=["cut"]))
    assert pair.frames == twin.frames == 4 and twin.size == (8, 10)
    clip = twin.read(0, 4)
    assert clip.timestamps[0] == 0
    hr = to_tensor(texture(7, 32, 48)[2:6, 8:24, 4:24])
    expected = instantiate(BI).apply(hr, {})
    assert np.array_equal(clip.frames, to_frames(expected))


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(50), Fraction(15)], ids=str)
def test_pairs_have_the_frame_rate_and_the_timestamps_of_their_source(tmp_path: Path, rate: Fraction) -> None:
    (tmp_path / "hr").mkdir()
    times = np.arange(7) / float(rate)
    write_encoded(tmp_path / "hr" / "a.mp4", texture(7, 32, 48), times, rate=rate)
    shots = find_shots(tmp_path / "hr")
    (pair,) = write_pairs(shots, degrading(NOISY), tmp_path / "out")
    for path in (pair.lr, pair.hr):
        assert probe(path).rate == rate
        assert np.abs(open_footage(path).read(0, 7).timestamps - times).max() < 0.00051


def test_a_variable_frame_rate_is_kept(tmp_path: Path, write_video: WriteVideo) -> None:
    times = np.array([0, 0.04, 0.1, 0.35, 0.36, 0.5, 1.0])
    write_video("hr/a.mkv", texture(7, 32, 48), times)
    (pair,) = write_pairs(find_shots(tmp_path / "hr"), degrading(BI), tmp_path / "out")
    assert np.abs(open_footage(pair.lr).read(0, 7).timestamps - times).max() < 0.00051
    window = find_shots(tmp_path / "hr", ShotSelection(frames="2:6"))
    (pair,) = write_pairs(window, degrading(BI), tmp_path / "cut")
    assert np.abs(open_footage(pair.lr).read(0, 4).timestamps - (times[2:6] - times[2])).max() < 0.00051


def test_what_cannot_be_held_or_shrunk_is_refused_before_anything_is_written(
    tmp_path: Path, root: Path, write_video: WriteVideo
) -> None:
    with pytest.raises(UserError, match=r"a\.mkv: has 7 frames of 48x32.* GiB of memory; set memory_gib=.*frames="):
        write_pairs(find_shots(root), degrading(NOISY, memory_gib=1e-4), tmp_path / "out")
    write_video("tiny/t.mkv", texture(2, 2, 4))
    with pytest.raises(UserError, match="smaller than scale=4"):
        write_pairs(find_shots(tmp_path / "tiny"), degrading({**BI, "scale": 4}), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    write_pairs(find_shots(root), degrading(BI, memory_gib=1e-4), tmp_path / "out")  # which never holds a clip whole
