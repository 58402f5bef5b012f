"""torch is loaded while another folder is the current one, in this process and in its workers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import vsr_lab

_SCRIPT = """
from vsr_lab.core.current_folder import import_torch_elsewhere
from vsr_lab.fleet import Local

def where(_):
    import torch
    return torch.FOLDER

if __name__ == "__main__":
    import_torch_elsewhere()
    outcomes = Local(2).run(where, dict.fromkeys("ab"))
    print(where(None), *(outcome.result or outcome.error for outcome in outcomes), sep="\\n")
"""


def test_torch_is_imported_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "packages/torch").mkdir(parents=True)
    (tmp_path / "packages/torch/__init__.py").write_text("import os; FOLDER = os.getcwd()")
    (tmp_path / "packages/script.py").write_text(_SCRIPT)
    here = tmp_path / "here"
    here.mkdir()
    paths = os.pathsep.join([str(tmp_path / "packages"), str(Path(vsr_lab.__file__).parents[1])])
    command = [sys.executable, "-P", tmp_path / "packages/script.py"]
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)
    folders = done.stdout.splitlines()
    assert len(folders) == 3, done.stderr
    assert all(Path(folder).is_dir() and Path(folder) != here for folder in folders), folders


def test_libraries_are_not_looked_for_in_the_current_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    from vsr_lab.core.current_folder import protect_processes

    for given, wanted in ((None, None), ("", None), (":/opt/lib:", "/opt/lib")):
        if given is None:
            monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
        else:
            monkeypatch.setenv("LD_LIBRARY_PATH", given)
        protect_processes()
        found = os.environ["LD_LIBRARY_PATH"]
        assert found == wanted if wanted else Path(found).is_absolute()
