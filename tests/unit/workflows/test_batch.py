"""Many files: each is upscaled once, whatever becomes of the others."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.records import read_record
from vsr_lab.core.records.deployment import Provenance
from vsr_lab.deployment import Encoding, Inference, write_bundle
from vsr_lab.deployment.pipeline import UpscaleSettings
from vsr_lab.fleet import Ledger, Local
from vsr_lab.models import Interpolation
from vsr_lab.video import VideoFile
from vsr_lab.workflows.batch import (
    LEDGER,
    FileResult,
    Task,
    Upscaler,
    find_sources,
    is_batch,
    other_files,
    tasks_of,
    upscale_files,
)

WriteVideo = Callable[..., Path]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "bundle", "doubler", Interpolation(2, "nearest"), about={}, exporters=[])
    return tmp_path / "bundle"


@pytest.fixture
def footage(write_video: WriteVideo, frames: Frames) -> Path:
    """Two videos and a file that is none."""
    folder = write_video("in/a.mkv", frames).parent
    write_video("in/deep/b.mkv", frames[:5])
    (folder / "poisoned.mp4").write_text("no video")
    return folder


def run(footage: Path, bundle: Path, workers: int = 1, **changes: object) -> dict[str, FileResult]:
    """Upscale the folder to `out` beside it: results by the name of the source."""
    folder, settings = footage.with_name("out"), UpscaleSettings(**changes)  # pyright: ignore[reportArgumentType]
    tasks = tasks_of(find_sources(footage), {folder: settings.encoding})
    results = list(upscale_files(tasks, folder, Upscaler(bundle, settings), Local(workers)))
    return {result.task.source.path.name: result for result in results}


def test_each_file_has_several_outputs_from_one_run(footage: Path, bundle: Path) -> None:
    large, small = footage.with_name("out"), footage.with_name("small")

    def upscaled(height: int) -> dict[str, str]:
        folders = {large: Encoding(codec="ffv1"), small: Encoding(codec="ffv1", height=height)}
        upscaler = Upscaler(bundle, UpscaleSettings(encoding=folders[large]))
        results = list(upscale_files(tasks_of(find_sources(footage), folders), large, upscaler, Local(1)))
        return states({result.task.source.path.name: result for result in results})

    assert upscaled(16) == {"a.mkv": "done", "b.mkv": "done", "poisoned.mp4": "refused"}
    heights = {path.relative_to(footage.parent).as_posix(): VideoFile(path).size[0] for path in large.rglob("*.mkv")}
    assert {VideoFile(small / path.relative_to(large)).size[0] for path in large.rglob("*.mkv")} == {16}
    assert sorted(heights) == ["out/a.mkv", "out/deep/b.mkv"] and 16 not in heights.values()
    assert upscaled(16) == {"a.mkv": "kept", "b.mkv": "kept", "poisoned.mp4": "refused"}
    (small / "deep/b.mkv").unlink()
    assert upscaled(16)["a.mkv"] == "kept"
    assert upscaled(16)["b.mkv"] == "refused"  # its other output is there, made by another run
    assert upscaled(24)["a.mkv"] == "refused"


def test_files_that_are_no_sources_are_listed(footage: Path, frames: Frames) -> None:
    (footage / "images").mkdir()
    Image.fromarray(frames[0]).save(footage / "images" / "0.png")
    for name in ("cover.jpg", "deep/notes.txt"):
        (footage / name).write_bytes(b"")
    assert other_files(footage, find_sources(footage)) == [footage / "cover.jpg", footage / "deep/notes.txt"]


def states(results: dict[str, FileResult]) -> dict[str, str]:
    return {name: result.state for name, result in results.items()}


def written(footage: Path) -> dict[str, int]:
    """When each output was written."""
    return {path.name: path.stat().st_mtime_ns for path in footage.with_name("out").rglob("*.mkv")}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_poisoned_file_stops_nothing_and_a_rerun_does_nothing_twice(
    footage: Path, bundle: Path, workers: int
) -> None:
    results = run(footage, bundle, workers)
    assert states(results) == {"a.mkv": "done", "b.mkv": "done", "poisoned.mp4": "refused"}
    assert (results["a.mkv"].frames, results["b.mkv"].frames) == (8, 5)
    assert "poisoned.mp4: is not a video" in results["poisoned.mp4"].error
    before = written(footage)
    assert sorted(before) == ["a.mkv", "b.mkv"]
    assert states(run(footage, bundle)) == {"a.mkv": "kept", "b.mkv": "kept", "poisoned.mp4": "refused"}
    assert written(footage) == before


def test_what_is_done_is_kept_with_another_number_of_workers_and_for_images(
    footage: Path, bundle: Path, frames: Frames
) -> None:
    (footage / "images").mkdir()
    for number, picture in enumerate(frames[:2]):
        Image.fromarray(picture).save(footage / "images" / f"{number}.png")
    done = {"a.mkv": "done", "b.mkv": "done", "images": "done", "poisoned.mp4": "refused"}
    assert states(run(footage, bundle, inference=Inference(tile=None, share=0.5))) == done
    kept = {name: "kept" if state == "done" else state for name, state in done.items()}
    assert states(run(footage, bundle, inference=Inference(tile=None, share=0.25))) == kept


def test_a_mended_file_is_done_by_a_rerun(footage: Path, bundle: Path, write_video: WriteVideo, frames: Frames) -> None:
    run(footage, bundle)
    write_video("in/poisoned.mkv", frames).rename(footage / "poisoned.mp4")
    assert states(run(footage, bundle)) == {"a.mkv": "kept", "b.mkv": "kept", "poisoned.mp4": "done"}


def test_other_settings_replace_nothing_unless_asked(footage: Path, bundle: Path) -> None:
    run(footage, bundle)
    before, other = written(footage), Encoding(codec="ffv1")
    changed = run(footage, bundle, encoding=other)
    assert "already exists" in changed["a.mkv"].error and written(footage) == before
    assert states(run(footage, bundle, encoding=other, overwrite=True))["a.mkv"] == "done"
    assert all(after > before[name] for name, after in written(footage).items())


def test_older_outputs_are_not_taken_for_those_of_an_interrupted_call(footage: Path, bundle: Path) -> None:
    run(footage, bundle)
    before, settings = written(footage), UpscaleSettings(encoding=Encoding(codec="ffv1"), overwrite=True)
    folder = footage.with_name("out")
    tasks = tasks_of(find_sources(footage), {folder: settings.encoding})
    begun = upscale_files(tasks, folder, Upscaler(bundle, settings), Local(1))
    first = next(begun).task.output.name
    begun.close()  # as if the process had been killed
    again = run(footage, bundle, encoding=settings.encoding, overwrite=True)
    assert {name for name, state in states(again).items() if state == "kept"} <= {first}
    assert all(after > before[name] for name, after in written(footage).items())


def test_what_was_written_before_a_kill_is_not_written_again(footage: Path, bundle: Path) -> None:
    """The process that writes the ledger may end between the output and the line about it."""
    run(footage, bundle)
    before = written(footage)
    with Ledger(footage.with_name("out") / LEDGER) as ledger:
        key, settings, *_ = ledger.execute("SELECT * FROM task WHERE key = 'a.mkv'")[0]
        ledger.begin(key, settings)
    assert states(run(footage, bundle))["a.mkv"] == "done"
    assert written(footage) == before


def test_an_output_of_somebody_else_is_kept(footage: Path, bundle: Path) -> None:
    precious = footage.with_name("out") / "a.mkv"
    precious.parent.mkdir()
    precious.write_text("precious")
    for _ in range(2):
        assert "already exists" in run(footage, bundle)["a.mkv"].error
    assert precious.read_text() == "precious"


def names(where: Path) -> list[str]:
    return [str(task.output) for task in tasks_of(find_sources(where), {Path("out"): Encoding()})]


def test_outputs_are_named_after_their_sources(tmp_path: Path) -> None:
    for name in ("a.mkv", "a.mp4", "b.wmv", "deep/b.mkv"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    assert names(tmp_path / "in") == ["out/a.mkv.mkv", "out/a.mp4.mp4", "out/b.mkv", "out/deep/b.mkv"]
    assert names(tmp_path / "in" / "*.wmv") == ["out/b.mkv"]
    assert names(tmp_path / "in" / "**" / "b.*") == ["out/b.mkv", "out/deep/b.mkv"]
    assert is_batch(tmp_path / "in" / "*.wmv") and not is_batch(tmp_path / "in" / "a.mkv")
    with pytest.raises(UserError, match="matches no file"):
        names(tmp_path / "in" / "*.mov")


def test_a_file_whose_name_looks_like_a_pattern_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "take [1].mkv"
    path.touch()
    assert not is_batch(path)


def test_a_manifest_says_how_its_files_are_read(tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("path,name,content_type,deinterlace\nx/a.mkv,nice/name,animation,bwdif\nx/b.mkv,,,\n")
    first, second = find_sources(manifest)
    assert (first.path, first.name, first.content) == (tmp_path / "x/a.mkv", "nice/name", "animation")
    assert (first.read_options.deinterlace, second.read_options.deinterlace, second.name) == ("bwdif", None, "b")
    manifest.write_text("path,start\na.mkv,24\n")
    with pytest.raises(UserError, match="has a value in start, but files are upscaled completely"):
        find_sources(manifest)


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("path,name\na.mkv,../../precious\n")
    with pytest.raises(UserError, match="cannot be the name of a file"):
        tasks_of(find_sources(manifest), {tmp_path / "out": Encoding()})


def test_two_files_need_two_names(tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("path,name\na.mkv,same\nb.mkv,same\n")
    with pytest.raises(UserError, match="would be the output of two files"):
        tasks_of(find_sources(manifest), {tmp_path / "out": Encoding()})


def test_fewer_files_than_workers_are_divided_into_segments(
    bundle: Path, write_video: WriteVideo, frames: Frames
) -> None:
    footage = write_video("in/long.mkv", np.concatenate([frames] * 3)).parent
    results = run(footage, bundle, workers=3, encoding=Encoding(codec="ffv1", segment=0.4))
    assert states(results) == {"long.mkv": "done"}
    made = read_record(footage.with_name("out") / "long.mkv.provenance.json", Provenance)
    assert (made.plan.segments, made.plan.lead_in) == ([0, 10], 16)
    assert states(run(footage, bundle, encoding=Encoding(codec="ffv1", segment=0.4))) == {"long.mkv": "kept"}


def test_a_plan_writes_nothing(footage: Path, bundle: Path) -> None:
    tasks = tasks_of(find_sources(footage / "*.mkv"), {footage.with_name("out"): Encoding()})
    (outcome,) = Local().run(Upscaler(bundle, UpscaleSettings()).plan, {"a": tasks[0]})
    assert outcome.result is not None and outcome.result.frames == 8
    assert isinstance(tasks[0], Task) and not footage.with_name("out").exists()


def test_no_output_replaces_another_source(tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("path,name\na.mkv,b\nb.mkv,c\n")
    for name in ("a.mkv", "b.mkv"):
        (tmp_path / name).touch()
    tasks_of(find_sources(manifest), {tmp_path / "out": Encoding()})
    with pytest.raises(UserError, match=r"b\.mkv: is an input of this batch"):
        tasks_of(find_sources(manifest), {tmp_path: Encoding()})
    (tmp_path / "out").mkdir()
    (tmp_path / "out/c.mkv.provenance.json").hardlink_to(tmp_path / "a.mkv")
    with pytest.raises(UserError, match="is an input of this batch"):
        tasks_of(find_sources(manifest), {tmp_path / "out": Encoding()})
