"""Timestamps of the output: exact multiples of the frame rate if it is constant, else those of the source."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from vsr_lab.video.packets import PacketIndex

_TICKS = 10_000  # smallest number of ticks a second, so that start times are kept
_NTSC = (Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(48000, 1001))


@dataclass(frozen=True)
class Timing:
    """Timestamps and durations of the output's frames.

    Attributes:
        base: time base in seconds.
        rate: frames per second; nominal if it varies.
        constant: whether all frames have the same duration.
        ticks: timestamps in units of base, (T,).
        durations: durations in units of base, (T,).
    """

    base: Fraction
    rate: Fraction
    constant: bool
    ticks: npt.NDArray[np.int64]
    durations: npt.NDArray[np.int64]

    @property
    def start(self) -> Fraction:
        """Timestamp of the first frame in seconds."""
        return int(self.ticks[0]) * self.base


def timing_of(index: PacketIndex, stated: Fraction, shift: Fraction = Fraction(0), coarse: bool = False) -> Timing:
    """Compute the timestamps and durations of the output's frames from those of the source.

    Args:
        index: index of the source's frames.
        stated: frames per second according to the source's header.
        shift: seconds that are added to all timestamps.
        coarse: use one tick per frame, for containers that number frames and have no timestamps (AVI).
    """
    count = len(index.ticks)
    start = int(index.ticks[0]) * index.base + shift
    rate = next((rate for rate in _rates(index, stated) if _is_constant(index, rate)), None)
    if rate is None:
        ticks = index.ticks + round(shift / index.base)
        last = index.last or int(np.diff(ticks)[-1])
        return Timing(index.base, stated, False, ticks, np.append(np.diff(ticks), last))
    factor = 1 if coarse else -(-_TICKS // rate.numerator)
    base = 1 / rate if coarse else Fraction(1, rate.numerator * factor)
    step = round(1 / (rate * base))
    ticks = round(start / base) + step * np.arange(count, dtype=np.int64)
    return Timing(base, rate, True, ticks, np.full(count, step))


def _rates(index: PacketIndex, stated: Fraction) -> list[Fraction]:
    """Possible frame rates: the stated one, the nearest common one, and the mean of the timestamps."""
    common = [*_NTSC, Fraction(round(stated))] if stated > 1 else []
    span = int(index.ticks[-1] - index.ticks[0]) * index.base
    mean = [Fraction(round(len(index.ticks) / (span * len(index.ticks) / (len(index.ticks) - 1))))] if span else []
    near = [rate for rate in common if rate and abs(rate / stated - 1) < Fraction(1, 500)]
    return [stated, *near, *(rate for rate in mean if rate)]


def _is_constant(index: PacketIndex, rate: Fraction) -> bool:
    """Whether timestamps are multiples of 1 / rate, rounded to ticks of the source."""
    count = len(index.ticks)
    if count == 1:
        return True
    exact = np.array([float(n / (rate * index.base)) for n in (0, count - 1)])
    offsets = index.ticks - index.ticks[0] - np.linspace(exact[0], exact[1], count)
    return bool(np.abs(offsets).max() <= 1.0)
