"""vsr_lab trains, evaluates and deploys video super-resolution models, one content type at a time.

The commands of `vsr-lab` call the functions that are listed below, which are imported on first use.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vsr_lab.degradations import degrade as degrade
    from vsr_lab.deployment.bundle import export as export
    from vsr_lab.deployment.pipeline import upscale as upscale
    from vsr_lab.evaluation.evaluator import evaluate as evaluate
    from vsr_lab.evaluation.selection import select as select
    from vsr_lab.models import load_network as load_network
    from vsr_lab.reporting import compare as compare
    from vsr_lab.training.train import train as train
    from vsr_lab.video import read_video as read_video

__version__ = "0.1.0"

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime would record its use, to send it to Microsoft

_MODULES = {
    "read_video": "video",
    "degrade": "degradations",
    "train": "training.train",
    "load_network": "models",
    "evaluate": "evaluation.evaluator",
    "compare": "reporting",
    "select": "evaluation.selection",
    "export": "deployment.bundle",
    "upscale": "deployment.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
