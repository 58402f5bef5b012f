"""What is differentiated. To add a loss: a file here whose forward names what it needs, and a term in a loss yaml."""

from vsr_lab.losses.objective import Objective, Term
from vsr_lab.losses.pixel import Charbonnier
from vsr_lab.losses.temporal import Flicker, Warp

__all__ = ["Charbonnier", "Flicker", "Objective", "Term", "Warp"]
