"""A training step of vsr_lab against BasicSR's own: same network, same batch, in turn, in one run.

python benchmarks/training_step.py [--device cuda] [--basicsr UNPACKED SOURCE TREE] [--compile] [--rounds N]
    [--only NAME]
"""

import argparse
import itertools
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import absent  # noqa: F401 - first
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EMAWeightAveraging
from training_peers import basicsr_step, import_basicsr, rewritten_step

from vsr_lab.core.network import Network
from vsr_lab.data.batch import Batch, pair_on_device
from vsr_lab.degradations import ResizeDown
from vsr_lab.losses import Charbonnier, Objective, Term
from vsr_lab.models import BasicVsr, Compact, Recurrent
from vsr_lab.training import Recipe, Validation, VsrModule, quiet_lightning
from vsr_lab.training.csv_log import CsvLog

SCALE = 4
_WARM = 3  # steps that choose algorithms and compile


class Case(NamedTuple):
    """A network, BasicSR's options for its own class of the same, and a batch: clips, frames, LR pixels on a side."""

    name: str
    make: Callable[[], Network]
    theirs: dict[str, Any] | None
    shape: tuple[int, int, int]


def cases(cuda: bool) -> list[Case]:
    """Papers' sizes on a GPU; on a CPU some that take about a second a step."""
    blocks = 30 if cuda else 5
    theirs = {"type": "BasicVSR", "num_feat": 64, "num_block": blocks}
    small = (16, 15, 64) if cuda else (2, 5, 32)
    return [
        Case(
            f"BasicVSR 64x{blocks}", partial(BasicVsr, SCALE, 64, blocks), theirs, (8, 15, 64) if cuda else (1, 3, 64)
        ),
        Case("recurrent 64x5", partial(Recurrent, SCALE, 64, 5), None, small),
        Case("compact 64x16", partial(Compact, SCALE, 64, 16), None, small),
    ]


class InTurn(pl.Callback):
    """Runs `theirs` after each of our steps, and times both; to stand last, so that our step is whole by then."""

    def __init__(self, theirs: Callable[[], None], cuda: bool) -> None:
        self.theirs = theirs
        self.wait = torch.cuda.synchronize if cuda else lambda: None
        self.start = 0.0
        self.times: list[tuple[float, float]] = []

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.wait()
        middle = time.perf_counter()
        self.theirs()
        self.wait()
        end = time.perf_counter()
        self.times.append((middle - self.start, end - middle))
        self.start = end


def in_turn(
    network: Network, batch: Batch, theirs: Callable[[], None], precision: str, rounds: int, cuda: bool
) -> tuple[float, float]:
    """Median seconds of our step and of theirs. Ours is Lightning's, from a batch in memory to averaged weights."""
    charbonnier = Objective({"charbonnier": Term(Charbonnier(1e-6), 1.0)}, estimator=None)  # pyright: ignore
    recipe = Recipe(
        optimizer=partial(torch.optim.AdamW, lr=2e-4, betas=(0.9, 0.99), weight_decay=0.0),
        scheduler=partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=300_000),
    )
    module = VsrModule(network, charbonnier, recipe, validation=Validation())
    module.on_after_batch_transfer = lambda batch, _: pair_on_device(ResizeDown(SCALE), batch, torch.float32)
    clock = InTurn(theirs, cuda)
    with tempfile.TemporaryDirectory() as folder:
        log = CsvLog(Path(folder) / "metrics.csv")
        log.start(0)
        trainer = pl.Trainer(
            accelerator="cuda" if cuda else "cpu",
            devices=1,
            precision=precision,  # pyright: ignore
            max_steps=_WARM + rounds,
            gradient_clip_val=1.0,
            callbacks=[EMAWeightAveraging(decay=0.999), clock],
            logger=[log],
            log_every_n_steps=10,
            default_root_dir=folder,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, itertools.repeat(batch, _WARM + rounds))
    ours, others = zip(*clock.times[_WARM:], strict=True)
    return statistics.median(ours), statistics.median(others)


def compare(case: Case, problem: str | None, compiled: bool, rounds: int, cuda: bool) -> None:
    """A line for each way to train the case's network, each in turn with BasicSR's step."""
    clips, frames, side = case.shape
    hr, lr = (torch.randint(0, 256, (clips, frames, n, n, 3), dtype=torch.uint8) for n in (SCALE * side, side))
    hr, lr = (x.permute(0, 1, 4, 2, 3) for x in (hr, lr))  # colours innermost, as it lies in the store
    batch = Batch(hr, lr, [{}] * clips, [0] * clips, [""] * clips, [0] * clips)
    lq, gt = ((x.float() / 255).contiguous() for x in (lr, hr))
    if cuda:  # as both loaders do
        batch, lq, gt = batch.pin_memory(), lq.pin_memory(), gt.pin_memory()
    print(f"\n{case.name}, x{SCALE}, {clips} clips of {frames} frames of {side} x {side} LR pixels", flush=True)
    if problem:
        peer, step = "BasicSR's step written anew, our network", rewritten_step(case.make, cuda)
    elif case.theirs:
        peer, step = "BasicSR's step and network", basicsr_step(case.theirs, cuda)
    else:
        peer, step = "BasicSR's step, our network", basicsr_step(case.make, cuda)
    ways = [("fp32", "32-true", False, False), ("bf16 + channels_last", "bf16-mixed", True, False)]
    ways += [("bf16 + channels_last + compile", "bf16-mixed", True, True)] if compiled else []
    for way, precision, last, together in ways:
        network = case.make()
        network = network.to(memory_format=torch.channels_last) if last else network
        if together:
            network.compile()
        ours, others = in_turn(network, batch, partial(step, lq, gt), precision, rounds, cuda)
        print(
            f"  {peer} {1e3 * others:8.1f} ms   ours, {way:<30} {1e3 * ours:8.1f} ms   ratio {others / ours:5.2f}",
            flush=True,
        )


def machine(cuda: bool) -> str:
    """What it is run on, with what makes bf16 fast there."""
    if cuda:
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    name = next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")), "CPU")
    fast = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in text]
    return f"{name}, {torch.get_num_threads()} threads, bf16 by {' and '.join(fast) or 'no unit of its own'}"


def main() -> None:
    """Print, for each network, the time of a step in BasicSR and here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--basicsr", type=Path, help="BasicSR's source tree, where it is not installed")
    parser.add_argument("--compile", action="store_true", help="torch.compile as well, which takes minutes to begin")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="of the networks, those whose name begins so")
    options = parser.parse_args()
    cuda = options.device == "cuda"
    quiet_lightning()
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True  # as BasicSR's train.py sets it
    print(machine(cuda))
    problem = import_basicsr(options.basicsr)
    if problem:
        print(f"BasicSR cannot be imported ({problem}): its step is written anew; --basicsr FOLDER takes its own")
    for case in cases(cuda):
        if case.name.startswith(options.only or ""):
            compare(case, problem, options.compile, options.rounds, cuda)


if __name__ == "__main__":
    main()
