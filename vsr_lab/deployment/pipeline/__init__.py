"""Upscaling of video files after a plan: reading, upscaling and encoding run in parallel."""

from vsr_lab.deployment.pipeline.parallel import upscale_in_parallel
from vsr_lab.deployment.pipeline.preparation import Inference, UpscaleSettings
from vsr_lab.deployment.pipeline.run import plan_upscale, upscale, upscale_all
