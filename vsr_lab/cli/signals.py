"""Handling of SIGINT and SIGTERM, which end every command in the same way.

Temporary files are removed, a message of one line is printed, and the exit code is 130 or 143. The signals raise
KeyboardInterrupt, since libraries that catch `Exception` would continue.
"""

import os
import signal
import sys
import threading
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def catch_signals() -> None:
    """Raise KeyboardInterrupt at the first signal; a second one ends the process at once."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and shells set it for what runs in the background
            signal.signal(number, _interrupt)


def pass_signals() -> None:
    """Let a command that has finished its work end: ignore the first signal; a second one ends the process at once."""
    for number in _SIGNALS:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, _pass)


def signal_of(error: BaseException) -> signal.Signals:
    """The signal that caused an interruption."""
    return signal.Signals(error.args[0] if error.args else signal.SIGINT)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    sys.unraisablehook = _raise_again
    raise KeyboardInterrupt(number)


def _pass(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)


def _raise_again(swallowed: "sys.UnraisableHookArgs") -> None:
    """Send the signal again if its exception occurred in a callback of a weak reference, where Python only prints it.

    Later reports of this kind, on partly constructed objects, are hidden.
    """
    if isinstance(swallowed.exc_value, KeyboardInterrupt):
        number = signal_of(swallowed.exc_value)
        signal.signal(number, _interrupt)
        threading.Timer(0.01, os.kill, (os.getpid(), number)).start()
