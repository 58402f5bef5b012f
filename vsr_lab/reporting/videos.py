"""report.html of two versions of one video."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vsr_lab.core.files import write_text
from vsr_lab.core.records.comparison import VideoComparison

_HERE = Path(__file__).parent


def write_video_report(comparison: VideoComparison, path: Path) -> None:
    """Write the report of two versions of a video: their alignment, the metrics, and the videos beside the page."""
    loader = FileSystemLoader(_HERE / "templates")
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("videos.html.j2")
    style = Markup((_HERE / "static" / "report.css").read_text("utf-8"))
    write_text(path, page.render(comparison=comparison, style=style))
