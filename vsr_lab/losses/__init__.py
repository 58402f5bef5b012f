"""Training losses. A new loss needs a module in this folder and a term in a yaml of configs/loss."""

from vsr_lab.losses.adversarial import Adversarial, Hinge, Relativistic, SpatioTemporal
from vsr_lab.losses.objective import Objective, Term
from vsr_lab.losses.perceptual import Dists, Lpips, StLpips
from vsr_lab.losses.pixel import L1, Charbonnier, Distillation, Edges, FocalFrequency, LogMse
from vsr_lab.losses.temporal import Flicker, FlowAlignment, PingPong, Warp
