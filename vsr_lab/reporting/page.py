"""Writing of report.html for a comparison of evaluations, or of two versions of one video."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from vsr_lab.core.files import write_text
from vsr_lab.core.records.comparison import Comparison, VideoComparison
from vsr_lab.reporting.decision import decisions, measured
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.tables import clip_tables, full_tables, heat_tables, origin_rows, pair_tables
from vsr_lab.reporting.verdict import at_home, headline, verdicts

_HERE = Path(__file__).parent
_SCRIPTS = ("dom.js", "tables.js", "plots.js", "stage.js", "browser.js")  # in order: each uses those before it
_CLIPS = 18_000_000  # bytes of all clips, which with 5 MB of Plotly and the numbers stay below 25 MB


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
    clips, left_out = _clips(comparison, root)
    page = _template("report").render(
        comparison=comparison,
        decisions=decisions(lookup),
        ranked_by=[lookup.label(name) for name in ranked_by],
        measured=measured,
        headline=headline(comparison.metrics),
        verdicts=verdicts(lookup),
        at_home=at_home(lookup),
        heat_tables=heat_tables(lookup),
        full_tables=full_tables(lookup),
        clip_tables=clip_tables(lookup),
        pair_tables=pair_tables(lookup),
        origins=origin_rows(lookup),
        comparison_json=_json(comparison.model_dump_json()),
        clips=[(name, _json(media)) for name, media in clips.items()],
        left_out=left_out,
        style=_static("report.css"),
        scripts=[_static(name) for name in _SCRIPTS],
        plotly=Markup(get_plotlyjs()),
    )
    write_text(path, page)


def _template(name: str) -> Template:
    loader = FileSystemLoader(_HERE / "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(f"{name}.html.j2")


def _static(name: str) -> Markup:
    return Markup((_HERE / "static" / name).read_text("utf-8"))


def _clips(comparison: Comparison, root: Path) -> tuple[dict[str, str], list[str]]:
    if not comparison.pictures:
        return {}, []
    from vsr_lab.reporting.media import clip_media  # imports torch and the video reader

    return clip_media(comparison, root, _CLIPS)


def _json(text: str) -> Markup:
    """JSON text escaped for a script element: no name in it can end the element or open a comment."""
    escaped = text
    for character in "<>&":
        escaped = escaped.replace(character, f"\\u{ord(character):04x}")
    return Markup(escaped)


def write_video_report(comparison: VideoComparison, path: Path) -> None:
    """Write the HTML report of two versions of a video: alignment, metrics, and the videos in the same folder."""
    write_text(path, _template("videos").render(comparison=comparison, style=_static("report.css")))
