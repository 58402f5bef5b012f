"""Rendered footage: screens, animation, and photographs filmed by a moving virtual camera, as clips with a manifest."""

from vsr_lab.synthesis.kinds import AnimationKind, CameraKind, Kind, ScreenKind
from vsr_lab.synthesis.writing import RenderPlan, write_rendered

__all__ = ["AnimationKind", "CameraKind", "Kind", "RenderPlan", "ScreenKind", "write_rendered"]
