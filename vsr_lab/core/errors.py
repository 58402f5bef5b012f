"""Exceptions that end a command, and what they mean."""

import difflib
import errno
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager

Kinds = type[Exception] | tuple[type[Exception], ...]


class UserError(Exception):
    """Error in a file or setting of the user, printed as one sentence. Commands exit with code 2.

    Args:
        subject: the file or configuration key.
        problem: what is wrong, as the end of a sentence that begins with the subject, such as "must be >= 1, got 0".
        remedy: hint how to correct the problem; if empty, the message has no hint.
    """

    def __init__(self, subject: object, problem: str, remedy: str = "") -> None:
        super().__init__(f"{subject}: {problem}" + (f"; {remedy}" if remedy else ""))
        self._parts = (str(subject), problem, remedy)

    def about(self, subject: object, other: object) -> "UserError":
        """Replace the subject, such as a file, by `other`, such as the configuration key that names the file.

        Returns a copy. If the subject of the error is not `subject`, the error itself is returned.
        """
        own, problem, remedy = self._parts
        return UserError(other, problem, remedy) if own == str(subject) else self

    def advising(self, remedy: str) -> "UserError":
        """Make a copy with another hint."""
        return UserError(*self._parts[:2], remedy)

    def __reduce__(self) -> tuple[type["UserError"], tuple[str, str, str]]:
        return UserError, self._parts  # the default pickles the message alone


@contextmanager
def reported(kinds: Kinds, subject: object, problem: str, remedy: str) -> Generator[None]:
    """Context manager that converts exceptions of libraries to UserError.

    Args:
        kinds: classes of the exceptions.
        subject, problem, remedy: as for UserError; {} in problem is replaced by `strerror` of an OSError, or by the
            first line of the message of the exception.
    """
    try:
        yield
    except kinds as error:
        reason = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0]
        raise UserError(subject, problem.replace("{}", reason), remedy) from error


@contextmanager
def noted(key: str) -> Generator[None]:
    """Context manager that adds `key`, a configuration key, as a note to exceptions that are raised in its block."""
    try:
        yield
    except Exception as error:
        error.add_note(key)
        raise


class Refusal(Exception):
    """Error for a negative result, such as a failed gate or a wrong exported graph. Commands exit with code 1."""


class Incomplete(Exception):
    """Error at the end of a batch in which some files were refused; the others are done. Commands exit with code 3."""


def suggestion(word: str, known: Iterable[str], otherwise: str = "", cutoff: float = 0.6) -> str:
    """Hint such as "did you mean bicubic?", for a word that may be misspelt.

    Args:
        word: the word.
        known: correct words.
        otherwise: returned if none of them is similar.
        cutoff: minimum similarity in [0, 1], as in `difflib.get_close_matches`.
    """
    near = difflib.get_close_matches(word, [*known], 1, cutoff)
    return f"did you mean {near[0]}?" if near else otherwise


def printable(text: str, but: str = "") -> str:
    """Escape the control characters of a text that may come from a file, except for those in `but`."""
    return "".join(c if c.isprintable() or c in but else ascii(c)[1:-1] for c in text)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Iterate over an error, the error from which it was raised, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one of its causes, reports that a disk or a quota is full."""
    full = {errno.ENOSPC, errno.EDQUOT}
    return any(isinstance(cause, OSError) and cause.errno in full for cause in causes(error))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error is a failed memory allocation in Python, NumPy, PyTorch, OpenCV or ONNX Runtime."""
    words = ("not enough memory", "can't allocate memory", "Insufficient memory", "Failed to allocate memory")
    is_torch = type(error).__name__ == "OutOfMemoryError"
    return isinstance(error, MemoryError) or is_torch or any(word in str(error) for word in words)


class Stopped(BaseException):
    """Error that ends a training after a signal. The message says how to continue.

    It derives from BaseException, as KeyboardInterrupt does, because libraries catch `Exception`.

    Args:
        message: the sentence to print.
        code: exit code, 128 + the number of the signal.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
