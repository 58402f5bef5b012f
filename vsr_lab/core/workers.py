"""Worker processes that end when their parent process ends. Imports little, so that this works soon after the start."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized

_done: "Synchronized[int]"


def end_with_parent() -> None:
    """End this process as soon as its parent process ends, even if the parent is killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def init_worker(done: "Synchronized[int]") -> None:
    """Initialise the worker of a pool.

    Args:
        done: counter that `count` increments.
    """
    global _done  # noqa: PLW0603
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the first one ends the others
    end_with_parent()
    _done = done


def count() -> None:
    """Increment the counter that the workers share."""
    with _done.get_lock():
        _done.value += 1
