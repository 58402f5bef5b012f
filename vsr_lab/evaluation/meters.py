"""Metrics that read a whole clip as it is scored, each in a thread of its own."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Semaphore

import torch
from torch import Tensor

from vsr_lab.core.inputs import Inputs
from vsr_lab.metrics import Stream

Window = tuple[Inputs, slice]


class Meter:
    """A metric with a parameter `stream`, to which frames are passed a few at a time.

    The thread sleeps while candidates make the next frames, so that their time is measured alone. It is a context
    manager.

    Args:
        metric: function of a `Stream`.
        frames: number of frames.
        rate: frames per second.
    """

    def __init__(self, metric: Callable[[Stream], Tensor], frames: int, rate: float) -> None:
        self._given: SimpleQueue[Window | None] = SimpleQueue()
        self._asked = Semaphore(0)
        self._thread = ThreadPoolExecutor(1)
        stream = Stream(frames, rate, self._windows())
        self._result = self._thread.submit(torch.inference_mode()(metric), stream)
        self._result.add_done_callback(lambda _: self._asked.release())

    def _windows(self) -> Iterator[Window]:
        while (window := self._given.get()) is not None:
            yield window
            self._asked.release()

    def send(self, window: Window) -> None:
        """Pass the next frames, and wait until the metric asks for more or ends. Raises its error."""
        self._given.put(window)
        self._asked.acquire()
        if self._result.done():
            self._result.result()
            self._asked.release()

    def result(self) -> Tensor:
        """End the clip and return the values."""
        self._given.put(None)
        return self._result.result()

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, *_: object) -> None:
        self._given.put(None)
        self._thread.shutdown()
