"""Metrics that read a whole clip, each run in its own thread while the clip is scored."""

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
    """Context manager that runs a metric with a parameter `stream` in a thread, and passes frames to it.

    The thread sleeps while candidates compute the next frames, so that the measured time of candidates does not include
    the metric.

    Args:
        metric: function from a `Stream` to values.
        frames: number of scored frames of the clip.
        rate: frames per second of the clip.
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
        """Pass the next frames to the metric, and wait until it needs more or ends. Raises the metric's exception."""
        self._given.put(window)
        self._asked.acquire()
        if self._result.done():
            self._result.result()
            self._asked.release()

    def result(self) -> Tensor:
        """Tell the metric that there are no more frames, and return its values."""
        self._given.put(None)
        return self._result.result()

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, *_: object) -> None:
        self._given.put(None)
        self._thread.shutdown()
