"""What each temporal loss does to PSNR and to calm: one network, one budget, several seeds.

    python benchmarks/temporal_losses.py FOOTAGE [--seeds 0 1 2] [--steps 900] [--further 400] [--out FOLDER]
        [key=value ...]

For each seed a network is trained without any (Charbonnier alone) for `steps`; from there every arm goes on for
`further` steps with the loss that names it. Measured on the held-out ends of FOOTAGE's clips, with averaged weights.
`key=value` goes to every `vsr-lab train`. What is in FOLDER already is not trained again, so that seeds may be trained
at the same time and then shown together.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

from vsr_lab.footage.tables import read_rows

# what loss.terms say in each arm
ARMS = {
    "none": (),
    "warp 0.5": ("loss.terms.warp.weight=0.5",),
    "flicker 0.3": ("loss.terms.flicker.weight=0.3",),
    "flicker 1": ("loss.terms.flicker.weight=1",),
}
MEASURES = {"psnr": 2, "ssim": 4, "flicker": 3, "tof": 4, "warp_error": 3}
COMMON = (
    "logger=none",
    "content=live_action",
    "scale=4",
    "model=recurrent",
    "trainer.precision=bf16-mixed",
    "data.size=128",
    "data.hold_out=0.04",
    "validation.size=256",
    "callbacks.pictures=null",
    "measure_every=100000",
    "loss.terms.flicker.start=0",
    "loss.terms.flicker.weight=0",
    "save_every=200",
    *(f"+metric@validation.metrics.{name}={name}" for name in MEASURES if name not in {"psnr", "flicker"}),
)


def train(run_dir: Path, seed: int, steps: int, *words: str) -> dict[str, float]:
    """Trains, unless that was done before, and returns what the last validation measured.

    Exit code 1 is accepted: `train` keeps no weights that are worse than those it started from, but has measured them.
    """
    found = _measured(run_dir)
    if not found:
        run = [f"run_dir={run_dir}", f"seed={seed}", f"trainer.max_steps={steps}", f"validation.every={steps}"]
        command = [sys.executable, "-m", "vsr_lab", "train", *COMMON, *run, *words, "overwrite=true"]
        code = subprocess.run(command, check=False).returncode
        if code not in {0, 1}:
            sys.exit(code)
        found = _measured(run_dir)
    return found


def _measured(run_dir: Path) -> dict[str, float]:
    """The last validation of a run; empty if there was none."""
    file = run_dir / "metrics.csv"
    rows = read_rows(file) if file.exists() else []
    return {row["name"].removeprefix("val/"): float(row["value"]) for row in rows if row["name"].startswith("val/")}


def cell(values: list[float], before: list[float], digits: int) -> str:
    """Mean over seeds, and the mean and deviation of its paired difference from the arm without."""
    pairs = [value - other for value, other in zip(values, before, strict=True)]
    spread = f" ± {stdev(pairs):.{digits}f}" if len(pairs) > 1 else ""
    return f"{mean(values):.{digits}f} ({mean(pairs):+.{digits}f}{spread})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--further", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("results/temporal_losses"))
    told, words = parser.parse_known_intermixed_args()
    words = [f"data.root={told.footage}", *words]
    found: dict[str, list[dict[str, float]]] = {arm: [] for arm in ARMS}
    for seed in told.seeds:
        base = told.out / f"base-{seed}"
        train(base, seed, told.steps, *words)
        for arm, losses in ARMS.items():
            run_dir = told.out / f"{arm.replace(' ', '-')}-{seed}"
            start = f"init_from={base / 'network.safetensors'}"
            found[arm].append(train(run_dir, 100 + seed, told.further, start, "optimizer.lr=5e-4", *losses, *words))
    print(f"\n| loss | {' | '.join(MEASURES)} |\n|---|{'---|' * len(MEASURES)}")
    for arm, runs in found.items():
        cells = [
            cell([run[name] for run in runs], [run[name] for run in found["none"]], d) for name, d in MEASURES.items()
        ]
        print(f"| {arm} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
