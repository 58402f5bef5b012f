"""Images of every clip: a crop of one frame, and an x-t slice (one row of pixels over time)."""

from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from vsr_lab.core.clip import Frames, to_frames
from vsr_lab.core.files import atomic_path
from vsr_lab.evaluation.protocol import Protocol
from vsr_lab.evaluation.suites import Pair

_CROP = 208  # HR pixels on a side


class Pictures:
    """Collects a crop of the middle frame of a clip, and one row of pixels over time.

    Args:
        protocol: protocol, for its scale.
        frames: number of frames of the clip.
        probe: HR frames around the middle of the clip, (T, H, W, C). The crop is where they have most motion and
            detail, and the row of pixels is in the middle of the crop.
    """

    def __init__(self, protocol: Protocol, frames: int, probe: Frames) -> None:
        self._scale = protocol.scale
        self._frames = frames
        self._middle = frames // 2
        self._y, self._x, self._size = _busiest(probe, protocol.scale)
        self.row = self._y + self._size // 2
        self._rows: dict[str, Frames] = {}
        self._crops: dict[str, Frames] = {}

    @property
    def frame(self) -> int:
        """Number of the frame of the crops."""
        return self._middle

    def watch(self, t: int, pair: Pair, made: dict[str, Tensor]) -> None:
        """Collect the pixels of frame t that are shown."""
        shown = {"hr": pair.hr, **{f"sr/{name}": sr for name, sr in made.items()}}
        for name, frame in shown.items():
            if name not in self._rows:  # in one block: small ones between those of frames keep their memory in use
                self._rows[name] = np.empty((self._frames, frame.shape[-1], 3), np.uint8)
            self._rows[name][t] = to_frames(frame[:, self.row : self.row + 1])[0]
        if t == self._middle:
            window = (slice(self._y, self._y + self._size), slice(self._x, self._x + self._size))
            self._crops = {name: to_frames(frame[(slice(None), *window)]) for name, frame in shown.items()}
            s = self._scale
            y, x, size = self._y // s, self._x // s, self._size // s
            self._crops["lr"] = to_frames(pair.lr[:, y : y + size, x : x + size])

    def write(self, candidate: str, folder: Path) -> None:
        """Write lr.png, hr.png, sr.png, hr_xt.png and sr_xt.png into folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for file, name in (("lr", "lr"), ("hr", "hr"), ("sr", f"sr/{candidate}")):
            _write(folder / f"{file}.png", self._crops[name])
        for file, name in (("hr_xt", "hr"), ("sr_xt", f"sr/{candidate}")):
            _write(folder / f"{file}.png", self._rows[name])


def _write(path: Path, picture: Frames) -> None:
    _, data = cv2.imencode(".png", picture[..., ::-1])  # in memory: libpng reports a full disk in a line of its own
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.tobytes())


def _busiest(probe: Frames, scale: int) -> tuple[int, int, int]:
    """Top, left and side of the square with most detail and motion in probe, (T, H, W, C)."""
    height, width = probe.shape[1:3]
    size = min(_CROP, height, width) // scale * scale
    gray = probe[..., 1].astype(np.float32)
    detail = np.abs(cv2.Laplacian(gray[-1], cv2.CV_32F))
    activity = cv2.boxFilter(detail + np.abs(gray[-1] - gray[0]), -1, (size, size), borderType=cv2.BORDER_CONSTANT)
    half = size // 2
    inside = activity[half : height - half + 1, half : width - half + 1]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    return min(int(y), height - size) // scale * scale, min(int(x), width - size) // scale * scale, size
