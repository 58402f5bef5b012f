"""The demo gives the numbers of README's table, except for rounding, and selects what README says."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from vsr_lab.cli.main import main
from vsr_lab.core.records import read_record
from vsr_lab.core.records.comparison import Comparison
from vsr_lab.core.records.evaluation import Selection

PSNR, FLICKER = 0.3, 0.06  # allowed differences in dB and levels; 100 steps in float32 differ by less
SELECTED = {"live_action": "live_action", "animation": "animation", "screen_capture": "per-frame"}


def rows_of_readme() -> dict[tuple[str, str], tuple[float, float]]:
    """(content type, candidate) -> PSNR (for networks the gain over bicubic) and flicker."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    head, *rows = re.findall(r"^\| (?:\| bicubic|\w[\w ]+, \d clips?).*$", text, re.MULTILINE)
    names = [cell.strip() for cell in head.split("|")[2:-1]]
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for row in rows:
        content, *cells = (cell.strip(" *") for cell in row.split("|")[1:-1])
        for name, cell in zip(names, cells, strict=True):
            psnr, flicker = re.sub(r"\[.*?\]", "", cell).split("/")
            found[content.partition(",")[0].replace(" ", "_"), name] = float(psnr), float(flicker)
    return found


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_demo_gives_what_readme_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["vsr-lab", "demo", f"run_dir={tmp_path / 'demo'}"])
    monkeypatch.chdir(ROOT)
    main()
    comparison = read_record(tmp_path / "demo/compare/comparison.json", Comparison)
    contents = {suite.name: str(suite.content) for suite in comparison.suites}
    means = {(contents[cell.suite], cell.candidate, cell.metric): cell.mean for cell in comparison.cells}
    expected = rows_of_readme()
    assert {key[:2] for key in means} == expected.keys()
    for (content, name), (psnr, flicker) in expected.items():
        base = 0 if name == "bicubic" else means[content, "bicubic", "psnr"]
        assert means[content, name, "psnr"] - base == pytest.approx(psnr, abs=PSNR), (content, name)
        assert means[content, name, "flicker"] == pytest.approx(flicker, abs=FLICKER), (content, name)
    selection = read_record(tmp_path / "demo/select/selection.json", Selection)
    assert {str(choice.content): choice.chosen for choice in selection.choices} == SELECTED
