"""Which HR frame each LR frame shows, found by their signatures alone.

First one orientation, one direction and one offset for the whole clip; then the cheapest path through all pairs of
frames (Viterbi), on which going on by one frame is free and a jump costs as much as a clear mismatch.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from vsr_lab.alignment.grids import ORIENTATIONS, Orientation, Picture

_WINDOW = 256  # LR frames that find orientation, direction and offset
_WEIGHT = 1.5  # what a right frame costs
_SLIP, _NEAR = 8.0, (0, 2, 3)  # what it costs to repeat a frame or to leave out one or two
_JUMP, _FAR = 15.0, 100  # what it costs to go anywhere else, and how that is marked
_WORST = 48.0  # the most that one frame costs, so that one without a partner is borne
_BLOCK, _SLACK = 1500, 1000  # LR frames matched at once, and how far the HR frames looked at reach beyond
_BEYOND = 10.0  # what an LR frame without a partner costs, where HR has ended or not begun
_FAVOUR = (1.0, 0.75, 0.6)  # forwards, backwards, in no order: the odder, the more it has to explain
_MANY = 4000  # frames: longer clips are not tried for a lost order
_HELD = 3  # how far apart frames of one held drawing may be for a run to be moved among them
_STIFF = 8.0  # levels squared: a cell has a gain of its own where it changes by more
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
        return float(((self.motion / self.floor) ** 2).sum() * _WEIGHT / _SLIP)

    def stepwise(self, frames: int) -> bool:
        """True where LR goes through the HR frames in their order, or all the way back, from its first frame on."""
        t = np.arange(len(self.match))
        return np.array_equal(self.match, frames - 1 - t if self.backwards else t)

    def later(self, frames: int, high_frames: int) -> Self:
        """The same clip if LR showed HR `frames` frames later than it seems to."""
        match = np.clip(self.match + frames, 0, high_frames - 1)
        return replace(self, match=match)

    def in_step(self) -> Self:
        """The same clip if LR frame t showed HR frame t."""
        t = np.arange(len(self.match))
        return replace(self, backwards=False, match=t, mismatch=np.zeros(len(t)))

    @property
    def partnered(self) -> Numbers:
        """LR frames whose match is sound."""
        inside = (self.match >= 0) & (self.match <= len(self.motion))
        sound = inside & (self.mismatch <= 3 * self.floor)
        return np.flatnonzero(sound if sound.sum() >= 3 else inside)

    @property
    def clear(self) -> float:
        """Share of HR frames of which a single one dropped or repeated would be seen."""
        return float((self.motion**2 * _WEIGHT > 2 * _SLIP * self.floor**2).mean()) if len(self.motion) else 0.0


def find_timeline(low: Picture, high: Picture, both: Picture, turned: Orientation | None = None) -> Timeline:
    """low T n n, high U n n: signatures in levels; both: 1 for the cells (as LR lies) that can be compared, else 0;
    turned: the orientation where it is known already."""
    low = low * both
    orientation, offsets = _coarse(low, high, both, turned)
    forward = (orientation.turn(high, 1) * both).reshape(len(high), -1)
    flat, steps = low.reshape(len(low), -1), np.arange(len(low))
    tried = [(back, _followed(flat, forward[:: -1 if back else 1], steps + offsets[back])) for back in (False, True)]
    if len(low) * len(high) <= _MANY**2:
        tried.append((False, _followed(flat, forward, _nearest(flat, forward), ends=False)))
    floor = min(_fitted(flat, forward[:: -1 if back else 1], match)[1] for back, match in tried)
    prices = [_price(flat, forward[:: -1 if back else 1], match, floor) for back, match in tried]
    best = int(np.argmin([price / favour for price, favour in zip(prices, _FAVOUR, strict=False)]))
    backwards, match = tried[best]
    ordered = forward[:: -1 if backwards else 1]
    match = _settled(match, ordered)
    fitted, floor = _fitted(flat, ordered, match)
    mismatch = np.sqrt(((fitted - ordered[np.clip(match, 0, len(high) - 1)]) ** 2).mean(1))
    motion = np.sqrt((np.diff(ordered, axis=0) ** 2).mean(1))
    if backwards:
        match, motion = len(high) - 1 - match, motion[::-1]
    return Timeline(orientation, backwards, match, mismatch, floor, motion)


def _followed(low: Picture, high: Picture, match: Numbers, ends: bool = True) -> Numbers:
    """The cheapest path, found from a first guess by fitting levels and path in turn. ends: LR may begin before the
    first or go on after the last HR frame, by as much as the guess has it."""
    before, after = (max(0, -int(match[0])) + 2, max(0, int(match[-1]) + 1 - len(high)) + 2) if ends else (0, 0)
    for _ in range(3):
        fitted, floor = _fitted(low, high, match)
        match = _path(fitted, high, floor**2, match, (before, after))
    return match


def _settled(match: Numbers, high: Picture) -> Numbers:
    """The path with every run moved to where it breaks the order least, among HR frames that are the same picture."""
    match = match.copy()
    starts = [0, *(np.flatnonzero(np.diff(match) != 1) + 1), len(match)]
    for begin, stop in pairwise(starts[1:]):
        run, expected = match[begin:stop].copy(), match[begin - 1] + 1
        for move in sorted(range(-_HELD, _HELD + 1), key=lambda m: (abs(run[0] + m - expected), abs(m))):
            there = run + move
            if there.min() < 0 or there.max() >= len(high) or run.min() < 0 or run.max() >= len(high):
                continue
            if np.sqrt(((high[there] - high[run]) ** 2).mean(1)).max() < 2 * _QUIET:
                match[begin:stop] = there
                break
    return match


def _price(low: Picture, high: Picture, match: Numbers, floor: float) -> float:
    """What a path costs when a right match has `floor`."""
    fitted, _ = _fitted(low, high, match)
    gap = ((fitted - high[np.clip(match, 0, len(high) - 1)]) ** 2).mean(1) * (_WEIGHT / floor**2)
    gap = np.where((match < 0) | (match >= len(high)), _BEYOND, np.minimum(gap, _WORST))
    step = np.diff(match)
    near = np.isin(step, _NEAR)
    return float(gap.sum()) + _SLIP * int(near.sum()) + _JUMP * int((~near & (step != 1)).sum())


def _nearest(low: Picture, high: Picture) -> Numbers:
    """Of every LR frame the HR frame that is most alike, whatever the order."""
    low, high = (x - x.mean(1, keepdims=True) for x in (low, high))
    return (low @ (high / (np.sqrt((high**2).sum(1, keepdims=True)) + 1e-3)).T).argmax(1)


def _fitted(low: Picture, high: Picture, match: Numbers) -> tuple[Picture, float]:
    """low with the gain, the offset and the standing difference to its matches taken out; and what then is left.

    The gain is one for all, bent for single cells where their changes ask for it: a curve of tones or a swap of colours
    moves a lamp otherwise than a wall.
    """
    paired = high[np.clip(match, 0, len(high) - 1)]
    inside = (match >= 0) & (match < len(high))
    inside = inside if inside.sum() >= 3 else np.ones(len(match), bool)
    x, y = low[inside], paired[inside]
    centre = x.mean(0), y.mean(0)
    spread = float(x.var())
    gain = float(((x - x.mean()) * (y - y.mean())).mean()) / spread if spread > 1e-6 else 1.0
    gain = gain if gain > 0.1 else 1.0
    own = ((x - centre[0]) * (y - centre[1])).mean(0), ((x - centre[0]) ** 2).mean(0)
    gains = np.clip((own[0] + _STIFF * gain) / (own[1] + _STIFF), 0.2 * gain, 5 * gain)
    fitted = gains * low
    fitted = fitted + np.median(y - fitted[inside], 0)
    left = np.sqrt(((fitted - paired) ** 2).mean(1))
    return fitted.astype(np.float32), float(max(np.median(left[inside]), _QUIET))


def _path(low: Picture, high: Picture, floor: float, guess: Numbers, ends: tuple[int, int]) -> Numbers:
    """The HR frame of each LR frame on the cheapest path; long clips block by block, around the last's end.

    It may begin before HR does and end after it, by `ends` frames at most: there LR frames have no partner, and a
    number outside HR.
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
        cost = np.maximum(cost - 2 / low.shape[1] * (part @ near_high.T), 0) * (_WEIGHT / floor)
        beyond = [np.full((len(part), n), _BEYOND, cost.dtype) for n in ends]
        cost = np.concatenate([beyond[0], np.minimum(cost, _WORST), beyond[1]], 1)
        start = None if last is None else last + 1 - begin + ends[0]
        match[first : first + len(part)] = begin - ends[0] + _cheapest(cost, ends, start)
        last = int(match[first + len(part) - 1])
    return match


def _cheapest(cost: Picture, ends: tuple[int, int], start: int | None) -> Numbers:
    """Viterbi: from state u on to u + 1 for nothing, to a near one (_NEAR) for _SLIP, anywhere for _JUMP, never into
    the first and last `ends` states, which are no frames. cost T U; start: the state expected first."""
    steps, states = cost.shape
    total = cost[0].astype(np.float64)
    total[states - ends[1] :] = np.inf
    if start is not None:
        total = total + _JUMP * (np.arange(states) != start)
    came = np.zeros((steps, states), np.int8)  # how far the state lies from the one before; 0 and _FAR: see below
    origin = np.zeros(steps, np.int64)
    frames = slice(ends[0], states - ends[1])
    for t in range(1, steps):
        onward = np.full(states, np.inf)
        onward[1:] = total[:-1]
        came[t] = 1
        origin[t] = int(total.argmin())
        before = np.concatenate([np.full(max(_NEAR), np.inf), total])
        ways = [(step, before[max(_NEAR) - step :][:states][frames] + _SLIP) for step in _NEAR]
        for step, way in [*ways, (_FAR, np.full(frames.stop - frames.start, total[origin[t]] + _JUMP))]:
            better = way < onward[frames]
            came[t, frames][better] = step
            onward[frames][better] = way[better]
        total = onward + cost[t]
    match = np.empty(steps, np.int64)
    match[-1] = int(total.argmin())
    for t in range(steps - 1, 0, -1):
        step = int(came[t, match[t]])
        match[t - 1] = origin[t] if step == _FAR else match[t] - step
    return match


def _coarse(
    low: Picture, high: Picture, both: Picture, turned: Orientation | None
) -> tuple[Orientation, dict[bool, int]]:
    """One orientation, and the offset forwards and backwards: LR t shows HR t + offset, counted from HR's end there."""
    first = _liveliest(low)
    part = _normalised(low[first : first + _WINDOW])
    wholes = [(o, _normalised(o.turn(high, 1) * both)) for o in (ORIENTATIONS if turned is None else (turned,))]
    unlike = [1.0001 - float((part @ whole.T).max(1).mean()) / part.shape[1] for _, whole in wholes]
    best = int(np.argmin([unlike[0], *(1.1 * u + 1e-5 for u in unlike[1:])]))
    orientation, whole = wholes[best]
    return orientation, {back: _offset(part, whole[:: -1 if back else 1], first) for back in (False, True)}


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


def _offset(low: Picture, high: Picture, first: int) -> int:
    """The offset that leaves least change unexplained.

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
    return int(offsets[best]) - first
