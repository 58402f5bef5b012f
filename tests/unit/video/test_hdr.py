"""HDR against the numbers that the recommendations print, and through a file."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.weaving import panned, write_gray
from vsr_lab.core.errors import UserError
from vsr_lab.video import ReadOptions, VideoFile
from vsr_lab.video.hdr import (
    WHITE,
    hlg_to_light,
    light_to_pq,
    pq_to_light,
    roll_off,
    to_standard_range,
)


def _tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_pq_is_st_2084() -> None:
    """BT.2408 table 1 gives 203 cd/m2 as 58 % PQ; 100 is 51 %, 1000 is 75 %, 4000 is 90 %, 10 000 is 100 %."""
    light = _tensor(0, 100, 203, 1000, 4000, 10_000)
    assert light_to_pq(light).numpy() == pytest.approx([0, 0.5081, 0.5807, 0.7518, 0.9026, 1], abs=1e-4)
    assert pq_to_light(light_to_pq(light)).numpy() == pytest.approx(light.numpy(), rel=1e-6, abs=1e-6)


def test_hlg_is_bt_2100() -> None:
    """BT.2408: reference white, 75 % HLG, is 203 cd/m2 on a display of 1000; 38 % is 26 (an 18 % grey card)."""
    gray = _tensor(0, 0.38, 0.75, 1)[:, None].repeat(1, 3)
    assert hlg_to_light(gray)[:, 0].numpy() == pytest.approx([0, 26, 203, 1000], rel=0.02)


def test_the_roll_off_is_bt_2390() -> None:
    """Identity below the knee 1.5 maxLum - 0.5, the target's peak at the source's, monotonic, smooth at the knee."""
    signal = torch.linspace(0, float(light_to_pq(_tensor(1000))), 2001, dtype=torch.float64)
    rolled = roll_off(signal, 1000, WHITE)
    top = float(light_to_pq(_tensor(WHITE)) / light_to_pq(_tensor(1000)))
    below = signal / signal[-1] < 1.5 * top - 0.5
    assert torch.allclose(rolled[below], signal[below], rtol=1e-12)
    assert float(pq_to_light(rolled[-1:])) == pytest.approx(WHITE, rel=1e-6)
    slope = rolled.diff() / signal.diff()
    assert slope.min() > -1e-9 and slope.max() < 1 + 1e-9
    assert slope.diff().abs().max() < 0.01
    assert torch.equal(roll_off(signal, 100, WHITE), signal)


def test_neutral_stays_neutral_and_black_and_white_are_the_ends() -> None:
    gray = torch.linspace(0, 1, 64)[:, None].repeat(1, 3)
    for hdr in ("PQ", "HLG"):
        mapped = to_standard_range(gray, hdr, 1000)
        assert (mapped.amax(-1) - mapped.amin(-1)).max() < 1e-3
        assert mapped[0].max() == 0 and mapped[-1].min() > 0.999
        assert (mapped[:, 0].diff() >= -1e-6).all()


def test_a_colour_inside_bt_709_keeps_its_chromaticity() -> None:
    """Linear BT.709 (0.6, 0.3, 0.2) at 80 cd/m2, carried to BT.2020 by BT.2087, comes back in the same proportions."""
    to_2020 = torch.tensor([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    light = 80 * torch.tensor([0.6, 0.3, 0.2]) @ to_2020.T
    seen = to_standard_range(light_to_pq(light), "PQ", 1000) ** 2.4
    assert (seen / seen[0]).numpy() == pytest.approx([1, 0.5, 1 / 3], abs=5e-3)


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_a_file_is_refused_or_mapped_as_asked(tmp_path: Path, transfer: int, name: str) -> None:
    luma = panned(6) * 4
    path = write_gray(tmp_path / "a.mp4", luma, "libx265", {"x265-params": "lossless=1:log-level=none"},
                      "yuv420p10le", transfer=transfer)  # fmt: skip
    with pytest.raises(UserError, match=rf"is HDR \({name}\); set tone_map=bt2390"):
        VideoFile(path)
    video = VideoFile(path, read_options=ReadOptions(tone_map="bt2390"))
    frames = video.read(1, 4).frames
    assert frames.dtype == np.uint16
    signal = torch.from_numpy(((luma[1:4] - 64) / 876).clip(0, 1))[..., None].repeat(1, 1, 1, 3)
    truth = to_standard_range(signal, name, 1000).numpy() * 65535
    assert np.abs(frames - truth).max() < 0.004 * 65535
    assert np.array_equal(video.read(2, 3).frames[0], frames[1])
