"""Footage that the project makes itself, written as clips with a manifest."""

from vsr_lab.synthesis.kinds import AnimationKind, CameraKind, Kind, ScreenKind
from vsr_lab.synthesis.writing import write_rendered

__all__ = ["AnimationKind", "CameraKind", "Kind", "ScreenKind", "write_rendered"]
