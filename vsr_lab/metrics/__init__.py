"""Metrics, which are pure functions; the names of the parameters of a metric determine its inputs.

Available inputs: sr (rounded to 8 bits) and hr, (B, T, 3, H, W), RGB in [0, 1]; lr (B, T, 3, h, w); motion, the optical
flow of hr, see `reference_motion`; colour, "y" or "rgb"; features of sr and hr such as lpips_sr and lpips_hr. Further
inputs are available in an evaluation, but not in validation: degraded, which is sr after the degradation (B, T, 3, h,
w); changes between frames of hr such as lpips_changes; text_sr and text_hr, the text in sr and hr; raft_motion, see
`raft_motion`; and stream, see below. A metric returns one value per frame, (B, T), NaN for a frame without a value. A
metric is called with a few frames of a clip at a time; a metric that needs all frames has the parameter stream, from
which it reads them, see `Stream`. A new metric needs a function in this folder and a yaml in configs/metric.
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
