"""Options of a runtime, and the supported combinations of library, device and precision."""

from dataclasses import dataclass
from typing import Literal

Backend = Literal["torch", "onnxruntime", "openvino"]
Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "bfloat16", "float16"]

_COMBINATIONS: dict[tuple[Backend, Device], tuple[Precision, ...]] = {
    ("torch", "cpu"): ("float32", "bfloat16", "float16"),
    ("torch", "cuda"): ("float32", "bfloat16", "float16"),
    ("onnxruntime", "cpu"): ("float32",),
    ("openvino", "cpu"): ("float32", "bfloat16"),
}


@dataclass(frozen=True)
class RuntimeOptions:
    """Options for the library, device and precision that run the network of a bundle.

    Args:
        backend: library that runs the network; "auto": the fastest one whose output agrees with that of torch in
            float32, see `choose_runtime`.
        device: "cpu" or "cuda"; "auto": "cuda" if there is a CUDA device and the backend supports it, else "cpu".
        precision: precision of the computation; "auto": the fastest one whose output has a PSNR of at least 50 dB,
            measured against the output in float32.
        threads: number of CPU threads; 0: the default of the backend.

    Raises:
        ValueError: no backend supports this combination.
    """

    backend: Backend | Literal["auto"] = "auto"
    device: Device | Literal["auto"] = "auto"
    precision: Precision | Literal["auto"] = "float32"
    threads: int = 0

    def __post_init__(self) -> None:
        if not self.combinations():
            asked = f"{self.backend} does not compute with device={self.device}, precision={self.precision}"
            raise ValueError(f"backend {asked}; it has {self._there_is()}")

    def combinations(self) -> list[tuple[Backend, Device, Precision]]:
        """All (backend, device, precision) that the options allow, even if this machine does not support them."""
        return [
            (backend, device, precision)
            for (backend, device), precisions in _COMBINATIONS.items()
            for precision in precisions
            if self.backend in {"auto", backend}
            if self.device in {"auto", device}
            if self.precision in {"auto", precision}
        ]

    def _there_is(self) -> str:
        own = {key: value for key, value in _COMBINATIONS.items() if key[0] == self.backend}
        return " and ".join(f"{', '.join(precisions)} on {device}" for (_, device), precisions in own.items())


DEFAULT = RuntimeOptions()
