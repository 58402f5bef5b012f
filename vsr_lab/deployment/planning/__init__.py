"""Planning of an upscaling: which streams of the source are kept, how they are encoded, whether this is possible."""

from vsr_lab.deployment.planning.encoding import Encoding
from vsr_lab.deployment.planning.outputs import suffix_for
