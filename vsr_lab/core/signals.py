"""Handling of SIGINT and SIGTERM, which end every command in the same way. Workers end when their parent ends.

Temporary files are removed, a message of one line is printed, and the exit code is 130 or 143. The signals raise
KeyboardInterrupt, since libraries that catch `Exception` would continue. This module imports little, because new worker
processes import it first.
"""

import _thread
import atexit
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from multiprocessing.process import BaseProcess
from types import FrameType

from vsr_lab.core.errors import causes

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PAUSE = 0.2  # seconds between checks of an interruption
_raised: set[int] = set()  # signals that raise: the first of each, and those whose exception was discarded
_passed: list[int] = []  # signals that were ignored because of `pass_signals`


def catch_signals() -> None:
    """From now on, raise KeyboardInterrupt at the first SIGINT and at the first SIGTERM.

    During an import, it is raised after the import. A second signal of the same kind ends the process at once. Signals
    that are already ignored (as with nohup) stay ignored.
    """
    _raised.update(_SIGNALS)
    atexit.register(_ignore)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and shells set it for what runs in the background
            signal.signal(number, _interrupt)


def pass_signals() -> None:
    """Ignore one SIGINT and one SIGTERM from now on, so that a command whose work is finished ends normally.

    A second signal of the same kind ends the process at once.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, _pass)


def heed_signals() -> None:
    """Undo `pass_signals` between two tasks. Raises KeyboardInterrupt if a signal was ignored since."""
    for number in _SIGNALS:
        if number in _passed or signal.getsignal(number) is _pass:
            signal.signal(number, _interrupt)
    if _passed:
        _raised.difference_update(_passed)
        raise KeyboardInterrupt(_passed.pop())


def signal_of(error: BaseException) -> signal.Signals:
    """The signal that caused a KeyboardInterrupt, even if a library raised a new one without the signal's number."""
    return signal.Signals(error.args[0] if error.args else next(iter({*_SIGNALS} - _raised), signal.SIGINT))


def interruption_of(error: BaseException | None) -> KeyboardInterrupt | None:
    """The KeyboardInterrupt that caused an error of a library; None if the error has another cause."""
    for cause in causes(error):
        if isinstance(cause, KeyboardInterrupt):
            return cause
        if found := re.search(r"KeyboardInterrupt\((\d+)\)", str(cause)):  # a panic of Rust has no cause
            return KeyboardInterrupt(int(found[1]))
    return None


def forget_interruption() -> None:
    """Keep the exit code of this process after a KeyboardInterrupt that was handled.

    If the interrupted code ran in `exec` or `eval` (as the definition of a dataclass does), CPython sets a flag. With
    this flag, `python -m` kills itself by SIGINT at its end, and the exit code is lost. An empty `exec` clears it.
    """
    exec("")


def _interrupt(number: int, frame: FrameType | None) -> None:
    if number not in _raised:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    if _is_importing(frame):  # an exception in the initialisation of a C++ module ends the process by SIGABRT
        _thread.start_new_thread(_send_later, (number, os.getpid()))
        return
    _raised.discard(number)
    # Reports on partly constructed objects, and tracebacks that an extension module prints itself.
    sys.unraisablehook = sys.excepthook = lambda *_: None
    _thread.start_new_thread(_insist, (number, os.getpid()))  # threading.Thread takes locks that may be held here
    raise KeyboardInterrupt(number)


def _is_importing(frame: FrameType | None) -> bool:
    while frame and frame.f_code.co_filename != "<frozen importlib._bootstrap>":
        frame = frame.f_back
    return frame is not None


def _send_later(number: int, process: int) -> None:
    time.sleep(_PAUSE / 4)
    if os.getpid() == process:
        os.kill(process, number)


def _ignore() -> None:
    """Ignore signals while the interpreter ends; otherwise they would kill a command that has succeeded."""
    for number in _SIGNALS:
        if signal.getsignal(number) in {_interrupt, _pass}:
            signal.signal(number, signal.SIG_IGN)


def _pass(number: int, frame: FrameType | None) -> None:
    _passed.append(number)
    signal.signal(number, signal.SIG_DFL)


def _insist(number: int, process: int) -> None:
    """Send the signal again if its KeyboardInterrupt was lost, as happens to exceptions in callbacks from C."""
    discarded = 0
    while discarded < 2:
        time.sleep(_PAUSE)
        if signal.getsignal(number) is not _interrupt or os.getpid() != process:
            return
        discarded = 0 if _is_handled() else discarded + 1
    _raised.add(number)
    os.kill(process, number)


def _is_handled() -> bool:
    """Whether the main thread is handling a KeyboardInterrupt in an except or finally block."""
    exceptions = sys._current_exceptions()  # pyright: ignore[reportPrivateUsage]
    found = exceptions.get(threading.main_thread().ident or 0)
    return interruption_of(found[1] if isinstance(found, tuple) else found) is not None  # a tuple up to Python 3.11


def end_with_parent() -> None:
    """End this process as soon as its parent process ends, even if the parent is killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
