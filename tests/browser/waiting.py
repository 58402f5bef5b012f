"""Waiting for a page, without a guess at how long it takes."""

from __future__ import annotations

from typing import Any

import pytest


def wait_for(page: Any, condition: str) -> None:
    """Wait for a condition; Playwright's own wait_for_function needs eval, which the page's policy forbids."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(condition)
