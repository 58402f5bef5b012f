"""Maps of error and flicker of candidates over frames and square tiles, and the places that are worst."""

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.clip import to_tensor
from vsr_lab.core.crops import TILE
from vsr_lab.core.cuts import SceneCutDetector
from vsr_lab.core.flow import Farneback, warp_previous
from vsr_lab.evaluation.worst import tile_means
from vsr_lab.reporting.saved import TRUTH, SavedClip

_WINDOW = 8  # frames at once
_LARGE = 1000  # pixels of the longer side, above which motion is estimated at half the size

Map = npt.NDArray[np.float32]
Kind = Literal["error", "flicker"]


class Place(NamedTuple):
    """Frame and tile of a clip in which the flicker of a candidate exceeds that of the best other candidate most.

    Attributes:
        candidate: name of the candidate.
        t: number of the frame among the saved frames.
        y, x: centre of the tile in HR pixels.
        value: flicker of the candidate, in 8-bit levels (0..255).
        other: lowest flicker of another candidate in the same frame and tile, in 8-bit levels.
    """

    candidate: str
    t: int
    y: int
    x: int
    value: float
    other: float


def tile_maps(clip: SavedClip) -> dict[Kind, dict[str, Map]]:
    """Compute maps of error and flicker of a clip: one mean value per tile and frame, in 8-bit levels.

    Error is the mean of |sr - hr|. Flicker is computed as in the metric `flicker`, with three differences: pixels that
    are not visible in the previous frame count as 0; motion is estimated at half the size if a side of HR has more than
    1000 pixels; and the flicker of the first frame of a scene is 0.

    Returns:
        "error" or "flicker" -> candidate -> map (T, rows, columns).
    """
    parts: dict[Kind, dict[str, list[Tensor]]] = {
        "error": {name: [] for name in clip.candidates},
        "flicker": {name: [] for name in clip.candidates},
    }
    flow = Farneback(shrink=2 if max(clip.size) > _LARGE else 1)
    is_cut = SceneCutDetector()
    for fresh, window in _windows(clip):
        hr = window[TRUTH][None]
        motion = flow(hr)
        cuts = [is_cut(frame) for frame in hr[0, -fresh:]]
        for name in clip.candidates:
            error = window[name][None] - hr
            parts["error"][name].append(tile_means(error[0].abs())[-fresh:])
            change = (error[:, 1:] - warp_previous(error, motion)).abs() * motion.mask
            flicker = F.pad(tile_means(change[0]), (0, 0, 0, 0, 1, 0))[-fresh:]
            flicker[cuts] = 0
            parts["flicker"][name].append(flicker)
    return {kind: {name: torch.cat(found).numpy() for name, found in own.items()} for kind, own in parts.items()}


def _windows(clip: SavedClip) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """Yield windows of frames: number of new frames, and view -> frames (T, 3, H, W).

    Each window except the first begins with the last frame of the previous window.
    """
    views = [TRUTH, *clip.candidates]
    videos = {view: clip.frames(view) for view in views}
    before: dict[str, Tensor] = {}
    for start in range(0, clip.facts.saved, _WINDOW):
        count = min(_WINDOW, clip.facts.saved - start)
        new = {view: torch.stack([to_tensor(frame) for frame in islice(videos[view], count)]) for view in views}
        yield count, {view: torch.cat([before[view], new[view]]) if before else new[view] for view in views}
        before = {view: frames[-1:] for view, frames in new.items()}


def flickering_places(maps: Mapping[str, Map]) -> list[Place]:
    """Find the frame and tile where each candidate flickers most in comparison with the best other candidate.

    A candidate that nowhere flickers more than the best other candidate is left out.

    Args:
        maps: candidate -> map of flicker, see `tile_maps`.
    """
    return list(chain.from_iterable(_worst(name, maps) for name in maps))


def _worst(name: str, maps: Mapping[str, Map]) -> list[Place]:
    rivals = [values for other, values in maps.items() if other != name]
    best = np.min(rivals, axis=0) if rivals else np.zeros_like(maps[name])
    excess = maps[name] - best
    t, row, column = (int(place) for place in np.unravel_index(int(excess.argmax()), excess.shape))
    if excess[t, row, column] <= 0:
        return []
    y, x = (place * TILE + TILE // 2 for place in (row, column))
    return [Place(name, t, y, x, float(maps[name][t, row, column]), float(best[t, row, column]))]
