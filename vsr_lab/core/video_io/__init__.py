"""Video in and out: the only place that knows of files, codecs, uint8 and YUV."""

from vsr_lab.core.video_io.damage import Damage
from vsr_lab.core.video_io.fields import Fields, find_fields
from vsr_lab.core.video_io.folder import FrameFolder
from vsr_lab.core.video_io.probe import Probe, probe
from vsr_lab.core.video_io.reader import Footage, VideoFile, find_footage, open_footage, read_chunks
from vsr_lab.core.video_io.treatment import REFUSE, Treatment
from vsr_lab.core.video_io.writer import VideoWriter

__all__ = [
    "REFUSE",
    "Damage",
    "Fields",
    "Footage",
    "FrameFolder",
    "Probe",
    "Treatment",
    "VideoFile",
    "VideoWriter",
    "find_fields",
    "find_footage",
    "open_footage",
    "probe",
    "read_chunks",
]
