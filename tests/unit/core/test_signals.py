"""A signal is handled after a running import, since the import of a C++ module must not be interrupted."""

import signal
import subprocess
import sys
from pathlib import Path

_MODULE = """
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
    (tmp_path / "slow.py").write_text(_MODULE)
    (tmp_path / "script.py").write_text(_SCRIPT)
    process = subprocess.Popen([sys.executable, tmp_path / "script.py"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert out == "imported\nstopped by 15\n"
