"""Recommendation of a bundle for each file, with the reason, and an image that compares all bundles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.clip import Frames, to_frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.network import stream
from vsr_lab.core.pictures import SheetRow, write_contact_sheet
from vsr_lab.core.progress import tracked
from vsr_lab.core.resize import imresize
from vsr_lab.curation import Scans, ShotCandidate, choose_shots
from vsr_lab.curation.sampling import shot_candidates
from vsr_lab.curation.scan import scan as measured
from vsr_lab.deployment import open_bundle
from vsr_lab.footage.shots import Shot
from vsr_lab.workflows.auto_bundle import AutoBundle, open_to_measure
from vsr_lab.workflows.batch import Source

_LEAD_IN = 8  # frames
_CELL = (128, 160)  # height and width of the part of a frame that is shown, in LR pixels


@dataclass(frozen=True)
class Recommendation:
    """Recommended bundle for a file, with the reasons.

    Attributes:
        source: the file.
        content: content type by which the bundle was chosen: the type of the source if known, else the suggested type.
        confidence: probability of the suggested content type, in [0, 1].
        because: names of the two features that contribute most to the suggestion.
        bundle: folder of the bundle; None if there is none for this content type.
        problem: why there is no bundle, or why the file cannot be measured.
        shots: parts of the file from which representative shots are chosen for the comparison.
    """

    source: Source
    content: str = ""
    confidence: float = 0.0
    because: tuple[str, ...] = ()
    bundle: Path | None = None
    problem: str = ""
    shots: list[ShotCandidate] = field(default_factory=list[ShotCandidate], repr=False)


def recommend(sources: Sequence[Source], auto: AutoBundle, scans: Scans) -> list[Recommendation]:
    """Choose a bundle for each file, as `upscale bundle=auto` does, and find its shots with stored measurements."""
    scans.make()
    return [_recommend(source, auto, scans) for source in tracked("measuring", sources, len(sources), "files")]


def _recommend(source: Source, auto: AutoBundle, scans: Scans) -> Recommendation:
    try:
        suggestion = auto.suggest(source.path, source.read_options)
        if source.read_options.deinterlace or source.read_options.damaged:  # stored scans are of files as they are
            scan = measured(open_to_measure(source.path, source.read_options))
        else:
            scan = scans.get(source.path)
        shot = Shot(source.name, source.path, read_options=source.read_options)
        shots = shot_candidates(shot, scan, float(shot.rate), 1)
    except UserError as error:
        return Recommendation(source, problem=str(error))
    bundle, problem, content = None, "", source.content or suggestion.kind
    try:
        bundle = auto.bundle_for(source.path, content)
    except UserError as error:
        problem = str(error)
    return Recommendation(source, content, suggestion.confidence, suggestion.because, bundle, problem, shots)


def write_comparison(path: Path, found: Sequence[Recommendation], bundles: Mapping[str, Path], n: int) -> list[Shot]:
    """Write an image that compares bundles: parts of several shots, upscaled by bicubic and by every bundle.

    Args:
        path: PNG file to write.
        found: result of `recommend`.
        bundles: content type -> folder of a bundle.
        n: number of representative shots, which are chosen from all files.

    Returns:
        The chosen shots; empty if there are no shots, in which case no file is written.
    """
    candidates = [shot for one in found for shot in one.shots]
    if not candidates:
        return []
    sample = choose_shots(candidates, min(n, len(candidates)), seed=0)
    chosen = [candidates[number].shot for number in sample.chosen]
    networks = {content: open_bundle(folder, None).network for content, folder in bundles.items()}
    rows: list[SheetRow] = []
    for shot, share in zip(chosen, sample.shares, strict=True):
        middle = len(shot) // 2
        lr = _most_detailed(shot.read(max(0, middle - _LEAD_IN), middle + 1).tensor())
        scale = max(network.scale for network in networks.values())
        cells: list[Frames] = [to_frames(imresize(lr[-1], scale))]
        for network in networks.values():
            *_, sr = stream(network, lr)
            cells.append(to_frames(sr))
        title = f"{shot.name}, frame {shot.start + middle}: represents {share:.0%} of the footage"
        rows.append(SheetRow(cells, ["bicubic", *networks], title))
    write_contact_sheet(path, rows)
    return chosen


@torch.inference_mode()
def _most_detailed(lr: Tensor) -> Tensor:
    """Crop frames (T, 3, h, w) to the area, of at most `_CELL` pixels, in which the last frame has most detail."""
    height, width = (min(side, most) for side, most in zip(lr.shape[-2:], _CELL, strict=True))
    gray = lr[-1].mean(0)
    detail = (gray[1:, 1:] - gray[:-1, 1:]).abs() + (gray[1:, 1:] - gray[1:, :-1]).abs()
    means = F.avg_pool2d(detail[None], (height - 1, width - 1), stride=8)[0]
    y, x = (8 * int(place) for place in divmod(int(means.argmax()), means.shape[1]))
    return lr[..., y : y + height, x : x + width]
