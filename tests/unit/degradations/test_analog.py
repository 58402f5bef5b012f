"""Fields, composite colour, tape and projection: the physics that each step claims."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from vsr_lab.degradations import (
    ChromaBleed,
    Composite,
    Dropouts,
    ExposureFlicker,
    Fading,
    GateWeave,
    HeadSwitching,
    Interlace,
    LineJitter,
    LumaBandwidth,
    RescaleRoundTrip,
    TapeNoise,
    Telecine,
    Vignette,
)
from vsr_lab.degradations.color import srgb_to_linear, to_yuv

Moving = Callable[..., Tensor]


def numbered(frames: int, height: int = 8, width: int = 6) -> Tensor:
    """Every frame flat, and as bright as its number."""
    return torch.arange(frames).float().view(-1, 1, 1, 1).expand(frames, 3, height, width) / 100


def fields(clip: Tensor, parity: int) -> list[tuple[int, int]]:
    """Which frame each frame's first and second field are from."""
    lines = (clip[:, 0, :, 0] * 100).round().int()
    return [(int(frame[parity]), int(frame[1 - parity])) for frame in lines]


@pytest.mark.parametrize("parity", [0, 1])
def test_interlacing_takes_the_second_field_from_the_next_moment(parity: int) -> None:
    lr = Interlace("weave").apply(numbered(4), {"parity": parity})
    assert fields(lr, parity) == [(0, 1), (1, 2), (2, 3), (3, 3)]


def test_a_still_picture_has_no_combing() -> None:
    still = torch.rand(1, 3, 8, 6).expand(5, 3, 8, 6)
    assert torch.equal(Interlace("weave").apply(still, {"parity": 0}), still)


def test_blending_mixes_the_two_moments_on_every_line() -> None:
    lr = Interlace("blend").apply(numbered(3), {"parity": 0})
    assert torch.allclose(lr[:2] * 100, torch.tensor([0.5, 1.5]).view(2, 1, 1, 1).expand(2, 3, 8, 6), atol=1e-4)


def test_bob_shows_the_two_fields_in_turn_and_half_the_first_alone() -> None:
    lines = torch.arange(8.0).view(1, 1, 8, 1).expand(4, 3, 8, 6) / 10
    bob = Interlace("bob").apply(lines, {"parity": 0})
    assert torch.allclose(bob[:, :, 1:-1], lines[:, :, 1:-1], atol=1e-6)  # a ramp survives interpolation
    assert bob[0, 0, 7, 0] == pytest.approx(0.6) and bob[1, 0, 0, 0] == pytest.approx(0.1)
    half = Interlace("half").apply(lines, {"parity": 0})
    assert torch.equal(half[0, 0, :, 0], lines[0, 0, [0, 0, 2, 2, 4, 4, 6, 6], 0])


@pytest.mark.parametrize("phase", range(5))
def test_telecine_gives_film_frames_two_and_three_fields_in_turn(phase: int) -> None:
    found = fields(Telecine("weave").apply(numbered(40), {"parity": 0, "phase": phase}), 0)
    stream = [moment for pair in found for moment in pair]
    runs = [stream.count(moment) for moment in dict.fromkeys(stream)][1:-1]  # the clip may begin and end within one
    assert set(zip(runs[::2], runs[1::2], strict=False)) in ({(2, 3)}, {(3, 2)})
    mixed = [first != second for first, second in found[5:35]]
    assert sum(mixed) == 12 and mixed[:5] == mixed[5:10]
    assert max(abs(moment - t) for t, pair in enumerate(found) for moment in pair) <= 1  # sound stays in step


@pytest.mark.parametrize(("standard", "turn"), [("ntsc", 0.5), ("pal", 0.75)])
def test_the_subcarrier_turns_by_its_standard_from_frame_to_frame(standard: str, turn: float) -> None:
    angle, _ = Composite(standard, "notch").carrier(3, 6, 16, 0.2)
    cycles = angle / (2 * torch.pi)
    assert torch.allclose(cycles.diff(dim=0) % 1, torch.full((2, 1, 6, 16), turn).double(), atol=1e-6)
    assert torch.allclose(cycles.diff(dim=-1) % 1, torch.tensor(0.25).double())


def test_ntsc_dots_reverse_each_frame_and_each_line_of_a_field() -> None:
    hr = torch.zeros(4, 3, 24, 64)
    hr[:, 0, :, :32], hr[:, 2, :, 32:] = 0.8, 0.8  # red beside blue: the edge that dots hang on
    lr = Composite("ntsc", "notch").apply(hr, {"phase": 0.1})
    dots = to_yuv(lr, "bt601")[:, 0, :, 30:34]
    dots = dots - dots.mean((0, 1), keepdim=True)
    assert dots.abs().max() > 0.02
    assert torch.allclose(dots[0], -dots[1], atol=0.01) and torch.allclose(dots[0], dots[2], atol=1e-4)
    assert torch.allclose(dots[0, 4], -dots[0, 6], atol=0.01)


def test_fine_luma_turns_to_colour_in_a_notch_receiver_and_not_in_a_comb() -> None:
    stripes = (0.5 + 0.4 * torch.cos(torch.arange(64) * torch.pi / 2)).expand(4, 3, 24, 64)  # at the subcarrier
    seen = {
        way: to_yuv(Composite("ntsc", way).apply(stripes, {"phase": 0.0}), "bt601")[:, 1:, 4:].abs().mean()
        for way in ("notch", "comb")
    }
    assert seen["notch"] > 0.05 and seen["comb"] < seen["notch"] / 20


@pytest.mark.parametrize("standard", ["ntsc", "pal"])
@pytest.mark.parametrize("separation", ["notch", "comb"])
def test_composite_leaves_flat_colour_alone(standard: str, separation: str) -> None:
    flat = torch.tensor([0.6, 0.4, 0.3]).view(1, 3, 1, 1).expand(5, 3, 24, 48)
    lr = Composite(standard, separation).apply(flat, {"phase": 0.4})
    assert (lr - flat)[..., 6:-6].abs().max() < 0.02


def test_chroma_bleeds_to_the_right_and_luma_stays() -> None:
    hr = torch.full((2, 3, 8, 48), 0.5)
    hr[..., 24:] += torch.tensor([0.12, -0.05, 0.02]).view(3, 1, 1)
    lr = ChromaBleed(2, (0, 3)).apply(hr, {"sigma": 2.0, "delay": 2.5})
    before, after = to_yuv(hr, "bt601"), to_yuv(lr, "bt601")
    assert torch.allclose(before[:, 0], after[:, 0], atol=1e-5)
    rise = after[0, 2, 0].diff().clamp(min=0)
    middle = (rise * torch.arange(0.5, 47)).sum() / rise.sum()
    assert float(middle) == pytest.approx(23.5 + 2.5, abs=0.05)


def test_tape_noise_runs_along_the_lines() -> None:
    gray = torch.full((3, 3, 64, 64), 0.5)
    noise = to_yuv(TapeNoise((0, 0.03), 0).apply(gray, {"luma": 0.03, "chroma": 0.0, "seed": 1}), "bt601")[:, 0] - 0.5
    along, across = (noise[..., 1:] * noise[..., :-1]).mean(), (noise[:, 1:] * noise[:, :-1]).mean()
    assert float(noise.std()) == pytest.approx(0.03, rel=0.05)
    assert along > 0.5 * noise.var() and across.abs() < 0.1 * noise.var()
    assert (noise[1:] * noise[:-1]).mean().abs() < 0.1 * noise.var()  # new in every frame


def test_peaking_leaves_a_halo_and_a_narrow_band_leaves_chroma() -> None:
    edge = torch.full((1, 3, 4, 32), 0.3)
    edge[..., 16:] = 0.6
    lr = LumaBandwidth(0.8, (0, 1)).apply(edge, {"sigma": 0.8, "peaking": 1.0})
    assert lr.max() > 0.61 and lr.min() < 0.29
    assert torch.allclose(to_yuv(lr, "bt601")[:, 1:], torch.zeros(1, 2, 4, 32), atol=1e-5)


def test_only_the_lowest_lines_are_torn() -> None:
    hr = torch.rand(3, 3, 50, 40)
    lr = HeadSwitching((0.05, 0.1), (-0.2, 0.2)).apply(hr, {"share": 0.1, "skew": 0.2, "seed": 0})
    assert torch.allclose(lr[..., :45, :], hr[..., :45, :], atol=1e-5)
    assert (lr - hr)[..., 46:, :].abs().mean() > 0.05


def test_dropouts_are_streaks_on_few_lines() -> None:
    hr = torch.full((20, 3, 40, 64), 0.5)
    changed = (Dropouts((0, 2)).apply(hr, {"rate": 2.0, "seed": 3}) - hr).abs().amax((1, 3)) > 0.1
    assert 0 < changed.float().mean() < 0.1
    assert float(changed.sum() / 20) == pytest.approx(2.0, abs=0.8)


def test_lines_jitter_by_what_is_asked_and_bend_slowly() -> None:
    shifts = LineJitter((0, 0.5), (0, 2)).offsets(40, 64, {"jitter": 0.0, "wobble": 1.5, "seed": 0})
    assert shifts.std() == pytest.approx(1.5, rel=0.01)
    for axis in (0, 1):
        assert np.diff(shifts, axis=axis).std() < 0.5 * shifts.std()
    hr = torch.rand(4, 3, 12, 32)
    still = LineJitter(0, 0).apply(hr, {"jitter": 0.0, "wobble": 0.0, "seed": 0})
    assert torch.allclose(still, hr, atol=1e-5)


def test_the_gate_weaves_by_parts_of_a_pixel_around_its_place() -> None:
    for seed in range(20):
        path = GateWeave((0.1, 0.6)).offsets(60, {"amplitude": 0.6, "seed": seed})
        assert np.abs(path.mean(0)).max() < 1e-6
        assert 0.2 < np.abs(path).max() < 1
        assert np.diff(path, axis=0).std() < 1.2 * path.std()


def test_the_truth_weaves_as_the_lr_does(moving: Moving) -> None:
    hr = moving(6, 48, 64, 0, 0)
    step, params = GateWeave(0.5), {"amplitude": 0.5, "seed": 4}
    small = hr[..., 1::2, 1::2]
    lr, truth = step.apply(small, params), step.target(hr, params, zoom=2)
    there = [float((lr[t] - small[t]).abs().mean()) for t in range(6)]
    against = [float((lr[t] - truth[t, :, 1::2, 1::2])[..., 2:-2, 2:-2].abs().mean()) for t in range(6)]
    assert max(there) > 0.005 and max(against) < 0.5 * max(there)


def test_flicker_changes_light_from_frame_to_frame_and_nothing_within() -> None:
    gray = torch.full((60, 3, 4, 4), 0.5)
    light = srgb_to_linear(ExposureFlicker((0, 0.3)).apply(gray, {"strength": 0.3, "seed": 0}))
    stops = torch.log2(light / srgb_to_linear(gray)).mean((1, 2, 3))
    assert float(stops.std()) == pytest.approx(0.3, rel=0.3) and abs(float(stops.mean())) < 0.15
    assert light.flatten(1).std(1).max() < 1e-6


def test_faded_prints_turn_pink_and_lose_their_black() -> None:
    gray = torch.linspace(0, 1, 11).view(1, 1, 1, 11).expand(1, 3, 1, 11)
    red, green, blue = Fading(1).apply(gray, {"strength": 1.0})[0, :, 0]
    assert (red[:10] > blue[:10]).all() and (blue[:8] > green[:8]).all()
    assert red[0] > 0.25 and red[10] > 0.99 and blue[10] < 0.97
    assert torch.allclose(Fading((0, 1)).apply(gray, {"strength": 0.0})[..., 1:], gray[..., 1:], atol=1e-4)


def test_corners_lose_the_stops_they_are_said_to() -> None:
    light = srgb_to_linear(Vignette((0, 1)).apply(torch.ones(1, 3, 41, 41), {"strength": 1.0}))
    assert float(light[0, 0, 20, 20]) == pytest.approx(1) and float(light[0, 0, 0, 0]) == pytest.approx(0.5, abs=0.03)


def test_pixels_that_are_not_square_cost_detail_across_and_none_down() -> None:
    fine = torch.rand(1, 3, 60, 90)
    lr = RescaleRoundTrip([704 / 720], "bicubic", horizontal=True).apply(fine, {"factor": 0.8})
    rows, columns = fine.mean(-1), fine.mean(-2)
    assert torch.allclose(lr.mean(-1), rows, atol=0.02) and (lr - fine).abs().mean() > 0.02
    stripes = columns[..., None, :].expand(1, 3, 60, 90)
    assert not torch.allclose(
        RescaleRoundTrip([0.8], horizontal=True).apply(stripes, {"factor": 0.8}), stripes, atol=0.02
    )
    tall = rows[..., None].expand(1, 3, 60, 90)
    assert torch.allclose(RescaleRoundTrip([0.8], horizontal=True).apply(tall, {"factor": 0.8}), tall, atol=1e-5)
