"""How others feed training, for `feeding.py` to be held against: the same crops, each read in the field's way."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import decord
import lmdb
import numpy as np
import torch
from rich.progress import track
from torch import Tensor
from torch.utils.data import Dataset

from vsr_lab.core.clip import to_frames, to_tensor
from vsr_lab.core.resize import imresize
from vsr_lab.data import Crops, StoredClip

SCALE = 4
CLIP_FRAMES = 100  # BasicSR's REDS classes count on it


def _to_tensor(frames: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))


class DecordDirect(Dataset[Tensor]):
    """Sample n of `crops`, decoded from the video file itself. keep_open: one reader a file, else one a sample."""

    def __init__(self, crops: Crops, videos: Sequence[Path], keep_open: bool) -> None:
        self.crops = crops
        self.videos = videos
        self.keep_open = keep_open
        self.readers: dict[int, Any] = {}

    def __getitem__(self, number: int) -> Tensor:
        place, _ = self.crops.place(number)
        reader = self.readers.get(place.clip) or decord.VideoReader(str(self.videos[place.clip]))
        if self.keep_open:
            self.readers[place.clip] = reader
        frames = reader.get_batch(range(place.t, place.t + self.crops.options.frames)).asnumpy()
        size = self.crops.options.size
        return _to_tensor(frames[:, place.y : place.y + size, place.x : place.x + size])


class LmdbOfPng(Dataset[Tensor]):
    """Sample n of `crops` as BasicSR reads: frame by frame out of LMDB, the whole PNG decoded, then cut.

    Leaner than BasicSR's classes, which also make float arrays of whole frames and read the LR beside.
    """

    def __init__(self, crops: Crops, folder: Path) -> None:
        self.crops = crops
        self.folder = folder
        self.base: Any = None

    def __getitem__(self, number: int) -> Tensor:
        if self.base is None:
            self.base = lmdb.open(str(self.folder), readonly=True, lock=False, readahead=False)
        place, _ = self.crops.place(number)
        size = self.crops.options.size
        cut: list[np.ndarray] = []
        for t in range(place.t, place.t + self.crops.options.frames):
            with self.base.begin(write=False) as transaction:
                data = transaction.get(f"{place.clip:03d}/{t:08d}".encode())
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            cut.append(picture[place.y : place.y + size, place.x : place.x + size, ::-1])
        return _to_tensor(np.stack(cut))


def write_lmdb(clips: Sequence[StoredClip], folder: Path) -> tuple[Path, Path, Path]:
    """Frames as PNG in LMDB, HR and LR, as BasicSR's own script lays them out; and the list that its classes read."""
    high, low, listed = folder / "hr.lmdb", folder / "lr.lmdb", folder / "meta_info.txt"
    lines: list[str] = []
    bases = {path: lmdb.open(str(path), map_size=2**36) for path in (high, low)}
    for number, clip in enumerate(track(clips, "writing LMDB of PNG", transient=True)):
        for t, frame in enumerate(clip.frames):
            small = to_frames(imresize(to_tensor(frame.copy()), 1 / SCALE))
            for path, picture in ((high, frame), (low, small)):
                coded = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
                with bases[path].begin(write=True) as transaction:
                    transaction.put(f"{number:03d}/{t:08d}".encode(), coded.tobytes())
        lines.append(f"{number:03d} {CLIP_FRAMES} ({clip.frames.shape[1]},{clip.frames.shape[2]},3)")
    for base in bases.values():
        base.close()
    listed.write_text("\n".join(lines) + "\n")
    return high, low, listed


def basicsr_dataset(high: Path, low: Path, listed: Path, frames: int, size: int) -> Dataset[Any] | str:
    """BasicSR's own class for recurrent networks on the LMDB, crops of its own choosing; or why there is none."""
    try:
        import torchvision.transforms.functional as moved

        # BasicSR 1.4.2 imports a module that torchvision has since renamed.
        sys.modules.setdefault("torchvision.transforms.functional_tensor", moved)
        from basicsr.data.reds_dataset import REDSRecurrentDataset
    except ImportError as error:
        return f"BasicSR cannot be imported ({error}); pip install --no-deps basicsr"
    options = {
        "dataroot_gt": str(high),
        "dataroot_lq": str(low),
        "meta_info_file": str(listed),
        "val_partition": "official",
        "test_mode": False,
        "io_backend": {"type": "lmdb"},
        "num_frame": frames,
        "gt_size": size,
        "interval_list": [1],
        "random_reverse": False,
        "use_hflip": True,
        "use_rot": True,
        "scale": SCALE,
    }
    return REDSRecurrentDataset(options)
