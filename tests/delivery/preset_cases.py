"""Cases of every preset, and of sequences of images both ways."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import yaml

from tests.delivery.case import Case
from tests.delivery.making import FAST, P4444, QUIET, RGB, TEN_BITS, Film, Sound, make, pictures
from vsr_lab.core.files import config_dir
from vsr_lab.deployment import Encoding
from vsr_lab.video import ReadOptions

_LARGE = (256, 144)
_RGB = Film("rgb.mkv", codec="ffv1", pixel_format="bgr0", colors=RGB, size=_LARGE)
_TEN = Film("ten.mkv", codec="libx265", pixel_format=TEN_BITS, options=QUIET, size=_LARGE, rate=Fraction(25))
_DEEP = Film("deep.mkv", codec="ffv1", pixel_format="yuv422p10le")
_TWELVE = Film("twelve.mkv", codec="ffv1", pixel_format="yuv444p12le", size=_LARGE)
_CLEAR = Film("clear.mov", codec="prores_ks", pixel_format="yuva444p10le", options=P4444, alpha=True)
_PQ = Film("pq.mkv", codec="libx265", pixel_format=TEN_BITS, options=QUIET, colors=(9, 16, 9))
_PLAIN = Film("plain.mp4", options=FAST, sounds=(Sound(),))
_FULL = Film("full.mkv", codec="ffv1", pixel_format="yuv444p")
_UNEVEN = Film("uneven.mp4", options=FAST, times=(0, 500, 1100, 1500, 2000, 2900), frames=6)
_PRESETS = (
    ("archive", _RGB, ".mkv", ""),
    ("archive", _DEEP, ".mkv", ""),
    ("archive", _CLEAR, ".mkv", ""),
    ("av1", _FULL, ".mp4", ""),
    ("av1", _TEN, ".webm", ""),
    ("dnxhr", _RGB, ".mov", ""),
    ("dnxhr", _TEN, ".mxf", "the note that it was upscaled"),
    ("dnxhr", _TWELVE, ".mov", "12 bits become 10"),
    ("hevc10", _PLAIN, ".mkv", ""),
    ("hevc10", _RGB, ".mp4", ""),
    ("preview", _PQ, ".mp4", "is HDR"),
    ("preview", _CLEAR, ".mov", "the alpha channel"),
    ("prores", _CLEAR, ".mov", ""),
    ("prores", _RGB, ".mov", ""),
    ("web", _DEEP, ".mp4", ""),
    ("web", _UNEVEN, ".mp4", ""),
    ("web", _PLAIN, ".mkv", "cannot be written with preset=web"),
)
_SRGB, _PERCEPTUAL = ReadOptions(transfer="srgb"), ReadOptions(transfer="pq")


def preset_cases() -> Iterator[Case]:
    """Presets change what they say, so their outputs are compared with the source only where they keep all."""
    for preset, film, suffix, refused in _PRESETS:
        name, source = f"preset={preset} of {film.name} to {suffix}", partial(make, film)
        keeps_all = preset == "archive"
        yield Case("presets", name, source, suffix, refused, encoding=_encoding(preset), judged=keeps_all)
    exr, tiff, png = image_folder("exr", "gbrpf32le"), image_folder("tiff", "rgb48le"), image_folder("png", "rgb24")
    for name, source, suffix, refused, options in (
        ("EXR", exr, ".mkv", "contains linear light", ReadOptions()),
        ("EXR, transfer=srgb, to EXR", exr, "/%04d.exr", "", _SRGB),
        ("EXR, transfer=pq", exr, ".mov", "16 bits become 12", _PERCEPTUAL),
        ("TIFF of 16 bits to PNG", tiff, "/%04d.png", "", ReadOptions()),
        ("PNG to EXR", png, "/%04d.exr", "is not tagged as sRGB or PQ", ReadOptions()),
        ("PNG, transfer=srgb, to EXR", png, "/%04d.exr", "", _SRGB),
        ("PNG, transfer=srgb", png, ".mkv", "transfer: is only for pictures in linear light", _SRGB),
        ("PQ to EXR", partial(make, _PQ), "/%04d.exr", "", ReadOptions()),
    ):
        yield Case("sequences of images", name, source, suffix, refused, options, judged=False)
    asked = Encoding(codec="prores_ks", bits=10, chroma="444")
    name = "EXR, transfer=pq, to ProRes"
    yield Case("sequences of images", name, exr, ".mov", read_options=_PERCEPTUAL, encoding=asked, judged=False)


def _encoding(preset: str) -> Encoding:
    keys: dict[str, Any] = yaml.safe_load((config_dir() / "preset" / f"{preset}.yaml").read_text(encoding="utf-8"))
    return Encoding(**{name: value for name, value in keys.items() if name != "_target_"})


def image_folder(codec: str, pixel_format: str) -> Callable[[Path], Path]:
    """A folder of numbered images."""

    def write(folder: Path) -> Path:
        (folder / codec).mkdir()
        for number, picture in enumerate(pictures(Film(codec, frames=4))):
            context: Any = av.CodecContext.create(codec, "w")
            context.height, context.width, context.pix_fmt = *picture.shape[:2], pixel_format
            context.time_base = Fraction(1, 25)
            if codec == "exr":
                frame = av.VideoFrame.from_ndarray((picture / 65535).astype(np.float32), format=pixel_format)
            else:
                frame = av.VideoFrame.from_ndarray(picture, format="rgb48le").reformat(format=pixel_format)
            packets = [*context.encode(frame), *context.encode(None)]
            (folder / codec / f"{number}.{codec}").write_bytes(b"".join(bytes(packet) for packet in packets))
        return folder / codec

    return write
