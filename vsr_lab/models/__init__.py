"""Networks. To add one: a file here with a `Network`, and a yaml in configs/model/."""

from vsr_lab.models.compact import Compact
from vsr_lab.models.files import build_network, load_network, load_weights, read_note, save_network
from vsr_lab.models.interpolation import Interpolation
from vsr_lab.models.recurrent import Recurrent

__all__ = [
    "Compact",
    "Interpolation",
    "Recurrent",
    "build_network",
    "load_network",
    "load_weights",
    "read_note",
    "save_network",
]
