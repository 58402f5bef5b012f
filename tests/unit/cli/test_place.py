"""A run folder inside footage that the run reads is refused."""

from pathlib import Path
from typing import Any

import pytest

from vsr_lab.cli.app import check_place
from vsr_lab.cli.configuration.schema import Command
from vsr_lab.core.errors import UserError


class Reader(Command):
    """A command with the keys of several."""

    input: str | None = None
    a: str | None = None
    b: str | None = None
    candidate: dict[str, Any] | None = None


@pytest.mark.parametrize("key", ["input", "a", "b", "candidate.path"])
def test_a_folder_inside_footage_is_refused(tmp_path: Path, key: str) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    first, _, inner = key.partition(".")
    values = {first: {inner: str(frames)} if inner else str(frames)}
    with pytest.raises(UserError, match=rf"run_dir: .* is inside .*, the value of {key}="):
        check_place(Reader.model_validate({"run_dir": str(frames / "run"), **values}))
    check_place(Reader.model_validate({"run_dir": str(tmp_path / "run"), **values}))


def test_an_evaluation_inside_the_run_of_its_candidate_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    config = Reader.model_validate({"run_dir": str(tmp_path / "run"), "candidate": {"path": str(tmp_path)}})
    check_place(config)
