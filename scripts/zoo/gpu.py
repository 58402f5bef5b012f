"""Trains the zoo's x4 networks, one stage after another, on a machine with a GPU and little else.

    PYTHONPATH=. python scripts/zoo/gpu.py PACK.tar OUT.tar [EARLIER.tar] [seconds=480] [names=a,b] [steps=5 batch=1]

Needs only torch, numpy, OpenCV, safetensors, pydantic and PyYAML. PACK: of `pack.py`, with small.safetensors and
nano.safetensors, each a `SpanStream` that still is its published SPAN. OUT: rewritten after every stage, its weights in
half precision and report.json: PSNR-Y and flicker of every validation clip, of bicubic, of what the stage started from
and of what it trained. EARLIER: an OUT of before, whose stages are not trained again. seconds: of all stages together;
names: of the stages, where not all are wanted; steps, batch: of each stage in place of its time and its own batch, to
rehearse.
"""

import io
import json
import sys
import tarfile
import time
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from packed import Clip, read_pack
from torch import Tensor, nn
from torch.nn.utils import parametrize

from vsr_lab.core.clip import quantise
from vsr_lab.core.flow import Motion, visible, warp_previous
from vsr_lab.core.network import Network
from vsr_lab.core.resize import imresize
from vsr_lab.metrics import psnr
from vsr_lab.models import Interpolation, SpanStream, add_branches, fold_branches, load_network, save_network
from vsr_lab.models.flow import LucasKanade

# SPAN's own layers, and their rates over the trunk's: through the first and last ones the picture itself passes.
TRUNK = {"block_": 1.0, "conv_": 0.2, "upsampler.": 0.2}
Report = dict[str, object]
FLOW = LucasKanade()
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Stage(NamedTuple):
    """start: an earlier stage, or weights in the pack; share: of the time; content: of the clips, None for all; rate:
    of what is added to SPAN; trunk: rate of SPAN's own layers over that; batch, frames, size: of the LR crops.
    """

    name: str
    start: str
    share: float
    content: str | None
    rate: float
    trunk: float
    batch: int = 48
    frames: int = 10
    size: int = 40
    flicker: float = 0.3


def _family(model: str, share: float) -> list[Stage]:
    own = [
        Stage(f"{content}_{model}_x4", f"{model}_x4", 0.16 * share, content, 3e-4, 0.2, frames=15)
        for content in ("live_action", "screen_capture", "animation")
    ]
    return [
        Stage(f"{model}_memory", model, 0.12 * share, None, 1e-3, 0.0),
        Stage(f"{model}_x4", f"{model}_memory", 0.4 * share, None, 6e-4, 0.2),
        *own,
    ]


STAGES = [*_family("small", 0.65), *_family("nano", 0.35)]


class Data:
    """Clips of one pack on the device: hr N T 3 H W uint8."""

    def __init__(self, clips: list[Clip], seed: int) -> None:
        self.clips = clips
        self.hr = torch.stack([clip.hr for clip in clips]).to(DEVICE)
        self.draw = torch.Generator().manual_seed(seed)

    def batch(self, stage: Stage, scale: int) -> tuple[Tensor, Tensor]:
        """lr and hr of one step, both rounded to 8 bits, in [0, 1].

        In a stage of screen_capture alone, nothing is mirrored, turned or reversed in time.
        """
        wanted = [n for n, clip in enumerate(self.clips) if stage.content in (None, clip.content)]
        size, (_, length, _, height, width) = stage.size * scale, self.hr.shape
        crops: list[Tensor] = []
        for _ in range(stage.batch):
            n, t, y, x = (int(torch.randint(1 << 30, (), generator=self.draw)) for _ in range(4))
            t, y, x = t % (length - stage.frames + 1), y % (height - size + 1), x % (width - size + 1)
            crops.append(self.hr[wanted[n % len(wanted)], t : t + stage.frames, :, y : y + size, x : x + size])
        hr = torch.stack(crops)
        if stage.content != "screen_capture":
            turns = torch.rand(4, generator=self.draw) < 0.5
            hr = hr.flip([axis for axis, turn in zip((1, 3, 4), turns[:3], strict=True) if turn])
            hr = hr.transpose(3, 4) if turns[3] else hr
        hr = hr.float() / 255
        return quantise(imresize(hr, 1 / scale)), hr


@torch.no_grad()
def motion_of(lr: Tensor, scale: int) -> Motion:
    """The motion of a clip, at the size of hr: flow for the loss is found at LR size, and never waits for the CPU."""
    now, before = lr[:, 1:].flatten(0, 1), lr[:, :-1].flatten(0, 1)
    flows = [FLOW(now, before), FLOW(before, now)]
    backward, forward = (F.interpolate(flow, scale_factor=float(scale), mode="bilinear") * scale for flow in flows)
    parts = (backward, forward, visible(backward, forward))
    return Motion(*(part.unflatten(0, (len(lr), -1)) for part in parts))


def flicker(error: Tensor, motion: Motion) -> Tensor:
    """How much the error (B T 3 H W) changes from frame to frame, where it is visible."""
    return (motion.mask * (error[:, 1:] - warp_previous(error, motion)).abs()).mean()


def loss_of(network: SpanStream, lr: Tensor, hr: Tensor, stage: Stage) -> Tensor:
    """Charbonnier and flicker."""
    with parametrize.cached(), torch.autocast(DEVICE.type, torch.bfloat16):
        sr = network(lr).float()
    error = sr - hr
    return (error.square() + 1e-6).sqrt().mean() + stage.flicker * flicker(error, motion_of(lr, network.scale))


@torch.no_grad()
def judge(network: Network, clips: list[Clip]) -> list[list[float]]:
    """PSNR-Y and flicker, in 8-bit levels, of every clip."""
    rows: list[list[float]] = []
    for clip in clips:
        hr = clip.hr[None].to(DEVICE).float() / 255
        lr = quantise(imresize(hr, 1 / network.scale))
        sr = quantise(network(lr).float())
        restless = 255 * flicker(sr - hr, motion_of(lr, network.scale))
        rows.append([float(psnr(sr, hr, "y").mean()), float(restless)])
    return rows


def train(network: SpanStream, data: Data, stage: Stage, seconds: float, steps: int) -> int:
    """Train in place, and return the number of steps. The rate rises and falls with the time, or the steps, gone."""
    network.train()
    if stage.trunk:
        add_branches(network)
    of_rate: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        rate = stage.rate * next((stage.trunk * own for part, own in TRUNK.items() if name.startswith(part)), 1.0)
        parameter.requires_grad_(rate > 0)
        if rate:
            of_rate.setdefault(rate, []).append(parameter)
    parts = [{"params": parameters, "most": rate} for rate, parameters in of_rate.items()]
    optimizer = torch.optim.AdamW(parts, lr=0.0, betas=(0.9, 0.99), weight_decay=0.0)
    average = deepcopy(network)
    began, step = time.time(), 0
    while (done := step / steps if steps else (time.time() - began) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = group["most"] * min(done / 0.05 + 0.01, 1.0, 0.02 + 1.05 * (1 - done))
        lr, hr = data.batch(stage, network.scale)
        loss = loss_of(network, lr, hr, stage)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([p for part in parts for p in part["params"]], 1.0)
        optimizer.step()
        step += 1
        decay = min(0.998, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
        if step % 200 == 0:
            print(f"  step {step} loss {float(loss):.4f}", flush=True)
    network.load_state_dict(average.state_dict())
    fold_branches(network)
    network.eval()
    return step


def run(stage: Stage, weights: dict[str, Path], data: Data, held: list[Clip], seconds: float, steps: int) -> Report:
    """Train a stage and report. Its weights are kept if they are not below their start on at least half of the clips.

    Otherwise, the weights that it started from are written under its name.
    """
    network, note = load_network(weights[stage.start])
    assert isinstance(network, SpanStream)
    network = network.to(DEVICE)
    own = [clip for clip in held if stage.content in (None, clip.content)]
    start, bicubic = (judge(judged, own) for judged in (network, Interpolation(network.scale)))
    began = time.time()
    count = train(network, data, stage, seconds, steps)
    trained = judge(network, own)
    above = sum(now[0] >= before[0] for now, before in zip(trained, start, strict=True))
    kept = 2 * above >= len(own)
    about = {**note["about"], "name": stage.name, "steps": count, "start": stage.start}
    weights[stage.name] = weights[stage.start].with_name(f"{stage.name}.safetensors")
    if not kept:
        network, _ = load_network(weights[stage.start])
    save_network(network.half(), {**about, "kept": kept}, weights[stage.name])
    means = [sum(row[0] for row in rows) / len(rows) for rows in (bicubic, start, trained)]
    print(f"{stage.name}: {count} steps, {time.time() - began:.0f} s; PSNR-Y of bicubic, start, trained:", *means)
    print(f"  above the start on {above} of {len(own)} clips", flush=True)
    judged = {"sources": [clip.source for clip in own], "bicubic": bicubic, "from": start, "trained": trained}
    return {**stage._asdict(), "steps": count, "kept": kept, **judged}


def write(out: Path, folder: Path, report: dict[str, Report]) -> None:
    """Everything made so far, in one file that is whole at any moment."""
    data = io.BytesIO()
    (folder / "report.json").write_text(json.dumps(report, indent=1))
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name in ["report.json", *(f"{stage}.safetensors" for stage in report)]:
            tar.add(folder / name, name)
    beside = out.with_suffix(".partial")
    beside.write_bytes(data.getvalue())
    beside.replace(out)


def main(paths: list[Path], names: list[str], seconds: int = 480, steps: int = 0, batch: int = 0) -> None:
    """Train what is wanted and not done yet."""
    pack, out, *earlier = paths
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    clips, folder = read_pack(pack)
    report: dict[str, Report] = {}
    for path in earlier:
        with tarfile.open(path) as tar:
            tar.extractall(folder, filter="data")
        report |= json.loads((folder / "report.json").read_text())
    weights = {path.stem: path for path in folder.glob("*.safetensors")}
    held = [clip for clip in clips if clip.split == "validation"]
    data = Data([clip for clip in clips if clip.split == "train"], seed=0)
    todo = [stage for stage in STAGES if stage.name not in report and (not names or stage.name in names)]
    for stage in todo:
        share = seconds * stage.share / sum(other.share for other in todo)
        stage = stage._replace(batch=batch or stage.batch)
        report[stage.name] = run(stage, weights, data, held, share, steps)
        write(out, folder, report)


if __name__ == "__main__":
    options = dict(word.split("=") for word in sys.argv[1:] if "=" in word)
    chosen = [name for name in options.pop("names", "").split(",") if name]
    numbers = {name: int(value) for name, value in options.items()}
    main([Path(word) for word in sys.argv[1:] if "=" not in word], chosen, **numbers)
