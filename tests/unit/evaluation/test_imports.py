"""What reads results does not import what made them."""

import subprocess
import sys
from collections.abc import Callable

from vsr_lab.evaluation.results import Run

SCRIPT = """
import sys
from pathlib import Path
import vsr_lab.cli.compare
from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.evaluation import read_run
from vsr_lab.reporting import compare, write_report, write_sheet

runs, out = [read_run(Path(folder)) for folder in sys.argv[1:]], Path(sys.argv[1]) / "out"
metrics = [MetricFacts(name="psnr", label="PSNR", unit="dB", better="higher", digits=2)]
found = compare(runs, metrics, out, title="", baseline="bicubic", front={"psnr": 1})
write_report(found, out, out / "report.html")
write_sheet(found, out, out / "crops.png")
heavy = {"torch", "torchvision", "pytorch_lightning", "av", "decord", "cv2", "onnxruntime", "vsr_lab.video"}
print(sorted(heavy & set(sys.modules)))
"""


def test_a_comparison_imports_no_torch_and_no_video_reader(make_run: Callable[..., Run]) -> None:
    runs = [make_run(name, {"psnr": {"walk": [30.0] * 32}}) for name in ("bicubic", "ours")]
    command = [sys.executable, "-c", SCRIPT, *(str(run.folder) for run in runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
