"""Drawn animation: repeatable, different by seed, held, moving, and the same at every size."""

import hashlib
import subprocess
import sys
from functools import lru_cache
from itertools import combinations, pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vsr_lab.synthesis import animation
from vsr_lab.synthesis.animation import cuts, render_animation
from vsr_lab.synthesis.animation.stage import HIGH, Drawing, Plate, Scene, Stage, View
from vsr_lab.synthesis.shapes.cel import Cel, Ink
from vsr_lab.synthesis.shapes.curves import ellipse, points

SEEDS = range(7)
LONG = 30


@lru_cache(maxsize=64)
def clip(seed: int, frames: int = LONG, height: int = 72, width: int = 128) -> NDArray[np.uint8]:
    return np.stack(list(render_animation(seed, frames, height, width)))


def shift(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """How far `other` lies from `one`, in pixels, by least squares on the gradients (Lucas and Kanade 1981)."""
    a, b = (picture.astype(np.float64).mean(2) for picture in (one, other))
    gy, gx = np.gradient((a + b) / 2)
    normal = [[(gx * gx).sum(), (gx * gy).sum()], [(gx * gy).sum(), (gy * gy).sum()]]
    return float(np.hypot(*np.linalg.solve(normal, [(gx * (b - a)).sum(), (gy * (b - a)).sum()])))


def halved(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every 2x2 pixels averaged."""
    return np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def test_frames_are_rgb_bytes_of_the_size_asked_for() -> None:
    assert clip(0, 3, 91, 163).shape == (3, 91, 163, 3)
    assert clip(0, 3, 91, 163).dtype == np.uint8
    assert list(render_animation(0, 0, 90, 160)) == []


def test_equal_arguments_give_equal_bytes_in_another_process_too() -> None:
    code = (
        "import hashlib, numpy; from vsr_lab.synthesis.animation import render_animation as r; "
        "print(hashlib.sha256(b''.join(f.tobytes() for s in (1, 4) for f in r(s, 5, 90, 160))).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    here = hashlib.sha256(b"".join(f.tobytes() for s in (1, 4) for f in render_animation(s, 5, 90, 160))).hexdigest()
    assert there == here


def test_a_longer_clip_begins_like_a_shorter_one() -> None:
    long = list(render_animation(1, 34, 72, 128))
    assert cuts(1, LONG)  # over a cut
    assert np.array_equal(long[:LONG], clip(1))


def test_no_two_seeds_look_alike() -> None:
    first = [cv2.GaussianBlur(clip(seed)[LONG // 2].astype(np.float32), (0, 0), 3) for seed in SEEDS]
    gaps = [float(np.abs(one - other).mean()) for one, other in combinations(first, 2)]
    assert min(gaps) > 10  # of 255 levels; measured over 40 seeds: 18.5 and more


def test_seeds_have_palettes_of_their_own() -> None:
    """The hue of the most pixels of a frame, in 12 classes, and its mean brightness, both vary."""
    hues, values = set[int](), list[float]()
    for seed in SEEDS:
        hsv = cv2.cvtColor(clip(seed)[LONG // 2], cv2.COLOR_RGB2HSV)
        lively = hsv[..., 1] > 60
        hues.add(int(np.bincount(hsv[..., 0][lively] // 15, minlength=12).argmax()))
        values.append(float(hsv[..., 2].mean()))
    assert len(hues) >= 3
    assert np.ptp(values) > 80


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_twice_the_size_is_the_same_film_with_more_detail(seed: int) -> None:
    large = clip(seed, 13, 360, 640)[::6]
    for small, big in zip(clip(seed, 13, 180, 320)[::6], large, strict=True):
        assert np.abs(small.astype(float) - halved(big)).mean() < 4  # levels; measured over 40 seeds: up to 2.9
        assert shift(small, halved(big)) < 0.1  # pixels; measured over 40 seeds: up to 0.066
    soft = np.asarray([cv2.resize(halved(big), (640, 360), interpolation=cv2.INTER_CUBIC) for big in large])
    assert np.abs(soft.astype(float) - large).mean() > 0.3  # half the size does not hold what is drawn here


def test_geometry_is_exact_between_sizes() -> None:
    """Without brush grain, which is made anew at each size, drawings and plates agree to a 50th of a pixel."""
    rng = np.random.default_rng(0)
    cel = Cel(Ink(1.5, (0, 0, 0), (0.3, 0.5), 0))
    cel.fill(points((-50, -50), (700, -50), (700, 420), (-50, 420)), (1, 1, 1), sharp=True)
    for _ in range(60):
        cel.shape(ellipse(*rng.uniform([0, 0, 5], [640, 360, 40])), tuple(rng.random(3)))
    plate = Plate(cel, (-40, -40, 720, 440), 0.3, 5, 0, 0)
    for layer in (plate, Drawing(lambda t: cel)):
        scene = Scene([layer], lambda t: View(7.3, 3.1, 1.05))
        small, large = (Stage(scene, size, 1.05).frame(0) for size in ((180, 320), (720, 1280)))
        assert shift(small, halved(halved(large))) < 0.02


@pytest.mark.parametrize("hold", [1, 2, 3])
def test_drawings_are_held_and_new_ones_differ(hold: int) -> None:
    asked: list[int] = []

    def draw(t: int) -> Cel:
        asked.append(t)
        cel = Cel(Ink(2, (0, 0, 0), (0, 0), 0))
        cel.shape(ellipse(100 + 9 * t, 180, 60), (1, 0.2, 0.2))
        return cel

    frames = [Stage(Scene([Drawing(draw, hold=hold)], lambda t: View()), (90, 160)).frame(t) for t in range(12)]
    same = [np.array_equal(one, two) for one, two in pairwise(frames)]
    assert same == [(t + 1) % hold != 0 for t in range(11)]
    assert not any(t % hold for t in asked)


@pytest.mark.parametrize(("seed", "hold"), [(10, 2), (21, 2), (30, 2), (17, 3)])
def test_where_the_camera_stands_frames_are_held(seed: int, hold: int) -> None:
    """One film in six begins so; in the others camera, clouds or rain move on ones."""
    frames = clip(seed, 24)[10:]  # past a fade
    new = [t + 11 for t, (one, two) in enumerate(pairwise(frames)) if not np.array_equal(one, two)]
    assert new and not any(t % hold for t in new)


def test_every_film_moves() -> None:
    for seed in SEEDS:
        frames = clip(seed).astype(np.int16)
        moved = [np.abs(one - two).max() > 8 for one, two in pairwise(frames)]
        assert sum(moved) >= 4, seed


def test_a_cut_is_where_the_picture_changes() -> None:
    seeds = [seed for seed in range(30) if cuts(seed, LONG)][:3]
    for seed in seeds:
        frames = clip(seed).astype(np.float32)
        steps = np.abs(np.diff(frames, axis=0)).mean((1, 2, 3))
        for cut in cuts(seed, LONG):
            assert steps[cut - 1] > 3 * np.median(steps)
    assert seeds


@pytest.mark.parametrize("seed", range(12))
def test_plates_reach_beyond_whatever_the_camera_sees(seed: int) -> None:
    """No border ever shows: the frame's corners lie on every opaque plate, at every moment of a shot."""
    cast, wide = animation._cast(seed), 640.0
    for number, length in zip(range(3), (60, 30, 90), strict=True):
        shot = animation._shot(seed, number, cast, wide, length)
        for layer in (layer for layer in shot.scene.layers if isinstance(layer, Plate)):
            x, y, across, down = layer.box
            for t in range(0, length, 7):
                view = shot.scene.camera(t)
                to_frame = np.vstack([view.matrix(wide, layer.depth, 1), [0, 0, 1]])
                corners = np.array([[0, wide, 0, wide], [0, 0, HIGH, HIGH], [1, 1, 1, 1]])
                seen = np.linalg.inv(to_frame) @ corners
                left = x + layer.drift * t
                assert seen[0].min() >= left and seen[0].max() <= left + across
                assert seen[1].min() >= y and seen[1].max() <= y + down
        assert shot.closest >= max(shot.scene.camera(t).zoom for t in range(length)) - 1e-9


def test_colours_are_many_and_lines_are_dark() -> None:
    """Pictures are drawn, not dotted: flat fills (equal neighbours) beside strong edges."""
    for seed in (0, 1, 3):
        frame = clip(seed, 13, 180, 320)[12].astype(np.int16)
        step = np.abs(np.diff(frame, axis=1)).max(2)
        assert (step <= 4).mean() > 0.5  # fills
        assert (step > 40).mean() > 0.005  # contours
        assert len(np.unique(frame.reshape(-1, 3) // 16, axis=0)) > 40
