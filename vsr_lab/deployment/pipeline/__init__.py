"""Upscaling of video files as planned by `vsr_lab.deployment.planning`: reading, upscaling and encoding in parallel."""

from vsr_lab.deployment.pipeline.parallel import upscale_in_parallel
from vsr_lab.deployment.pipeline.preparation import Inference, UpscaleSettings
from vsr_lab.deployment.pipeline.run import plan_upscale, upscale, upscale_all
