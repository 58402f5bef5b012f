"""Weights to a deployable graph. To add a format: a file here with an `Exporter`, and a yaml in configs/exporter/."""

from vsr_lab.deployment.export.base import Exporter, Parity, rollout_clip
from vsr_lab.deployment.export.onnx import OnnxExporter, open_onnx

__all__ = ["Exporter", "OnnxExporter", "Parity", "open_onnx", "rollout_clip"]
