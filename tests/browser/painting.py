"""Clips that are drawn for the report, as the truth and as every candidate show them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from vsr_lab.core.clip import to_tensor
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.protocol import Pair, Protocol
from vsr_lab.evaluation.worst import WorstPlaces
from vsr_lab.video import VideoWriter

WIDTH, HEIGHT, FRAMES, ROW = 192, 128, 16, 70
LATE = 20  # frame in which all but bicubic have a black tile; it is not among the saved ones
Entry = dict[str, Any]


def draw(content: str, seed: int) -> np.ndarray:
    """A wide picture that the frames pan over: shapes, text, leaves or grain by content."""
    random = np.random.default_rng(seed)
    tint = tuple(int(value) for value in random.integers(110, 200, 3))
    image = Image.new("RGB", (WIDTH * 2, HEIGHT), tint)
    pen = ImageDraw.Draw(image)
    for _ in range(140):
        x, y = (int(value) for value in random.integers(0, (WIDTH * 2, HEIGHT)))
        size = int(random.integers(4, 26))
        colour = tuple(int(value) for value in random.integers(20, 250, 3))
        if content == "screen":
            pen.text((x, y), f"{random.integers(10**6):06d}", fill=(25, 28, 36))
        elif content == "nature":
            pen.line((x, y, x + size, y - size), fill=colour)
        else:
            pen.ellipse((x, y, x + size, y + size), fill=colour, outline=(15, 15, 25))
    grain = random.normal(0, 9 if content in ("nature", "sport") else 1, (HEIGHT, WIDTH * 2, 1))
    return np.clip(np.asarray(image, float) + grain, 0, 255)


def blur(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A frame at half size, and that enlarged again."""
    bicubic = Image.Resampling.BICUBIC
    small = Image.fromarray(frame.astype(np.uint8)).resize((WIDTH // 2, HEIGHT // 2), bicubic)
    return np.asarray(small), np.asarray(small.resize((WIDTH, HEIGHT), bicubic), float)


def paint(root: Path, suite: Entry, clip: str, candidates: list[Entry], seed: int) -> tuple[Entry, list[Entry]]:
    """Draw one clip as the truth and every candidate show it; the comparison's entries for it and its worst places."""
    folder, random, wide = f"clip-{seed}", np.random.default_rng(seed), draw(suite["content"], seed)
    truth = np.stack([np.roll(wide, -2 * frame, axis=1)[:, :WIDTH] for frame in range(FRAMES)])
    smalls, lows = zip(*(blur(frame) for frame in truth), strict=True)
    low = np.stack(lows)
    for index in range(len(candidates)):
        (root / folder / str(index)).mkdir(parents=True, exist_ok=True)

    def save(name: str, frames: np.ndarray) -> str:
        with VideoWriter(root / folder / f"{name}.mkv", frames.shape[1:3], Fraction(25)) as writer:
            writer.write(np.clip(frames, 0, 255).astype(np.uint8), np.arange(len(frames)) / 25)
        return f"{folder}/{name}.mkv"

    drawn: list[Entry] = []
    made: dict[str, np.ndarray] = {}
    for index, candidate in enumerate(candidates):
        sharp, noise = quality(candidate, suite)
        shown = low + sharp * (truth - low) + random.normal(0, 1 + 18 * noise, (FRAMES, HEIGHT, WIDTH, 1))
        drawn.append({"candidate": candidate["name"], "sr": save(f"{index}/sr", shown)})
        made[candidate["name"]] = np.clip(shown, 0, 255).astype(np.uint8)
    worst = WorstPlaces(clip, LATE + 1, Protocol("p", "", 2, ResizeDown(2)))
    for t in range(FRAMES):
        worst.watch(t, pair(truth[t], smalls[t]), {name: to_tensor(frames[t]) for name, frames in made.items()})
    late = {name: with_hole(frames[0]) if name != "bicubic" else frames[0] for name, frames in made.items()}
    worst.watch(LATE, pair(truth[0], smalls[0]), {name: to_tensor(frame) for name, frame in late.items()})
    worst.write({name: root / folder / str(index) for index, name in enumerate(made)})
    places = [
        place.model_dump() | {"suite": suite["name"], "candidate": name}
        for name in made
        for place in worst.places(name)
    ]
    paths = {"lr": save("lr", np.stack(smalls)), "hr": save("hr", truth)}
    where = {"frame": 8, "row": ROW, "column": 96, "first": 0, "saved": FRAMES, "rate": 25.0}
    return {"suite": suite["name"], "clip": clip, **where, **paths, "candidates": drawn}, places


def pair(hr: np.ndarray, lr: np.ndarray) -> Pair:
    return Pair(to_tensor(lr), to_tensor(hr.astype(np.uint8)))


def with_hole(frame: np.ndarray) -> np.ndarray:
    """The frame with a black tile."""
    holed = frame.copy()
    holed[64:80, 32:48] = 0
    return holed


def chance(text: str) -> float:
    """A number in [0, 1) that the text always gives."""
    return sum(index * ord(letter) for index, letter in enumerate(text, 1)) % 97 / 97


def quality(candidate: Entry, suite: Entry) -> tuple[float, float]:
    """How sharp and how noisy a candidate is on a suite: 0 is bicubic's softness and a steady picture."""
    if candidate["name"] == "bicubic":
        return 0.0, 0.0
    away = 0.45 * chance(candidate["name"] + suite["name"]) - 0.15 if candidate["content"] else 0.45
    sharp = 0.75 if candidate["content"] == suite["content"] else away
    return sharp, 0.5 if "gan" in candidate["name"] else 0.08
