"""Tables of the worst tiles and frames of candidates, found in whole clips."""

from typing import NamedTuple

from vsr_lab.core.crops import TILE
from vsr_lab.core.records.comparison import CandidatePlace
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.text import number, signed


class WorstRow(NamedTuple):
    """A worst place of a candidate, and by how much it is worse than the baseline or bicubic interpolation.

    Attributes:
        name: name of the clip in the clip browser.
        key: name of the place in the clip browser.
        where: position of the tile as text; "" for a whole frame.
        own: error of the candidate in the tile, or its PSNR in the frame, as text.
        other: the same for bicubic interpolation (of a tile) or for the baseline (of a frame).
        loss: difference of `own` and `other` as text; positive if the candidate is worse.
        amount: the difference as a number, by which the rows are sorted.
    """

    candidate: str
    suite: str
    clip: str
    name: str
    key: str
    frame: int
    where: str
    own: str
    other: str
    loss: str
    amount: float


class WorstTable(NamedTuple):
    """Worst places of one kind, the largest loss first.

    Attributes:
        first: the worst place of each candidate.
        others: the worst places of the candidates in other clips, which the page shows on a click.
    """

    label: str
    caption: str
    unit: str
    reference: str
    first: list[WorstRow]
    others: list[WorstRow]


def worst_tables(lookup: Lookup) -> list[WorstTable]:
    """Make the tables of worst tiles and of worst frames; empty if no places are known."""
    places = lookup.comparison.worst
    tiles = [tile_row(place) for place in places if place.kind == "tile"]
    frames = [row for place in places if place.kind == "frame" and (row := _frame_row(lookup, place))]
    size = f"{TILE}×{TILE} pixels"
    caption = (
        f"Of every candidate and clip the tile ({size}) in which its mean absolute error exceeds that of bicubic "
        "interpolation the most, in 8-bit levels. All scored frames of the clip are searched."
    )
    about = "Of every candidate and clip the frame with the lowest PSNR, of all scored frames."
    tables = [
        _table("Tiles", caption, "levels", "bicubic", tiles),
        _table("Frames", about, "dB", lookup.baseline, frames),
    ]
    return [table for table in tables if table.first]


def _table(label: str, caption: str, unit: str, reference: str, rows: list[WorstRow]) -> WorstTable:
    ordered = sorted(rows, key=lambda row: -row.amount)
    worst = {row.candidate: row for row in reversed(ordered)}
    first = [row for row in ordered if worst[row.candidate] is row]
    return WorstTable(label, caption, unit, reference, first, [row for row in ordered if row not in first])


def tile_row(place: CandidatePlace) -> WorstRow:
    """Row of a worst tile, compared with bicubic interpolation."""
    loss = place.error - place.bicubic
    return _row(place, f"x {place.left}, y {place.top}", place.error, place.bicubic, loss, 1)


def _frame_row(lookup: Lookup, place: CandidatePlace) -> WorstRow | None:
    """Row of a worst frame, compared with the baseline; None if PSNR was not measured."""
    own, other = (lookup.at(name, place.suite, place.clip, place.frame) for name in (place.candidate, lookup.baseline))
    if own is None or other is None or place.candidate == lookup.baseline:
        return None
    return _row(place, "", own, other, other - own, 2)


def _row(place: CandidatePlace, where: str, own: float, other: float, loss: float, digits: int) -> WorstRow:
    return WorstRow(
        candidate=place.candidate,
        suite=place.suite,
        clip=place.clip,
        name=f"{place.suite} / {place.clip}",
        key=place.key,
        frame=place.frame,
        where=where,
        own=number(own, digits),
        other=number(other, digits),
        loss=signed(loss, digits),
        amount=loss,
    )
