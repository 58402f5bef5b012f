"""Export of bundles, and upscaling of video files with them."""

from vsr_lab.deployment.bundle import MANIFEST, Bundle, open_bundle, write_bundle
from vsr_lab.deployment.upscale import DISCLOSURE, Encoding, Tiling, upscale

__all__ = ["DISCLOSURE", "MANIFEST", "Bundle", "Encoding", "Tiling", "open_bundle", "upscale", "write_bundle"]
