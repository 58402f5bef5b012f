"""What has to hold in core whatever comes in."""

import errno
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vsr_lab.core.clip import quantise, to_frames, to_tensor
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path
from vsr_lab.core.network import pad_to_multiple
from vsr_lab.core.resize import KERNELS, BicubicUpsample, imresize, resize_matrix
from vsr_lab.core.tile import tiles
from vsr_lab.footage.shots import parse_window

few = settings(max_examples=40, derandomize=True)
sizes = st.integers(1, 40)
scales = st.sampled_from([1 / 4, 1 / 3, 1 / 2, 2 / 3, 0.37, 1.0, 1.5, 2.0, 3.0, 4.0])
methods = st.sampled_from(sorted(KERNELS))


def _image(seed: int, *size: int) -> torch.Tensor:
    return torch.rand(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# imresize


@few
@given(sizes, scales, methods)
def test_every_row_of_weights_sums_to_one(size: int, scale: float, method: str) -> None:
    out = math.ceil(size * scale - 1e-9)
    weights = resize_matrix(size, out, scale, method=method)
    assert weights.shape == (out, size)
    assert torch.allclose(weights.sum(1), torch.ones(out, dtype=torch.float64))


@few
@given(sizes, sizes, scales, methods, st.floats(-2, 2))
def test_a_plain_picture_stays_plain(height: int, width: int, scale: float, method: str, value: float) -> None:
    plain = torch.full((height, width), value, dtype=torch.float64)
    assert torch.allclose(imresize(plain, scale, method), torch.tensor(value, dtype=torch.float64))


@few
@given(sizes, sizes, scales, methods, st.floats(-3, 3), st.floats(-3, 3))
def test_imresize_is_linear(height: int, width: int, scale: float, method: str, a: float, b: float) -> None:
    x, y = _image(0, height, width), _image(1, height, width)
    together = imresize(a * x + b * y, scale, method)
    assert torch.allclose(together, a * imresize(x, scale, method) + b * imresize(y, scale, method), atol=1e-9)


@few
@given(sizes, sizes, st.integers(1, 8), methods)
def test_shrinking_rounds_sizes_up(height: int, width: int, divisor: int, method: str) -> None:
    small = imresize(_image(0, 3, height, width), 1 / divisor, method)
    assert small.shape == (3, -(-height // divisor), -(-width // divisor))


@few
@given(
    sizes, sizes, st.sampled_from([1 / 4, 1 / 2, 2.0, 3.0]), st.sampled_from(sorted({*KERNELS} - {"nearest", "area"}))
)
def test_a_mirrored_picture_gives_the_mirrored_result(height: int, width: int, scale: float, method: str) -> None:
    assume(scale >= 1 or (height * scale % 1 == 0 and width * scale % 1 == 0))
    x = _image(0, height, width)
    mirrored = imresize(x.flip(0, 1), scale, method).flip(0, 1)
    assert torch.allclose(mirrored, imresize(x, scale, method), atol=1e-9)


@few
@given(st.integers(2, 24), st.integers(2, 24), st.sampled_from([2, 3, 4]))
def test_the_convolution_is_imresize(height: int, width: int, scale: int) -> None:
    x = _image(0, 1, 3, height, width)
    assert torch.allclose(BicubicUpsample(scale)(x), imresize(x, scale), atol=1e-6)


# Tiles and padding


@few
@given(sizes, sizes, st.integers(1, 16), st.integers(0, 9))
def test_tiles_cover_every_pixel_once_and_stay_inside(height: int, width: int, size: int, overlap: int) -> None:
    covered = torch.zeros(height, width, dtype=torch.int)
    for tile in tiles(height, width, size, overlap):
        covered[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width] += 1
        assert 0 < tile.height <= size and 0 < tile.width <= size
        assert 0 <= tile.top <= overlap and 0 <= tile.left <= overlap
        assert tile.y - tile.top >= 0 and tile.x - tile.left >= 0
    assert (covered == 1).all()


@few
@given(sizes, sizes, st.integers(1, 8))
def test_padding_is_the_least_that_fits_and_keeps_the_picture(height: int, width: int, multiple: int) -> None:
    lr = _image(0, 1, 3, height, width)
    padded = pad_to_multiple(lr, multiple)
    assert all(n % multiple == 0 and n - m < multiple for n, m in zip(padded.shape[-2:], (height, width), strict=True))
    assert torch.equal(padded[..., :height, :width], lr)


# Windows in words


@few
@given(st.integers(0, 10**9), st.none() | st.integers(1, 10**9))
def test_a_window_survives_being_written_down(first: int, last: int | None) -> None:
    assert parse_window(f"{first}:{'' if last is None else last}") == (first, last)


@settings(few, max_examples=200)
@given(st.text(max_size=8) | st.text("0123456789:-.² ", max_size=8))
def test_words_are_a_window_or_the_users_to_mend(text: str) -> None:
    try:
        first, last = parse_window(text)
    except UserError:
        return
    assert first >= 0 and (last is None or last >= 0)


# Eight bits


@few
@given(st.lists(st.floats(-1, 2, width=32), min_size=1, max_size=20))
def test_quantising_twice_is_quantising_once(values: list[float]) -> None:
    once = quantise(torch.tensor(values))
    assert torch.equal(quantise(once), once)
    assert once.min() >= 0 and once.max() <= 1


@few
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20))
def test_quantising_moves_nothing_by_more_than_half_a_level(values: list[float]) -> None:
    x = torch.tensor(values)
    assert (quantise(x) - x).abs().max() <= 0.5 / 255 + 1e-7
    assert torch.equal(to_tensor(to_frames(x.expand(3, 1, -1))), quantise(x).expand(3, 1, -1))


# Writing


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


_ERRORS = st.sampled_from(
    [
        *(ValueError("x"), KeyError("x"), MemoryError(), KeyboardInterrupt(), SystemExit(3), GeneratorExit()),
        *(RuntimeError("x"), UserError("x", "y"), StopIteration(), *map(OSError, (errno.ENOSPC, errno.EIO), "xx")),
    ]
)


@few
@given(_ERRORS, st.booleans(), st.booleans(), st.booleans())
def test_whatever_fails_the_old_file_stays_and_no_other(
    error: BaseException, existed: bool, began: bool, folder: bool
) -> None:
    with _folder() as root:
        path = root / "a.txt"
        if existed:
            path.write_text("old")
        raised = UserError if getattr(error, "errno", 0) == errno.ENOSPC else type(error)
        with pytest.raises(raised), atomic_path(path) as temporary:
            if began and folder:
                temporary.mkdir()
                (temporary / "part").write_text("half")
            elif began:
                temporary.write_text("half")
            raise error
        assert [file.name for file in root.iterdir()] == (["a.txt"] if existed else [])
        assert not existed or path.read_text() == "old"


@few
@given(st.text(max_size=50), st.none() | st.text(max_size=50))
def test_what_succeeds_is_there_and_nothing_else(text: str, before: str | None) -> None:
    with _folder() as root:
        path = root / "a.txt"
        if before is not None:
            path.write_bytes(before.encode())
        with atomic_path(path) as temporary:
            temporary.write_bytes(text.encode())
        assert path.read_bytes() == text.encode()
        assert [file.name for file in root.iterdir()] == ["a.txt"]
