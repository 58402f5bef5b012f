"""Writes the leaderboard from the stored tables: python scripts/zoo/leaderboard.py [TABLES]

TABLES: a folder with scores.csv and cost.csv of `judge.py`, by default results/zoo, whose page is
results/leaderboard.md; that of any other folder is its leaderboard.md. If there is a cost.csv, quality_cost.png is
written into the folder.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from vsr_lab.core.files import write_text
from vsr_lab.footage.tables import read_rows

ROOT = Path(__file__).parents[2]
TYPES = ("live_action", "animation", "screen_capture")
SUITES = [*(f"{content}_x4" for content in (*TYPES, "vid4")), *(f"{content}_x2" for content in TYPES)]
COLUMNS = {"psnr": ("PSNR-Y", 2), "ssim": ("SSIM-Y", 4), "flicker": ("flicker", 2), "legibility": ("legibility", 3)}
# What a network of the zoo began from, by its size and scale.
STARTS = {
    "nano_x4": "span_ch28",
    "small_x4": "span_ch48",
    "small_x2": "span_ch48_x2",
    "nano_x2": "bicubic",
    "stream_nano_x2": "animation_nano_x2",
}
Costs = Mapping[tuple[str, str], Mapping[str, str]]  # (candidate, scale) -> row of cost.csv

HEAD = """# Leaderboard

This page compares the networks of [the zoo](zoo/README.md) (in bold) with the weights that they were trained from, with
bicubic interpolation and with published networks. The clips are those of [zoo/eval.csv](zoo/eval.csv) and Vid4. No
network of the zoo was trained on them, and they were not used to choose weights or the length of a training. Each
section shows one suite, such as `live_action_x4`: the clips of one content type, upscaled by one factor. `span_ch28`,
`span_ch48` and `span_ch48_x2` are published SPAN networks with 28 or 48 channels.

LR is computed by MATLAB's `imresize` and rounded to 8 bits. PSNR and SSIM are measured on luma (BT.601, studio range)
of every frame, without cropping a border. All numbers are means over clips. Lower is better for flicker; higher is
better for PSNR, SSIM and legibility. In the other columns of the tables,

- *gain over start* is the PSNR-Y of a network minus that of the weights that its training started from, with the 95 %
  interval of the mean over clips (Student's t) in brackets. For per-frame `nano` networks at x2, it is the gain over
  bicubic, because no SPAN of this size and scale was published;
- *clips with a gain* is the number of clips on which this difference is positive;
- *ms* is the time for one frame, see [Cost](#cost).

The page is written by `python scripts/zoo/judge.py`, or by `python scripts/zoo/leaderboard.py` from the stored scores.
`scripts/zoo/eval_sources.py` fetches the clips."""
CROSSED = """PSNR-Y in dB of the networks of the zoo on footage of every content type. The last rows count the clips
on which the per-frame network for the content type has a higher PSNR-Y than all other networks of its size in the
table."""
NOTES = {
    "animesr_v2": "AnimeSR is made for perceived quality of real footage, not for PSNR.",
    "realesr-animevideov3": "realesr-animevideov3 is made for perceived quality of real footage, not for PSNR.",
    "basicvsr": "BasicVSR uses the whole clip.",
}


class Scores(NamedTuple):
    """Means of the clips of one suite: candidate -> clip -> metric."""

    suite: str
    means: Mapping[str, Mapping[str, Mapping[str, float]]]
    ours: frozenset[str]

    def mean(self, candidate: str, metric: str) -> float | None:
        """Mean over the clips that have a value."""
        found = [clip[metric] for clip in self.means.get(candidate, {}).values() if metric in clip]
        return fmean(found) if found else None

    def gains(self, candidate: str, other: str) -> list[float]:
        """PSNR over another candidate, of the clips of both."""
        theirs = self.means.get(other, {})
        return [clip["psnr"] - theirs[n]["psnr"] for n, clip in self.means[candidate].items() if n in theirs]

    @property
    def scale(self) -> str:
        return self.suite[-1]

    @property
    def ranked(self) -> list[str]:
        return sorted(self.means, key=lambda name: -(self.mean(name, "psnr") or 0))


def read_scores(path: Path) -> list[Scores]:
    """The suites of scores.csv."""
    means: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    rows = read_rows(path)
    for row in rows:
        values = {name: float(row[name]) for name in COLUMNS if row.get(name)}
        means.setdefault(row["suite"], {}).setdefault(row["candidate"], {})[row["clip"]] = values
    ours = frozenset(row["candidate"] for row in rows if row["ours"] == "1")
    return [Scores(suite, means[suite], ours) for suite in SUITES if suite in means]


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % interval (Student's t) of the mean; the ends are NaN for fewer than two values."""
    from scipy.stats import ttest_1samp

    found = ttest_1samp(values, 0).confidence_interval() if len(values) > 1 else (float("nan"),) * 2
    return fmean(values), float(found[0]), float(found[1])


def start_of(name: str) -> str | None:
    """The candidate whose weights a network of the zoo began with."""
    found = re.search(r"(stream_)?(nano|small)_x[24]$", name)
    return STARTS[found[0]] if found else None


def write_page(tables: Path) -> None:
    """Write leaderboard.md and, with a cost.csv, quality_cost.png."""
    own = tables == ROOT / "results/zoo"
    suites = read_scores(tables / "scores.csv")
    table = tables / "cost.csv"
    costs = {(row["candidate"], row["scale"]): row for row in (read_rows(table) if table.exists() else [])}
    found = {name for scores in suites for name in scores.means}
    notes = [note for name, note in NOTES.items() if name in found]
    missing = [name for name in (*SUITES, *NOTES) if name not in found | {scores.suite for scores in suites}]
    notes += [f"Suites and candidates that have not been measured yet: {', '.join(missing)}."] if missing else []
    parts = [HEAD, *([" ".join(notes)] if notes else []), *(_suite(scores, costs) for scores in suites)]
    for scale in (4, 2):
        parts += _crossed([scores for scores in suites if scores.suite.endswith(f"_x{scale}")], scale)
    if costs:
        plot(suites, costs, tables / "quality_cost.png")
        row = next(iter(costs.values()))
        parts.append(
            "## Cost\n\nThe column *ms* is the time in milliseconds for one LR frame of 320x180 pixels, in torch in\n"
            f"float32 without compilation, with threads: {row['threads']}, on {row['machine']}.\n\n"
            f"![quality over cost]({'zoo/' if own else ''}quality_cost.png)"
        )
    page = ROOT / "results/leaderboard.md" if own else tables / "leaderboard.md"
    write_text(page, "\n\n".join(parts) + "\n")
    print(f"wrote {page}")


def _suite(scores: Scores, costs: Costs) -> str:
    shown = [name for name in COLUMNS if any(scores.mean(candidate, name) is not None for candidate in scores.means)]
    head = [
        "candidate",
        *(COLUMNS[name][0] for name in shown),
        "gain over start, dB",
        "clips with a gain",
        "ms",
        "parameters",
    ]
    lines = [_row(head), _row(["---"] * len(head))]
    for candidate in scores.ranked:
        values = [_value(scores.mean(candidate, name), COLUMNS[name][1]) for name in shown]
        cost = costs.get((candidate, scores.scale))
        parameters = f"{int(cost['parameters']) / 1e6:.2f} M" if cost and int(cost["parameters"]) else "-"
        over = _over(scores, candidate)
        lines.append(_row([_bold(candidate, scores), *values, *over, cost["ms"] if cost else "-", parameters]))
    clips = list(next(iter(scores.means.values())))
    lines += ["", f"PSNR-Y in dB / flicker of each of the {len(clips)} clips:", "", _row(["clip", *scores.ranked])]
    lines.append(_row(["---"] * (1 + len(scores.ranked))))
    for clip in clips:
        cells = [_clip(scores.means[candidate].get(clip)) for candidate in scores.ranked]
        lines.append(_row([clip, *cells]))
    return f"## {scores.suite}\n\n" + "\n".join(lines)


def _over(scores: Scores, candidate: str) -> list[str]:
    """Gain over the start with its interval, and the clips above it."""
    start = start_of(candidate) if candidate in scores.ours else None
    gains = scores.gains(candidate, start) if start else []
    if not gains:
        return ["-", "-"]
    mean, low, high = interval(gains)
    return [f"{mean:+.2f} ({low:+.2f} to {high:+.2f})", f"{sum(gain > 0 for gain in gains)} of {len(gains)}"]


def _crossed(suites: Sequence[Scores], scale: int) -> list[str]:
    """Our own networks on every content type: PSNR-Y, and on how many clips a type's own is above all others."""
    ours = [name for name in sorted(suites[0].ours) if name.endswith(f"_x{scale}")] if suites else []
    typed = [scores for scores in suites if not scores.suite.startswith("vid4")]
    if len(ours) < 2 or not typed:
        return []
    head = ["network", *(scores.suite.removesuffix(f"_x{scale}") for scores in typed)]
    lines = [_row(head), _row(["---"] * len(head))]
    lines += [_row([f"**{name}**", *(_value(s.mean(name, "psnr"), 2) for s in typed)]) for name in ours]
    for size in ("nano", "small"):
        cells = [_lead(s, [name for name in ours if f"_{size}_" in name and name in s.means]) for s in typed]
        lines.append(_row([f"clips on which the type's own {size} leads", *cells]))
    title = f"## Across content types, x{scale}\n\n{CROSSED}\n"
    return ["\n".join([title, *lines])]


def _lead(scores: Scores, names: Sequence[str]) -> str:
    own = next((name for name in names if name.startswith(scores.suite.rpartition("_")[0])), None)
    others = [name for name in names if name != own]
    if own is None or not others:
        return "-"
    gains = zip(*(scores.gains(own, other) for other in others), strict=True)
    wins = [min(gain) > 0 for gain in gains]
    return f"{sum(wins)} of {len(wins)}"


def plot(suites: Sequence[Scores], costs: Costs, path: Path) -> None:
    """PSNR-Y over milliseconds per frame, one panel for every suite: circles are ours, squares are others."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    columns = min(4, len(suites))
    rows = -(-len(suites) // columns)
    figure, axes = pyplot.subplots(
        rows, columns, figsize=(4.5 * columns, 4 * rows), layout="constrained", squeeze=False
    )
    for axis, scores in zip(axes.flat, suites, strict=False):
        for candidate in scores.means:
            mean, cost = scores.mean(candidate, "psnr"), costs.get((candidate, scores.scale))
            if mean is None or not cost:
                continue
            axis.plot(float(cost["ms"]), mean, "o" if candidate in scores.ours else "s", label=candidate)
        axis.set(title=scores.suite, xlabel="ms per frame", ylabel="PSNR-Y, dB")
        axis.legend(fontsize=7, loc="lower right")
    for axis in axes.flat[len(suites) :]:
        axis.axis("off")
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def _bold(name: str, scores: Scores) -> str:
    return f"**{name}**" if name in scores.ours else name


def _clip(values: Mapping[str, float] | None) -> str:
    return f"{values['psnr']:.2f} / {values['flicker']:.2f}" if values else "-"


def _value(mean: float | None, digits: int) -> str:
    return "-" if mean is None else f"{mean:.{digits}f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    write_page((Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "results/zoo").resolve())
