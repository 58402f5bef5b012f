"""Writing: the new file or the old one, whatever happens in between."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, inside, missing_parent, read_json, sha256, write_json, write_text


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == path.parent, "a rename is atomic only within a file system"
        assert temporary.suffix == path.suffix, "muxers go by the suffix"
    assert path.read_text() == "whole"
    assert _names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["a.txt"]


def test_a_failure_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / "bundle") as temporary:
        temporary.mkdir()
        (temporary / "half").touch()
        raise KeyboardInterrupt
    assert _names(tmp_path) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(self: Path, text: str, **_: str) -> None:
        with self.open("w") as file:
            file.write(text[:1])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UserError, match=r"a\.txt: the disk is full"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["a.txt"]


def test_a_disk_that_fills_at_the_rename_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UserError, match="disk is full"):
        write_text(tmp_path / "a.txt", "new")
    assert _names(tmp_path) == []


def test_a_place_that_cannot_hold_a_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        write_text(tmp_path / "file" / "a.txt", "new")


def test_a_folder_never_replaces_one_with_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "precious").touch()
    with pytest.raises(UserError, match="bundle: cannot be written"), atomic_path(tmp_path / "bundle") as temporary:
        temporary.mkdir()
    assert _names(tmp_path) == ["bundle"]
    assert _names(tmp_path / "bundle") == ["precious"]


def test_json_comes_back_as_it_was(tmp_path: Path) -> None:
    value = {"ä": [1, 2.5, None, True], "b": {}}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value


def test_json_with_nan_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"psnr": float("nan")})
    assert _names(tmp_path) == []


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00", b""])
def test_what_is_no_json_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.json: is not valid JSON"):
        read_json(tmp_path / "a.json")


def test_a_missing_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.json: not found"):
        read_json(tmp_path / "a.json")


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")


# Names from data


@pytest.mark.parametrize("name", ["a", "a.b", "00001/0001", "été 1", "-x", "a..b", "...", "c1.mkv"])
def test_a_plain_name_is_a_path_inside(tmp_path: Path, name: str) -> None:
    assert inside(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a", "a/../../b", "/etc/passwd", "a//b", "a/", "a\\0b", "a\nb", "a\\b", "x" * 300, "a/./b"],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError):
        inside(tmp_path, name.encode().decode("unicode_escape") if "\\0" in name else name)


def test_a_link_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out")
    with pytest.raises(UserError, match="link"):
        inside(tmp_path / "in", "link/a")


def test_what_is_there_is_kept_where_it_may_not_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("precious")
    with pytest.raises(UserError, match="already exists"), atomic_path(path, replace=False) as temporary:
        temporary.write_text("new")
    late = tmp_path / "b.txt"
    with pytest.raises(UserError, match="already exists"), atomic_path(late, replace=False) as temporary:
        temporary.write_text("new")
        late.write_text("came meanwhile")
    assert (path.read_text(), late.read_text(), _names(tmp_path)) == ("precious", "came meanwhile", ["a.txt", "b.txt"])


def test_nothing_is_lost_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    path = tmp_path / "a.txt"
    with atomic_path(path, replace=False) as temporary:
        temporary.write_text("new")
    with pytest.raises(UserError, match="already exists"), atomic_path(path, replace=False):
        pass
    assert path.read_text() == "new"


def _temporary(path: Path, process: object) -> Path:
    """Name of the temporary file of another process on this machine."""
    with atomic_path(path) as own:
        own.touch()
    return own.with_name(own.name.replace(f"-{os.getpid()}.", f"-{process}."))


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = _temporary(tmp_path / "a.txt", gone.pid)
    at_work = _temporary(tmp_path / "a.txt", os.getppid())
    on_another = left.with_name(f".a.{'0' * 8}-{gone.pid}.partial.txt")  # whose processes are not seen here
    of_a_number = _temporary(tmp_path / f"a.{gone.pid}.txt", os.getppid())
    (tmp_path / f"a.{gone.pid}.txt").unlink()
    signed = left.with_name(left.name.replace(".partial", ".signed.partial"))
    for path in (left, signed, at_work, on_another, of_a_number):
        path.write_text("half")
    write_text(tmp_path / "a.txt", "whole")
    assert _names(tmp_path) == sorted(["a.txt", at_work.name, on_another.name, of_a_number.name])


def test_a_link_under_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "film.mkv").write_text("recorded")
    _temporary(tmp_path / "a.json", os.getpid()).symlink_to("film.mkv")
    _temporary(tmp_path / "a.json", "9" * 20).touch()  # no number of a process
    write_text(tmp_path / "a.json", "{}")
    assert (tmp_path / "film.mkv").read_text() == "recorded"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "film.mkv"]


def test_a_json_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(1 << 33)  # sparse
    with pytest.raises(UserError, match=r"a\.json: has 8192 MiB, more than the 256 MiB of a record"):
        read_json(tmp_path / "a.json")


def test_a_path_through_a_folder_that_does_not_exist_is_found(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert missing_parent(tmp_path / "there/../new/file") is None
    assert missing_parent(tmp_path / "new/../there") == tmp_path / "new"
    assert missing_parent(Path("../a")) is None
