"""What an upscaled file tells of its making, and how that is found again."""

from vsr_lab.deployment.provenance.frame_hashes import FrameHashes
from vsr_lab.deployment.provenance.search import FoundRecord, find_provenance, provenance_path

__all__ = ["FoundRecord", "FrameHashes", "find_provenance", "provenance_path"]
