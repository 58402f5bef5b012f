"""footage index, leaks and sample as a user types them: a folder to a manifest, and what is done with one."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from tests.conftest import write_moving_clip
from tests.smoke.conftest import Outcome
from vsr_lab.footage.shots import find_shots
from vsr_lab.video.disclosure import DISCLOSURE

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


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


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


def test_upscaled_files_are_no_hr(cli: Cli, here: Path) -> None:
    with av.open("footage/clip_0.mkv") as source, av.open("footage/large.mkv", "w") as target:
        target.metadata["comment"] = DISCLOSURE
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            packet.stream = stream
            if packet.dts is not None:
                target.mux(packet)
    assert cli("footage index", "root=footage", "output=manifest.csv").code == 0
    rows = {row["name"]: row for row in _rows(here / "manifest.csv")}
    assert rows["large"]["problem"].startswith("cannot be used as HR: it says that vsr_lab upscaled it; empty")
    (here / "footage" / "broken.mp4").unlink()
    outcome = cli("train", "content=mixed", "data.root=footage", "trainer.max_steps=1")
    assert (
        outcome.code == 2
        and "large.mkv: cannot be used as HR: it says that vsr_lab upscaled it; remove" in outcome.error
    )


@pytest.mark.parametrize(
    "names",
    [
        ["eval/screen_capture/wezterm_tabs.mp4"],
        pytest.param(["eval/vid4/city.mkv", "train/live_action/mdn_flower.mp4"], marks=pytest.mark.slow),
    ],
)
def test_real_files_are_measured_as_they_were_described_by_others(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_footage: Path, names: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    described = {row["path"]: row for row in _rows(shared_footage / "manifest.csv")}
    chosen = [described[name] for name in names]
    _write(tmp_path / "list.csv", [row | {"path": str(shared_footage / row["path"])} for row in chosen])
    assert cli("footage index", "root=list.csv", "output=made.csv").code == 0
    for truth, made in zip(chosen, _rows(tmp_path / "made.csv"), strict=True):
        assert made["path"].endswith(truth["path"])
        facts = ("width", "height", "frames", "codec", "pix_fmt", "sha256", "content_type", "licence", "source")
        assert {fact: made[fact] for fact in facts} == {fact: truth[fact] for fact in facts}
        assert made["problem"] == ""


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
    from vsr_lab.cli.footage import index

    told: list[str] = []
    original = index.show_table
    index.show_table = lambda title, *rest: told.append(title)  # type: ignore[assignment]
    try:
        assert cli(*asked).code == 0
    finally:
        index.show_table = original
    assert told == ["5 rows: 1 measured, 2 unchanged, 1 moved or copied"]
    rows = {row["name"]: row for row in _rows(manifest)}
    assert {name: row["licence"] for name, row in rows.items()} == {
        "clip_0": "CC0", "clip_1": "CC0", "clip_2": "CC0", "new": "", "broken": "CC0"}  # fmt: skip
    assert rows["broken"]["problem"] == "not found"
    assert rows["clip_0"]["path"] == "moved.mkv"  # its name stays, since suites go by it


def test_what_a_person_writes_meanwhile_is_kept(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vsr_lab.cli.footage import index

    manifest = here / "manifest.csv"
    asked = ("footage index", "root=footage", f"output={manifest}", "fresh=true")
    assert cli(*asked).code == 0
    measure, rounds = index.build_index, list[int]()

    def measure_while_somebody_writes(*args: Any) -> Any:
        if not rounds:
            _write(manifest, [row | {"licence": "CC0", "mine": "a note"} for row in _rows(manifest)])
        rounds.append(1)
        return measure(*args)

    monkeypatch.setattr(index, "build_index", measure_while_somebody_writes)
    assert cli(*asked).code == 0
    assert len(rounds) == 2
    assert {(row["licence"], row["mine"]) for row in _rows(manifest)} == {("CC0", "a note")}


def test_rows_of_files_that_are_away_keep_what_a_person_wrote_until_they_come_back(cli: Cli, here: Path) -> None:
    manifest, first = here / "all.csv", here / "footage" / "clip_0.mkv"
    (here / "footage" / "broken.mp4").unlink()
    write_moving_clip(here / "more" / "other.mkv", frames=12, seed=7)
    assert cli("footage index", "root=.", f"output={manifest}").code == 0
    _write(manifest, [row | {"licence": f"of {row['name']}", "owner": "me"} for row in _rows(manifest)])
    asked = ("footage index", "root=footage", f"output={manifest}")

    shutil.move(first, here / "away.bin")
    assert cli(*asked).code == 0
    rows = {row["name"]: row for row in _rows(manifest)}
    assert {(name, row["licence"], row["owner"]) for name, row in rows.items()} == {
        (name, f"of {name}", "me") for name in ("footage/clip_0", "footage/clip_1", "footage/clip_2", "more/other")
    }
    assert {name: row["problem"] for name, row in rows.items() if row["problem"]} == {"footage/clip_0": "not found"}
    assert [shot.name for shot in find_shots(manifest)] == ["footage/clip_1", "footage/clip_2", "more/other"]

    shutil.move(here / "away.bin", here / "footage" / "found again.mkv")
    assert cli(*asked).code == 0
    rows = {row["name"]: row for row in _rows(manifest)}
    assert len(rows) == 4
    back = rows["footage/clip_0"]
    assert (back["path"], back["problem"], back["licence"], back["frames"]) == (
        "footage/found again.mkv", "", "of footage/clip_0", "20")  # fmt: skip


def test_leaks_looks_at_files_as_they_are_and_goes_on_past_bad_ones(cli: Cli, here: Path) -> None:
    (here / "footage" / "broken.mp4").unlink()
    assert cli("footage index", "root=footage", "output=m.csv").code == 0
    splits = {"clip_0": "train", "clip_1": "eval", "clip_2": "eval"}
    _write(here / "m.csv", [row | {"split": splits[row["name"]]} for row in _rows(here / "m.csv")])
    assert cli("footage leaks", "root=m.csv", "run_dir=first").code == 0

    shutil.copyfile(here / "footage" / "clip_0.mkv", here / "footage" / "clip_1.mkv")  # its row says another hash
    (here / "footage" / "clip_2.mkv").write_bytes(b"no video")
    outcome = cli("footage leaks", "root=m.csv", "run_dir=second")
    assert outcome.code == 1
    found = json.loads((here / "second" / "leaks.json").read_text())
    assert [(leak["one"], leak["other"]) for leak in found["leaks"]] == [("clip_0", "clip_1")]
    assert "clip_2.mkv: is not a video" in found["left_out"]["clip_2"]

    (here / "footage" / "clip_1.mkv").unlink()
    outcome = cli("footage leaks", "root=m.csv", "run_dir=third")
    assert outcome.code == 2
    assert "fewer than two splits with footage that can be read" in outcome.error
    assert not (here / "third").exists()


def test_leaks_across_splits_end_with_1_and_are_named(cli: Cli, here: Path) -> None:
    shutil.copy(here / "footage" / "clip_0.mkv", here / "footage" / "twin.mkv")
    lines = ["path,split", "clip_0.mkv,train", "clip_1.mkv,eval", "twin.mkv,eval"]
    (here / "footage" / "split.csv").write_text("\n".join(lines) + "\n")
    outcome = cli("footage leaks", "root=footage/split.csv", "run_dir=leaks")
    assert outcome.code == 1
    assert "1 shots are in two splits" in outcome.error
    found = json.loads((here / "leaks" / "leaks.json").read_text())
    assert [(leak["one"], leak["other"]) for leak in found["leaks"]] == [("clip_0", "twin")]
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
    write_moving_clip(here / "footage" / "short.mkv", frames=10, seed=5)
    assert cli("footage sample", "root=footage", "n=3", "frames=12", "run_dir=windows").code == 0
    assert [(shot.start, shot.stop) for shot in find_shots(here / "windows" / "manifest.csv")] == [(4, 16)] * 3


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("footage index", ["root=nowhere"], "nowhere: not found"),
        ("footage index", ["root=footage", "output=list.txt"], "must end in .csv or .parquet, got list.txt"),
        ("footage index", ["root=footage", "output=foreign.csv"], "was not written by vsr-lab footage index"),
        ("footage index", ["root=footage", "split=much"], "split"),
        ("footage leaks", ["root=footage"], "is not a manifest"),
        ("footage leaks", ["root=foreign.csv"], "two or more splits, got 0"),
        ("footage sample", ["root=footage/clip_0.mkv", "n=40"], "<= 1, the number of shots"),
        ("footage sample", ["root=footage/clip_0.mkv", "n=0"], "n: must be >= 1, got 0"),
        (
            "footage sample",
            ["root=footage/clip_0.mkv", "n=1", "frames=21"],
            "frames: must be <= the number of frames of the longest shot",
        ),
        ("footage sample", ["root=footage/clip_0.mkv", "n=1", "frames=0"], "frames: must be >= 2, got 0"),
        ("footage sample", ["root=footage", "m=3"], "m: is not a known key"),
        (
            "footage index",
            ["root=footage", "output=header.csv"],
            "header.csv: was not written by vsr-lab footage index",
        ),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    cli: Cli, here: Path, verb: str, arguments: list[str], said: str
) -> None:
    (here / "foreign.csv").write_text("path\nfootage/clip_0.mkv\n")
    (here / "header.csv").write_text("my notes, without rows\n")
    before = sorted(path for path in here.iterdir())
    outcome = cli(verb, *arguments, "run_dir=run")
    assert outcome.code == 2, outcome
    assert said in outcome.error
    assert len(outcome.error.strip().splitlines()) == 1
    left = sorted(path for path in here.iterdir())
    assert [path for path in left if path.name not in {"results"}] == before
