"""Runs a window graph in VapourSynth with vs-mlrt: in_vapoursynth.py GRAPH FRAMES.npy OUT.npy T (Python 3.12, numpy).

FRAMES.npy: (frames, 3, h, w), float32 or float16. `Model` takes T clips, each one frame later than the one before; the
first frame is repeated before the beginning.
"""

import sys
from pathlib import Path

import numpy as np
import vapoursynth as vs


def main(graph: str, frames: str, out: str, window: int) -> None:
    """Run the graph on every frame."""
    lr = np.load(frames)
    count, _, height, width = lr.shape
    kind = vs.RGBH if lr.dtype == np.float16 else vs.RGBS
    blank = vs.core.std.BlankClip(width=width, height=height, format=kind, length=count, keep=True)

    def fill(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        filled = f.copy()
        for plane in range(3):
            np.copyto(np.asarray(filled[plane]), lr[n, plane])
        return filled

    clip = vs.core.std.ModifyFrame(blank, blank, fill)
    clips = [(clip[0] * age + clip)[:count] if age else clip for age in reversed(range(window))]
    sr = vs.core.ort.Model(clips, network_path=graph, provider="", output_format=int(kind == vs.RGBH))
    made = [np.stack([np.asarray(frame[plane]) for plane in range(3)]) for frame in sr.frames()]
    np.save(out, np.stack(made))
    print(f"VapourSynth {vs.core.core_version}, ort {Path(graph).name}: {len(made)} frames of {sr.width}x{sr.height}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
