"""What is reported and never trained. A metric is a pure function whose parameters name what it needs:

sr, hr (quantised, B T 3 H W), lr, degraded (sr degraded, B T 3 h w), motion (of hr), colour, and the features that a
perceptual net has of sr and hr.
It returns one number a frame, (B, T), NaN where there is none. To add one: a function here, a yaml in configs/metric/.
"""

from vsr_lab.metrics.fidelity import lr_consistency, psnr, ssim
from vsr_lab.metrics.perceptual import NETS, lpips, st_lpips, st_tlp, tlp
from vsr_lab.metrics.temporal import flicker, reference_motion, tof, true_warp_error, warp_error

__all__ = [
    "NETS",
    "flicker",
    "lpips",
    "lr_consistency",
    "psnr",
    "reference_motion",
    "ssim",
    "st_lpips",
    "st_tlp",
    "tlp",
    "tof",
    "true_warp_error",
    "warp_error",
]
