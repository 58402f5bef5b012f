"""The sentence in upscaled files that discloses the upscaling, and its detection."""

import itertools
from pathlib import Path
from typing import Any

import av.error

from vsr_lab.video.packets import open_input, packets_of

DISCLOSURE = (
    "Upscaled by a neural network (vsr_lab). Detail beyond the source is generated, plausible and not recorded fact."
)
_OURS = "neural network (vsr_lab)"
# IPTC digital source types, in XMP and in Content Credentials (C2PA), end so: trainedAlgorithmicMedia, and composites.
_GENERATED = b"rainedAlgorithmicMedia"
_READ = 2**20  # bytes at the beginning of a file, where these and user data of the first frame are
_PACKETS = 8  # of the video, searched too, as headers inside MPEG-TS may divide the text


def find_disclosure(path: Path) -> str:
    """Detect whether the metadata of a video or picture says that a neural network made it, completely or in part.

    Args:
        path: a video or picture, or a folder of images; only the first image of a folder is read.

    Returns:
        Description of this metadata for an error message; empty if there is none.
    """
    is_folder = path.is_dir()
    if is_folder:
        path = next((file for file in sorted(path.iterdir()) if file.is_file()), path)
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        beginning = file.read(_READ)
    if _GENERATED in beginning:
        return "its digital source type (IPTC) says that a trained model made it or a part of it"
    ours = "it says that vsr_lab upscaled it"
    if _OURS.encode() in beginning:
        return ours
    if is_folder:  # of pictures, which have their tags at the beginning; a dataset may have many thousands
        return ""
    try:
        with open_input(path) as container:
            tags = [container.metadata, *(stream.metadata for stream in container.streams)]
            if any(_OURS in value for one in tags for value in one.values()):
                return ours
            video: Any = list(container.streams.video[:1])
            packets = itertools.islice(packets_of(container, video), _PACKETS) if video else ()
            return ours if any(_OURS.encode() in bytes(packet) for packet in packets) else ""
    except av.error.FFmpegError:
        return ""  # whoever reads the file reports that
