"""Export of networks to other formats. A new format needs an `Exporter` here and a yaml in configs/exporter."""

from vsr_lab.deployment.export.base import Exporter, compare_graph, rollout_clip
from vsr_lab.deployment.export.onnx import OnnxExporter
from vsr_lab.deployment.export.torch_export import TorchExporter
from vsr_lab.deployment.export.window import OnnxWindowExporter, open_onnx
