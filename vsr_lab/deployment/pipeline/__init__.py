"""Upscaling of video files: planned before the first frame, read, upscaled and encoded at the same time."""

from vsr_lab.deployment.pipeline.encoding import Encoding
from vsr_lab.deployment.pipeline.plan import DISCLOSURE
from vsr_lab.deployment.pipeline.run import Tiling, plan_upscale, upscale

__all__ = ["DISCLOSURE", "Encoding", "Tiling", "plan_upscale", "upscale"]
