"""Formatting of numbers in the report: a true minus sign, fixed digits, an en dash for missing values."""

from vsr_lab.core.records.evaluation import Estimate

MISSING = "\N{EN DASH}"


def number(value: float | None, digits: int) -> str:
    """Format a value with `digits` digits after the point; None is formatted as an en dash."""
    if value is None:
        return MISSING
    # Adding 0.0 turns the -0.0 that rounding can leave into 0.0.
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float | None, digits: int) -> str:
    """Format a value with its sign, "+" or minus, and `digits` digits after the point."""
    if value is None:
        return MISSING
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def interval(estimate: Estimate | None, digits: int) -> str:
    """Format the interval of an estimate, such as "[0.10, 0.32]"; "" if it has none.

    If the interval is only valid for the measured clips, "on these frames" is added.
    """
    return "" if estimate is None else estimate.interval(lambda end: number(end, digits))


def half_width(estimate: Estimate | None, digits: int) -> str:
    """Format half the width of the interval of an estimate, such as "±0.11"; "" if it has no interval."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    return f"±{number((estimate.high - estimate.low) / 2, digits)}"


def with_unit(value: str, unit: str) -> str:
    """Join a formatted value and its unit by a no-break space."""
    return f"{value}\N{NO-BREAK SPACE}{unit}" if unit else value


def parameters(count: int | None) -> str:
    """Format a parameter count in thousands or millions."""
    if count is None:
        return MISSING
    if count >= 1_000_000:
        return f"{count / 1e6:.2f}\N{NO-BREAK SPACE}M"
    return f"{count / 1e3:.0f}\N{NO-BREAK SPACE}k" if count >= 1_000 else str(count)
