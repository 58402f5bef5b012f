"""Whatever is wrong with a file, reading it gives frames or a UserError: no crash, no hang, no other exception."""

from pathlib import Path

import pytest

from tests.property.fuzz_video import KINDS, Fuzzed, judge_all, make_damaged
from tests.weaving import panned, write_gray


def _wrong(folder: Path, count: int, seed: int) -> list[str]:
    files = list(make_damaged(folder / "fuzz", count, seed))
    assert {file.kind for file in files} == {*KINDS, "wrong suffix"}
    told = [(file, how, outcome) for how in ("refuse", "keep") for file, outcome in judge_all(files, how)]
    assert len(told) == 2 * count
    return [f"{file.path.name} {file.kind} {how}: {outcome}" for file, how, outcome in told
            if outcome not in ("frames", "refused")]  # fmt: skip


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    assert _wrong(tmp_path, 84, 1) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_many_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    assert _wrong(tmp_path, 2000, 0) == []


def test_a_reader_that_hangs_is_named_and_the_next_file_is_read(tmp_path: Path) -> None:
    sound = Fuzzed(write_gray(tmp_path / "sound.mkv", panned(4)), "none")
    (_, stopped) = next(judge_all([sound], "refuse", seconds=0))  # no reader is as fast
    assert stopped.startswith("hung in ") and ".py line" in stopped
    assert [outcome for _, outcome in judge_all([sound, sound], "refuse")] == ["frames", "frames"]
