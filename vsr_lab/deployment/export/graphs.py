"""Opening of ONNX graphs: exported steps and windows, and graphs of other tools."""

from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import StreamingNetwork
from vsr_lab.deployment.export.onnx import KEY, OnnxStream, open_session, read_note
from vsr_lab.deployment.export.window import open_window


def open_onnx(path: Path, threads: int = 0) -> StreamingNetwork:
    """Open an ONNX graph as a streaming network: an exported step, or a graph with one input of 3T channels (T frames).

    A graph with 3T input channels upscales the last of T frames; with T = 1 it is a per-frame graph. Graphs may be in
    float32 or float16, and may require that height and width of the frames are multiples of a power of two.

    Args:
        path: the ONNX file.
        threads: number of CPU threads; 0: onnxruntime chooses the number.

    Raises:
        UserError: the file is not such a graph.
    """
    session = open_session(path, threads)
    note = session.get_modelmeta().custom_metadata_map.get(KEY)
    if note:
        return OnnxStream(session, read_note(note, session, path)).eval()
    if len(session.get_inputs()) != 1 or len(session.get_outputs()) != 1:
        raise UserError(
            path,
            "has several inputs or outputs and was not exported by vsr_lab",
            "give a graph with one input and one output",
        )
    return open_window(path, session)
