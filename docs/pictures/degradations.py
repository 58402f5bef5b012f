"""Draws degradations.png: every degradation on footage that everyone can get. Needs the extra `demo`.

    python docs/pictures/degradations.py

A cell is 120 x 90 pixels of LR, shown twice as large. "frames" are the middles of consecutive frames side by side;
"time" is one column of pixels through 40 frames, time running to the right.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from PIL import Image, ImageDraw, ImageFont
from rich.progress import track
from torch import Tensor

import vsr_lab.degradations as d
from vsr_lab.cli.configuration.usage import config_dir
from vsr_lab.core.clip import Frames, to_frames, to_tensor
from vsr_lab.core.files import atomic_path
from vsr_lab.degradations import Degradation
from vsr_lab.footage.shots import Shot
from vsr_lab.synthesis.screen import render_screen
from vsr_lab.workflows.demo_footage import _packaged

WIDTH, HEIGHT, LARGER, COLUMNS, FRAMES = 120, 90, 2, 8, 40
HEAD, GAP = 20, 6


class Cell(NamedTuple):
    """degradation: None shows the footage; seed: of its parameters; show: "frame", "frames" or "time"."""

    label: str
    footage: str
    degradation: Degradation | None
    show: str = "frame"
    seed: int = 0
    at: int = 6


@lru_cache(maxsize=16)
def footage(name: str, zoom: int) -> Tensor:
    """FRAMES frames, `zoom` times 120 x 90 pixels of the same part of the picture."""
    height, width = HEIGHT * zoom, WIDTH * zoom
    if name == "text":
        pictures = list(render_screen(7, FRAMES, height=180 * zoom, width=320 * zoom, zoom=float(zoom)))
        top, left = 40 * zoom, 40 * zoom
        return to_tensor(np.stack(pictures)[:, top : top + height, left : left + width])
    if name == "bunny":
        shot = Shot(name, Path(_packaged("bigbuckbunny.mp4")), 20, 20 + FRAMES, 4 / zoom)
        top, left = 40 * zoom, 40 * zoom
    else:
        shot = Shot(name, Path(_packaged("bikes.mp4")), 192, 192 + FRAMES, 2 / zoom)
        top, left = 42 * zoom, 96 * zoom
    return shot.read(0, FRAMES).tensor()[..., top : top + height, left : left + width]


def cells() -> dict[str, list[Cell]]:
    """Every degradation, by family."""
    codec = {"gop": 50, "preset": "veryfast"}
    return {
        "Footage": [Cell(name, name, None) for name in ("bunny", "bikes", "text")],
        "Exact, at x4": [
            Cell("bicubic (BI)", "bunny", d.ResizeDown(4)),
            Cell("area", "bunny", d.ResizeDown(4, "area")),
            Cell("lanczos", "bunny", d.ResizeDown(4, "lanczos")),
            Cell("nearest", "bunny", d.ResizeDown(4, "nearest")),
            Cell("BD, centred (KAIR)", "bunny", d.BlurDown(4, 1.6, 12, phase=None, border="replicate")),
            Cell("BD, from 0 (DUF)", "bunny", d.BlurDown(4, 1.6, 13, phase=0, border="reflect")),
        ],
        "Blur": [
            Cell("Gaussian, sigma 1.5", "text", d.GaussianBlur(1.5)),
            Cell("Gaussian, anisotropic", "text", d.GaussianBlur(1.2, (1.0, 3.0)), seed=2),
            Cell("plateau-shaped", "text", d.GeneralizedBlur("plateau", 2, beta=1)),
            Cell("motion, 8 pixels", "bunny", d.MotionBlur(8)),
            Cell("defocus, radius 2.5", "bikes", d.Defocus(2.5)),
            Cell("sinc: ringing", "text", d.SincFilter(1.4)),
            Cell("sharpening halo", "text", d.Sharpening(1.5, 1.2)),
            Cell("random resize, 0.4", "text", d.RandomResize(0.4)),
        ],
        "Noise and film": [
            Cell("Gaussian, sigma 15", "bunny", d.GaussianNoise(15, 0)),
            Cell("Poisson, 60 photons", "bunny", d.PoissonNoise(60, 0)),
            Cell("sensor, 300 electrons", "bikes", d.SensorNoise(300)),
            Cell("film grain", "bikes", d.FilmGrain(14, 0.7)),
            Cell("dust and scratches", "bunny", d.DustAndScratches((0, 1500), (0, 3), 2), seed=4),
            Cell("banding, 3 bits", "bunny", d.Banding(0, 3)),
        ],
        "Coding and colour": [
            Cell("JPEG 20", "bunny", d.Jpeg(20)),
            Cell("H.264, CRF 36", "bikes", d.Codec("h264", 36, **codec)),
            Cell("H.265, CRF 38", "bikes", d.Codec("h265", 38, **codec)),
            Cell("MPEG-2, quantiser 20", "bikes", d.Codec("mpeg2", 20, **codec)),
            Cell("MPEG-4, quantiser 20", "bikes", d.Codec("mpeg4", 20, **codec)),
            Cell("VP9, CRF 58", "bikes", d.Codec("vp9", 58, **codec)),
            Cell("4:1:1 chroma, nearest", "text", d.ChromaSubsampling("411", method="nearest")),
            Cell("709 read as 601", "bunny", d.MatrixConfusion(["709_as_601"])),
        ],
        "Fields and composite": [
            Cell("interlaced, weave", "bikes", d.Interlace("weave"), at=4),
            Cell("interlaced, blend", "bikes", d.Interlace("blend"), at=4),
            Cell("bob: frames", "text", d.Interlace("bob"), "frames"),
            Cell("half: one field", "text", d.Interlace("half")),
            Cell("telecine 3:2: frames", "bikes", d.Telecine("weave"), "frames", seed=4, at=3),
            Cell("NTSC, notch", "text", d.Composite("ntsc", "notch")),
            Cell("NTSC, comb", "text", d.Composite("ntsc", "comb")),
            Cell("PAL dots: frames", "text", d.Composite("pal", "notch"), "frames"),
        ],
        "Tape": [
            Cell("chroma bleed", "text", d.ChromaBleed(4, (0, 4)), seed=1),
            Cell("low luma bandwidth", "text", d.LumaBandwidth(1, (0, 1.5)), seed=1),
            Cell("tape noise", "bikes", d.TapeNoise((0, 0.035), (0, 0.035)), seed=13),
            Cell("dropouts", "bunny", d.Dropouts((0, 6)), seed=4),
            Cell("head switching", "bunny", d.HeadSwitching((0.07, 0.14), (-0.2, 0.2)), seed=1),
            Cell("line jitter", "text", d.LineJitter((0, 0.3), (0, 2)), seed=13),
            Cell("768 of 720 and back", "text", d.RescaleRoundTrip([768 / 720], "bilinear", horizontal=True)),
            Cell("640 of 720 and back", "text", d.RescaleRoundTrip([640 / 720], "bilinear", horizontal=True)),
        ],
        "Projection": [
            Cell("gate weave: time", "text", d.GateWeave(0.6), "time", seed=1),
            Cell("fading, half", "bunny", d.Fading(0.5)),
            Cell("fading, full", "bunny", d.Fading(1)),
            Cell("vignette", "bunny", d.Vignette((0, 3)), seed=4),
            Cell("flicker: time", "bikes", d.ExposureFlicker((0, 0.3)), "time", seed=4),
            Cell("exposure drift: time", "bikes", d.ExposureDrift((-1.0, 1.0)), "time", seed=34),
        ],
        "Screen": [
            Cell("125 % and back", "text", d.RescaleRoundTrip([1.25])),
            Cell("150 % and back", "text", d.RescaleRoundTrip([1.5])),
            Cell("shared at 75 %", "text", d.RescaleRoundTrip([0.75])),
            Cell("subpixels, at x2", "text", d.SubpixelDown(2)),
            Cell("4:2:0, wrong location", "text", d.ChromaSubsampling("420", read_location="center", method="nearest")),
            Cell("adaptive resolution: frames", "bunny", d.AdaptiveResolution([0.2, 1.0], 2), "frames", seed=1, at=12),
            Cell("dropped frames: time", "bikes", d.DroppedFrames((0, 0.6), (0, 0.2)), "time", seed=4),
            Cell("pointer", "text", d.CursorOverlay(20), seed=3),
        ],
        "Surveillance": [
            Cell("low light", "bikes", d.Compose([d.Underexposure(1), d.SensorNoise(150)])),
            Cell("sensor noise, denoised", "bikes", d.Compose([d.SensorNoise(150), d.DenoiseSmear(1)])),
            Cell("rolling shutter", "bikes", d.RollingShutter(1), at=4),
            Cell("lens", "text", d.LensDistortion((0, 0.3)), seed=4),
            Cell("dirty dome", "bunny", d.DomeHaze(0.8), seed=2),
            Cell("infrared", "bikes", d.Infrared()),
            Cell("timestamp", "bikes", d.TimestampOverlay(size=0.09), seed=5),
            Cell("one frame in 4: time", "bikes", d.LowFrameRate(4), "time"),
        ],
        "Presets, at x2, two draws each": [
            Cell(f"{name}, seed {seed}", source, preset(name, 2), seed=seed)
            for name, source, seeds in (
                ("archival", "bikes", (25, 166)),
                ("format_adaptation", "bunny", (0, 3)),
                ("screen_recording", "text", (12, 79)),
                ("surveillance", "bikes", (0, 7)),
            )
            for seed in seeds
        ],
    }


def preset(name: str, scale: int) -> Degradation:
    """configs/degradation/NAME.yaml."""
    OmegaConf.register_new_resolver("default_run_dir", lambda verb: f"results/{verb}", replace=True)
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg: Any = compose("footage_degrade", ["root=x", f"degradation={name}", f"scale={scale}"])
    return instantiate(cfg.degradation, _convert_="all")


def shown(cell: Cell) -> Frames:
    """The picture of a cell, uint8 (HEIGHT, WIDTH, 3)."""
    hr = footage(cell.footage, cell.degradation.scale if cell.degradation else 1)
    lr = hr
    if cell.degradation:
        with torch.inference_mode():
            lr = cell.degradation.apply(hr, cell.degradation.sample(np.random.default_rng(cell.seed)))
    frames = to_frames(lr)
    if cell.show == "frame":
        return frames[cell.at]
    if cell.show == "time":
        return np.repeat(frames[:, :, WIDTH // 2], WIDTH // FRAMES, 0).transpose(1, 0, 2)
    part = WIDTH // 4
    return np.concatenate([frames[cell.at + i, :, 45 : 45 + part] for i in range(4)], 1)


def placed(families: dict[str, list[Cell]]) -> Iterator[tuple[str | None, Cell, int, int]]:
    """Every cell with its row and column, and the family's name at its first."""
    row = 0
    for family, own in families.items():
        for i, cell in enumerate(own):
            yield family if i == 0 else None, cell, row + i // COLUMNS, i % COLUMNS
        row += -(-len(own) // COLUMNS)


def main() -> None:
    layout = list(placed(cells()))
    wide, high = WIDTH * LARGER + GAP, HEIGHT * LARGER + HEAD + GAP
    rows = 1 + max(row for _, _, row, _ in layout)
    sheet = Image.new("RGB", (COLUMNS * wide + GAP, rows * (high + HEAD) + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    small, bold = ImageFont.load_default(13), ImageFont.load_default(16)
    for family, cell, row, column in track(layout, "drawing"):
        x, y = GAP + column * wide, GAP + row * (high + HEAD)
        if family:
            draw.text((x, y), family, "black", bold)
        draw.text((x, y + HEAD + 2), cell.label, "black", small)
        picture = Image.fromarray(shown(cell)).resize((WIDTH * LARGER, HEIGHT * LARGER), Image.Resampling.NEAREST)
        sheet.paste(picture, (x, y + 2 * HEAD))
    path = Path(__file__).with_suffix(".png")
    with atomic_path(path) as temporary:
        sheet.save(temporary, optimize=True)
    print(path, f"{path.stat().st_size / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()
