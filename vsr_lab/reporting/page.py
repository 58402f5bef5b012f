"""Writing of report.html for a comparison of evaluations, or of two versions of one video."""

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from vsr_lab.core.files import write_text
from vsr_lab.core.records.comparison import Comparison, Curve, VideoComparison
from vsr_lab.reporting.clip_table import clip_tables
from vsr_lab.reporting.cost import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, cost_metric, cost_panels, cost_rows
from vsr_lab.reporting.decision import decisions, measured
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.tables import full_tables, heat_tables, origin_rows, pair_tables
from vsr_lab.reporting.verdict import at_home, headline, verdicts
from vsr_lab.reporting.worst_table import worst_tables

if TYPE_CHECKING:
    from vsr_lab.reporting.media import Embedded

_HERE = Path(__file__).parent
_SCRIPTS = ("dom.js", "tables.js", "plots.js", "stage.js", "browser.js")  # in order: each uses those before it
_LARGEST = 25_000_000  # bytes of a page
_NAMES = 1_000  # bytes of the names and sentences on a clip
_CURVES = 8_000_000  # bytes of the values of single frames


def write_report(comparison: Comparison, root: Path, path: Path) -> None:
    """Write the report of a comparison as one self-contained HTML file, atomically.

    Args:
        comparison: the comparison.
        root: folder to which the image paths in `comparison` are relative.
        path: the HTML file.
    """
    from plotly.offline import get_plotlyjs  # slow to import

    lookup = Lookup(comparison)
    ranked_by = comparison.selection.rank_by if comparison.selection else ()
    numbers, without_curves = _numbers(comparison)
    machines = dict.fromkeys(origin.machine for origin in comparison.origins if origin.machine)
    found = {
        "comparison": comparison,
        "decisions": decisions(lookup),
        "ranked_by": [lookup.label(name) for name in ranked_by],
        "measured": measured,
        "headline": headline(comparison.metrics),
        "verdicts": verdicts(lookup),
        "at_home": at_home(lookup),
        "heat_tables": heat_tables(lookup),
        "full_tables": full_tables(lookup),
        "clip_tables": clip_tables(lookup),
        "pair_tables": pair_tables(lookup),
        "worst_tables": worst_tables(lookup),
        "cost_metric": cost_metric(lookup),
        "cost_panels": cost_panels(lookup),
        "cost_rows": cost_rows(lookup),
        "size": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
        "machines": list(machines),
        "origins": origin_rows(lookup),
        "comparison_json": _json(numbers.model_dump_json()),
        "without_curves": without_curves,
        "style": _static("report.css"),
        "scripts": [_static(name) for name in _SCRIPTS],
        "plotly": Markup(get_plotlyjs()),
    }
    page = _template("report")

    def html(embedded: "Embedded | None") -> str:
        return page.render(
            found,
            clips=[(name, _json(media)) for name, media in embedded.clips.items()] if embedded else [],
            reduced=embedded.reduced if embedded else [],
            left_out=embedded.left_out if embedded else [],
            places=embedded.places if embedded else {},
        )

    text = html(None)
    if comparison.pictures:
        from vsr_lab.reporting.media import clip_media  # imports torch and the video reader

        text = html(clip_media(comparison, root, _LARGEST - len(text.encode()) - _NAMES * len(comparison.pictures)))
    write_text(path, text)


def _numbers(comparison: Comparison) -> tuple[Comparison, list[str]]:
    """Round the values of single frames, and remove curves that do not fit into the page.

    Returns:
        The changed comparison, and the names of the clips of which curves were removed.
    """
    digits = {metric.name: metric.digits + 2 for metric in comparison.metrics}
    curves: list[Curve] = []
    left_out: dict[str, None] = {}
    size = 0
    for curve in comparison.curves:
        places = digits.get(curve.metric, 6)
        values = [None if value is None else round(value, places) for value in curve.values]
        size += sum(len(str(value)) + 1 for value in values)
        if size > _CURVES:
            left_out[f"{curve.suite} / {curve.clip}"] = None
        else:
            curves.append(curve.model_copy(update={"values": values}))
    return comparison.model_copy(update={"curves": curves}), list(left_out)


def _template(name: str) -> Template:
    loader = FileSystemLoader(_HERE / "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(f"{name}.html.j2")


def _static(name: str) -> Markup:
    return Markup((_HERE / "static" / name).read_text("utf-8"))


def _json(text: str) -> Markup:
    """JSON text escaped for a script element: no name in it can end the element or open a comment."""
    escaped = text
    for character in "<>&":
        escaped = escaped.replace(character, f"\\u{ord(character):04x}")
    return Markup(escaped)


def write_video_report(comparison: VideoComparison, path: Path) -> None:
    """Write the HTML report of two versions of a video: alignment, metrics, and the videos in the same folder."""
    write_text(path, _template("videos").render(comparison=comparison, style=_static("report.css")))
