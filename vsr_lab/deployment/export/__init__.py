"""Export of networks to other formats. A new format needs an `Exporter` here and a yaml in configs/exporter."""

from vsr_lab.deployment.export.base import LEAST_PSNR, Exporter, compare_graph, psnr_of_worst, rollout_clip
from vsr_lab.deployment.export.onnx import OnnxExporter
from vsr_lab.deployment.export.torch_export import TorchExporter
from vsr_lab.deployment.export.window import OnnxWindowExporter, open_onnx
