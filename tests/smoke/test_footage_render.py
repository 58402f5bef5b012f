"""vsr-lab footage render, as a user types it: clips, native LR twins, manifests, and what trains on them."""

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.smoke.conftest import Outcome
from vsr_lab.core.errors import UserError
from vsr_lab.footage.shots import check_lr_shot, find_shots
from vsr_lab.synthesis import RenderPlan, ScreenKind, write_rendered
from vsr_lab.video import open_footage

Cli = Callable[..., Outcome]
TINY = ("n=2", "frames=4", "size=[128,192]", "scale=2", "workers=1")


def digests(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.mkv")}


def rows(manifest: Path) -> list[dict[str, str]]:
    with manifest.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def stills(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(2):
        Image.fromarray(rng.integers(0, 256, (300, 440, 3), np.uint8)).save(folder / f"photo_{i}.png")
    (folder / "manifest.csv").write_text("path,licence\nphoto_0.png,CC0\nphoto_1.png,CC0\n")
    return folder


def test_bytes_do_not_depend_on_workers_and_a_render_goes_on(
    vsr_lab: Callable[..., str], cli: Cli, tmp_path: Path
) -> None:
    said = vsr_lab("footage", "render", "kind=screen", *TINY[:-1], "workers=2", f"run_dir={tmp_path / 'two'}")
    assert str(tmp_path / "two" / "manifest.csv") in said
    assert str(tmp_path / "two" / "lr" / "manifest.csv") in said
    assert cli("footage render", "kind=screen", *TINY, f"run_dir={tmp_path / 'one'}").code == 0
    made = digests(tmp_path / "one")
    assert len(made) == 4 and made == digests(tmp_path / "two")

    lost = tmp_path / "one" / "lr" / "screen_00001.mkv"
    lost.unlink()
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*.mkv")}
    more = ("n=3", *TINY[1:])
    assert cli("footage render", "kind=screen", *more, f"run_dir={tmp_path / 'one'}").code == 0
    again = digests(tmp_path / "one")
    assert len(again) == 6 and made.items() <= again.items()
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())


def test_a_second_render_keeps_what_a_person_wrote_and_follows_no_link(cli: Cli, tmp_path: Path) -> None:
    keys, made = ("kind=screen", *TINY, f"run_dir={tmp_path / 'made'}"), tmp_path / "made"
    assert cli("footage render", *keys).code == 0
    header, first, second = (made / "manifest.csv").read_text().splitlines()
    own = [f"{header},note", f"{first},good", f"{second},", *[",hr/mine.mkv" + "," * header.count(",")] * 2]
    (made / "manifest.csv").write_text("\n".join(own) + "\n")
    assert cli("footage render", *keys[:1], "n=1", *keys[2:]).code == 0
    assert [(row["name"], row["note"]) for row in rows(made / "manifest.csv")] == [
        ("screen_00000", "good"),
        ("screen_00001", ""),
        ("", ""),
        ("", ""),
    ]
    (made / "lr").rename(tmp_path / "elsewhere")
    (made / "lr").symlink_to(tmp_path / "elsewhere")
    assert "is a symbolic link" in cli("footage render", *keys).error


@pytest.mark.parametrize(("kind", "size"), [("camera", (72, 128)), ("screen", (128, 192))])
def test_pairs_are_of_one_scene_and_lossless(
    cli: Cli, tmp_path: Path, stills: Path, kind: str, size: tuple[int, int]
) -> None:
    out = tmp_path / "out"
    photographs = [f"stills={stills}"] if kind == "camera" else []
    keys = (*TINY[:2], f"size=[{size[0]},{size[1]}]", *TINY[3:], *photographs, f"run_dir={out}")
    assert cli("footage render", f"kind={kind}", *keys).code == 0
    high, low = find_shots(out / "manifest.csv"), find_shots(out / "lr" / "manifest.csv")
    assert [shot.name for shot in high] == [shot.name for shot in low] == [f"{kind}_00000", f"{kind}_00001"]
    for one, two in zip(high, low, strict=True):
        check_lr_shot(one, two, 2)
        large, small = one.read(0, 4).tensor(), two.read(0, 4).tensor()
        halved = large.unflatten(-1, (-1, 2)).mean(-1).unflatten(-2, (-1, 2)).mean(-2)
        assert (halved - small).abs().mean() < 0.06
    for row in rows(out / "manifest.csv"):
        assert row["content_type"] and row["source"] and row["licence"] and row["split"] == "train"
        assert open_footage(out / row["path"]).frames == 4
    if kind == "camera":
        assert {row["licence"] for row in rows(out / "manifest.csv")} == {"CC0"}


def test_native_pairs_train(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keys = ("n=2", "frames=12", *TINY[2:], "run_dir=made")
    assert cli("footage render", "kind=screen", *keys).code == 0
    small = [
        "data.size=32",
        "data.clip_frames=4",
        "data.workers=0",
        "model.channels=4",
        "model.blocks=1",
        "logger=none",
    ]
    steps = ["trainer.max_steps=1", "validation.every=1", "run_dir=run"]
    pairs = ["data.root=made/manifest.csv", "data.lr_root=made/lr"]
    assert cli("train", "content=animation", *pairs, *small, *steps).code == 0


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (["kind=paint"], "kind: has no option 'paint'; choose one of camera, screen"),
        (["kind=camera"], "stills: is required by kind=camera; set stills=FOLDER"),
        (["kind=camera", "stills=nowhere"], "nowhere: is not a folder"),
        (
            ["kind=screen", "size=[131,192]", "scale=2"],
            "multiples of scale=2, got [131, 192]; set size=[132,192]",
        ),
        (["kind=screen", "size=360"], "size: must be a list, got 360"),
        (["kind=screen", "n=0"], "n: must be >= 1, got 0"),
        (["kind=screen", "frames=0"], "frames: must be >= 1, got 0"),
        (["kind=screen", "seed=-1"], "seed: must be >= 0, got -1"),
        (["kind=screen", "scale=1"], "scale: must be >= 2, got 1"),
        (["kind=screen", "workers=0"], "workers: must be >= 1, got 0"),
        (["kind=screen", "n=some"], "n: must be an integer, got 'some'"),
        (["kind=screen", "frame=3"], "frame: is not a known key; did you mean frames?"),
        (["kind=screen", "n=1", "frames=1", "size=[160,192]", "run_dir=made"], "made: was rendered with another size"),
        (["kind=screen", "kind.name=../../x"], "kind.name: must be text without slashes"),
        (["kind=screen", "kind.views=[page,foo]"], "kind.views.1: must be 'editor', "),
        (["kind=screen", "size=[64,64]", "scale=2", "workers=1"], "has a side of less than"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if "run_dir=made" in keys:
        assert cli("footage render", "kind=screen", "n=1", "frames=1", "size=[128,192]", "run_dir=made").code == 0
    outcome = cli("footage render", *keys)
    assert outcome.code == 2
    assert told in outcome.error and outcome.error.strip().count("\n") == 0


def test_the_name_of_a_kind_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    kind = ScreenKind("../../x", "screen_capture", "ours", source="here", views=["page"])
    with pytest.raises(UserError, match="cannot be the name of a file"):
        write_rendered(tmp_path / "a" / "b", RenderPlan(kind, 1, 1, (128, 192)), 1)
    assert not list(tmp_path.iterdir())
