"""A compiled network trains, resumes and is saved as if it had not been compiled."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.smoke.test_resume import kill_after, options
from vsr_lab.models import load_network


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_run_is_resumed_and_its_weights_have_their_plain_names(
    tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    run = tmp_path / "run"
    kill_after([*options(tiny_footage, run, 0), "compile=true", "model=recurrent_flow"], run, 8)
    vsr_lab("train", f"resume={run}")
    network, note = load_network(run / "network.safetensors")
    assert note["about"]["step"] > 0
    assert not [name for name in network.state_dict() if "orig_mod" in name]
    assert any((tmp_path / "cache/vsr_lab/compiled").iterdir())  # and not in /tmp, where others could write
