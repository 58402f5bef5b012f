"""The leaderboard: python scripts/zoo/leaderboard.py [results/zoo/judged] > results/leaderboard.md"""

import json
import sys
from pathlib import Path
from typing import Any

COLUMNS = {
    "psnr": ("PSNR-Y", 2),
    "ssim": ("SSIM-Y", 4),
    "lpips": ("LPIPS", 3),
    "st_lpips": ("ST-LPIPS", 3),
    "tof": ("tOF", 3),
    "st_tlp": ("tLP (ST)", 3),
    "warp_error": ("warp error", 2),
    "flicker": ("flicker", 2),
    "lr_consistency": ("LR consistency", 1),
}

HEAD = """# Leaderboard

Made by `python scripts/zoo/leaderboard.py results/zoo/judged > results/leaderboard.md` from runs of
`scripts/zoo/judge.py`, and of `vsr-lab evaluate` for Vid4. Numbers are means over clips. For PSNR-Y, SSIM-Y and LR
consistency higher is better, for the other columns lower is better. No network was trained on these clips. There are
only two clips for each content type, so small differences are not significant."""
OURS = {path.stem for path in (Path(__file__).parents[2] / "results/zoo").glob("weights/*.safetensors")}


def main(judged: Path) -> None:
    """Print one table a suite, best PSNR first, and one of each clip; then what a frame costs, where pace.md is."""
    print(HEAD)
    for suite in sorted(path for path in judged.iterdir() if path.is_dir()):
        found = [json.loads(path.read_text()) for path in sorted(suite.glob("*/summary.json"))]
        if not found:
            continue
        found.sort(key=lambda summary: -summary["metrics"]["psnr"]["mean"])
        shown = [name for name in COLUMNS if any(name in summary["metrics"] for summary in found)]
        print(f"\n## {suite.name}\n\n{found[0]['protocol_description']} Clips: {', '.join(found[0]['per_clip'])}.\n")
        print(_row(["candidate", *(COLUMNS[name][0] for name in shown), "parameters"]))
        print(_row(["---"] * (len(shown) + 2)))
        for summary in found:
            values = [_value(summary["metrics"].get(name, {}).get("mean"), name) for name in shown]
            count = summary["candidate_facts"].get("parameters")
            print(_row([_name(summary), *values, f"{count / 1e6:.2f} M" if count else "-"]))
        print(f"\nPSNR-Y / SSIM-Y / flicker of each clip:\n\n{_row(['candidate', *found[0]['per_clip']])}")
        print(_row(["---"] * (len(found[0]["per_clip"]) + 1)))
        for summary in found:
            cells = [_clip(summary["per_clip"][clip]) for clip in found[0]["per_clip"]]
            print(_row([_name(summary), *cells]))
    if (judged / "pace.md").exists():
        print(f"\n## Cost\n\n{(judged / 'pace.md').read_text().strip()}")


def _name(summary: dict[str, Any]) -> str:
    name = summary["candidate"]
    return f"**{name}**" if name in OURS else name


def _clip(means: dict[str, float]) -> str:
    return f"{means['psnr']:.2f} / {means['ssim']:.4f} / {means['flicker']:.2f}"


def _value(mean: float | None, name: str) -> str:
    return "-" if mean is None else f"{mean:.{COLUMNS[name][1]}f}"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/zoo/judged"))
