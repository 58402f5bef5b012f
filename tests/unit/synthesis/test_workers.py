"""Workers that render end with the process that began them, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_RENDER = """
import sys
from pathlib import Path
from vsr_lab.synthesis import ScreenKind
from vsr_lab.synthesis.writing import RenderPlan, write_rendered
if __name__ == "__main__":
    kind = ScreenKind("screen", "screen_capture", "ours", source="here", views=["page"])
    write_rendered(Path(sys.argv[1]), RenderPlan(kind, 2, 100_000, (128, 192)), 2)
"""


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGKILL])
def test_workers_do_not_outlive_the_first_process(tmp_path: Path, number: signal.Signals) -> None:
    script = tmp_path / "render.py"
    script.write_text(_RENDER)
    process = subprocess.Popen([sys.executable, script, tmp_path / "out"], start_new_session=True, stderr=-1)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/hr/.*partial*")) and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        time.sleep(0.1)
    os.kill(process.pid, number)
    process.wait(20)
    while _alive(process.pid) and time.monotonic() < deadline + 20:
        time.sleep(0.1)
    assert not _alive(process.pid)
    if number == signal.SIGINT:
        assert not list(tmp_path.glob("out/hr/.*partial*"))
