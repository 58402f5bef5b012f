"""Paths of an upscaling, and the container of its output, which is a video file or a folder of images."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, check_file
from vsr_lab.deployment.planning.encoding import Encoding
from vsr_lab.deployment.provenance import Signer, needs_sidecar, provenance_path, sidecar_path
from vsr_lab.video.reader import is_frame_folder

IMAGES = "image2"  # FFmpeg's name for files of one image each
_IMAGE_CODECS = {".png": "png", ".tif": "tiff", ".tiff": "tiff", ".exr": "exr"}
_PATTERN = re.compile(r"[^%]*%(0\d)?d[^%]*")
_CONTAINERS = {
    ".mp4": "mp4", ".mkv": "matroska", ".mov": "mov", ".webm": "webm", ".avi": "avi", ".ts": "mpegts",
    ".m2ts": "mpegts", ".mts": "mpegts", ".mxf": "mxf", ".m4v": "mp4", ".3gp": "3gp", ".flv": "flv", ".nut": "nut",
    ".mpg": "vob", ".mpeg": "vob", ".vob": "vob",
}  # fmt: skip


def container_of(output: Path, encoding: Encoding) -> str:
    """FFmpeg's name of the container of an output, by its suffix. Raises UserError if the suffix is not supported."""
    suffix = output.suffix.lower()
    if encoding.containers and suffix not in encoding.containers:
        problem = f"cannot be written with preset={encoding.name}"
        raise UserError(output, problem, f"end its name in {' or '.join(encoding.containers)}")
    if whole_output(output) != output:
        return IMAGES
    if suffix not in _CONTAINERS:
        problem = f"has the suffix {suffix}, which is not that of a video or picture" if suffix else "has no suffix"
        raise UserError(
            output, problem, f"end its name in {', '.join(list(_CONTAINERS)[:4])} or {list(_CONTAINERS)[4]}"
        )
    return _CONTAINERS[suffix]


def suffix_for(source: Path, encoding: Encoding) -> str:
    """Suffix of an output: that of the source; if it cannot be written, the first one of the preset, or ".mkv"."""
    own, known = source.suffix.lower(), encoding.containers or tuple(_CONTAINERS)
    return own if own in known else encoding.containers[0] if encoding.containers else ".mkv"


def for_images(encoding: Encoding, output: Path) -> Encoding:
    """Settings for a sequence of images, with the encoder for its suffix. Raises UserError if encoding.codec is set."""
    if encoding.codec:
        raise UserError(
            output,
            f"is a sequence of images, which codec={encoding.codec} cannot write",
            "remove codec=, or set preset=match",
        )
    return replace(encoding, codec=_IMAGE_CODECS[output.suffix.lower()])


def whole_output(output: Path) -> Path:
    """Path that an upscaling creates as a whole: the folder of a sequence of images (FOLDER/%06d.png), or the file.

    Raises:
        UserError: output is a single image, or a sequence of images without a folder.
    """
    suffix, folder = output.suffix.lower(), output.parent
    if suffix not in _IMAGE_CODECS:
        return output
    if not _PATTERN.fullmatch(output.name):
        problem = "is not the name of a sequence of images, which has one number such as %06d"
    elif "%" in str(folder.absolute()):
        problem = "is in a folder with % in its name; only the names of images may have it"
    elif not folder.name:
        problem = "has no folder, but a sequence of images is written to a new folder"
    else:
        return folder
    raise UserError(output, problem, f"set output=FOLDER/%06d{suffix}, or name a video file")


def files_beside(output: Path, encoding: Encoding) -> list[Path]:
    """Paths of the files that an upscaling writes in addition to its output."""
    beside = [provenance_path(output)]
    beside += [sidecar_path(output)] * (encoding.signer is not None)
    beside += [confidence_path(output), frame_list_path(output)] * encoding.evidence
    return beside


def check_paths(source: Path, output: Path, encoding: Encoding, *, bundle: Path, overwrite: bool) -> None:
    """Check the files that an upscaling reads and writes, including the certificate and key of the signer.

    Args:
        source: the file, or the folder of images, to upscale.
        output: the file, or the sequence of images, to write.
        encoding: settings of the output, which determine the files beside it.
        bundle: folder of the bundle; nothing may be written into it.
        overwrite: whether files may be replaced.

    Raises:
        UserError: the source does not exist or would be replaced; a file to write exists and overwrite is False, or is
            inside the bundle or the folder of source images; the output is an existing folder, a single image,
            or a sequence of images without a folder; the signer is set for images; or the certificate or key cannot be
            used.
    """
    signer, named, output = encoding.signer, output, whole_output(output)
    beside = files_beside(output, encoding)
    check_input(source)
    for path in (output, *beside):
        if path.resolve().is_relative_to(bundle.resolve()):
            raise UserError(path, "is inside the bundle", "choose another output=")
        if source.is_dir() and source.resolve() in path.resolve().parents:
            raise UserError(path, "is inside the input folder", "choose another output=")
        if path.exists() and path.samefile(source) and path != output:
            raise UserError(
                source,
                f"would be replaced by {path.name}, which is written beside the output",
                "choose another output=",
            )
    if output.exists() and output.samefile(source):
        raise UserError(output, "is the input, which is never overwritten", "choose another output=")
    if output != named and output.exists():
        raise UserError(
            output, "already exists, but images are only written to a new folder", "choose another folder for output="
        )
    if output != named and signer:
        raise UserError(
            named,
            "is a sequence of images, which cannot contain Content Credentials",
            "remove certificate= and private_key=, or write a video",
        )
    if output.is_dir():
        raise UserError(output, "is a folder, not a file", "write a file name, as in output=<folder>/upscaled.mp4")
    for path in (output, *beside):
        if path.exists() and not overwrite:
            raise UserError(path, "already exists", "choose another output= or set overwrite=true")
    if signer:
        signer.check()


def check_input(source: Path) -> None:
    """Raise UserError unless a source is a file or a folder of images."""
    if not is_frame_folder(source):
        check_file(source, "check input=")


def confidence_path(output: Path) -> Path:
    """Where the confidence map of an output is written in evidence mode."""
    return output.with_name(f"{output.name}.confidence.mp4")


def frame_list_path(output: Path) -> Path:
    """Where the list of the frames of an output is written in evidence mode."""
    return output.with_name(f"{output.name}.frames.csv")


@contextmanager
def atomic_output(output: Path, overwrite: bool) -> Generator[Path]:
    """Context manager that yields a temporary path for an output, which is renamed when the block is completed."""
    with atomic_path(whole_output(output), overwrite) as temporary:
        if whole_output(output) == output:
            yield temporary
        else:
            temporary.mkdir()
            yield temporary / output.name


@contextmanager
def atomic_sidecar(output: Path, container: str, signer: Signer | None, overwrite: bool) -> Generator[Path | None]:
    """Context manager of the sidecar, the file next to an output that contains its Content Credentials (C2PA).

    The caller writes the sidecar to a temporary path, which is renamed at the end of the block.

    Args:
        output: the output file.
        container: FFmpeg's name of the format of the output.
        signer: certificate and key; None: there are no credentials.
        overwrite: whether an existing file may be replaced.

    Yields:
        Temporary path of the sidecar; None if the credentials are inside the output, or there are none.
    """
    if signer is None or not needs_sidecar(container):
        yield None
        return
    with atomic_path(sidecar_path(output), overwrite) as temporary:
        yield temporary
