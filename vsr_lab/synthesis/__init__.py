"""Rendered footage: screens, and photographs filmed by a moving virtual camera, as clips with a manifest."""

from vsr_lab.synthesis.kinds import CameraKind, Kind, ScreenKind
from vsr_lab.synthesis.writing import RenderPlan, write_rendered

__all__ = ["CameraKind", "Kind", "RenderPlan", "ScreenKind", "write_rendered"]
