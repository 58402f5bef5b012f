"""The store of decoded footage: whole clips or nothing, decoded once."""

import os
import pickle
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from filelock import FileLock

from vsr_lab.core.clip import Clip, Frames
from vsr_lab.core.errors import UserError
from vsr_lab.data import StoredClip, inspect_store, remove_entry, store_shots
from vsr_lab.data.activity import measure_activity
from vsr_lab.data.store import activity_path, clip_path
from vsr_lab.data.store_writer import _save as save
from vsr_lab.data.store_writer import decode_into
from vsr_lab.footage.shots import Shot

WriteVideo = Callable[..., Path]


@pytest.fixture
def shots(write_video: WriteVideo, frames: Frames) -> list[Shot]:
    """One video as it is, another cropped and shrunk."""
    first, second = write_video("a.mkv", frames), write_video("b.mkv", frames[::-1])
    return [Shot("a", first, 1, 7), Shot("b", second, crop=(48, 32, 8, 0), downscale=2)]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the shots, each time that one is read."""
    names: list[str] = []
    read = Shot.read

    def counted(self: Shot, first: int, last: int) -> Clip:
        names.append(self.name)
        return read(self, first, last)

    monkeypatch.setattr(Shot, "read", counted)
    return names


def test_a_stored_clip_is_the_shot(tmp_path: Path, shots: list[Shot]) -> None:
    for shot, clip in zip(shots, store_shots(shots, tmp_path / "store", 1), strict=True):
        assert clip.name == shot.name
        assert clip.frames.dtype == np.uint8
        assert np.array_equal(clip.frames, shot.read(0, shot.frames).frames)


def test_a_clip_longer_than_a_chunk_is_stored_whole(
    tmp_path: Path, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsr_lab.data.store_writer._CHUNK", 4)
    (clip,) = store_shots(shots[:1], tmp_path / "store", 1)
    assert np.array_equal(clip.frames, shots[0].read(0, 6).frames)


def test_what_is_stored_is_not_decoded_again(tmp_path: Path, shots: list[Shot], decoded: list[str]) -> None:
    store_shots(shots, tmp_path / "store", 1)
    assert decoded == ["a", "b"]
    store_shots(shots, tmp_path / "store", 1)
    assert decoded == ["a", "b"]


def test_links_in_a_store_of_others_are_not_written_through(
    tmp_path: Path, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    store_shots(shots, tmp_path / "known", 1)
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("of the user")
    (tmp_path / "store").mkdir()
    for path in (tmp_path / "known").iterdir():
        if path.suffix == ".npy":
            (tmp_path / "store" / path.with_suffix(".partial").name).symlink_to(thesis)
            (tmp_path / "store" / path.with_suffix(".done").name).write_text("0")
            (tmp_path / "store" / path.name).symlink_to(thesis)
    store_shots(shots, tmp_path / "store", 1)
    assert thesis.read_text() == "of the user"


@pytest.mark.parametrize("change", [{"start": 0}, {"stop": 6}, {"downscale": 2.0}, {"crop": (32, 32, 0, 0)}])
def test_another_window_is_another_clip(tmp_path: Path, shots: list[Shot], change: dict[str, object]) -> None:
    values = {"name": "a", "path": shots[0].path, "start": 1, "stop": 7, **change}
    other = Shot(**values)  # pyright: ignore[reportArgumentType]
    one, two = store_shots([shots[0], other], tmp_path / "store", 1)
    assert one.path != two.path


def test_footage_that_changed_is_decoded_again(
    tmp_path: Path, write_video: WriteVideo, frames: Frames, shots: list[Shot]
) -> None:
    store_shots(shots[:1], tmp_path / "store", 1)
    write_video("a.mkv", 255 - frames)
    (clip,) = store_shots([Shot("a", shots[0].path, 1, 7)], tmp_path / "store", 1)
    assert np.array_equal(clip.frames, 255 - frames[1:7])


@pytest.mark.parametrize("error", [KeyboardInterrupt, UserError("b.mkv", "broke")])
def test_interrupted_it_keeps_whole_clips_alone_and_goes_on(
    tmp_path: Path,
    shots: list[Shot],
    decoded: list[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException | type[BaseException],
) -> None:
    store = tmp_path / "store"
    counted = Shot.read

    def fails(self: Shot, first: int, last: int) -> Clip:
        if self.name == "b":
            raise error
        return counted(self, first, last)

    with monkeypatch.context() as patched, pytest.raises(type(error) if isinstance(error, UserError) else error):
        patched.setattr(Shot, "read", fails)
        store_shots(shots, store, 1)
    (left,) = store.glob("*.npy")
    assert np.array_equal(np.load(left), shots[0].read(0, 6).frames)
    decoded.clear()
    assert len(store_shots(shots, store, 1)) == 2
    assert decoded == ["b"]


def test_more_than_the_budget_is_refused_before_anything_is_decoded(
    tmp_path: Path, shots: list[Shot], decoded: list[str]
) -> None:
    needed = (6 * 32 * 64 + 8 * 16 * 24) * 3 / 2**30
    store_shots(shots, tmp_path / "enough", needed)
    decoded.clear()
    with pytest.raises(UserError, match=r"data\.budget_gib"):
        store_shots(shots, tmp_path / "store", needed * 0.99)
    assert decoded == []
    assert not (tmp_path / "store").exists()


def test_a_stored_clip_travels_to_a_worker_without_its_frames(tmp_path: Path, shots: list[Shot]) -> None:
    (clip,) = store_shots(shots[:1], tmp_path / "store", 1)
    expected = clip.frames.copy()
    message = pickle.dumps(clip)
    assert len(message) < 1000
    assert np.array_equal(pickle.loads(message).frames, expected)


# Going on inside a clip


def test_a_killed_build_goes_on_inside_the_clip(
    tmp_path: Path, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after SIGKILL: nothing was tidied up, and what was written after the last save may be rubbish."""
    monkeypatch.setattr("vsr_lab.data.store_writer._CHUNK", 1)
    monkeypatch.setattr("vsr_lab.data.store_writer._SAVE_EVERY", 2)
    path = clip_path(tmp_path, shots[0])
    with monkeypatch.context() as patched:
        saved: list[int] = []

        def killed_before_the_last(partial: Path, target: np.memmap, done: int) -> None:
            if done < 5:
                saved.append(done)
                save(partial, target, done)

        patched.setattr("vsr_lab.data.store_writer._save", killed_before_the_last)
        building = decode_into(shots[0], path)
        for _ in range(5):
            next(building)
        building.close()
    assert saved == [2, 4]
    partial = np.lib.format.open_memmap(path.with_suffix(".partial"), "r+")
    partial[4:] = 99
    partial.flush()
    read: list[int] = []
    whole = Shot.read
    monkeypatch.setattr(Shot, "read", lambda self, a, b: read.append(a) or whole(self, a, b))
    (clip,) = store_shots(shots[:1], tmp_path, 1)
    assert read == [4, 5]
    assert np.array_equal(clip.frames, whole(shots[0], 0, 6).frames)
    assert sorted(file.suffix for file in tmp_path.glob(f"{path.stem}*")) == [".activity", ".json", ".npy"]


def test_an_interrupted_clip_loses_nothing_that_was_decoded(
    tmp_path: Path, shots: list[Shot], decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsr_lab.data.store_writer._CHUNK", 2)
    whole = Shot.read

    def interrupted(self: Shot, first: int, last: int) -> Clip:
        if first == 4:
            raise KeyboardInterrupt
        return whole(self, first, last)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Shot, "read", interrupted)
        store_shots(shots[:1], tmp_path, 1)
    decoded.clear()
    (clip,) = store_shots(shots[:1], tmp_path, 1)
    assert decoded == ["a"]  # frames 4 and 5, in one go
    assert np.array_equal(clip.frames, whole(shots[0], 0, 6).frames)


def test_threads_decode_what_one_does(tmp_path: Path, shots: list[Shot]) -> None:
    one, several = (store_shots(shots, tmp_path / str(n), 1, workers=n) for n in (1, 3))
    assert all(np.array_equal(a.frames, b.frames) for a, b in zip(one, several, strict=True))


def test_a_second_build_waits_for_the_first(
    tmp_path: Path, shots: list[Shot], decoded: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor() as pool:
        with FileLock(tmp_path / ".lock"):
            second = pool.submit(store_shots, shots, tmp_path, 1)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
            assert decoded == []
        assert len(second.result()) == 2
    assert "another run is building this store" in capsys.readouterr().out


# What is kept


def test_sources_of_more_than_8_bits_are_rounded_once(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 2**16, (3, 16, 16, 3), np.uint16)
    for t, picture in enumerate(deep):
        (tmp_path / "deep").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "deep" / f"{t}.png"), picture[..., ::-1])
    (clip,) = store_shots([Shot("deep", tmp_path / "deep")], tmp_path / "store", 1)
    assert np.array_equal(clip.frames, np.rint(deep / 257).astype(np.uint8))


def test_windows_and_scenes_of_a_stored_clip(tmp_path: Path, shots: list[Shot]) -> None:
    (clip,) = store_shots([replace(shots[0], cuts=(0, 1, 3, 5, 7))], tmp_path, 1)  # frames 1..6 of the file
    assert (len(clip), clip.scenes) == (6, [(0, 2), (2, 4), (4, 6)])
    part = clip.window(1, 5)
    assert (len(part), part.scenes) == (4, [(0, 1), (1, 3), (3, 4)])
    assert part.window(2, 4).scenes == [(0, 1), (1, 2)]
    assert np.array_equal(part.frames, clip.frames[1:5])
    assert np.array_equal(part.activity, clip.activity[1:5])


def test_activity_is_stored_chunk_by_chunk_as_it_is_of_the_whole(
    tmp_path: Path, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsr_lab.data.store_writer._CHUNK", 4)
    for clip in store_shots(shots, tmp_path, 1):
        assert activity_path(clip.path).exists()
        assert np.array_equal(clip.activity, measure_activity(clip.frames))


def test_activity_is_the_mean_change_and_gradient_of_each_cell() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 20, 36, 3), np.uint8)
    activity = measure_activity(frames)
    assert activity.shape == (3, 2, 2, 3)
    green = frames[:, ::2, ::2, 1].astype(float)
    change = np.abs(green[2] - green[1])
    assert activity[2, 0, 1, 2] == pytest.approx(change[8:, 16:].mean(), rel=1e-3)
    assert activity[2, 0, 0, 1] == pytest.approx(change[:8, 8:16].mean(), rel=1e-3)
    down, across = np.abs(np.diff(green[0], axis=0))[:8, 8:16], np.abs(np.diff(green[0], axis=1))[:8, 8:16]
    assert activity[0, 1, 0, 1] == pytest.approx((down + across).mean(), rel=1e-3)
    assert not activity[0, 0].any()


def test_more_clips_than_files_may_be_open(tmp_path: Path) -> None:
    clips = [StoredClip(str(n), tmp_path / f"{n}.npy") for n in range(700)]
    for n, clip in enumerate(clips):
        np.save(clip.path, np.full((1, 1, 1, 3), n % 256, np.uint8))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, hard))
    try:
        assert all(clip.frames[0, 0, 0, 0] == n % 256 for n, clip in enumerate(clips))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Whole or not


def _spoil(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 1]))


def _states(folder: Path, every_byte: bool = False) -> list[str]:
    return sorted(entry.state for entry in inspect_store(folder, every_byte))


@pytest.mark.parametrize("harm", ["cut", "first page", "no activity"])
def test_what_was_harmed_is_decoded_anew(
    tmp_path: Path, shots: list[Shot], capsys: pytest.CaptureFixture[str], harm: str
) -> None:
    (clip,) = store_shots(shots[:1], tmp_path, 1)
    expected = clip.frames.copy()
    if harm == "cut":
        os.truncate(clip.path, clip.path.stat().st_size - 100)
    elif harm == "first page":
        _spoil(clip.path, 300)
    else:
        activity_path(clip.path).unlink()
    assert _states(tmp_path) == ["damaged"]
    (mended,) = store_shots(shots[:1], tmp_path, 1)
    assert np.array_equal(np.load(mended.path), expected)
    assert _states(tmp_path) == ["whole"]
    assert "1 stored clips were damaged and are decoded again" in capsys.readouterr().out


def test_one_changed_bit_is_found_where_every_byte_is_read(tmp_path: Path, write_video: WriteVideo) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (8, 128, 128, 3), np.uint8)
    (clip,) = store_shots([Shot("a", write_video("a.mkv", frames))], tmp_path / "store", 1)
    _spoil(clip.path, clip.path.stat().st_size // 2 + 30000)
    assert _states(tmp_path / "store") == ["whole"]  # the cheap check does not promise that
    assert _states(tmp_path / "store", every_byte=True) == ["damaged"]


def test_what_is_stale_is_told_and_may_go(
    tmp_path: Path, write_video: WriteVideo, frames: Frames, shots: list[Shot], capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    store_shots(shots, store, 1)
    assert "prune" not in capsys.readouterr().out
    write_video("a.mkv", 255 - frames)
    shots[1].path.unlink()
    (store / f"clip-{'ab' * 12}.partial").write_bytes(b"x")
    for name in ("notes.npy", f"{'ab' * 12}.npy"):
        (store / name).write_text("not of the store")
    store_shots([Shot("a", shots[0].path)], store, 1)
    told = capsys.readouterr().out
    assert "2 clips (0.00 GiB) whose source files are missing or have changed; vsr-lab footage store" in told
    assert _states(store) == ["stale", "stale", "unfinished", "whole"]
    for entry in list(inspect_store(store)):
        if entry.state != "whole":
            remove_entry(entry.path)
    assert _states(store) == ["whole"]
    assert len(list(store.iterdir())) == 6  # frames, activity, record, the lock, and two that are not of the store


def test_the_budget_says_what_would_fit(tmp_path: Path, shots: list[Shot]) -> None:
    needed = 3 * 6 * 32 * 64 * 3 / 2**30
    three = [replace(shots[0], name=name) for name in "abc"]
    with pytest.raises(UserError, match=r"the first 2 of 3 clips .*data\.frames=0:4.* 1\.22 times higher"):
        store_shots(three, tmp_path, needed * 0.67)


def test_a_disk_that_is_too_small_is_told_before_anything_is_decoded(
    tmp_path: Path, shots: list[Shot], decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SimpleNamespace(free=1000, total=2000)
    monkeypatch.setattr("vsr_lab.data.store_writer.shutil.disk_usage", lambda path: disk)
    with pytest.raises(UserError, match=r"the disk has 0 MiB free"):
        store_shots(shots, tmp_path, 1)
    assert decoded == []
