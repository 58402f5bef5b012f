"""Containers of outputs by their suffix: video files, and sequences of images in a folder."""

import re
from dataclasses import replace
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.deployment.planning.encoding import Encoding

IMAGES = "image2"  # FFmpeg's name for files of one image each
_IMAGE_CODECS = {".png": "png", ".tif": "tiff", ".tiff": "tiff"}
_PATTERN = re.compile(r"[^%]*%(0\d)?d[^%]*")
_CONTAINERS = {
    ".mp4": "mp4", ".mkv": "matroska", ".mov": "mov", ".webm": "webm", ".avi": "avi", ".ts": "mpegts",
    ".m2ts": "mpegts", ".mts": "mpegts", ".mxf": "mxf", ".m4v": "mp4", ".3gp": "3gp", ".flv": "flv", ".nut": "nut",
    ".mpg": "vob", ".mpeg": "vob", ".vob": "vob",
}  # fmt: skip


def container_of(output: Path, encoding: Encoding) -> str:
    """FFmpeg's name of the container for the suffix of an output. Raises UserError if there is none."""
    suffix = output.suffix.lower()
    if encoding.containers and suffix not in encoding.containers:
        problem = f"is no file of preset={encoding.name}"
        raise UserError(output, problem, f"name it {' or '.join(encoding.containers)}")
    if whole_output(output) != output:
        return IMAGES
    if suffix not in _CONTAINERS:
        problem = f"has the suffix {suffix}, which names no container" if suffix else "has no suffix"
        raise UserError(output, problem, f"end it in {', '.join(list(_CONTAINERS)[:5])}")
    return _CONTAINERS[suffix]


def suffix_for(source: Path, encoding: Encoding) -> str:
    """Suffix of an output that is named after its source: the suffix of the source if such files can be written."""
    own, known = source.suffix.lower(), encoding.containers or tuple(_CONTAINERS)
    return own if own in known else encoding.containers[0] if encoding.containers else ".mkv"


def for_images(encoding: Encoding, output: Path) -> Encoding:
    """Settings for a sequence of images, with the encoder of their format. Raises UserError if another one is set."""
    if encoding.codec:
        raise UserError(output, f"cannot hold {encoding.codec}", "remove codec=, or choose another preset=")
    return replace(encoding, codec=_IMAGE_CODECS[output.suffix.lower()])


def whole_output(output: Path) -> Path:
    """Path that an upscaling creates as a whole: the folder of a sequence of images (FOLDER/%06d.png), or the file.

    Raises:
        UserError: output is a single image, or a sequence of images without a folder.
    """
    suffix, folder = output.suffix.lower(), output.parent
    if suffix not in _IMAGE_CODECS:
        return output
    if not _PATTERN.fullmatch(output.name) or "%" in str(folder.absolute()) or not folder.name:
        problem = "names one image, or no folder for several"
        raise UserError(output, problem, f"name a sequence in a new folder: output=FOLDER/%06d{suffix}")
    return folder
