"""An interruption ends a process with its own exit code."""

import os
import signal
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


_SLOW = """
import time
print("importing", flush=True)
time.sleep(0.4)
print("imported", flush=True)
"""
_SCRIPT = """
import time
from vsr_lab.core.signals import catch_signals
catch_signals()
try:
    import slow
    time.sleep(60)
except KeyboardInterrupt as error:
    print("stopped by", error.args[0])
"""


def test_an_import_is_completed_before_the_process_stops(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(_SLOW)
    (tmp_path / "script.py").write_text(_SCRIPT)
    process = subprocess.Popen([sys.executable, tmp_path / "script.py"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert out == "imported\nstopped by 15\n"
