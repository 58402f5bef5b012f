"""Weights of the zoo, made small, and their cards.

python scripts/zoo/publish.py weights RUNS NAME...  # RUNS/NAME's, in half precision, to weights/NAME.safetensors
python scripts/zoo/publish.py cards JUDGED          # weights/NAME.md, with the numbers of the judged runs
python scripts/zoo/publish.py curves RUNS           # curves.png: validation over the training
"""

import json
import sys
from pathlib import Path

from vsr_lab.core.files import write_text
from vsr_lab.footage.tables import read_rows
from vsr_lab.models import load_network, save_network

ZOO = Path(__file__).parents[2] / "results/zoo"
WEIGHTS = ZOO / "weights"
SHOWN = {"psnr": "PSNR-Y", "ssim": "SSIM-Y", "st_lpips": "ST-LPIPS", "tof": "tOF", "flicker": "flicker"}
CARD = """# {name}

{streams} x{scale} for {content}: {parameters:,} parameters, half precision on disk (`{name}.safetensors`).

- **Trained by** `configs/experiment/first_zoo` ([commands](../README.md)): {steps} steps, seed {seed},
  from {start}{blended}, LR by `{degradation}` (MATLAB's bicubic, rounded),
  on the footage that `scripts/zoo/footage.py` lists: sources and licences in [the
  zoo's page](../README.md#footage-and-licences).
- **Use** `candidate=checkpoint candidate.path=results/zoo/weights/{name}.safetensors` with `vsr-lab evaluate` and
  `vsr-lab export`; as `init_from=` to train further.
- **Limits** Made for clean footage, enlarged {scale} times; compressed or noisy footage needs a training with a
  degradation of its kind. What it adds is learnt, plausible and not recorded: read no face, plate or text from it as
  evidence.

{numbers}
"""


def weights(runs: Path, *names: str) -> None:
    """Half the precision, and a note that names no place of the machine it was made on."""
    WEIGHTS.mkdir(exist_ok=True)
    for name in names:
        network, note = load_network(runs / name / "network.safetensors")
        start = Path(note["about"].get("init_from", "nothing"))
        start = start.parent.name if start.name == "network.safetensors" else start.name
        about = note["about"] | {"footage": "scripts/zoo/footage.py", "init_from": start}
        save_network(network.half(), note["network"], about, WEIGHTS / f"{name}.safetensors")


def cards(judged: Path) -> None:
    """One page for every file of weights, with its row and bicubic's of each suite that it was judged on."""
    for file in sorted(WEIGHTS.glob("*.safetensors")):
        network, note = load_network(file)
        about = note["about"]
        facts = {
            "name": file.stem,
            "streams": "Streaming" if network.lookahead == 0 else "Bidirectional",
            "scale": network.scale,
            "content": str(about["content"]).replace("_", " "),
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "start": about["init_from"],
            "blended": f"; then {about['blend']}" if "blend" in about else "",
        }
        numbers = _numbers(judged, file.stem)
        write_text(file.with_suffix(".md"), CARD.format(**about | facts, numbers=numbers))


def _numbers(judged: Path, name: str) -> str:
    lines = [f"| suite | candidate | {' | '.join(SHOWN.values())} |", "|---|---|" + "---|" * len(SHOWN)]
    for path in sorted(judged.glob(f"*/{name}/summary.json")):
        for candidate in ("bicubic", name):
            summary = json.loads((path.parents[1] / candidate / "summary.json").read_text())
            found = summary["metrics"]
            cells = [f"{found[metric]['mean']:.4g}" if metric in found else "-" for metric in SHOWN]
            lines.append(f"| {path.parents[1].name} | {candidate} | {' | '.join(cells)} |")
    return "\n".join(lines)


def curves(runs: Path) -> None:
    """PSNR on held-out ends of the training's clips, one line for each run that was validated twice or more."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(13, 4.5), layout="constrained")
    for path in sorted(runs.glob("*/metrics.csv")):
        rows = read_rows(path)
        for axis, name in ((left, "val/psnr"), (right, "val/flicker")):
            found = [(1 + int(row["step"]), float(row["value"])) for row in rows if row["name"] == name]
            if len(found) > 1:
                axis.plot(*zip(*found, strict=True), label=path.parent.name, marker=".")
    left.set(xlabel="steps", ylabel="PSNR, dB", title="held-out ends of the training clips")
    right.set(xlabel="steps", ylabel="flicker, 8-bit levels", title="lower is calmer")
    right.legend(bbox_to_anchor=(1.02, 1), loc="upper left")
    figure.savefig(ZOO / "curves.png", dpi=100)


if __name__ == "__main__":
    verbs = {"weights": weights, "cards": cards, "curves": curves}
    verbs[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
