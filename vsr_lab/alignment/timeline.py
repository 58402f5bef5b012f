"""Temporal alignment: which HR frame each LR frame shows, estimated from signatures (very small gray pictures).

First, one orientation, one direction and one offset are estimated for the whole clip. Then the path of lowest cost
through all pairs of frames is computed (Viterbi); a step of one frame is free, and a jump costs as much as a clear
mismatch.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from vsr_lab.alignment.grids import Picture
from vsr_lab.core.orientation import ORIENTATIONS, Orientation

_WINDOW = 256  # LR frames from which orientation, direction and offset are found
# Costs of a path. The unit is arbitrary: a matching frame costs _MATCH on average.
_MATCH = 1.5
_SLIP, _NEAR = 8.0, (0, 2, 3)  # of repeating a frame, or leaving out one or two
_JUMP, _FAR = 15.0, 100  # of any other step, and its code in the table of steps
_WORST = 48.0  # of a frame at most, so that one without a match does not break the path
_BEYOND = 10.0  # of an LR frame before the first or after the last HR frame
_FAVOUR = (1.0, 0.75, 0.6)  # forwards, backwards, any order: the less likely has to explain more
_BLOCK, _SLACK = 1500, 1000  # LR frames matched at once, and the HR frames searched beyond them
_LONGEST = 4000  # frames: any order is not tried in longer clips
_HELD = 3  # frames by which a run may be moved among frames that show one held drawing
_STIFF = 8.0  # levels squared: cells that change by more have a gain of their own
_ROUNDING = 0.03  # levels: smaller changes of a signature are rounding

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Timeline:
    """Alignment in time: the matching HR frame of every LR frame.

    T and U are the numbers of LR and HR frames. Distances are root mean square differences of signatures (small gray
    pictures of the frames), in 8-bit levels (0..255).

    Attributes:
        orientation: orientation in which HR matches LR.
        backwards: whether LR is reversed in time.
        match: number of the HR frame that matches each LR frame, (T,). Numbers below 0 or above U-1 belong to LR frames
            from before or after the HR clip.
        mismatch: distance of every LR frame from the matching HR frame, (T,).
        noise_floor: typical distance of a correct match.
        motion: distance between consecutive HR frames, (U - 1,).
    """

    orientation: Orientation
    backwards: bool
    match: Numbers
    mismatch: Picture
    noise_floor: float
    motion: Picture

    @property
    def evidence(self) -> float:
        """Reliability with which an offset of one frame is detected; if below about 2, there is too little motion."""
        return float(((self.motion / self.noise_floor) ** 2).sum() * _MATCH / _SLIP)

    def in_order(self, frames: int) -> bool:
        """Whether match[t] is t for all LR frames t, or `frames` - 1 - t if LR is reversed in time.

        Args:
            frames: number of HR frames.
        """
        t = np.arange(len(self.match))
        return np.array_equal(self.match, frames - 1 - t if self.backwards else t)

    def delayed(self, offset: int, frames: int) -> Self:
        """Copy of the timeline with another offset in time.

        Args:
            offset: number that is added to `match`.
            frames: number of HR frames; the new frame numbers are clamped to 0..frames - 1.
        """
        return replace(self, match=np.clip(self.match + offset, 0, frames - 1))

    def synchronous(self) -> Self:
        """Copy of the timeline in which every LR frame t matches HR frame t, with mismatch 0 and in forward order."""
        t = np.arange(len(self.match))
        return replace(self, backwards=False, match=t, mismatch=np.zeros(len(t)))

    @property
    def matched(self) -> Numbers:
        """Numbers of the LR frames with a reliable match; if there are fewer than 3, of all LR frames with a match."""
        inside = (self.match >= 0) & (self.match <= len(self.motion))
        reliable = inside & (self.mismatch <= 3 * self.noise_floor)
        return np.flatnonzero(reliable if reliable.sum() >= 3 else inside)


def find_timeline(low: Picture, high: Picture, mask: Picture, orientation: Orientation | None = None) -> Timeline:
    """Find the matching HR frame of every LR frame, even if frames are lost, repeated, shifted or reversed in time.

    Args:
        low, high: signatures of LR (T, n, n) and HR (U, n, n), in 8-bit levels, see `signatures`.
        mask: 1 for the cells of LR that can be compared, else 0, (n, n).
        orientation: orientation of HR; None: it is estimated.
    """
    low = low * mask
    orientation, offsets = _coarse_search(low, high, mask, orientation)
    forward = (orientation.apply(high, 1) * mask).reshape(len(high), -1)
    directions = {False: forward, True: forward[::-1]}
    flat, steps = low.reshape(len(low), -1), np.arange(len(low))
    tried = [(back, _refined_path(flat, ordered, steps + offsets[back])) for back, ordered in directions.items()]
    if len(low) * len(high) <= _LONGEST**2:
        tried.append((False, _refined_path(flat, forward, _most_similar(flat, forward), ends=False)))
    floor = min(_fit_levels(flat, directions[back], match)[1] for back, match in tried)
    costs = [_path_cost(flat, directions[back], match, floor) for back, match in tried]
    backwards, match = tried[int(np.argmin([cost / favour for cost, favour in zip(costs, _FAVOUR, strict=False)]))]
    ordered = directions[backwards]
    match = _snapped(match, ordered)
    fitted, floor = _fit_levels(flat, ordered, match)
    mismatch = np.sqrt(((fitted - ordered[np.clip(match, 0, len(high) - 1)]) ** 2).mean(1))
    motion = np.sqrt((np.diff(ordered, axis=0) ** 2).mean(1))
    if backwards:
        match, motion = len(high) - 1 - match, motion[::-1]
    return Timeline(orientation, backwards, match, mismatch, floor, motion)


def _refined_path(low: Picture, high: Picture, match: Numbers, ends: bool = True) -> Numbers:
    """Refine a path: fit the gray levels of LR to HR and search for the cheapest path, several times in turn.

    ends: whether LR may begin before the first or end after the last HR frame, by about as much as in `match`.
    """
    before, after = (max(0, -int(match[0])) + 2, max(0, int(match[-1]) + 1 - len(high)) + 2) if ends else (0, 0)
    for _ in range(3):
        fitted, floor = _fit_levels(low, high, match)
        match = _cheapest_path(fitted, high, floor**2, match, (before, after))
    return match


def _snapped(match: Numbers, high: Picture) -> Numbers:
    """Move runs of consecutive matches among HR frames with equal pictures, so that the order is violated least."""
    match = match.copy()
    starts = [0, *(np.flatnonzero(np.diff(match) != 1) + 1), len(match)]
    for begin, stop in pairwise(starts[1:]):
        run, expected = match[begin:stop].copy(), match[begin - 1] + 1
        for move in sorted(range(-_HELD, _HELD + 1), key=lambda m: (abs(run[0] + m - expected), abs(m))):
            there = run + move
            if there.min() < 0 or there.max() >= len(high) or run.min() < 0 or run.max() >= len(high):
                continue
            if np.sqrt(((high[there] - high[run]) ** 2).mean(1)).max() < 2 * _ROUNDING:
                match[begin:stop] = there
                break
    return match


def _path_cost(low: Picture, high: Picture, match: Numbers, floor: float) -> float:
    """Cost of a path if a correct match has the distance `floor`."""
    fitted, _ = _fit_levels(low, high, match)
    gap = ((fitted - high[np.clip(match, 0, len(high) - 1)]) ** 2).mean(1) * (_MATCH / floor**2)
    gap = np.where((match < 0) | (match >= len(high)), _BEYOND, np.minimum(gap, _WORST))
    step = np.diff(match)
    near = np.isin(step, _NEAR)
    return float(gap.sum()) + _SLIP * int(near.sum()) + _JUMP * int((~near & (step != 1)).sum())


def _most_similar(low: Picture, high: Picture) -> Numbers:
    """The HR frame with the highest correlation for every LR frame, in any order."""
    low, high = (x - x.mean(1, keepdims=True) for x in (low, high))
    return (low @ (high / (np.sqrt((high**2).sum(1, keepdims=True)) + 1e-3)).T).argmax(1)


def _fit_levels(low: Picture, high: Picture, match: Numbers) -> tuple[Picture, float]:
    """Fit LR signatures to the matching HR signatures by a gain and an offset for each cell.

    Returns the fitted signatures, and the median of their distances from the matches. Cells that hardly change over
    time get a common gain. Other cells get their own, since a tone curve or swapped channels affect bright and dark
    cells differently.
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
    return fitted.astype(np.float32), float(max(np.median(left[inside]), _ROUNDING))


def _cheapest_path(low: Picture, high: Picture, floor: float, guess: Numbers, ends: tuple[int, int]) -> Numbers:
    """HR frame of each LR frame on the path of lowest cost; long clips are processed in blocks.

    The path may begin up to ends[0] frames before HR and end up to ends[1] frames after it. These frames get numbers
    outside 0..U-1.
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
        cost = np.maximum(cost - 2 / low.shape[1] * (part @ near_high.T), 0) * (_MATCH / floor)
        beyond = [np.full((len(part), n), _BEYOND, cost.dtype) for n in ends]
        cost = np.concatenate([beyond[0], np.minimum(cost, _WORST), beyond[1]], 1)
        start = None if last is None else last + 1 - begin + ends[0]
        match[first : first + len(part)] = begin - ends[0] + _viterbi(cost, ends, start)
        last = int(match[first + len(part) - 1])
    return match


def _viterbi(cost: Picture, ends: tuple[int, int], start: int | None) -> Numbers:
    """Viterbi algorithm. A step from state u to u + 1 is free, a step in _NEAR costs _SLIP, any other step _JUMP.

    The first ends[0] and the last ends[1] states are not HR frames; only a step from u to u + 1 leads to them.
    cost: (T, U). start: the expected first state.
    """
    steps, states = cost.shape
    total = cost[0].astype(np.float64)
    total[states - ends[1] :] = np.inf
    if start is not None:
        total = total + _JUMP * (np.arange(states) != start)
    came = np.zeros((steps, states), np.int8)  # the step into each state; _FAR: from origin[t]
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


def _coarse_search(
    low: Picture, high: Picture, mask: Picture, known: Orientation | None
) -> tuple[Orientation, dict[bool, int]]:
    """The orientation, and the offset for each direction (True: backwards, counted from the end of HR)."""
    first = _most_active(low)
    part = _normalized(low[first : first + _WINDOW])
    wholes = [(o, _normalized(o.apply(high, 1) * mask)) for o in (ORIENTATIONS if known is None else (known,))]
    distance = [1.0001 - float((part @ whole.T).max(1).mean()) / part.shape[1] for _, whole in wholes]
    best = int(np.argmin([distance[0], *(1.1 * d + 1e-5 for d in distance[1:])]))
    orientation, whole = wholes[best]
    return orientation, {back: _best_offset(part, whole[:: -1 if back else 1], first) for back in (False, True)}


def _most_active(low: Picture) -> int:
    """Number of the first of the _WINDOW frames with most motion."""
    change = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(low, axis=0)).mean((1, 2)))])
    if len(low) <= _WINDOW:
        return 0
    return int((change[_WINDOW - 1 :] - change[: len(low) - _WINDOW + 1]).argmax())


def _normalized(pictures: Picture) -> Picture:
    """Flatten pictures (T, n, n) at half the resolution, each with mean 0 and deviation 1 to remove gain and offset."""
    small = np.stack(
        [cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for p in map(np.ascontiguousarray, pictures)]
    )
    flat = small.reshape(len(small), -1)
    flat = flat - flat.mean(1, keepdims=True)
    return flat / np.sqrt((flat**2).mean(1, keepdims=True) + 4)


def _best_offset(low: Picture, high: Picture, first: int) -> int:
    """The offset in time at which `low` and `high` differ least, after the mean difference of each cell is removed."""
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
