"""Alignment of two clips in time (frame matching), space (registration) and colour."""

from vsr_lab.alignment.color_transform import ColorTransform
from vsr_lab.alignment.frame_pairs import FramePair
from vsr_lab.alignment.grids import Grid
from vsr_lab.alignment.joint import Alignment, align
from vsr_lab.alignment.spatial import ALIGNED, UNRELATED, SpatialAlignment
from vsr_lab.alignment.timeline import Timeline
