"""The ways a command can end without its result."""

import math


class UserError(Exception):
    """Unusable input: one line that names the file or key, what was wrong and what to do. Exit code 2."""

    def __init__(self, subject: object, problem: str, remedy: str = "") -> None:
        super().__init__(f"{subject}: {problem}" + (f"; {remedy}" if remedy else ""))
        self._parts = (str(subject), problem, remedy)

    def __reduce__(self) -> tuple[type["UserError"], tuple[str, str, str]]:
        return UserError, self._parts  # so that it comes back whole from another process


def check_range(key: str, value: float, least: float, most: float = math.inf) -> None:
    """Raises UserError unless least <= value <= most; NaN is in no range."""
    if not value <= most:
        raise UserError(key, f"{value} is over {most:g}", f"say {key}={most:g} or less")
    if not value >= least:
        raise UserError(key, f"{value} is under {least:g}", f"say {key}={least:g} or more")


class Refusal(Exception):
    """Judged and refused: a gate or a parity check said no. Exit code 1."""


class Stopped(Exception):
    """Ended by a signal, or for want of memory or disk, with nothing lost. code: the exit code, 128 + the signal's."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
