"""Start of worker processes, which share the work of a command. Workers import this module first: it must be small."""

from multiprocessing.sharedctypes import Synchronized

from vsr_lab.core.current_folder import import_torch_elsewhere
from vsr_lab.core.signals import end_with_parent

_frames: "Synchronized[int] | None" = None


def begin_worker(frames: "Synchronized[int] | None" = None) -> None:
    """Initialize a worker process: it ends with its parent, and executes nothing in the current folder.

    frames: counter of finished frames that all workers share, see `count_frame`.
    """
    global _frames  # noqa: PLW0603
    import_torch_elsewhere()
    end_with_parent()
    _frames = frames


def count_frame() -> None:
    """Add a frame to the counter of this worker process."""
    if _frames:
        with _frames.get_lock():
            _frames.value += 1
