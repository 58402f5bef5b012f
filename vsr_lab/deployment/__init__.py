"""Export of bundles, and upscaling of video files with them."""

from vsr_lab.deployment.bundle import MANIFEST, Bundle, open_bundle, write_bundle
from vsr_lab.deployment.pipeline import Inference, plan_upscale, upscale
from vsr_lab.deployment.planning import Encoding
from vsr_lab.video.disclosure import DISCLOSURE
