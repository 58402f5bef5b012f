"""The log of libav, from which errors of decoders and parsed headers are read."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import av.logging

# libav's log callback is global, and closing a decoder while one of its threads logs a message hangs. Code that
# captures the log, or decodes possibly damaged files with several threads, therefore holds this lock.
LOG_LOCK = threading.Lock()


@contextmanager
def libav_logging(level: int = av.logging.ERROR) -> Generator[None]:
    """Context manager in which libav logs all messages of at least the severity `level`, including repeated ones."""
    before, brief = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_skip_repeated(False)
    av.logging.set_level(level)
    try:
        yield
    finally:
        av.logging.set_level(before)
        av.logging.set_skip_repeated(brief)
