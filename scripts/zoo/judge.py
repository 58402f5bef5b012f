"""Judges candidates side by side: what depends on the truth alone is computed once.

    python scripts/zoo/judge.py FOOTAGE OUT NAME=KIND[:PATH] ... [--scale 4] [--contents NAME ...] [--table CSV]
    [--drop METRIC ...]

FOOTAGE: the folder that scripts/zoo/footage.py wrote; KIND: a yaml of configs/candidate. Every candidate leaves what
`vsr-lab evaluate` leaves, in OUT/CONTENT/NAME (with _x2 where it is that scale); one that is there is not judged again.

    python scripts/zoo/judge.py results/footage results/zoo/judged bicubic=bicubic official=basicvsr_official:x.pth \\
        animation=checkpoint:results/zoo/weights/animation.safetensors
"""

import argparse
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from vsr_lab.cli.evaluate import judge, show_summary
from vsr_lab.cli.usage import config_dir


def judge_all(content: str, told: argparse.Namespace) -> None:
    """All candidates on one content type."""
    out = told.out / (content if told.scale == 4 else f"{content}_x{told.scale}")
    footage = ["suite=manifest", f"suite.root={told.footage / told.table}", f"suite.content={content}"]
    shared = [*footage, f"suite.name={out.name}", f"protocol=content-x{told.scale}-bi-y"]
    shared += [f"~protocol.metrics.{metric}" for metric in told.drop]
    configs: list[DictConfig] = []
    for name, words in (word.split("=", 1) for word in told.candidates):
        kind, _, path = words.partition(":")
        own = [f"candidate={kind}", *([f"candidate.path={path}", f"candidate.name={name}"] if path else [])]
        if not (out / name / "summary.json").exists():
            configs.append(compose("evaluate", [*own, *shared, f"run_dir={out / name}", "overwrite=true"]))
    for summary in judge(configs).values() if configs else ():
        show_summary(summary)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("candidates", nargs="+")
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--contents", nargs="+", default=["live_action", "animation", "screen_capture"])
    parser.add_argument("--table", default="eval.csv", help="held.csv: the ends of recordings that were trained on")
    parser.add_argument("--drop", nargs="+", default=[])
    told = parser.parse_intermixed_args()
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        for content in told.contents:
            judge_all(content, told)


if __name__ == "__main__":
    main()
