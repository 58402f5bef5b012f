"""VMAF and ColorVideoVDP against FFmpeg on files and the package on arrays."""

import csv
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from tests.parity.agreement import agree, as_clip, matlab_y, moving_texture
from vsr_lab.core.errors import UserError
from vsr_lab.core.inputs import Inputs
from vsr_lab.metrics import Stream, cvvdp, vmaf


@pytest.fixture
def long_clips() -> tuple[Tensor, Tensor]:
    """sr and hr, 1 12 3 96 130 on 8-bit levels: a moving texture, blurred and with noise, and the texture."""
    rng = np.random.default_rng(0)
    hr = moving_texture(rng, 12, (96, 130), 1.5)
    sr = gaussian_filter(hr, (0, 0, 1, 1)) + rng.normal(0, 0.02, hr.shape)
    return as_clip(sr), as_clip(hr)


def _stream(clips: tuple[Tensor, Tensor]) -> Stream:
    """In windows of five frames, the first of which was in the window before."""
    windows = [
        (first, Inputs({"sr": clips[0][:, first:][:, :5], "hr": clips[1][:, first:][:, :5]}, {})) for first in (0, 4, 8)
    ]
    return Stream(12, 25.0, iter([(known, slice(first > 0, None)) for first, known in windows]))


@pytest.mark.skipif(not find_spec("imageio_ffmpeg"), reason="the extra vmaf is not installed: VMAF is not tested")
@pytest.mark.parametrize("model", ["vmaf_v0.6.1", "vmaf_v0.6.1neg"])
def test_vmaf_is_that_of_ffmpeg_on_files(long_clips: tuple[Tensor, Tensor], tmp_path: Path, model: str) -> None:
    """Two files of YUV 4:2:0, and FFmpeg's filter run on them by hand."""
    import imageio_ffmpeg

    files: list[str] = []
    for name, clip in zip(("sr", "hr"), long_clips, strict=True):
        frames = [[*plane.round().astype(np.uint8).ravel(), *[128] * (48 * 65 * 2)] for plane in matlab_y(clip)]
        (tmp_path / name).write_bytes(np.array(frames, np.uint8).tobytes())
        files += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", "130x96", "-i", str(tmp_path / name)]
    log = tmp_path / "log.csv"
    graph = f"libvmaf=model=version={model}:log_fmt=csv:log_path={log}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *files, "-lavfi", graph, "-f", "null", "-"]
    subprocess.run(command, check=True)
    theirs = [float(row["vmaf"]) for row in csv.DictReader(log.open())]
    assert 5 < min(theirs) < max(theirs) < 95
    name = "vmaf_neg" if model.endswith("neg") else "vmaf"
    agree(name, "FFmpeg's filter on files", vmaf(_stream(long_clips), model), theirs, 1e-5)


@pytest.mark.skipif(not find_spec("imageio_ffmpeg"), reason="the extra vmaf is not installed: VMAF is not tested")
def test_vmaf_of_what_it_cannot_measure_is_refused_in_one_sentence(long_clips: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(UserError, match=r"^vmaf: cannot be computed by .*ffmpeg"):
        vmaf(_stream(long_clips), "none")


@pytest.mark.skipif(not find_spec("pycvvdp"), reason="the extra cvvdp is not installed: ColorVideoVDP is not tested")
def test_cvvdp_is_that_of_its_package_on_arrays(long_clips: tuple[Tensor, Tensor]) -> None:
    import pycvvdp

    metric = pycvvdp.cvvdp("standard_fhd", quiet=True, device=torch.device("cpu"))
    theirs, _ = metric.predict(*(clip[0] for clip in long_clips), dim_order="FCHW", frames_per_second=25)
    assert 2 < theirs.item() < 9.9
    ours = cvvdp(_stream(long_clips), "standard_fhd")
    agree("cvvdp", "its package, on arrays", ours, [theirs.item(), *[np.nan] * 11], 1e-5)


@pytest.mark.parametrize(("metric", "package"), [(vmaf, "imageio_ffmpeg"), (cvvdp, "pycvvdp")])
def test_a_missing_package_is_named_with_its_remedy(
    long_clips: tuple[Tensor, Tensor],
    metric: Callable[[Stream], Tensor],
    package: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    name = metric.__name__
    with pytest.raises(UserError, match=rf"^{name}: its package is not installed .*; pip install 'vsr-lab\[{name}\]'"):
        metric(_stream(long_clips))
