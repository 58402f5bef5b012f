"""Parallel stages: threads for reading and writing, and the calling thread for the network between them."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TypeVar

A = TypeVar("A")
_END = object()


@contextmanager
def read_ahead(items: Iterable[A], size: int) -> Generator[Iterator[A]]:
    """Context manager that computes the items of an iterable in another thread, ahead of their use.

    Args:
        items: the items.
        size: maximum number of items that are computed ahead.

    Yields:
        Iterator over the items. It raises the errors of the other thread.
    """
    source = (item for item in items)
    with ThreadPoolExecutor(1, "read") as thread:
        ahead = deque(thread.submit(next, source, _END) for _ in range(size))

        def taken() -> Iterator[A]:
            while (item := ahead.popleft().result()) is not _END:
                ahead.append(thread.submit(next, source, _END))
                yield item  # pyright: ignore[reportReturnType]

        try:
            yield taken()
        finally:
            for future in ahead:
                future.cancel()
            thread.submit(source.close)  # in the thread that opened what it reads


@contextmanager
def write_behind(write: Callable[[A], None], size: int) -> Generator[Callable[[A], None]]:
    """Context manager that calls a function in another thread, so that the caller does not wait for it.

    Args:
        write: the function.
        size: maximum number of waiting calls.

    Yields:
        Function that replaces `write`. An error of `write` is raised at the next call of this function, or at the end
        of the block; waiting calls are then dropped.
    """
    waiting: deque[Future[None]] = deque()
    failed = Event()

    def attempt(item: A) -> None:
        if failed.is_set():
            return
        try:
            write(item)
        except BaseException:
            failed.set()
            raise

    def put(item: A) -> None:
        while waiting and (waiting[0].done() or len(waiting) > size):
            waiting.popleft().result()
        waiting.append(thread.submit(attempt, item))

    with ThreadPoolExecutor(1, "write") as thread:
        yield put
        for future in waiting:
            future.result()
