"""Parallel stages: threads for reading and writing, and the calling thread for the network between them."""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")
_POLL = 0.1  # seconds after which a waiting stage looks whether the other one has ended


class _Ended(Exception):
    """The stage that receives items has ended."""


class Pipe(Generic[A]):
    """Bounded queue from one thread to another, which also passes on an error of the first thread.

    Args:
        size: maximum number of waiting items.
    """

    def __init__(self, size: int) -> None:
        self._items: queue.Queue[tuple[A | None, BaseException | None]] = queue.Queue(size)
        self._closed = threading.Event()

    def put(self, item: A) -> None:
        """Add an item; wait while the queue is full. Raises _Ended if the receiving stage has ended."""
        self._put((item, None))

    def end(self, error: BaseException | None = None) -> None:
        """Mark the end of the items; error: the reason, if it was an error."""
        try:
            self._put((None, error or StopIteration()))
        except _Ended:
            return

    def close(self) -> None:
        """Close the receiving end."""
        self._closed.set()

    def _put(self, entry: tuple[A | None, BaseException | None]) -> None:
        while not self._closed.is_set():
            try:
                self._items.put(entry, timeout=_POLL)
            except queue.Full:
                continue
            return
        raise _Ended

    def __iter__(self) -> Iterator[A]:
        while True:
            try:
                item, error = self._items.get(timeout=_POLL)
            except queue.Empty:
                if self._closed.is_set():
                    return
                continue
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # pyright: ignore[reportReturnType]


@contextmanager
def read_ahead(items: Iterable[A], size: int) -> Generator[Iterator[A]]:
    """Context manager that computes the items of an iterable in another thread, ahead of their use.

    Args:
        items: the items.
        size: maximum number of items that are computed ahead.

    Yields:
        Iterator over the items. It raises the errors of the other thread.
    """
    pipe: Pipe[A] = Pipe(size)

    def work() -> None:
        try:
            for item in items:
                pipe.put(item)
            pipe.end()
        except _Ended:
            return
        except BaseException as error:
            pipe.end(error)

    thread = threading.Thread(target=work, name="read", daemon=True)
    thread.start()
    try:
        yield iter(pipe)
    finally:
        pipe.close()
        thread.join()


@contextmanager
def write_behind(write: Callable[[B], None], size: int) -> Generator[Callable[[B], None]]:
    """Context manager that calls a function in another thread, so that the caller does not wait for it.

    Args:
        write: the function.
        size: maximum number of waiting calls.

    Yields:
        Function that replaces `write`. An error of `write` is raised at its next call, or at the end of the block.
    """
    pipe: Pipe[B] = Pipe(size)
    failure: list[BaseException] = []

    def work() -> None:
        try:
            for item in pipe:
                write(item)
        except BaseException as error:
            failure.append(error)
            pipe.close()

    def put(item: B) -> None:
        try:
            pipe.put(item)
        except _Ended:
            raise failure[0] from None

    thread = threading.Thread(target=work, name="write", daemon=True)
    thread.start()
    try:
        yield put
        pipe.end()
    except BaseException:
        pipe.close()
        raise
    finally:
        thread.join()
    if failure:
        raise failure[0]
