"""Upscaling of video files after a plan: reading, upscaling and encoding run in parallel."""

from vsr_lab.deployment.pipeline.run import Inference, plan_upscale, upscale
