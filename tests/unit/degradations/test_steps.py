"""What every degradation keeps: its parameters are plain, its LR is theirs alone, and it moves nothing unasked."""

import json

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.resize import imresize
from vsr_lab.degradations import (
    Banding,
    BlurDown,
    ChromaSubsampling,
    Codec,
    Compose,
    Defocus,
    Degradation,
    DustAndScratches,
    ExposureDrift,
    FilmGrain,
    GaussianBlur,
    GaussianNoise,
    GeneralizedBlur,
    Jpeg,
    MatrixConfusion,
    MotionBlur,
    PoissonNoise,
    RandomApply,
    RandomChoice,
    RandomResize,
    ResizeDown,
    SensorNoise,
    Sharpening,
    SincFilter,
    apply_batch,
)

STEPS: dict[str, Degradation] = {
    "gaussian": GaussianBlur((0.3, 2.5)),
    "gaussian, anisotropic, drifting": GaussianBlur((0.5, 2), anisotropy=(1, 3), drift=(-0.3, 0.3)),
    "generalised": GeneralizedBlur("generalized", (0.5, 2), beta=(0.5, 4), anisotropy=(1, 2)),
    "plateau": GeneralizedBlur("plateau", (0.5, 2), beta=(1, 2), anisotropy=(1, 2), kernel_size=13),
    "sinc": SincFilter((1.05, 3.14)),
    "motion, straight": MotionBlur((1, 8)),
    "motion, curved": MotionBlur((4, 10), curvature=(-0.8, 0.8), linear_light=False),
    "defocus": Defocus((0.5, 3), drift=(-0.4, 0.4)),
    "resize and back": RandomResize(
        (0.4, 1.5), ["area", "bilinear", "bicubic", "lanczos"], ["area", "bilinear", "bicubic", "lanczos"]
    ),
    "resize with noise inside": RandomResize((0.5, 1.2), inside=GaussianNoise((1, 5))),
    "gaussian noise": GaussianNoise((1, 15)),
    "poisson noise": PoissonNoise((100, 2000)),
    "sensor noise": SensorNoise((200, 5000)),
    "sensor noise, three chips": SensorNoise((200, 5000), demosaic=False),
    "grain": FilmGrain((3, 12)),
    "dust and scratches": DustAndScratches((0, 2000), (0, 2)),
    "jpeg": Jpeg((30, 90)),
    "4:2:0, left": ChromaSubsampling("420", "left"),
    "4:2:2": ChromaSubsampling("422", "left", method="bicubic"),
    "4:1:1": ChromaSubsampling("411", "center"),
    "matrix": MatrixConfusion(["601_as_709", "709_as_601", "full_as_limited", "limited_as_full"]),
    "banding": Banding(dither=0.5, bits=(4, 6)),
    "exposure": ExposureDrift((-0.5, 0.5), (-0.2, 0.2)),
    "sharpening": Sharpening((0.3, 1.5)),
    "h264": Codec("h264", (18, 30)),
    "h265": Codec("h265", (18, 30), preset=["ultrafast"]),
    "mpeg2": Codec("mpeg2", (2, 8)),
    "mpeg4": Codec("mpeg4", (2, 8)),
    "vp9": Codec("vp9", (20, 40)),
}
SHRINKING: dict[str, Degradation] = {
    "kair": BlurDown(2, 1.6, 12, phase=None, border="replicate"),
    "random blur down": BlurDown(4, (0.5, 2), 13, phase=0, border="reflect"),
    "two orders": Compose(
        [GaussianBlur((0.5, 2)), RandomResize((0.4, 1), inside=GaussianNoise((1, 9)), scale=2), Jpeg((40, 90))]
    ),
    "at random": Compose([RandomApply(FilmGrain((3, 9)), 0.5), RandomChoice([ResizeDown(2), ResizeDown(2, "area")])]),
}
each = pytest.mark.parametrize("name", [*STEPS, *SHRINKING])


def named(name: str) -> Degradation:
    return STEPS[name] if name in STEPS else SHRINKING[name]


def drifting(frames: int, height: int, width: int) -> Tensor:
    """Smooth coloured texture that drifts, T 3 H W, away from black and white.

    White noise blurred, not enlarged: an enlarged picture has images of its spectrum, which fold back as shifts.
    """
    noise = np.random.default_rng(1).standard_normal((3, height + frames, width + 2 * frames))
    smooth = gaussian_filter(noise, (0, 3.0, 3.0))
    fine = torch.from_numpy(0.5 + 0.12 * smooth / smooth.std()).float().clamp(0.1, 0.9)
    return torch.stack([fine[:, t : t + height, 2 * t : 2 * t + width] for t in range(frames)])


@pytest.fixture(scope="module")
def texture() -> Tensor:
    return drifting(4, 72, 88)


@pytest.fixture(scope="module")
def scene() -> Tensor:
    return drifting(4, 256, 288)


@each
def test_the_same_numbers_give_the_same_lr_through_json_and_in_range(name: str, texture: Tensor) -> None:
    degradation = named(name)
    for seed in (0, 1):
        params = degradation.sample(np.random.default_rng(seed))
        assert params == degradation.sample(np.random.default_rng(seed))
        lr = degradation.apply(texture, params)
        height, width = (size // degradation.scale for size in texture.shape[-2:])
        assert lr.shape == (4, 3, height, width)
        assert lr.dtype == torch.float32
        assert 0 <= lr.min() <= lr.max() <= 1
        assert torch.equal(lr, degradation.apply(texture, json.loads(json.dumps(params))))


@each
def test_a_batch_is_its_clips(name: str, texture: Tensor) -> None:
    degradation = named(name)
    hr = torch.stack([texture, texture.flip(-1)])
    params = [degradation.sample(np.random.default_rng(seed)) for seed in (0, 3)]
    apart = torch.stack([degradation.apply(clip, p) for clip, p in zip(hr, params, strict=True)])
    assert torch.equal(apply_batch(degradation, hr, params), apart)
    # at once, as on a GPU: sums come in another order, so a level may round the other way where it was half-way
    assert (degradation.apply_each(hr, params) - apart).abs().mean() < 0.001


@pytest.mark.parametrize("name", STEPS)
def test_black_and_white_survive_every_step(name: str) -> None:
    step = STEPS[name]
    flat = torch.stack([torch.zeros(3, 16, 20), torch.ones(3, 16, 20), torch.full((3, 16, 20), 0.5)])
    lr = step.apply(flat, step.sample(np.random.default_rng(0)))
    assert lr.isfinite().all()
    assert 0 <= lr.min() <= lr.max() <= 1


def shift(before: Tensor, after: Tensor) -> tuple[float, float]:
    """How far `after` (T H W) lies below and right of `before`, in pixels.

    By least squares, after = a before + b - shift . gradient + any symmetric blur, which second derivatives stand for.
    """
    inside = (slice(None), slice(20, -20), slice(20, -20))
    old, new = (gaussian_filter(x.numpy().astype(np.float64), (0, 2, 2)) for x in (before, after))
    down, right = np.gradient(old, axis=(1, 2))
    bends = [*np.gradient(down, axis=(1, 2)), np.gradient(right, axis=2)]
    terms = np.stack([field[inside].ravel() for field in (old, np.ones_like(old), down, right, *bends)], 1)
    found = np.linalg.lstsq(terms, new[inside].ravel(), rcond=None)[0]
    return float(-found[2] / found[0]), float(-found[3] / found[0])


def test_a_planted_shift_is_measured(scene: Tensor) -> None:
    fine = imresize(scene[:2], 4)
    before, after = fine[..., 8::4, 8::4], fine[..., 7:-1:4, 10::4]  # a quarter down, half a pixel left
    size = slice(0, 150)
    for channel in range(3):
        down, right = shift(before[:, channel, size, size], after[:, channel, size, size])
        assert down == pytest.approx(0.25, abs=0.01)
        assert right == pytest.approx(-0.5, abs=0.01)


# As mild as they come, where chance plays a part: noise and what a coder throws away would hide a shift.
MILD: dict[str, Degradation] = {
    **STEPS,
    "resize with noise inside": RandomResize((0.5, 1.2), inside=GaussianNoise((0.2, 0.5))),
    "gaussian noise": GaussianNoise(1),
    "poisson noise": PoissonNoise(20000),
    "sensor noise": SensorNoise(100000),
    "sensor noise, three chips": SensorNoise(100000, demosaic=False),
    "grain": FilmGrain(1),
    "dust and scratches": DustAndScratches((0, 100), 0),
    "h264": Codec("h264", 4),
    "h265": Codec("h265", 4, preset=["ultrafast"]),
    "h264, 4:2:2": Codec("h264", 4, pixel_format="yuv422p"),
    "mpeg2": Codec("mpeg2", 1),
    "mpeg4": Codec("mpeg4", 1),
    "vp9": Codec("vp9", 4),
    "jpeg": Jpeg(97),
}


@pytest.mark.parametrize("name", MILD)
def test_nothing_moves(name: str, scene: Tensor) -> None:
    step = MILD[name]
    lr = step.apply(scene, step.sample(np.random.default_rng(5)))
    for channel in range(3):
        down, right = shift(scene[:, channel], lr[:, channel])
        assert abs(down) < 0.02, f"{down:.3f} px down"
        assert abs(right) < 0.02, f"{right:.3f} px right"


def test_a_chain_ends_on_the_grid_of_eight_bits(texture: Tensor) -> None:
    for chain in (SHRINKING["two orders"], SHRINKING["at random"]):
        lr = chain.apply(texture, chain.sample(np.random.default_rng(2)))
        assert torch.equal(lr, quantise(lr))


@pytest.mark.parametrize("name", [name for name, step in STEPS.items() if not step.temporal])
def test_a_frame_that_stands_alone_is_the_same_alone(name: str, texture: Tensor) -> None:
    step = STEPS[name]
    params = step.sample(np.random.default_rng(0))
    assert torch.allclose(step.apply(texture, params)[2:3], step.apply(texture[2:3], params), atol=1e-5)


def test_a_resize_that_would_move_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match=r"RandomResize\.first_method must be 'area', .* got 'nearest'"):
        RandomResize((0.5, 1), ["nearest"])


def test_what_happens_in_between_keeps_the_size() -> None:
    with pytest.raises(ValueError, match=r"RandomResize\.inside must have scale 1, got 2"):
        RandomResize((0.5, 1), inside=ResizeDown(2))


def test_a_resize_and_back_loses_what_the_size_in_between_cannot_hold() -> None:
    fine = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    drawn = {"first_method": "bicubic", "second_method": "bicubic", "inside": None}
    lost = [
        (RandomResize((0.1, 2)).apply(fine, {"factor": factor, **drawn}) - fine).square().mean()
        for factor in (2.0, 0.9, 0.5, 0.25)
    ]
    assert lost == sorted(lost)
    assert lost[0] < 0.02  # cubic up, and down without aliasing, softens
    assert lost[3] > 0.07  # of a variance of 1/12


def test_sharpening_draws_halos() -> None:
    edge = torch.full((1, 3, 8, 32), 0.3)
    edge[..., 16:] = 0.7
    halo = Sharpening(1, 1.5).apply(edge, {"amount": 1.0, "radius": 1.5})
    assert halo.min() < 0.2
    assert halo.max() > 0.8
    assert torch.allclose(halo[..., :8], edge[..., :8], atol=1e-3)
