"""Copies are known again however they were coded, scaled, cropped, mirrored, lit or cut; other footage is not."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.encoded import write_encoded
from vsr_lab.core.clip import Frames
from vsr_lab.curation.leaks import ShotFingerprint, find_leaks, fingerprint_shot
from vsr_lab.curation.scan import scan
from vsr_lab.footage.shots import Shot
from vsr_lab.video import open_footage

FRAMES, HEIGHT, WIDTH = 24, 144, 240


def _scene(seed: int) -> Frames:
    """Shapes of many sizes and tones that drift: T H W 3."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT + 60, WIDTH + 60, 3), rng.integers(40, 200, 3), np.uint8)
    for _ in range(60):
        x, y = (int(v) for v in rng.integers(0, (WIDTH + 60, HEIGHT + 60)))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        if rng.random() < 0.5:
            cv2.circle(picture, (x, y), int(rng.integers(4, 30)), colour, -1)
        else:
            cv2.rectangle(picture, (x, y), (x + int(rng.integers(6, 60)), y + int(rng.integers(6, 60))), colour, -1)
    return np.stack([picture[t : t + HEIGHT, 2 * t : 2 * t + WIDTH] for t in range(FRAMES)])


def _scaled(frames: Frames, size: tuple[int, int]) -> Frames:
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])


def _lit(frames: Frames) -> Frames:
    return (255 * (frames / 255) ** 1.6).astype(np.uint8)


COPIES: dict[str, Callable[[Frames], Frames]] = {
    "coded badly": lambda frames: frames,
    "half the size": lambda frames: _scaled(frames, (WIDTH // 2, HEIGHT // 2)),
    "cropped by 5 %": lambda frames: frames[:, 4:-4, 6:-6],
    "cropped by 15 %": lambda frames: frames[:, 16:-6, 30:-6],
    "mirrored": lambda frames: frames[:, :, ::-1],
    "darker": _lit,
    "moved in time": lambda frames: frames[7:],
    "all at once": lambda frames: _lit(_scaled(frames[5:, 8:-8, 12:-12, :][:, :, ::-1], (160, 96))),
}


def _fingerprint(folder: Path, name: str, split: str, frames: Frames, crf: str = "18") -> ShotFingerprint:
    frames = np.ascontiguousarray(frames[:, : frames.shape[1] // 2 * 2, : frames.shape[2] // 2 * 2])
    path = folder / f"{name}.mp4"
    write_encoded(path, frames, np.arange(len(frames)) / 25, options={"crf": crf})
    return fingerprint_shot(Shot(name, path), split, scan(open_footage(path)))


@pytest.mark.parametrize("name", COPIES)
def test_a_planted_copy_is_found_and_named(name: str, tmp_path: Path) -> None:
    truth = _fingerprint(tmp_path, "original", "train", _scene(0))
    copy = _fingerprint(tmp_path, "copy", "eval", COPIES[name](_scene(0)), crf="40" if name == "coded badly" else "28")
    leaks = find_leaks([truth, copy])
    assert [(leak.one, leak.other) for leak in leaks] == [("original", "copy")]
    assert "original 0:24 (train) is copy" in str(leaks[0])
    assert leaks[0].mirrored == (name in {"mirrored", "all at once"})


def test_different_footage_is_no_copy(tmp_path: Path) -> None:
    shots = [_fingerprint(tmp_path, f"clip{n}", ("train", "eval")[n % 2], _scene(n)) for n in range(8)]
    assert find_leaks(shots) == []


def test_copies_inside_one_split_and_clips_without_one_are_no_leak(tmp_path: Path) -> None:
    one, two, loose = (
        _fingerprint(tmp_path, name, split, _scene(0)) for name, split in (("a", "train"), ("b", "train"), ("c", ""))
    )
    assert find_leaks([one, two, loose]) == []


def test_a_blank_picture_is_like_no_other(tmp_path: Path) -> None:
    black = np.zeros((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    shots = [_fingerprint(tmp_path, "a", "train", black), _fingerprint(tmp_path, "b", "eval", black)]
    assert find_leaks(shots) == []
