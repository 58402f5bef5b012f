"""Upscaling of video files: a plan is made first; then reading, upscaling and encoding run in parallel."""

from vsr_lab.deployment.pipeline.encoding import Encoding
from vsr_lab.deployment.pipeline.run import Tiling, plan_upscale, upscale
from vsr_lab.video.disclosure import DISCLOSURE

__all__ = ["DISCLOSURE", "Encoding", "Tiling", "plan_upscale", "upscale"]
