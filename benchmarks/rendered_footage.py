"""What rendered clips add to a training: the same network and number of steps with and without them, several seeds.

    python benchmarks/rendered_footage.py MANIFEST --content CONTENT --rendered "screen_*" [--seeds 0 1 2]
        [--steps 600] [--scale 4] [--out FOLDER] [key=value ...]

MANIFEST lists recorded and rendered clips; --rendered is a pattern of the names of the rendered ones. Measured on the
last frames of the recorded clips, which no training uses, with the weights of the last step: the best step would be
selected on other validation clips with rendered footage than without. `key=value`, such as `experiment=zoo/sharp`,
goes to every `vsr-lab train`. What is in FOLDER is not trained again.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from os.path import relpath
from pathlib import Path
from statistics import mean, stdev

from vsr_lab.core.records import read_record
from vsr_lab.core.records.evaluation import Summary
from vsr_lab.footage.tables import read_rows, write_rows
from vsr_lab.models import init_network, load_network, save_network
from vsr_lab.training.checkpoints import LAST

FRAMES = 1  # at the end of every recorded clip, for the measurement
HOLD_OUT = 0.1
VISIBLE = 50.0  # dB; clips above, such as nearly blank pages, are left out of the mean
OTHERS = ("ssim", "flicker", "ghosting", "lr_consistency", "tof", "warp_error", "true_warp_error", "st_lpips", "st_tlp")
COMMON = ("logger=none", "callbacks.pictures=null", f"data.hold_out={HOLD_OUT}")


def run(*words: str) -> None:
    """Runs a command. Exit code 1 is accepted: `train` writes no weights that are worse than the initial ones."""
    code = subprocess.run([sys.executable, "-m", "vsr_lab", *words, "overwrite=true"], check=False).returncode
    if code not in {0, 1}:
        sys.exit(code)


def lists(manifest: Path, content: str, rendered: str, out: Path) -> list[str]:
    """Writes the manifests with and without rendered clips and that of the last frames; returns the recorded clips."""
    rows = [row for row in read_rows(manifest) if row["content_type"] == content and row["split"] == "train"]
    rows = [{**row, "path": relpath(manifest.parent / str(row["path"]), out)} for row in rows]
    recorded = [row for row in rows if not fnmatch(str(row["name"]), rendered)]
    if not recorded or len(recorded) == len(rows):
        sys.exit(f"{manifest}: {len(recorded)} of {len(rows)} clips are recorded, the others match {rendered}")
    out.mkdir(parents=True, exist_ok=True)
    write_rows(out / "with.csv", rows)
    write_rows(out / "without.csv", recorded)
    write_rows(out / "last.csv", [{**row, "start": int(row["stop"]) - FRAMES} for row in recorded])
    return [str(row["name"]) for row in recorded]


def measure(weights: Path, out: Path, run_dir: Path, scale: int) -> dict[str, float]:
    """PSNR-Y of the last frames of every recorded clip, in dB."""
    if not (run_dir / "summary.json").is_file():
        suite = ("suite=manifest", f"suite.root={out / 'last.csv'}", f"protocol=content-x{scale}-bi-y", "save_frames=0")
        candidate = ("candidate=checkpoint", f"candidate.path={weights}")
        run("evaluate", *candidate, *suite, *(f"~protocol.metrics.{name}" for name in OTHERS), f"run_dir={run_dir}")
    found = read_record(run_dir / "summary.json", Summary)
    return {name: value for name, clip in found.per_clip.items() if (value := clip["psnr"]) is not None}


def trained(arm: str, seed: int, init: Path, out: Path, *words: str) -> Path:
    """The weights of the last step of an arm."""
    run_dir = out / f"{arm}-{seed}"
    weights = run_dir / "last.safetensors"
    if not (run_dir / LAST).is_file():
        run("train", *COMMON, f"data.root={out / f'{arm}.csv'}", f"seed={seed}", f"run_dir={run_dir}", *words)
    network, note = load_network(init)
    init_network(network, run_dir / LAST)
    save_network(network, note["about"], weights)
    return weights


def cell(values: Sequence[float]) -> str:
    """Mean and deviation over seeds."""
    return f"{mean(values):+.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--content", required=True)
    parser.add_argument("--rendered", required=True)
    parser.add_argument("--init", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("results/rendered_footage"))
    told, words = parser.parse_known_intermixed_args()
    clips = lists(told.manifest, told.content, told.rendered, told.out)
    words += [f"content={told.content}", f"scale={told.scale}", f"init_from={told.init}"]
    words += [f"{key}={told.steps}" for key in ("trainer.max_steps", "validation.every", "save_every")]
    start = measure(told.init, told.out, told.out / "judged-start", told.scale)
    gains: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
    for seed in told.seeds:
        for arm, found in gains.items():
            weights = trained(arm, seed, told.init, told.out, *words)
            after = measure(weights, told.out, told.out / f"judged-{arm}-{seed}", told.scale)
            found.append({clip: after[clip] - start[clip] for clip in clips})
    print(f"\n| clip | start | {' | '.join(gains)} | difference |\n|---|---|---|---|---|")
    visible = [clip for clip in clips if start[clip] < VISIBLE]
    for name, names in (*((clip, [clip]) for clip in clips), (f"mean of {len(visible)} below {VISIBLE:g} dB", visible)):
        arms = [[mean(seed[clip] for clip in names) for seed in found] for found in gains.values()]
        cells = [cell(values) for values in (*arms, [b - a for a, b in zip(*arms, strict=True)])]
        print(f"| {name} | {mean(start[clip] for clip in names):.2f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
