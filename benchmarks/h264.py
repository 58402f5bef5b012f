"""Clips in H.264, which benchmarks read and the package does not write."""

from collections.abc import Iterable
from pathlib import Path

import av

from vsr_lab.core.clip import Frames


def write_h264(path: Path, pictures: Iterable[Frames], size: tuple[int, int], **options: str) -> None:
    """Encode RGB pictures (H, W, 3) of size (H, W) at 25 frames a second as BT.709; options of libx264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        (stream.height, stream.width), stream.pix_fmt = size, "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
