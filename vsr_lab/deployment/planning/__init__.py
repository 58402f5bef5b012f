"""Everything that is decided before a frame is upscaled: what is kept, how it is encoded, whether it can be written."""

from vsr_lab.deployment.planning.encoding import Encoding
from vsr_lab.deployment.planning.outputs import suffix_for
