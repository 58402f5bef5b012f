"""footage index, leaks and sample as a user types them: a folder to a manifest, and what is done with one."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import write_moving_clip
from tests.smoke.conftest import Outcome
from vsr_lab.core.shots import find_shots

Cli = Callable[..., Outcome]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with three clips and a file that is no video in footage/."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for seed in range(3):
        write_moving_clip(folder / "footage" / f"clip_{seed}.mkv", frames=20, seed=seed)
    (folder / "footage" / "broken.mp4").write_bytes(b"no video")
    return folder


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_manifest_of_a_folder_that_training_can_use(cli: Cli, here: Path) -> None:
    outcome = cli("footage index", "root=footage", "output=footage/manifest.csv")
    assert outcome.code == 0, outcome.error
    rows = {row["name"]: row for row in _rows(here / "footage" / "manifest.csv")}
    assert set(rows) == {"clip_0", "clip_1", "clip_2", "broken"}
    good = rows["clip_1"]
    assert (good["width"], good["height"], good["frames"], good["rate"]) == ("80", "64", "20", "25")
    assert (good["codec"], good["matrix"], good["range"], good["content_type"]) == ("ffv1", "rgb", "full", "")
    assert len(good["sha256"]) == 64
    assert float(good["motion"]) > 0
    assert "not a video" in rows["broken"]["problem"]
    assert [shot.name for shot in find_shots(here / "footage" / "manifest.csv")] == ["clip_0", "clip_1", "clip_2"]


def test_a_second_run_measures_what_changed_and_keeps_what_a_person_wrote(
    cli: Cli, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = here / "footage" / "manifest.csv"
    asked = ("footage index", "root=footage", f"output={manifest}")
    assert cli(*asked).code == 0
    text = manifest.read_text()
    header, *lines = text.splitlines()
    place = header.split(",").index("licence")
    lines = [",".join([*cells[:place], "CC0", *cells[place + 1 :]]) for cells in (line.split(",") for line in lines)]
    manifest.write_text("\n".join([header, *lines]) + "\n")
    shutil.move(here / "footage" / "clip_0.mkv", here / "footage" / "moved.mkv")
    write_moving_clip(here / "footage" / "new.mkv", frames=20, seed=9)
    (here / "footage" / "broken.mp4").unlink()
    from vsr_lab.cli import footage_index

    told: list[str] = []
    original = footage_index.show_table
    footage_index.show_table = lambda title, *rest: told.append(title)  # type: ignore[assignment]
    try:
        assert cli(*asked).code == 0
    finally:
        footage_index.show_table = original
    assert told == ["4 rows: 1 measured, 2 as before, 1 moved or copied"]
    rows = {row["name"]: row for row in _rows(manifest)}
    assert {name: row["licence"] for name, row in rows.items()} == {
        "clip_0": "CC0", "clip_1": "CC0", "clip_2": "CC0", "new": ""}  # fmt: skip
    assert rows["clip_0"]["path"] == "moved.mkv"  # its name stays, since suites go by it


def test_leaks_across_splits_end_with_1_and_are_named(cli: Cli, here: Path) -> None:
    shutil.copy(here / "footage" / "clip_0.mkv", here / "footage" / "twin.mkv")
    lines = ["path,split", "clip_0.mkv,train", "clip_1.mkv,eval", "twin.mkv,eval"]
    (here / "footage" / "split.csv").write_text("\n".join(lines) + "\n")
    outcome = cli("footage leaks", "root=footage/split.csv", "run_dir=leaks")
    assert outcome.code == 1
    assert "1 shots are in two splits" in outcome.error
    found = json.loads((here / "leaks" / "leaks.json").read_text())
    assert [(leak["one"], leak["other"]) for leak in found] == [("clip_0", "twin")]
    (here / "footage" / "split.csv").write_text("\n".join(lines[:3]) + "\n")
    assert cli("footage leaks", "root=footage/split.csv", "run_dir=clean").code == 0


def test_splits_keep_copies_together(cli: Cli, here: Path) -> None:
    (here / "footage" / "broken.mp4").unlink()
    shutil.copy(here / "footage" / "clip_0.mkv", here / "footage" / "twin.mkv")
    assert cli("footage index", "root=footage", "output=m.csv", "split=0.4").code == 0
    split = {row["name"]: row["split"] for row in _rows(here / "m.csv")}
    assert set(split.values()) == {"train", "eval"}
    assert split["clip_0"] == split["twin"]
    assert cli("footage leaks", "root=m.csv", "run_dir=leaks").code == 0


def test_a_sample_has_a_sheet_and_a_manifest_that_is_a_suite(cli: Cli, here: Path) -> None:
    (here / "footage" / "broken.mp4").unlink()
    outcome = cli("footage sample", "root=footage", "n=2", "run_dir=some")
    assert outcome.code == 0, outcome.error
    shots = find_shots(here / "some" / "manifest.csv")
    assert [len(shot) for shot in shots] == [20, 20]
    numbers = json.loads((here / "some" / "sample.json").read_text())
    assert sum(numbers["stands_for"].values()) == pytest.approx(1)
    with Image.open(here / "some" / "sheet.png") as sheet:
        assert sheet.width > 600


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("footage index", ["root=nowhere"], "nowhere: not found"),
        ("footage index", ["root=footage", "output=list.txt"], "is no table"),
        ("footage index", ["root=footage", "output=foreign.csv"], "was not written by footage index"),
        ("footage index", ["root=footage", "split=much"], "split"),
        ("footage leaks", ["root=footage"], "is no manifest"),
        ("footage leaks", ["root=foreign.csv"], "has 0 splits"),
        ("footage sample", ["root=footage/clip_0.mkv", "n=40"], "has 1 shots"),
        ("footage sample", ["root=footage/clip_0.mkv", "n=0"], "has 1 shots"),
        ("footage sample", ["root=footage", "m=3"], "no such key"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    cli: Cli, here: Path, verb: str, arguments: list[str], said: str
) -> None:
    (here / "foreign.csv").write_text("path\nfootage/clip_0.mkv\n")
    before = sorted(path for path in here.iterdir())
    outcome = cli(verb, *arguments, "run_dir=run")
    assert outcome.code == 2, outcome
    assert said in outcome.error
    assert len(outcome.error.strip().splitlines()) == 1
    left = sorted(path for path in here.iterdir())
    assert [path for path in left if path.name not in {"results"}] == before
