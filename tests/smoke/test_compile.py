"""A compiled network trains, resumes and is saved as if it had not been compiled."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.smoke.test_resume import kill_after, options
from vsr_lab.core.errors import UserError
from vsr_lab.models import Compact, load_network


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_run_is_resumed_and_its_weights_have_their_plain_names(
    tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str]
) -> None:
    run = tmp_path / "run"
    kill_after([*options(tiny_footage, run, 0), "compile=true", "model=recurrent_flow"], run, 8)
    vsr_lab("train", f"resume={run}")
    network, note = load_network(run / "network.safetensors")
    assert note["about"]["step"] > 0
    assert not [name for name in network.state_dict() if "orig_mod" in name]


@pytest.mark.parametrize("kind", ["default", "cache"])
def test_compiled_code_of_others_is_not_executed(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = {name: tmp_path / name for name in ("default", "cache")}
    for name, folder in folders.items():
        function = "default_cache_dir" if name == "default" else "cache_dir"
        monkeypatch.setattr(f"torch._inductor.runtime.cache_dir_utils.{function}", lambda folder=folder: str(folder))
    network = Compact(scale=2, channels=4, layers=1)
    network.compile_parts()
    assert {folder.stat().st_mode & 0o777 for folder in folders.values()} == {0o700}
    folders[kind].chmod(0o777)
    with pytest.raises(UserError, match="can be written by other users"):
        network.compile_parts()
    folders[kind].rename(tmp_path / "elsewhere")
    folders[kind].symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="can be written by other users"):
        network.compile_parts()
