"""What reads results does not import what made them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from vsr_lab.evaluation.results import Run

SCRIPT = """
import sys
from vsr_lab.cli.main import main

sys.argv = ["vsr-lab", "compare", *sys.argv[1:]]
try:
    main()
except SystemExit as done:
    heavy = {"torch", "torchvision", "pytorch_lightning", "av", "decord", "cv2", "onnxruntime", "vsr_lab.video"}
    print(done.code, sorted(heavy & set(sys.modules)))
"""


def test_a_comparison_imports_no_torch_and_no_video_reader(make_run: Callable[..., Run], tmp_path: Path) -> None:
    runs = [make_run(name, {"psnr": {"walk": [30.0] * 32}}) for name in ("bicubic", "ours")]
    command = [f"runs=[{','.join(str(run.folder) for run in runs)}]", f"run_dir={tmp_path / 'compared'}"]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *command], capture_output=True, text=True, check=False)
    assert done.stdout.endswith("0 []\n"), done.stdout + done.stderr
