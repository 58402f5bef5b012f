"""Plots of quality over time per frame or number of parameters, as positions in an SVG picture and as a table."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from vsr_lab.core.records.comparison import Competitor, MetricFacts, SuiteFacts
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.text import number, parameters
from vsr_lab.reporting.verdict import headline

WIDTH, HEIGHT = 460, 280  # of the picture
LEFT, RIGHT, TOP, BOTTOM = 58, 18, 18, 46  # margins around the axes
_LINE = 15  # height of a label
_LETTER = 7.4  # width of a letter of a label


class Tick(NamedTuple):
    """Position of a tick on its axis, and its text."""

    at: float
    text: str


class Point(NamedTuple):
    """A candidate in the plot: the position of its mark, and of the label beside it, in pixels of the SVG picture.

    Attributes:
        role: "ships" (a selected candidate), "baseline", or "candidate" (any other candidate).
        anchor: which end of the label is at label_x.
    """

    name: str
    role: Literal["ships", "baseline", "candidate"]
    x: float
    y: float
    label_x: float
    label_y: float
    anchor: Literal["start", "end"]


class CostPlot(NamedTuple):
    """Quality over cost on one suite.

    Attributes:
        missing: candidates whose cost is not known.
        description: all points in words.
    """

    suite: str
    points: list[Point]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    missing: list[str]
    description: str


class CostPanel(NamedTuple):
    """Plots over one kind of cost, one per suite; title: text at the axis of the cost."""

    label: str
    title: str
    plots: list[CostPlot]


class CostRow(NamedTuple):
    """Quality and cost of a candidate on a suite, as text."""

    suite: str
    candidate: str
    quality: str
    ms_per_frame: str
    parameters: str


def cost_metric(lookup: Lookup) -> MetricFacts | None:
    """The metric at the vertical axis of the plots; None if the comparison has no metrics.

    It is the first metric by which `select` ranked the candidates. If this metric is not shown, or the comparison was
    made without selection.json, it is the metric `headline`.
    """
    selection = lookup.comparison.selection
    ranked = lookup.metric(selection.rank_by[0]) if selection else None
    return ranked or headline(lookup.comparison.metrics)


def cost_panels(lookup: Lookup) -> list[CostPanel]:
    """Make the plots over time and over parameters. A kind of cost that is not known for any candidate is left out."""
    metric = cost_metric(lookup)
    if metric is None:
        return []
    costs: list[tuple[str, str, Callable[[Competitor], float | None]]] = [
        ("Time", "milliseconds per frame", lambda candidate: candidate.ms_per_frame),
        ("Size", "parameters", lambda candidate: candidate.parameters),
    ]
    panels: list[CostPanel] = []
    for label, title, cost in costs:
        plots = [_plot(lookup, suite, metric, cost, title) for suite in lookup.comparison.suites]
        if any(plot.points for plot in plots):
            panels.append(CostPanel(label, title, plots))
    return panels


def cost_rows(lookup: Lookup) -> list[CostRow]:
    """Make the rows of the table with the values that the plots show."""
    metric = cost_metric(lookup)
    if metric is None:
        return []
    cells = [
        (suite, candidate, lookup.cell(candidate.name, suite.name, metric.name))
        for suite in lookup.comparison.suites
        for candidate in lookup.comparison.candidates
    ]
    return [
        CostRow(
            suite.name,
            candidate.name,
            number(cell.mean, metric.digits),
            "not measured" if candidate.ms_per_frame is None else number(candidate.ms_per_frame, 1),
            "not known" if candidate.parameters is None else parameters(candidate.parameters),
        )
        for suite, candidate, cell in cells
        if cell
    ]


def _plot(
    lookup: Lookup,
    suite: SuiteFacts,
    metric: MetricFacts,
    cost: Callable[[Competitor], float | None],
    title: str,
) -> CostPlot:
    means = lookup.means(suite.name, metric.name)
    competitors = [candidate for candidate in lookup.comparison.candidates if candidate.name in means]
    known = {c.name: value for c in competitors if (value := cost(c)) is not None}
    x_of, x_ticks = _logarithmic(list(known.values()))
    y_of, y_ticks = _linear([means[name] for name in known], metric.digits)
    selection = lookup.comparison.selection
    chosen = {choice.chosen for choice in selection.choices if choice.suite == suite.name} if selection else set()
    places = [(name, x_of(value), y_of(means[name])) for name, value in known.items()]
    words = (f"{name}: {number(means[name], metric.digits)} at {value:.4g} {title}" for name, value in known.items())
    return CostPlot(
        suite=suite.name,
        points=_labelled(places, lookup.baseline, chosen),
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        missing=[c.name for c in competitors if c.name not in known],
        description="; ".join(words),
    )


def _labelled(places: Iterable[tuple[str, float, float]], baseline: str, chosen: set[str | None]) -> list[Point]:
    """Make the points, with labels that do not overlap: a label that would cover another one is moved down."""
    points: list[Point] = []
    for name, x, y in sorted(places, key=lambda place: place[2]):
        fits = x + 10 + _LETTER * len(name) < WIDTH
        role = "ships" if name in chosen else "baseline" if name == baseline else "candidate"
        label_y = max([y, *(point.label_y + _LINE for point in points)])
        points.append(Point(name, role, x, y, x + (10 if fits else -10), label_y, "start" if fits else "end"))
    return points


def _logarithmic(values: Sequence[float]) -> tuple[Callable[[float], float], list[Tick]]:
    """Make a logarithmic axis for costs: a function from a cost to its position, and the ticks.

    A cost of 0, such as the number of parameters of bicubic, is at the left end.
    """
    positive = [value for value in values if value > 0] or [1.0]
    low, high = math.log10(min(positive)) - 0.15, math.log10(max(positive)) + 0.15
    if min(values, default=1.0) <= 0:
        low -= 0.5

    def place(value: float) -> float:
        share = (math.log10(value) - low) / (high - low) if value > 0 else 0.0
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    steps = (1, 2, 5) if high - low < 2 else (1,)
    decades = range(math.floor(low), math.ceil(high) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    inside = [
        Tick(place(tick), _short(tick))
        for tick in ticks
        if math.log10(min(positive)) - 0.15 <= math.log10(tick) <= high
    ]
    return place, [*([Tick(place(0), "0")] if min(values, default=1.0) <= 0 else []), *inside]


def _linear(values: Sequence[float], digits: int) -> tuple[Callable[[float], float], list[Tick]]:
    """Make a linear axis for quality: a function from a value to its position, and the ticks."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = 0.12 * (high - low) or 0.05 * abs(high) or 1.0
    low, high = low - margin, high + margin

    def place(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    rough = (high - low) / 4
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * size for size in (1, 2, 5, 10) if scale * size >= rough)
    first = math.ceil(low / step)
    ticks = [step * count for count in range(first, math.floor(high / step) + 1)]
    shown = min(digits, max(0, -math.floor(math.log10(step))))
    return place, [Tick(place(tick), number(tick, shown)) for tick in ticks]


def _short(value: float) -> str:
    """A round number, in thousands or millions if it is large."""
    for size, suffix in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"
