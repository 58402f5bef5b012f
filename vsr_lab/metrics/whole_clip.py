"""Metrics that need all frames of a clip, in order: VMAF and ColorVideoVDP."""

import importlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from vsr_lab.core.clip import luma
from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.inputs import Inputs

_HALVES = "split[a][b];[a]crop=iw:ih/2:0:0[sr];[b]crop=iw:ih/2:0:ih/2[hr];[sr][hr]libvmaf"
_NO_CHROMA = 128  # VMAF uses luma only


@dataclass(frozen=True)
class Stream:
    """The scored frames of a clip, for metrics with a parameter `stream`. They can be read once, in order.

    Attributes:
        frames: number of scored frames.
        rate: frames per second of the clip.
        windows: iterator over the clip, a few frames at a time. Each item contains the inputs of these frames, and a
            slice that selects the frames that were not in the previous item.
    """

    frames: int
    rate: float
    windows: Iterator[tuple[Inputs, slice]]

    def read(self, *names: str) -> Iterator[tuple[Tensor, ...]]:
        """Yield the inputs with the given names, such as "sr" and "hr", a few frames at a time: (t, 3, H, W) each."""
        for inputs, new in self.windows:
            yield tuple(inputs[name][0, new] for name in names)


def vmaf(stream: Stream, model: Annotated[str, Field(pattern=r"^\w[\w.]*$")] = "vmaf_v0.6.1") -> Tensor:
    """VMAF (Li et al. 2016), by libvmaf in the FFmpeg of the package imageio-ffmpeg; higher is better.

    It is computed on luma (BT.601, 16 to 235) that is rounded to 8 bits.

    Args:
        stream: frames of a clip.
        model: name of a model in libvmaf. "vmaf_v0.6.1neg" does not reward sharpening.

    Returns:
        (1, T), in [0, 100].

    Raises:
        UserError: the extra `vmaf` is not installed, or its FFmpeg cannot compute VMAF.
    """
    with reported(ImportError, "vmaf", "its package is not installed ({})", "pip install 'vsr-lab[vmaf]'"):
        program = importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe()
    parts = stream.read("sr", "hr")
    first = next(parts)
    height, width = first[0].shape[-2:]
    # One pipe with both pictures: of two, FFmpeg may wait for the one while this process waits to write the other.
    given = f"-f rawvideo -pix_fmt yuv444p -video_size {width}x{2 * height} -i pipe:0"
    graph = f"{_HALVES}=log_fmt=json:log_path=/dev/stdout:model=version={model}:n_threads={torch.get_num_threads()}"
    command = [program, "-v", "error", *given.split(), "-lavfi", graph, "-f", "null", "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin
        try:
            for sr, hr in chain([first], parts):
                y = torch.cat([luma(sr), luma(hr)], -2).round().to(torch.uint8)
                process.stdin.write(torch.cat([y, torch.full_like(y, _NO_CHROMA).repeat(1, 2, 1, 1)], 1).numpy().data)
        except BrokenPipeError:
            pass  # its message says why
        output, errors = process.communicate()
    if process.returncode:
        reason = (errors.decode(errors="replace").strip().splitlines() or ["no message"])[0]
        hint = (
            "install the package imageio-ffmpeg 0.6 or newer, whose FFmpeg has libvmaf, and use frames of 16x16 or more"
        )
        raise UserError("vmaf", f"cannot be computed by {program} ({reason})", hint)
    return torch.tensor([[frame["metrics"]["vmaf"] for frame in json.loads(output)["frames"]]], dtype=torch.float64)


def cvvdp(stream: Stream, display: Literal["standard_4k", "standard_fhd", "standard_phone"] = "standard_4k") -> Tensor:
    """ColorVideoVDP (Mantiuk et al. 2024), by the package cvvdp; higher is better.

    Args:
        stream: frames of a clip.
        display: name of a display model in the package, which determines how large and bright the frames appear.

    Returns:
        (1, T): at the first frame, the quality of the whole clip in JOD (just objectionable differences), at most 10;
        NaN at all other frames.

    Raises:
        UserError: the extra `cvvdp` is not installed.
    """
    with reported(ImportError, "cvvdp", "its package is not installed ({})", "pip install 'vsr-lab[cvvdp]'"):
        package = importlib.import_module("pycvvdp")
    metric = package.cvvdp(display_name=display, device=torch.device("cpu"), quiet=True)
    values = torch.full((1, stream.frames), torch.nan, dtype=torch.float64)
    values[0, 0] = metric.predict_video_source(_Source(stream, metric.display_photometry))[0]
    return values


class _Source:
    """A stream as a `video_source` of the package cvvdp, which reads frames in order."""

    def __init__(self, stream: Stream, photometry: Any) -> None:
        self._stream = stream
        self._photometry = photometry
        self._pairs = (pair for sr, hr in stream.read("sr", "hr") for pair in zip(sr, hr, strict=True))
        self._number = -1

    def get_video_size(self) -> tuple[int, int, int]:
        if self._number < 0:
            self._advance()
        height, width = self._pair[0].shape[-2:]
        return height, width, self._stream.frames

    def get_frames_per_second(self) -> float:
        return self._stream.rate

    def get_batch_size(self) -> int:
        return 1

    def get_test_frame(self, frame: int, device: torch.device, colorspace: str) -> Tensor:
        return self._get(0, frame, colorspace)

    def get_reference_frame(self, frame: int, device: torch.device, colorspace: str) -> Tensor:
        return self._get(1, frame, colorspace)

    def _get(self, which: int, frame: int, colorspace: str) -> Tensor:
        while self._number < frame:
            self._advance()
        return self._photometry.source_2_target_colorspace(self._pair[which][None, :, None], colorspace)

    def _advance(self) -> None:
        self._pair, self._number = next(self._pairs), self._number + 1
