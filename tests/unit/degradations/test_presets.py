"""Every preset and every step: JSON-able parameters, and the same LR from them, bit for bit."""

import json
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

from vsr_lab.cli.configuration.usage import config_dir
from vsr_lab.degradations import (
    AdaptiveResolution,
    ChromaBleed,
    Composite,
    CursorOverlay,
    Degradation,
    DenoiseSmear,
    DomeHaze,
    Dropouts,
    DroppedFrames,
    ExposureFlicker,
    Fading,
    GateWeave,
    HeadSwitching,
    Infrared,
    Interlace,
    LensDistortion,
    LineJitter,
    LowFrameRate,
    LumaBandwidth,
    RescaleRoundTrip,
    RollingShutter,
    SubpixelDown,
    TapeNoise,
    Telecine,
    TimestampOverlay,
    Underexposure,
    Vignette,
)

PRESETS = ("archival", "format_adaptation", "screen_recording", "surveillance", "paper_bi", "paper_bd")
STEPS: list[Callable[[], Degradation]] = [
    lambda: AdaptiveResolution([0.5, 1.0], 3),
    lambda: ChromaBleed((1, 4), (0, 3)),
    lambda: Composite("ntsc", "notch"),
    lambda: Composite("pal", "comb"),
    lambda: CursorOverlay((8, 16)),
    lambda: DenoiseSmear((0, 1)),
    lambda: DomeHaze((0.1, 0.6)),
    lambda: DroppedFrames((0, 0.4), (0, 0.2)),
    lambda: Dropouts((0, 3)),
    lambda: ExposureFlicker((0, 0.3)),
    lambda: Fading((0, 1)),
    lambda: GateWeave((0.1, 0.6)),
    lambda: HeadSwitching((0.025, 0.05), (-0.1, 0.1)),
    Infrared,
    lambda: Interlace("weave"),
    lambda: Interlace("blend"),
    lambda: Interlace("bob"),
    lambda: Interlace("half"),
    lambda: LensDistortion((0, 0.2)),
    lambda: LineJitter((0, 0.5), (0, 2)),
    lambda: LowFrameRate((2, 4)),
    lambda: LumaBandwidth((0.4, 1), (0, 0.8)),
    lambda: RollingShutter((0.1, 1)),
    lambda: SubpixelDown(1),
    lambda: TapeNoise((0, 0.05), (0, 0.05)),
    lambda: Telecine("weave"),
    lambda: RescaleRoundTrip([0.8, 1.5]),
    lambda: TimestampOverlay(size=(0.05, 0.1), rate=1e-5),
    lambda: Underexposure((0, 3)),
    lambda: Vignette((0, 1)),
]


def hold(degradation: Degradation, hr: torch.Tensor, seed: int) -> None:
    """Range, shape and determinism, on parameters that went through JSON."""
    drawn = degradation.sample(np.random.default_rng(seed))
    assert drawn == degradation.sample(np.random.default_rng(seed))
    kept = json.loads(json.dumps(drawn, allow_nan=False))
    assert kept == drawn
    untouched = hr.clone()
    lr = degradation.apply(hr, drawn)
    assert torch.equal(lr, degradation.apply(hr, kept))
    assert lr.shape == (*hr.shape[:-2], *(size // degradation.scale for size in hr.shape[-2:]))
    assert lr.dtype == hr.dtype and lr.isfinite().all() and lr.min() >= 0 and lr.max() <= 1
    truth = degradation.target(hr, kept)
    assert truth.shape == hr.shape and torch.equal(truth, degradation.target(hr, drawn))
    assert degradation.modifies_target or truth is hr
    assert torch.equal(hr, untouched)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step()).__name__)
@pytest.mark.parametrize("shape", [(1, 3, 8, 9), (5, 3, 17, 22), (2, 3, 3, 16, 13)], ids=str)
def test_a_step_keeps_size_and_range_and_repeats_itself(step: Callable[[], Degradation], shape: tuple[int]) -> None:
    hold(step(), torch.rand(shape, generator=torch.Generator().manual_seed(0)), seed=3)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step()).__name__)
def test_a_step_whose_frames_do_not_depend_on_their_place_says_so(step: Callable[[], Degradation]) -> None:
    """What is not temporal gives the same LR in runs of any length; what is would not be asked."""
    degradation = step()
    hr = 0.4 + 0.04 * torch.rand(6, 3, 16, 20, generator=torch.Generator().manual_seed(0))
    drawn = degradation.sample(np.random.default_rng(1))
    runs = torch.cat([degradation.apply(hr[:3], drawn), degradation.apply(hr[3:], drawn)])
    if not degradation.temporal:
        assert torch.equal(runs, degradation.apply(hr, drawn))
    else:
        apart = [
            not torch.equal(
                torch.cat([degradation.apply(hr[:3], p), degradation.apply(hr[3:], p)]), degradation.apply(hr, p)
            )
            for p in (degradation.sample(np.random.default_rng(seed)) for seed in range(6))
        ]
        assert any(apart)


def preset(name: str, scale: int) -> Degradation:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        OmegaConf.register_new_resolver("default_run_dir", lambda verb: f"results/{verb}", replace=True)
        cfg = compose("footage_degrade", [f"degradation={name}", f"scale={scale}", "root=x"])
    return instantiate(cfg.degradation, _convert_="all")


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_runs_at_every_scale_on_small_odd_clips(name: str, scale: int) -> None:
    degradation = preset(name, scale)
    assert degradation.scale == scale
    for seed, frames in ((0, 5), (1, 1), (2, 3)):
        hold(degradation, torch.rand(frames, 3, 13 * scale, 19 * scale), seed)


@pytest.mark.parametrize(
    ("name", "milliseconds"),
    [("archival", 20), ("format_adaptation", 20), ("screen_recording", 20), ("surveillance", 40)],
)
def test_a_preset_is_quick_enough_to_train_on(name: str, milliseconds: float) -> None:
    """A frame of 128 x 128 HR at x4, the median of six draws of one core's own time; 1.5 to 5.4 where measured."""
    degradation = preset(name, 4)
    hr = torch.rand(8, 3, 128, 128)
    times: list[float] = []
    for seed in range(6):
        drawn = degradation.sample(np.random.default_rng(seed))
        start = time.process_time()
        degradation.apply(hr, drawn)
        times.append(1000 * (time.process_time() - start) / 8)
    assert sorted(times)[3] < milliseconds


def test_clips_differ_and_a_clip_is_coherent() -> None:
    """Faults are drawn a clip, not a frame: two seeds differ, and neighbours in a still clip differ far less."""
    degradation = preset("surveillance", 2)
    still = torch.rand(1, 3, 64, 96).expand(6, 3, 64, 96)
    first, second = (degradation.apply(still, degradation.sample(np.random.default_rng(s))) for s in (0, 1))
    assert (first - second).abs().mean() > 3 * first.diff(dim=0).abs().mean()
