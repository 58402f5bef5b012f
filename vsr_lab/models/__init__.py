"""Networks. A new network needs a module in this folder and a yaml in configs/model."""

from vsr_lab.models.anime_sr import AnimeSr
from vsr_lab.models.basicvsr import BasicVsr, BasicVsrPp
from vsr_lab.models.branches import add_branches, fold_branches, fold_state
from vsr_lab.models.feed_forward import Compact, Interpolation
from vsr_lab.models.files import build_network, load_network, load_weights, read_note, save_network, write_tensors
from vsr_lab.models.foreign import Foreign
from vsr_lab.models.initial import init_network, load_animesr, load_basicvsr, trained_with
from vsr_lab.models.recurrent import Recurrent, RecurrentFlow
from vsr_lab.models.span import Span, SpanStream
