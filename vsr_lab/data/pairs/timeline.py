"""Which HR frame each LR frame shows, found by their signatures alone.

First one orientation, one direction and one offset for the whole clip; then the cheapest path through all pairs of
frames (Viterbi), on which going on by one frame is free and a jump costs as much as a clear mismatch.
"""

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from vsr_lab.data.pairs.grids import ORIENTATIONS, UPRIGHT, Orientation, Picture

_WINDOW = 256  # LR frames that find orientation, direction and offset
_JUMP = 12.0  # what a jump costs, in mismatches of a right frame
_WORST = 36.0  # the most that one frame costs, so that one without a partner is borne
_BLOCK, _SLACK = 1500, 1000  # LR frames matched at once, and how far the HR frames looked at reach beyond
_BEYOND = _JUMP + 2  # what an LR frame without a partner costs, where HR has ended or not begun
_MANY = 4000  # frames: longer clips are not tried for a lost order
_QUIET = 0.03  # levels: below this a signature's change is rounding


Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Timeline:
    """match: the HR frame of every LR frame, outside 0..U-1 where HR has ended or not begun; mismatch: their distance,
    and floor: what a right match has (levels, rms); motion: change from each HR frame to the next (levels, rms), to be
    held against the floor; backwards: LR runs so."""

    orientation: Orientation
    backwards: bool
    match: Numbers
    mismatch: Picture
    floor: float
    motion: Picture

    @property
    def evidence(self) -> float:
        """What being one frame off all along would cost, in jumps: below about 2, time cannot be told."""
        return float(((self.motion / self.floor) ** 2).sum() / _JUMP)

    def in_step(self, frames: int) -> Self:
        """The same clip if LR frame t showed HR frame t (from HR's end where backwards); frames: of HR."""
        t = np.arange(len(self.match))
        return replace(self, match=frames - 1 - t if self.backwards else t, mismatch=np.zeros(len(t)))

    @property
    def partnered(self) -> Numbers:
        """LR frames whose match is sound."""
        inside = (self.match >= 0) & (self.match <= len(self.motion))
        sound = inside & (self.mismatch <= 3 * self.floor)
        return np.flatnonzero(sound if sound.sum() >= 3 else inside)

    @property
    def clear(self) -> float:
        """Share of HR frames of which a single one dropped or repeated would be seen."""
        return float((self.motion**2 > 2 * _JUMP * self.floor**2).mean()) if len(self.motion) else 0.0


def find_timeline(low: Picture, high: Picture, both: Picture, turned: Orientation | None = None) -> Timeline:
    """low T n n, high U n n: signatures in levels; both: 1 for the cells (as LR lies) that can be compared, else 0;
    turned: the orientation where it is known already."""
    low = low * both
    orientation, backwards, offset = _coarse(low, high, both, turned)
    ordered = (orientation.turn(high, 1) * both)[:: -1 if backwards else 1].reshape(len(high), -1)
    flat = low.reshape(len(low), -1)
    match, floor = _followed(flat, ordered, np.arange(len(low)) + offset)
    if len(low) * len(high) <= _MANY**2:
        loose, loose_floor = _followed(flat, ordered, _nearest(flat, ordered))
        floor = min(floor, loose_floor)
        if _price(flat, ordered, loose, floor) < 0.8 * _price(flat, ordered, match, floor) - _JUMP:
            match = loose
    fitted, floor = _fitted(flat, ordered, match)
    mismatch = np.sqrt(((fitted - ordered[np.clip(match, 0, len(high) - 1)]) ** 2).mean(1))
    motion = np.sqrt((np.diff(ordered, axis=0) ** 2).mean(1))
    if backwards:
        match, motion = len(high) - 1 - match, motion[::-1]
    return Timeline(orientation, backwards, match, mismatch, floor, motion)


def _followed(low: Picture, high: Picture, match: Numbers) -> tuple[Numbers, float]:
    """The cheapest path, found from a first guess by fitting levels and path in turn; and the floor of its matches."""
    for _ in range(3):
        fitted, floor = _fitted(low, high, match)
        match = _path(fitted, high, floor**2, match)
    return match, _fitted(low, high, match)[1]


def _price(low: Picture, high: Picture, match: Numbers, floor: float) -> float:
    """What a path costs when a right match has `floor`."""
    fitted, _ = _fitted(low, high, match)
    gap = ((fitted - high[np.clip(match, 0, len(high) - 1)]) ** 2).mean(1) / floor**2
    gap = np.where((match < 0) | (match >= len(high)), _BEYOND, np.minimum(gap, _WORST))
    return float(gap.sum()) + _JUMP * int((np.diff(match) != 1).sum())


def _nearest(low: Picture, high: Picture) -> Numbers:
    """Of every LR frame the HR frame that is most alike, whatever the order."""
    low, high = (x - x.mean(1, keepdims=True) for x in (low, high))
    return (low @ (high / (np.sqrt((high**2).sum(1, keepdims=True)) + 1e-3)).T).argmax(1)


def _fitted(low: Picture, high: Picture, match: Numbers) -> tuple[Picture, float]:
    """low with the gain, the offset and the standing difference to its matches taken out; and what then is left."""
    paired = high[np.clip(match, 0, len(high) - 1)]
    inside = (match >= 0) & (match < len(high))
    inside = inside if inside.sum() >= 3 else np.ones(len(match), bool)
    x, y = low[inside], paired[inside]
    spread = float(x.var())
    gain = float(((x - x.mean()) * (y - y.mean())).mean()) / spread if spread > 1e-6 else 1.0
    gain = gain if gain > 0.1 else 1.0
    fitted = gain * low + (y.mean() - gain * x.mean())
    fitted = fitted - np.median(fitted[inside] - y, 0)
    left = np.sqrt(((fitted - paired) ** 2).mean(1))
    return fitted.astype(np.float32), float(max(np.median(left[inside]), _QUIET))


def _path(low: Picture, high: Picture, floor: float, guess: Numbers) -> Numbers:
    """The HR frame of each LR frame on the cheapest path; long clips block by block, around the last's end.

    It may begin before HR does and end after it: there LR frames have no partner, and a number outside HR.
    """
    match = np.empty(len(low), np.int64)
    last: int | None = None
    for first in range(0, len(low), _BLOCK):
        part = low[first : first + _BLOCK]
        near = int(guess[first]) if last is None else last + 1
        whole = len(high) <= _BLOCK + 2 * _SLACK
        begin = 0 if whole else int(np.clip(near - _SLACK, 0, max(0, len(high) - _BLOCK - 2 * _SLACK)))
        near_high = high if whole else high[begin : begin + _BLOCK + 2 * _SLACK]
        cost = (part**2).mean(1)[:, None] + (near_high**2).mean(1)[None]
        cost = np.maximum(cost - 2 / low.shape[1] * (part @ near_high.T), 0) / floor
        border = len(part) - max(min(8, len(part)), len(part) // 7)
        beyond = np.full((len(part), border), _BEYOND, cost.dtype)
        cost = np.concatenate([beyond, np.minimum(cost, _WORST), beyond], 1)
        start = None if last is None else last + 1 - begin + border
        match[first : first + len(part)] = begin - border + _cheapest(cost, border, start)
        last = int(match[first + len(part) - 1])
    return match


def _cheapest(cost: Picture, border: int, start: int | None) -> Numbers:
    """Viterbi: from state u on to u + 1 for nothing, elsewhere for _JUMP, but never into the `border` first and last
    states, which are no frames. cost T U; start: the state expected first."""
    steps, states = cost.shape
    total = cost[0].astype(np.float64)
    total[states - border :] = np.inf
    if start is not None:
        total = total + _JUMP * (np.arange(states) != start)
    jumped = np.zeros((steps, states), bool)
    origin = np.zeros(steps, np.int64)
    frames = slice(border, states - border)
    for t in range(1, steps):
        origin[t] = int(total.argmin())
        onward = np.full(states, np.inf)
        onward[1:] = total[:-1]
        elsewhere = total[origin[t]] + _JUMP
        jumped[t, frames] = elsewhere < onward[frames]
        onward[frames] = np.minimum(onward[frames], elsewhere)
        total = onward + cost[t]
    match = np.empty(steps, np.int64)
    match[-1] = int(total.argmin())
    for t in range(steps - 1, 0, -1):
        match[t - 1] = origin[t] if jumped[t, match[t]] else match[t] - 1
    return match


def _coarse(low: Picture, high: Picture, both: Picture, turned: Orientation | None) -> tuple[Orientation, bool, int]:
    """One orientation, direction and offset (LR t shows HR t + offset, counted from HR's end where backwards)."""
    first = _liveliest(low)
    part = _normalised(low[first : first + _WINDOW])
    scores: list[tuple[float, Orientation, dict[bool, tuple[float, int]]]] = []
    for orientation in ORIENTATIONS if turned is None else (turned,):
        whole = _normalised(orientation.turn(high, 1) * both)
        found = {back: _offset(part, whole[:: -1 if back else 1], first) for back in (False, True)}
        unlike = 1 - float((part @ whole.T).max(1).mean()) / part.shape[1]
        scores.append((unlike * (1.0 if orientation == UPRIGHT else 1.1) + 1e-5, orientation, found))
    _, orientation, found = min(scores, key=lambda score: score[0])
    forward, back = found[False], found[True]
    backwards = back[0] < 0.6 * forward[0]
    return orientation, backwards, found[backwards][1]


def _liveliest(low: Picture) -> int:
    """Where the _WINDOW frames with the most change begin."""
    change = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(low, axis=0)).mean((1, 2)))])
    if len(low) <= _WINDOW:
        return 0
    return int((change[_WINDOW - 1 :] - change[: len(low) - _WINDOW + 1]).argmax())


def _normalised(pictures: Picture) -> Picture:
    """T n n to T cells: half as fine, each with mean 0 and deviation 1, so that gain and offset fall out."""
    small = np.stack(
        [cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for p in map(np.ascontiguousarray, pictures)]
    )
    flat = small.reshape(len(small), -1)
    flat = flat - flat.mean(1, keepdims=True)
    return flat / np.sqrt((flat**2).mean(1, keepdims=True) + 4)


def _offset(low: Picture, high: Picture, first: int) -> tuple[float, int]:
    """Change that the best offset leaves unexplained, and that offset.

    At each offset the mean difference is taken out first: a standing difference (crop, kernel) says nothing of time.
    """
    steps, states, cells = len(low), len(high), low.shape[1]
    square = (low**2).mean(1)[:, None] + (high**2).mean(1)[None] - 2 / cells * (low @ high.T)
    lag = np.arange(states)[None] - np.arange(steps)[:, None] + steps - 1
    count = np.bincount(lag.ravel())
    whole = np.bincount(lag.ravel(), square.ravel()) / count
    offsets = np.arange(len(count)) - (steps - 1)
    begin, stop = np.maximum(0, -offsets), np.minimum(steps, states - offsets)
    sums = [np.concatenate([np.zeros((1, cells)), np.cumsum(x, 0, dtype=np.float64)]) for x in (low, high)]
    mean = (sums[0][stop] - sums[0][begin] - sums[1][stop + offsets] + sums[1][begin + offsets]) / count[:, None]
    changing = np.maximum(whole - (mean**2).mean(1), 0) + 1e-6
    least = max(min(8, steps, states), round(0.15 * min(steps, states)))
    weight = np.where(count >= least, 1 + 2 / count, np.inf)
    best = int((changing * weight).argmin())
    here = min(first + steps - 1, len(count) - 1)  # the entry at which LR t shows HR t
    if changing[here] * weight[here] <= 1.1 * changing[best] * weight[best]:
        best = here
    return float(changing[best]), int(offsets[best]) - first
