"""Stored measurements belong to the file that was measured, whatever a manifest says."""

import csv
from pathlib import Path

import pytest

from tests.conftest import write_moving_clip
from vsr_lab.core.files import sha256
from vsr_lab.curation import Scans
from vsr_lab.curation.leaks import fingerprint_manifest
from vsr_lab.curation.scan import stamp_of


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_moving_clip(tmp_path / "a.mkv", 24, 96, 128, seed=1)


@pytest.mark.parametrize("digest", ["../../victim/fold", "0" * 64])
def test_a_digest_in_a_manifest_names_no_file(tmp_path: Path, clip: Path, digest: str) -> None:
    victim = tmp_path / "victim/fold-3.npz"
    victim.parent.mkdir()
    victim.write_bytes(b"of the user")
    size, modified = stamp_of(clip)
    row = {"path": clip.name, "bytes": size, "modified": modified, "sha256": digest, "indexed": 3, "split": "train"}
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*row])
        writer.writeheader()
        writer.writerow(row)
    found, left_out = fingerprint_manifest(tmp_path / "manifest.csv", Scans(tmp_path / "cache/scans"))
    assert (len(found), left_out) == (1, {})
    assert victim.read_bytes() == b"of the user"
    assert [path.name for path in (tmp_path / "cache/scans").glob("*.npz")] == [f"{sha256(clip)[:24]}-3.npz"]


def test_a_changed_file_is_measured_again(tmp_path: Path, clip: Path) -> None:
    scans = Scans(tmp_path / "scans")
    before = scans.digest(clip)
    assert scans.digest(clip) == before == sha256(clip)
    write_moving_clip(clip, 25, 96, 128, seed=2)
    assert scans.digest(clip) == sha256(clip) != before
