"""Metrics, which are pure functions; the names of the parameters of a metric determine its inputs.

Inputs in an evaluation and in the validation of a training:

- sr and hr: (B, T, 3, H, W), RGB in [0, 1]; sr is rounded to 8 bits
- lr: (B, T, 3, h, w)
- motion: optical flow of hr, see `reference_motion`
- colour: "y" or "rgb"
- lpips_sr, lpips_hr, and so on: features of sr and hr

Inputs in an evaluation only:

- degraded: sr after the degradation, (B, T, 3, h, w)
- lpips_changes, and so on: distances between neighbouring frames of hr
- text_sr, text_hr: text in sr and hr
- raft_motion: optical flow of hr, see the function `raft_motion`
- stream: all frames of the clip, see `Stream`

A metric returns one value per frame, (B, T), NaN for a frame without a value. It is called with a few frames of a clip
at a time, except that a metric with the parameter stream is called once and reads all frames from this object. A new
metric needs a function in this folder and a yaml in configs/metric.
"""

from vsr_lab.metrics.fidelity import lr_consistency, ms_ssim, psnr, psnr_shifted, ssim
from vsr_lab.metrics.legibility import find_text, legibility, psnr_text, read_text
from vsr_lab.metrics.naturalness import niqe
from vsr_lab.metrics.perceptual import NETS, dists, lpips, st_lpips, st_tlp, tlp
from vsr_lab.metrics.sanity import (
    cell_bias,
    color_bias,
    combing,
    frame_offset,
    ghosting,
    grid,
    lr_sharpness,
    orientation,
    registration,
)
from vsr_lab.metrics.temporal import (
    flicker,
    raft_motion,
    reference_motion,
    self_flicker,
    tof,
    true_warp_error,
    true_warp_error_raft,
    warp_error,
    warp_error_raft,
)
from vsr_lab.metrics.whole_clip import Stream, cvvdp, vmaf
