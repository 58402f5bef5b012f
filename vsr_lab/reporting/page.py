"""The page itself: the comparison through the template, written in one step."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs  # pyright: ignore[reportMissingTypeStubs]

from vsr_lab.core.errors import UserError
from vsr_lab.reporting.pictures import embed
from vsr_lab.reporting.schema import SCHEMA, Comparison, Lookup
from vsr_lab.reporting.tables import full_tables, heat_tables
from vsr_lab.reporting.verdict import at_home, headline, verdicts

_HERE = Path(__file__).parent


def write_report(comparison: Mapping[str, Any], root: Path, path: Path) -> None:
    """Write the comparison as one HTML file that needs nothing else, whole or not at all.

    `root` is the folder that the comparison's picture paths start from; a file already at `path` is replaced.
    """
    if comparison.get("schema") != SCHEMA:
        raise UserError("comparison", f"schema {comparison.get('schema')!r} where {SCHEMA} is read", "evaluate again")
    page = _render(cast("Comparison", _finite(comparison)), root)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        # A clip can be named after a file whose name is not valid Unicode; that must not cost the report.
        partial.write_text(page, encoding="utf-8", errors="replace")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _render(comparison: Comparison, root: Path) -> str:
    lookup = Lookup(comparison)
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("template.html.j2").render(
        comparison=comparison,
        headline=headline(comparison["metrics"]),
        verdicts=verdicts(lookup),
        at_home=at_home(lookup),
        heat_tables=heat_tables(lookup),
        full_tables=full_tables(lookup),
        comparison_json=_json(comparison),
        pictures_json=_json(embed(comparison, root)),
        style=Markup((_HERE / "report.css").read_text("utf-8")),
        script=Markup((_HERE / "report.js").read_text("utf-8")),
        plotly=Markup(get_plotlyjs()),
    )


def _finite(value: Any) -> Any:
    """A copy of a JSON value with null for every number that JSON cannot hold (a lossless clip's PSNR)."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in cast("list[Any]", value)]
    return value


def _json(value: object) -> Markup:
    """JSON that is safe inside a script element: no name in it can end the element or open a comment."""
    escaped = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        escaped = escaped.replace(character, f"\\u{ord(character):04x}")
    return Markup(escaped)
