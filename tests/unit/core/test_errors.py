"""Errors of libraries that mean the same to a user."""

import errno
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from vsr_lab.core.errors import UserError, is_disk_full, is_out_of_memory

_MANY = 1 << 46


@pytest.mark.parametrize(
    "allocate",
    [
        lambda: bytearray(_MANY),
        lambda: np.ones(_MANY, np.uint8),
        lambda: torch.ones(_MANY, dtype=torch.uint8),
        lambda: cv2.resize(np.zeros((2, 2), np.float64), (30_000, 2_000_000_000)),
    ],
    ids=["Python", "NumPy", "PyTorch", "OpenCV"],
)
def test_a_failed_allocation_is_recognised(allocate: Callable[[], object]) -> None:
    with pytest.raises(Exception) as caught:
        allocate()
    assert is_out_of_memory(caught.value)


def test_other_errors_are_not() -> None:
    assert not is_out_of_memory(RuntimeError("size mismatch"))
    assert not is_disk_full(OSError(errno.EACCES, "permission denied"))


def test_a_full_disk_is_recognised_behind_another_error() -> None:
    error = UserError("run", "cannot be written")
    error.__cause__ = OSError(errno.ENOSPC, "no space left on device")
    assert is_disk_full(error)
