"""SIGINT and SIGTERM end every command alike: its temporary files are removed, one line says so, exit code 130 or 143.

They raise KeyboardInterrupt, with the signal's number: libraries catch `Exception`, and would go on.
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
    """Let the command end that has done its work: the first signal changes nothing, a second one ends it at once."""
    for number in _SIGNALS:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, _pass)


def signal_of(error: BaseException) -> signal.Signals:
    """The signal that an interruption came from."""
    return signal.Signals(error.args[0] if error.args else signal.SIGINT)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    sys.unraisablehook = _raise_again
    raise KeyboardInterrupt(number)


def _pass(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)


def _raise_again(swallowed: "sys.UnraisableHookArgs") -> None:
    """An interruption in a callback, such as that of a weak reference, is only reported by Python: it comes once more.

    What else is reported from then on, of objects that were half constructed, tells a user nothing.
    """
    if isinstance(swallowed.exc_value, KeyboardInterrupt):
        number = signal_of(swallowed.exc_value)
        signal.signal(number, _interrupt)
        threading.Timer(0.01, os.kill, (os.getpid(), number)).start()
