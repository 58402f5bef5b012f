"""Export of bundles, and upscaling of video files with them."""

from vsr_lab.deployment.bundle import MANIFEST, Bundle, open_bundle, write_bundle
from vsr_lab.deployment.pipeline import DISCLOSURE, Encoding, Tiling, plan_upscale, upscale

__all__ = [
    "DISCLOSURE",
    "MANIFEST",
    "Bundle",
    "Encoding",
    "Tiling",
    "open_bundle",
    "plan_upscale",
    "upscale",
    "write_bundle",
]
