"""Runtimes, which run the network of a bundle frame by frame, in one library and one precision.

A runtime opens a bundle as a `StreamingNetwork`, whose `step` takes a frame and the state and returns the upscaled
frame and the next state. A new runtime needs a class in this folder, its name and combinations in base.py, its factor
in memory.py and a line in `open_runtime`.
"""

from vsr_lab.deployment.runtimes.base import DEFAULT, Backend, Device, Precision, RuntimeOptions
from vsr_lab.deployment.runtimes.choice import Trial, bench, choose_runtime, find_runtime, open_runtime, run_clip
