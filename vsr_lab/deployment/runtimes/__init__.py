"""Runtimes: they run the network of a bundle frame by frame, in one library and one precision.

A runtime opens a bundle as a `StreamingNetwork`, whose `step` takes a frame and the state and returns the upscaled
frame and the next state. To add one: a function in this folder, and its combinations in base.py and choice.py.
"""

from vsr_lab.deployment.runtimes.base import FASTEST, Backend, Device, Precision, RuntimeOptions
from vsr_lab.deployment.runtimes.choice import choose_runtime, open_runtime

__all__ = ["FASTEST", "Backend", "Device", "Precision", "RuntimeOptions", "choose_runtime", "open_runtime"]
