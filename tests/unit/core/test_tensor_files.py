"""Files of torch.save that strangers wrote: what they hold is as large as they are."""

import shutil
import zipfile
from pathlib import Path

import pytest
import torch

from vsr_lab.core.errors import UserError
from vsr_lab.core.tensor_files import load_tensors
from vsr_lab.models.initial import read_tensors


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    for zipped in (True, False):
        torch.save({"a": torch.arange(5)}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
        assert torch.equal(load_tensors(tmp_path / "a.pth")["a"], torch.arange(5))


def test_a_file_with_compressed_parts_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(10**6)}, tmp_path / "a.pth")
    path = tmp_path / "small.pth"
    with zipfile.ZipFile(tmp_path / "a.pth") as stored, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in stored.infolist():
            packed.writestr(part.filename, stored.read(part))
    assert path.stat().st_size < 20_000
    with pytest.raises(UserError, match=r"small\.pth: is damaged, compressed,"):
        read_tensors(path)


def test_a_file_whose_parts_overlap_is_refused(tmp_path: Path) -> None:
    torch.save({f"w{i}": torch.zeros(10**5) for i in range(20)}, tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "a.pth") as stored:
        parts = stored.infolist()
        place = next(part.header_offset for part in parts if part.filename.endswith("data/0"))
    shutil.copy(tmp_path / "a.pth", tmp_path / "b.pth")
    with zipfile.ZipFile(tmp_path / "b.pth", "a") as archive:
        for i in range(100):
            part = zipfile.ZipInfo(f"a/data/{i + 20}")
            part.header_offset, part.file_size, part.compress_size, part.CRC = place, 400_000, 400_000, 0
            archive.filelist.append(part)
        archive._didModify = True  # writes the directory anew
    with pytest.raises(ValueError, match="overlap"):
        load_tensors(tmp_path / "b.pth")


def test_a_zip_behind_another_file_hides_nothing(tmp_path: Path) -> None:
    """torch.load reads the beginning, and zipfile the end."""
    torch.save({"a": torch.zeros(3)}, tmp_path / "zip.pth")
    torch.save({"a": _Large()}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    both = (tmp_path / "old.pth").read_bytes() + (tmp_path / "zip.pth").read_bytes()
    (tmp_path / "both.pth").write_bytes(both)
    assert zipfile.is_zipfile(tmp_path / "both.pth")
    with pytest.raises(ValueError, match="beside tensors and numbers"):
        load_tensors(tmp_path / "both.pth")


class _Large:
    def __reduce__(self) -> tuple[type, tuple[int]]:
        return bytearray, (10**10,)


def _shared(depth: int) -> dict[str, object]:
    """Containers of 2 ** depth values, in a file of a few kilobytes."""
    node: dict[str, object] = {}
    for _ in range(depth):
        node = {"a": node, "b": node}
    return node


LOOP: list[object] = []
LOOP.append(LOOP)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (_Large(), "beside tensors and numbers"),
        (Path("a"), "beside tensors and numbers"),
        (_shared(60), "contain each other many times"),
        (LOOP, "contain each other many times"),
        (torch.zeros(1).expand(10**4, 10**4), "more elements than it"),
        ([torch.zeros(1000)[:] for _ in range(3)] * 9, "share their elements"),
        (torch.eye(3).to_sparse(), "."),
        (torch.zeros(3, device="meta"), "."),
    ],
)
def test_a_small_file_that_describes_much_is_refused(tmp_path: Path, value: object, problem: str, zipped: bool) -> None:
    torch.save({"a": value}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=problem):
        load_tensors(tmp_path / "a.pth")
