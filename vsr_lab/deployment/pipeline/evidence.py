"""Evidence mode: the output shows the original beside SR, and a second video shows the confidence per pixel."""

import csv
import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import av
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.clip import AnyFrames, to_deep_frames, to_frames
from vsr_lab.core.files import atomic_path
from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.core.resize import imresize
from vsr_lab.deployment.pipeline.reading import ReadFrame
from vsr_lab.deployment.planning.outputs import confidence_path, frame_list_path
from vsr_lab.deployment.streams.frames import FrameEncoder
from vsr_lab.deployment.streams.output import Planned, SegmentEncoder, add_video
from vsr_lab.video import VideoFile

_FLIPS: tuple[list[int], ...] = ([], [-1], [-2], [-2, -1])
_DOUBTFUL = 8 / 255  # uncertainty from which a place is black in the confidence map
_COLUMNS = ("frame", "source_frame", "seconds", "source_sha256", "prediction_sha256", "confidence")


class FlipEnsemble(StreamingNetwork):
    """Wraps a streaming network to estimate its uncertainty by processing each frame and its three mirror images.

    The output for the frame itself is returned. The outputs for the mirror images are only used for `spread`.

    Attributes:
        spread: for the last processed frame, standard deviation of the four outputs (mirrored back), mean over the
            channels, (H, W).
    """

    def __init__(self, network: StreamingNetwork) -> None:
        super().__init__()
        self.network, self.scale, self.size_multiple = network, network.scale, network.size_multiple
        self.spread = torch.empty(0)

    def zero_state(self, lr: Tensor) -> State:
        return tuple(tensor for flip in _FLIPS for tensor in self.network.zero_state(lr.flip(flip)))

    def initial_state(self, lr: Tensor) -> State:
        return tuple(tensor for flip in _FLIPS for tensor in self.network.initial_state(lr.flip(flip)))

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        size, results, after = len(state) // len(_FLIPS), list[Tensor](), list[Tensor]()
        for number, flip in enumerate(_FLIPS):
            sr, own = self.network.step(lr.flip(flip), state[number * size : (number + 1) * size])
            results.append(sr.flip(flip))
            after += own
        self.spread = torch.stack(results).float().clamp(0, 1).std(0, correction=0).mean((0, 1)).cpu()
        return results[0], tuple(after)


def uncertainty(lr: Tensor, sr: Tensor, spread: Tensor) -> Tensor:
    """Estimate the error of SR at every pixel, without ground truth.

    Args:
        lr, sr: LR frame (3, h, w) and SR frame (3, H, W), in [0, 1].
        spread: `FlipEnsemble.spread` for this frame, (H, W).

    Returns:
        Estimated error (H, W), in the unit of the RGB values in [0, 1]: the spread plus |downscaled SR - LR|. This
        difference is computed at LR size, averaged over the channels, and enlarged to (H, W).
    """
    reduced = imresize(sr, 1 / (sr.shape[-1] / lr.shape[-1]))
    contradiction = (reduced - lr).abs().mean(0)[None, None]
    return spread + F.interpolate(contradiction, sr.shape[-2:], mode="bilinear")[0, 0]


class EvidenceRecorder:
    """Writes a video of the uncertainty of every pixel and a list of frames, next to an upscaled video.

    Args:
        path: MP4 file of the uncertainty (confidence map).
        table: CSV file of the list of frames, opened for writing.
        video: the source.
        planned: plan of the output, whose timestamps are used.
        network: the network that upscales the video; its `spread` is read after each frame.
    """

    def __init__(self, path: Path, table: TextIO, *, video: VideoFile, planned: Planned, network: FlipEnsemble) -> None:
        self._network, self._timestamps, self._numbers = network, video.probe.timestamps, _source_numbers(video)
        self._rows = csv.writer(table)
        self._rows.writerow(_COLUMNS)
        width, height = planned.plan.video.size
        shape = {"size": (width // 2 + width // 2 % 2, height + height % 2), "label": ""}  # H.264 takes even sides
        coded = {"codec": "libx264", "pixel_format": "yuv420p", "options": {"crf": "14", "bf": "0"}}
        colors = {"primaries": 1, "transfer": 1, "matrix": 1, "range": "limited"}
        plan = planned.plan.model_copy(
            update={"video": planned.plan.video.model_copy(update=shape | coded | colors), "container": "mp4"}
        )
        self._container = av.open(str(path), "w", format="mp4", options={"fflags": "bitexact", "movflags": "faststart"})
        self._stream: Any = add_video(self._container, plan, planned.survey)
        self._container.metadata.update(planned.tags)
        self._encoder = SegmentEncoder(plan, planned.survey, planned.timing, stream=self._stream)
        self._convert = FrameEncoder(plan.video)

    def add(self, read: ReadFrame, lr: Tensor, sr: Tensor, picture: AnyFrames) -> AnyFrames:
        """Record a frame.

        Args:
            read: the frame that was read.
            lr, sr: LR frame (3, h, w) and output of the network (3, H, W), in [0, 1].
            picture: the SR frame that is encoded, rounded to integers, (H, W, 3).

        Returns:
            LR frame, enlarged by bicubic interpolation, with `picture` on its right: (H, 2 * W, 3).
        """
        height, width = picture.shape[:2]
        doubt = uncertainty(lr, sr.float().cpu().clamp(0, 1), self._network.spread[:height, :width])
        confidence = (1 - doubt / _DOUBTFUL).clamp(0, 1)
        shown = F.pad(confidence[None, None], (0, width % 2, 0, height % 2), "replicate")[0].expand(3, -1, -1)
        self._mux(self._encoder.encode(self._convert(to_frames(shown)), read.number))
        facts = [self._numbers[read.number] if self._numbers else "", f"{self._timestamps[read.number]:.6f}"]
        hashes = [hashlib.sha256(np.ascontiguousarray(frame).data).hexdigest() for frame in (read.picture, picture)]
        self._rows.writerow([read.number, *facts, *hashes, f"{float(confidence.mean()):.4f}"])
        original = imresize(lr, width / lr.shape[-1])
        return np.concatenate(
            [to_frames(original) if picture.dtype == np.uint8 else to_deep_frames(original), picture], 1
        )

    def close(self) -> None:
        """Write the last frames of the video of the uncertainty, and close its file."""
        self._mux(self._encoder.finish())
        self._container.close()

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.stream = self._stream
            self._container.mux_one(packet)


@contextmanager
def record_evidence(
    output: Path, video: VideoFile, planned: Planned, *, network: StreamingNetwork, overwrite: bool
) -> Generator[EvidenceRecorder | None]:
    """Context manager that writes OUTPUT.confidence.mp4 and OUTPUT.frames.csv, a row for each frame.

    It writes nothing unless the network is a `FlipEnsemble`, which estimates its own uncertainty.

    Args:
        output: path of the upscaled video.
        video: the source.
        planned: plan of the output.
        network: the network that upscales the video.
        overwrite: whether existing files may be replaced.

    Yields:
        Recorder of the frames; None if the network is no `FlipEnsemble`.
    """
    if not isinstance(network, FlipEnsemble):
        yield None
        return
    with (
        atomic_path(confidence_path(output), overwrite) as path,
        atomic_path(frame_list_path(output), overwrite) as listed,
        listed.open("w", newline="", encoding="utf-8") as table,
    ):
        recorder = EvidenceRecorder(path, table, video=video, planned=planned, network=network)
        yield recorder
        recorder.close()


def _source_numbers(video: VideoFile) -> list[int]:
    """For each frame that is read, its number in the file; empty if frames are computed from several (deinterlaced)."""
    if video.chain:
        return []
    lost = set(video.damage.lost if video.read_options.damaged else ())
    whole = video.source.frames + len(lost)
    return [number for number in range(whole) if number not in lost][video.first :]
