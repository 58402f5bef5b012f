"""Executors, which run independent tasks and yield the outcome of each task when it ends.

A failed task does not stop the others.
"""

import logging
import multiprocessing
import os
import queue
import signal
import traceback
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, Protocol, TypeVar

from rich import get_console

from vsr_lab.core.current_folder import elsewhere
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.signals import catch_signals, heed_signals, interruption_of
from vsr_lab.core.workers import begin_worker

T = TypeVar("T")
R = TypeVar("R")
_KILLED = "the process that ran it ended; run the same command again"
_PATIENCE = 10  # seconds in which interrupted tasks remove their temporary files
_STORE = 2**27  # bytes of Ray's shared memory: tasks and results are small


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """Result or error of one task.

    Attributes:
        key: name of the task.
        result: return value of the task; None if it failed.
        error: why the task failed, one sentence; empty if it did not fail.
        traceback: Python traceback if the error is a defect of vsr_lab, else "".
    """

    key: str
    result: R | None = None
    error: str = ""
    traceback: str = ""


class Executor(Protocol):
    """Interface of objects that run independent tasks, up to `workers` at the same time."""

    @property
    def workers(self) -> int: ...

    def run(self, work: Callable[[T], R], tasks: Mapping[str, T]) -> Iterator[Outcome[R]]:
        """Call a function for each task, in parallel.

        Args:
            work: function that is called with a task; it must be picklable.
            tasks: name -> task.

        Yields:
            Result or error of each task, in the order of completion.
        """
        ...


def attempt(work: Callable[[T], R], key: str, task: T) -> Outcome[R]:
    """Call work(task). If it fails, the outcome contains the error; only interruptions are raised."""
    try:
        return Outcome(key, work(task))
    except (UserError, Refusal) as error:
        return Outcome(key, error=str(error))
    except Exception as error:
        what = " ".join(str(error).split())[:200] or "no message"
        lines = "".join(traceback.format_exception(error))
        return Outcome(key, error=f"a defect of vsr-lab ({type(error).__name__}: {what})", traceback=lines)


def _attempt_in(folder: Path, work: Callable[[T], R], key: str, task: T) -> Outcome[R]:
    if folder.is_dir():  # on this machine of the cluster too
        os.chdir(folder)
    return attempt(work, key, task)


@dataclass(frozen=True)
class Local:
    """Runs tasks on this machine, in one or several processes.

    A task whose process is killed is reported as failed.

    Args:
        workers: number of processes. With one worker, or if there is only one task, no process is started: the tasks
            run in the calling process.
    """

    workers: int = 1

    def run(self, work: Callable[[T], R], tasks: Mapping[str, T]) -> Iterator[Outcome[R]]:
        """Call a function for each task on this machine, see `Executor.run`."""
        count = min(self.workers, len(tasks))
        if count < 2:
            for key, task in tasks.items():
                yield attempt(work, key, task)
                heed_signals()  # the task may have finished with `pass_signals`
            return
        others = {*multiprocessing.active_children()}
        idle: queue.SimpleQueue[ProcessPoolExecutor] = queue.SimpleQueue()  # one process each: a pool ends as a whole
        for _ in range(count):
            idle.put(_process())

        def run_one(key: str, task: T) -> Outcome[R]:
            process = idle.get()
            try:
                return process.submit(_attempt_alone, work, key, task).result()
            except BrokenProcessPool:
                process = _process()
                return Outcome(key, error=_KILLED)
            finally:
                idle.put(process)

        # Processes are started with SIGINT blocked: Ctrl-C reaches them too, and it is the first one that ends them.
        threads = ThreadPoolExecutor(count, "fleet", signal.pthread_sigmask, (signal.SIG_BLOCK, {signal.SIGINT}))
        futures = [threads.submit(run_one, key, task) for key, task in tasks.items()]
        try:
            yield from (future.result() for future in as_completed(futures))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            for process in {*multiprocessing.active_children()} - others:
                process.terminate()  # which lets it remove temporary files
            raise
        finally:
            threads.shutdown()
            while not idle.empty():
                idle.get().shutdown()


def _process() -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # forking a process with threads may hang it
    return ProcessPoolExecutor(1, context, _begin)


def _begin() -> None:
    begin_worker()
    get_console().quiet = True  # only the process that distributes tasks reports progress


def _attempt_alone(work: Callable[[T], R], key: str, task: T) -> Outcome[R]:
    """Run one task in a process of its own. A signal ends it without a message, after it removed temporary files."""
    catch_signals()
    try:
        return attempt(work, key, task)
    except BaseException as error:
        if interruption_of(error):
            os._exit(1)
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # between tasks there is nothing to remove


@dataclass(frozen=True)
class Ray:
    """Runs tasks on the Ray cluster that the environment variable RAY_ADDRESS names, or on this machine if it is unset.

    A task whose process is killed is run again, up to three times.

    Args:
        workers: number of tasks that run at the same time.
    """

    workers: int = 1

    def run(self, work: Callable[[T], R], tasks: Mapping[str, T]) -> Iterator[Outcome[R]]:
        """Call a function for each task on the cluster, see `Executor.run`."""
        import ray
        from ray.exceptions import RayError

        remote: Any = ray.remote(max_retries=3)(_attempt_in)
        folder, waiting, running = Path.cwd(), iter(tasks.items()), dict[Any, str]()
        with _ray(self.workers, running):
            while True:
                for key, task in islice(waiting, self.workers - len(running)):
                    running[remote.remote(folder, work, key, task)] = key
                if not running:
                    return
                for done in ray.wait([*running])[0]:
                    key = running.pop(done)
                    try:
                        yield ray.get(done)
                    except RayError as error:
                        reason = str(error).strip().splitlines()[-1][:200]
                        yield Outcome(key, error=f"Ray could not run it ({type(error).__name__}: {reason})")


@contextmanager
def _ray(workers: int, running: Collection[Any]) -> Generator[None]:
    """Connect to Ray, and let the running tasks remove their temporary files if the block is interrupted."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    import ray

    address = os.environ.get("RAY_ADDRESS") or "local"  # else Ray takes one from a file that all users may write
    begin = partial(ray.init, address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    # In a thread of its own, it is not interrupted, which would end in an abort. Ray's processes end with this thread.
    with TemporaryDirectory(prefix="ray_", ignore_cleanup_errors=True) as private, ThreadPoolExecutor(1) as thread:
        if address == "local":  # else in /tmp/ray, which all users may write
            begin = partial(begin, num_cpus=workers, object_store_memory=_STORE, _temp_dir=private)
        try:
            with elsewhere():  # its workers import modules from the current folder
                thread.submit(begin).result()
            signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))  # below Python, Ray replaced it
            yield
        except BaseException:
            for task in running:
                ray.cancel(task)
            if running:
                ray.wait([*running], num_returns=len(running), timeout=_PATIENCE)
            raise
        finally:
            thread.submit(ray.shutdown, wait_for_processes=True).result()
