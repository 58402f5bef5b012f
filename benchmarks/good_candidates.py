"""How far from the bounds of the gates unaltered good candidates are, on clips with cuts, stills and fades.

python benchmarks/good_candidates.py FOOTAGE [--span FILE ...] [--frames 16] [--size 128]

FOOTAGE: a folder with a folder of videos for each content type (animation, live_action, screen_capture). Candidates:
every network of results/zoo/weights on footage of its content type; --span, published weights of SPAN named
span_ch28_x4.safetensors and the like, on live action; and Lanczos. Prints a table in Markdown: of each gate the
candidate that is closest to its bound.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image
from planted_faults import WEIGHTS, settings
from torch import Tensor

from vsr_lab.core.clip import quantise, to_frames
from vsr_lab.core.records.evaluation import Verdict
from vsr_lab.core.resize import imresize
from vsr_lab.evaluation.candidates import Candidate, NetworkCandidate, checkpoint, interpolation
from vsr_lab.evaluation.evaluator import evaluate
from vsr_lab.evaluation.protocol import Suite
from vsr_lab.evaluation.results import Run
from vsr_lab.footage.shots import Shot, find_shots
from vsr_lab.models import Span, init_network

ZOO = sorted(WEIGHTS.parent.glob("*.safetensors"))
_LARGE = 700  # rows, from which a lossy video is halved, so that its coding artefacts vanish


def square(shot: Shot, frames: int, size: int) -> Tensor:
    """Frames from the middle of a shot, of 3x3 squares the one with the most detail."""
    first = max((shot.frames - frames) // 2, 0)
    clip = shot.read(first, min(first + frames, shot.frames)).tensor()
    if clip.shape[-2] >= _LARGE:
        clip = quantise(imresize(clip, 0.5))
    tops, lefts = (range(0, side - size + 1, max((side - size) // 2, 1)) for side in clip.shape[-2:])
    squares = [clip[..., top : top + size, left : left + size] for top in tops for left in lefts]
    return max(squares, key=lambda part: float(part.diff(dim=-1).abs().mean()))


def edits(clip: Tensor, other: Tensor) -> dict[str, Tensor]:
    """A clip as it is, cut to another, still in the middle, still throughout, and faded to black and to another."""
    frames = len(clip)
    half, third = frames // 2, frames // 3
    fade = torch.linspace(1, 0, half)[:, None, None, None]
    return {
        "plain": clip,
        "cut": torch.cat([clip[:half], other[-half:]]),
        "still_part": torch.cat([clip[:third], clip[third : third + 1].expand_as(clip[:third]), clip[third:-third]]),
        "still": clip[half : half + 1].expand_as(clip),
        "fade": quantise(torch.cat([clip[:half] * fade, other[-half:] * fade.flip(0)])),
    }


def write_clips(sources: Sequence[Shot], folder: Path, frames: int, size: int) -> None:
    """Write every edit of every source, cut to the next source, as a folder of PNG."""
    squares = [square(shot, frames, size) for shot in sources]
    for shot, clip, other in zip(sources, squares, squares[1:] + squares[:1], strict=True):
        for name, edited in edits(clip, other).items():
            (target := folder / f"{shot.name}_{name}").mkdir(parents=True)
            for t, frame in enumerate(to_frames(edited)):
                Image.fromarray(frame).save(target / f"{t:04}.png")


def published(path: Path) -> Candidate:
    """SPAN with its published weights, whose file name says channels and scale."""
    channels, scale = (int(number) for number in re.findall(r"\d+", path.stem))
    network = Span(scale, channels)
    init_network(network, path)
    return NetworkCandidate(path.stem, network.eval())


def candidates(span: Sequence[Path]) -> list[tuple[str, Candidate]]:
    """Content type and candidate, of the zoo and of --span."""
    made = [*(checkpoint(str(path)) for path in ZOO), *(published(path) for path in span)]
    return [(candidate.facts.content or "live_action", candidate) for candidate in made]


def verdicts(
    made: Sequence[tuple[str, Candidate]], footage: Path, frames: int, size: int
) -> Iterator[tuple[str, str, Verdict]]:
    """Candidate, content type and verdict of every gate, of each beside bicubic."""
    for content, scale in sorted({(content, candidate.scale or 0) for content, candidate in made}):
        protocol, gates = settings(scale)
        own = [candidate for kind, candidate in made if (kind, candidate.scale) == (content, scale)]
        own += [interpolation("lanczos", scale), interpolation("bicubic", scale)]
        with TemporaryDirectory() as folder:
            write_clips(find_shots(footage / content), Path(folder, "clips"), frames, size)
            summaries = evaluate(
                {Path(folder, c.name): c for c in own}, Suite(content, str(Path(folder, "clips"))), protocol
            )
            *runs, bicubic = (Run(path, summary) for path, summary in summaries.items())
            for run in runs:
                for name, gate in gates.items():
                    yield run.candidate, f"{content} x{scale}", gate.judge(name, run, bicubic)


def table(found: Sequence[tuple[str, str, Verdict]]) -> Iterator[str]:
    """Rows of Markdown, of each gate the candidate closest to its bound; then the refusals."""
    yield "| gate | closest candidate | content | number | bound | in words |\n|---|---|---|---|---|---|"
    for gate in dict.fromkeys(verdict.gate for _, _, verdict in found):
        of_gate = [row for row in found if row[2].gate == gate and row[2].value is not None]
        if not of_gate:
            continue
        name, content, verdict = min(of_gate, key=lambda row: (row[2].outcome != "fail", _room(row[2])))
        yield f"| {gate} | {name} | {content} | {verdict.value:.3f} | {verdict.bound:.3f} | {verdict.reason} |"
    refused = [(name, content, v) for name, content, v in found if v.outcome == "fail"]
    count = len({(name, content) for name, content, _ in found})
    yield f"\n{count} candidates, {len({(name, content) for name, content, _ in refused})} refused"
    yield from (f"- {name}, {content}: {verdict.gate}: {verdict.reason}" for name, content, verdict in refused)


def _room(verdict: Verdict) -> float:
    """Distance from the bound, as a share of it."""
    assert verdict.value is not None and verdict.bound is not None
    return abs(verdict.value - verdict.bound) / max(abs(verdict.bound), 1e-3)


def main() -> None:
    """Make the clips, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", type=Path)
    parser.add_argument("--span", type=Path, nargs="*", default=[])
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    print("\n".join(table(list(verdicts(candidates(options.span), options.footage, options.frames, options.size)))))


if __name__ == "__main__":
    main()
