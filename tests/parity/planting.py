"""Pairs with planted faults: small moving pictures, and degradations written down once more in plain numpy.

Nothing here uses the package's own degradations: the reference of the tests is independent of it.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tests.encoded import write_encoded
from vsr_lab.video import VideoWriter

Movie = npt.NDArray[np.float64]  # T H W 3, levels


def smooth_noise(rng: np.random.Generator, height: int, width: int, sigmas: tuple[float, ...]) -> Movie:
    """Coloured texture with detail of several sizes, H W 3 in levels."""
    total = np.zeros((height, width, 3))
    for sigma in sigmas:
        layer = np.stack([cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), sigma) for _ in range(3)], -1)
        gray = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), sigma)[..., None]
        layer = layer / layer.std() * 0.6 + gray / gray.std()
        total += layer * sigma**0.4
    return np.clip(128 + 42 * total / total.std(), 0, 255)


def textured(frames: int, height: int, width: int, seed: int = 0) -> Movie:
    """A camera that pans over a texture, with a disc that crosses it."""
    rng = np.random.default_rng(seed)
    ground = smooth_noise(rng, height + 80, width + 4 * frames + 80, (0.8, 1.6, 4, 14))
    y, x = np.mgrid[:height, :width]
    movie = []
    for t in range(frames):
        dy = 20 + round(8 * np.sin(t / 5))
        frame = ground[dy : dy + height, 3 * t : 3 * t + width].copy()
        disc = ((y - height / 2) ** 2 + (x - (9 * t) % width) ** 2) < (height / 7) ** 2
        frame[disc] = 0.3 * frame[disc] + 0.7 * np.array([210, 60, 40])
        movie.append(frame)
    return np.round(np.stack(movie))


def screen(frames: int, height: int, width: int, seed: int = 0) -> Movie:
    """Text that scrolls by a line now and then on a light window, with a coloured bar and a cursor that blinks."""
    rng = np.random.default_rng(seed)
    page = np.full((height * 4, width, 3), 246, np.uint8)
    colours = [(40, 40, 40), (160, 30, 90), (20, 90, 160), (30, 120, 40)]
    for line in range(10, height * 4 - 10, 18):
        x = 8 + 16 * int(rng.integers(0, 3))
        for _ in range(int(rng.integers(2, 7))):
            word = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz(){}=+."), int(rng.integers(2, 9))))
            cv2.putText(
                page, word, (x, line + 8), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colours[int(rng.integers(4))], 1, cv2.LINE_AA
            )
            x += 9 * len(word) + 8
    movie = []
    for t in range(frames):
        frame = page[18 * (t // 3) : 18 * (t // 3) + height].copy()
        frame[:14] = (52, 101, 164)
        if t % 4 < 2:
            frame[height // 2 : height // 2 + 12, width // 3 : width // 3 + 3] = 20
        movie.append(frame)
    return np.stack(movie).astype(np.float64)


def still(frames: int, height: int, width: int, seed: int = 0) -> Movie:
    """A texture at rest in which one small lamp changes its brightness."""
    ground = np.round(smooth_noise(np.random.default_rng(seed), height, width, (0.9, 2, 6, 20)))
    movie = np.repeat(ground[None], frames, 0).astype(np.uint8)
    for t in range(frames):
        cv2.circle(movie[t], (width // 3, height // 3), 14, (120 + 100 * np.sin(t * 1.3), 90.0, 60.0), -1, cv2.LINE_AA)
    return movie.astype(np.float64)


def cartoon(frames: int, height: int, width: int, seed: int = 0) -> Movie:
    """Flat fills with outlines that move, held on twos, over a graded sky."""
    rng = np.random.default_rng(seed)
    sky = np.linspace(0, 1, height)[:, None, None] * np.array([60.0, 40, -50]) + np.array([110.0, 150, 230])
    ground = np.broadcast_to(sky, (height, width, 3)).copy()
    shapes = [
        (
            rng.integers(10, width - 10),
            rng.integers(10, height - 10),
            rng.integers(8, 34),
            rng.uniform(20, 235, 3),
            rng.uniform(-3, 3, 2),
        )
        for _ in range(26)
    ]
    movie = []
    for t in range(frames):
        frame = np.round(ground).astype(np.uint8)
        for x, y, radius, colour, (vx, vy) in shapes:
            held = t // 2 * 2
            at = (int((x + vx * held) % width), int((y + vy * held) % height))
            cv2.circle(frame, at, int(radius), tuple(colour), -1, cv2.LINE_AA)
            cv2.circle(frame, at, int(radius), (20.0, 15.0, 25.0), 2, cv2.LINE_AA)
        movie.append(frame)
    return np.stack(movie).astype(np.float64)


CONTENTS: dict[str, Callable[..., Movie]] = {"textured": textured, "screen": screen, "still": still, "cartoon": cartoon}


# ---- degradations ----


def gaussian_down(movie: Movie, scale: int, sigma: float, taps: int, phase: float, border: str) -> Movie:
    """Every output pixel as a plain weighted sum: blur by `taps` of a Gaussian, sampled from `phase` on."""

    def along(picture: Movie, axis: int) -> Movie:
        size = picture.shape[axis]
        offsets = np.arange(taps) - (taps - 1) / 2
        kernel = np.exp(-(offsets**2) / (2 * sigma**2))
        kernel /= kernel.sum()
        padded = np.pad(picture, [(taps, taps) if i == axis else (0, 0) for i in range(picture.ndim)], mode=border)  # pyright: ignore
        total = 0
        for offset, weight in zip(offsets, kernel, strict=True):
            index = (np.arange(size // scale) * scale + phase + offset + taps).astype(int)
            total = total + weight * np.take(padded, index, axis)
        return total

    return along(along(movie, 1), 2)


def cubic_down(movie: Movie, scale: int) -> Movie:
    """MATLAB's imresize by 1/scale, bicubic with antialiasing, by its definition."""

    def cubic(x: Movie) -> Movie:
        x = np.abs(x)
        return np.where(x <= 1, (1.5 * x - 2.5) * x * x + 1, np.where(x < 2, ((-0.5 * x + 2.5) * x - 4) * x + 2, 0))

    def along(picture: Movie, axis: int) -> Movie:
        size = picture.shape[axis]
        rows = np.zeros((size // scale, size))
        for i in range(size // scale):
            centre = scale * (i + 0.5) - 0.5
            taps = np.arange(int(centre - 2 * scale) - 1, int(centre + 2 * scale) + 3)
            weights = cubic((taps - centre) / scale)
            mirrored = np.where(taps < 0, -taps - 1, np.where(taps >= size, 2 * size - 1 - taps, taps))
            np.add.at(rows[i], mirrored, weights / weights.sum())
        return np.moveaxis(np.tensordot(rows, picture, (1, axis)), 0, axis)

    return along(along(movie, 1), 2)


def box_down(movie: Movie, scale: int) -> Movie:
    frames, height, width, channels = movie.shape
    return movie.reshape(frames, height // scale, scale, width // scale, scale, channels).mean((2, 4))


def bilinear_down(movie: Movie, scale: int) -> Movie:
    """A triangle of width 2 * scale (antialiased bilinear), by cv2's filter on the sum of two boxes."""
    taps = np.array([1 - abs(k - (scale - 0.5)) / scale for k in range(2 * scale)])
    taps /= taps.sum()
    half = scale // 2
    out = []
    for frame in movie:
        padded = cv2.copyMakeBorder(frame, 2 * scale, 2 * scale, 2 * scale, 2 * scale, cv2.BORDER_REFLECT)
        blurred = cv2.sepFilter2D(padded, cv2.CV_64F, taps, taps, anchor=(0, 0))
        first = 2 * scale - half
        out.append(blurred[first::scale, first::scale][: frame.shape[0] // scale, : frame.shape[1] // scale])
    return np.stack(out)


FAMILIES: dict[str, Callable[[Movie, int], Movie]] = {
    "bi": cubic_down,
    "bd_kair": lambda m, s: gaussian_down(m, s, 1.6, 12, (s - 1) / 2, "edge"),
    "bd_duf": lambda m, s: gaussian_down(m, s, 1.6, 13, 0, "reflect"),
    "bd_tecogan": lambda m, s: gaussian_down(m, s, 1.5, 13, 0, "reflect"),
    "area": box_down,
    "bilinear": bilinear_down,
    "nearest": lambda m, s: m[:, s // 2 :: s, s // 2 :: s],
}


# ---- faults ----


def shifted(movie: Movie, rows: float, columns: float) -> Movie:
    """Every frame sampled `rows` further down and `columns` further right, exactly for what repeats at its borders."""
    pad = 32
    padded = np.pad(movie, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="symmetric")
    y = np.fft.fftfreq(padded.shape[1])[None, :, None, None]
    x = np.fft.fftfreq(padded.shape[2])[None, None, :, None]
    turned = np.fft.fft2(padded, axes=(1, 2)) * np.exp(2j * np.pi * (rows * y + columns * x))
    return np.fft.ifft2(turned, axes=(1, 2)).real[:, pad:-pad, pad:-pad]


def coloured(movie: Movie, matrix: npt.NDArray[np.float64], offset: npt.NDArray[np.float64]) -> Movie:
    return movie @ matrix.T + offset


def levels(movie: Movie) -> npt.NDArray[np.uint8]:
    return np.clip(np.round(movie), 0, 255).astype(np.uint8)


def write(
    path: Path, movie: Movie | npt.NDArray[np.uint8], codec: str = "ffv1", pixel_format: str = "bgr0", **options: str
) -> Path:
    """A movie as a file: lossless RGB unless told otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = movie if movie.dtype == np.uint8 else levels(movie)
    times = np.arange(len(frames)) / 25
    if (codec, pixel_format) != ("ffv1", "bgr0"):
        return write_encoded(path, frames, times, codec=codec, pixel_format=pixel_format, options=options)
    with VideoWriter(path, frames.shape[1:3], Fraction(25)) as writer:
        writer.write(np.ascontiguousarray(frames), times)
    return path
