"""An interruption ends a process with its own exit code."""

import os
import subprocess
import sys
from pathlib import Path

import vsr_lab
from vsr_lab.core.signals import interruption_of

_MODULE = """
import sys
from vsr_lab.core.signals import forget_interruption
try:
    exec("raise KeyboardInterrupt")
except KeyboardInterrupt:
    forget_interruption()
sys.exit(7)
"""


def test_an_interruption_of_code_compiled_from_text_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(_MODULE)
    root = Path(vsr_lab.__file__).parents[1]
    path = os.pathsep.join([str(tmp_path), str(root)])
    done = subprocess.run(
        [sys.executable, "-m", "interrupted"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert done.returncode == 7


def test_a_panic_of_rust_that_an_interruption_caused_is_one() -> None:
    panic = BaseException("called `Result::unwrap()` on an `Err` value: PyErr { value: KeyboardInterrupt(15), ... }")
    found = interruption_of(panic)
    assert found is not None and found.args == (15,)
    assert interruption_of(BaseException("another panic")) is None
