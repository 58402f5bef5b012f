"""Export of networks to other formats. To add one: an `Exporter` in this folder and a yaml in configs/exporter."""

from vsr_lab.deployment.export.base import Exporter, compare_graph, rollout_clip
from vsr_lab.deployment.export.onnx import OnnxExporter
from vsr_lab.deployment.export.torch_export import TorchExporter
from vsr_lab.deployment.export.window import OnnxWindowExporter, open_onnx
