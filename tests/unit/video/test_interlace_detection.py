"""What a stream is made of: weaved and telecined here on the spot, then told apart; whole frames are never accused."""

from pathlib import Path

import numpy as np
import pytest

from tests.weaving import interlaced, panned, telecined, texture, weaved
from vsr_lab.video.interlace_detection import Luma, ScanType, classify_interlacing, detect_interlacing


@pytest.mark.parametrize("top_field_first", [True, False])
@pytest.mark.parametrize(("across", "down"), [(1, 0), (3, 0), (2, 1), (0, 3)])
def test_fields_of_different_moments_are_interlaced(across: int, down: int, top_field_first: bool) -> None:
    fields = classify_interlacing(interlaced(panned(26, across, down), top_field_first))
    assert (fields.scan_type, fields.top_field_first) == (ScanType.INTERLACED, top_field_first)
    assert fields.confidence > 0.8


@pytest.mark.parametrize("top_field_first", [True, False])
@pytest.mark.parametrize("phase", range(5))
def test_pulldown_is_seen_in_every_phase(phase: int, top_field_first: bool) -> None:
    fields = classify_interlacing(telecined(panned(20), top_field_first, phase)[:13])
    assert (fields.scan_type, fields.cadence, fields.top_field_first) == (ScanType.TELECINED, "3:2", top_field_first)


@pytest.mark.parametrize("top_field_first", [True, False])
def test_film_with_its_fields_out_of_step_is_seen(top_field_first: bool) -> None:
    film = panned(14)
    fields = classify_interlacing(weaved(film[1:], film[:-1], not top_field_first))
    assert (fields.scan_type, fields.cadence, fields.top_field_first) == (ScanType.TELECINED, "2:2", top_field_first)


def _stripes(period: int) -> Luma:
    return np.where(np.arange(240)[:, None] % period < period // 2, 20, 235).repeat(240, 1).astype(np.int16)


def _checkerboard() -> Luma:
    return (np.indices((240, 240)).sum(0) % 2 * 215 + 20).astype(np.int16)


HARD: dict[str, Luma] = {
    **{f"{p} rows by {v}": panned(13, 0, v, _stripes(p)) for p in (2, 3, 4, 6, 7) for v in (1, 2, 3, -1)},
    **{f"checkerboard by {v}": panned(13, *v, _checkerboard()) for v in ((1, 0), (1, 1), (3, 2), (0, 1))},
    **{f"texture scrolled by {v}": panned(13, 0, v) for v in (1, 2, 3, 5, -2, -4)},
    "fast pan": panned(13, 29, 13),
    "noise": np.random.default_rng(3).integers(0, 256, (13, 120, 160)).astype(np.int16),
    "cuts": np.concatenate([panned(4, 2, 0, texture(seed=seed)) for seed in range(4)]),
    "on twos": panned(8).repeat(2, 0),
    "on threes": panned(6).repeat(3, 0),
    "25 frames shown at 30": panned(16)[np.arange(18) * 5 // 6],
    "flashes": panned(13) * (1 + np.arange(13) % 2)[:, None, None].astype(np.int16) // 2,
    "still": panned(13, 0, 0),
}


@pytest.mark.parametrize("name", HARD)
def test_whole_frames_are_never_called_anything_else(name: str) -> None:
    assert classify_interlacing(HARD[name]).scan_type in (ScanType.PROGRESSIVE, ScanType.UNDETERMINED)


def test_a_still_picture_cannot_be_told() -> None:
    assert classify_interlacing(HARD["still"]).scan_type == ScanType.UNDETERMINED


@pytest.mark.slow
def test_no_real_clip_of_whole_frames_is_accused(shared_footage: Path) -> None:
    """Vid4's calendar is weaved of fields indeed: a camera's field rate shows in it, 0.15 px apart within a frame."""
    files = [file for file in sorted(shared_footage.glob("*/*/*.*")) if file.suffix in {".mp4", ".webm", ".mkv"}]
    fields = (ScanType.INTERLACED, ScanType.TELECINED)
    accused = [file.name for file in files if detect_interlacing(file).scan_type in fields]
    assert accused == ["calendar.mkv"]
