"""Median seconds of several functions, called in turn so that a busy moment falls on all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping


def side_by_side(
    functions: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """name -> median seconds over `rounds`, after one round to warm up. A busy machine changes CPU time little."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(rounds + 1):
        for name, function in functions.items():
            start = clock()
            function()
            if turn:
                seconds[name].append(clock() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def show(title: str, seconds: Mapping[str, float], baseline: str, per: int, unit: str) -> None:
    """A line a function: milliseconds a unit, and how many times the baseline's speed."""
    print(f"\n{title}")
    for name, value in seconds.items():
        print(f"  {name:<28} {1000 * value / per:9.2f} ms/{unit}   {seconds[baseline] / value:6.2f} x {baseline}")
