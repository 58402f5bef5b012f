"""The store of decoded footage: whole clips or nothing, decoded once."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vsr_lab.core.clip import Clip, Frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.shots import Shot
from vsr_lab.data import store_shots

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
    monkeypatch.setattr("vsr_lab.data.build._CHUNK", 4)
    (clip,) = store_shots(shots[:1], tmp_path / "store", 1)
    assert np.array_equal(clip.frames, shots[0].read(0, 6).frames)


def test_what_is_stored_is_not_decoded_again(tmp_path: Path, shots: list[Shot], decoded: list[str]) -> None:
    store_shots(shots, tmp_path / "store", 1)
    assert decoded == ["a", "b"]
    store_shots(shots, tmp_path / "store", 1)
    assert decoded == ["a", "b"]


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
    assert not [path for path in (tmp_path / "store").iterdir() if path.name != ".lock"]


def test_a_stored_clip_travels_to_a_worker_without_its_frames(tmp_path: Path, shots: list[Shot]) -> None:
    (clip,) = store_shots(shots[:1], tmp_path / "store", 1)
    expected = clip.frames.copy()
    message = pickle.dumps(clip)
    assert len(message) < 1000
    assert np.array_equal(pickle.loads(message).frames, expected)
