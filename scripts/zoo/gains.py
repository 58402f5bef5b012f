"""Prints how much higher the PSNR of a network is than that of other candidates, as a Markdown table for its card.

    python scripts/zoo/gains.py OTHER [OTHER ...] NETWORK

OTHER, NETWORK: folders that `vsr-lab evaluate` wrote, of the same clips. The interval is Student's t over the clips.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from leaderboard import Scores, interval

from vsr_lab.core.errors import UserError
from vsr_lab.core.records import read_record
from vsr_lab.core.records.evaluation import Summary

HEAD = "| candidate | PSNR-Y | SSIM-Y | flicker | gain of this network | clips with a gain |\n|---|---|---|---|---|---|"
DIGITS = {"psnr": 2, "ssim": 4, "flicker": 2}


def table(runs: Sequence[Path]) -> str:
    """Means of every run, and the gain of the last one over each of the others. Raises UserError for other clips."""
    found = {run.name: _clips(run) for run in runs}
    own = runs[-1].name
    for run in runs:
        if found[run.name].keys() != found[own].keys():
            raise UserError(run, f"has other clips than {runs[-1]}", "evaluate the same clips")
    scores = Scores("", found, frozenset())
    lines = [HEAD]
    for name in found:
        means = " | ".join(f"{scores.mean(name, metric):.{digits}f}" for metric, digits in DIGITS.items())
        gains = scores.gains(own, name)
        over = "{:+.2f} ({:+.2f} to {:+.2f})".format(*interval(gains)) if name != own else ""
        wins = f"{sum(gain > 0 for gain in gains)} of {len(gains)}" if name != own else ""
        lines.append(f"| {name if name != own else 'this network'} | {means} | {over} | {wins} |")
    return "\n".join(lines)


def _clips(run: Path) -> dict[str, dict[str, float]]:
    """The clips of a run -> metric -> mean, without metrics that have no value."""
    clips = read_record(run / "summary.json", Summary).per_clip
    return {clip: {name: v for name, v in values.items() if v is not None} for clip, values in clips.items()}


if __name__ == "__main__":
    try:
        print(table([Path(word) for word in sys.argv[1:]]))
    except UserError as error:
        sys.exit(str(error))
