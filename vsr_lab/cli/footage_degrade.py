"""vsr-lab footage degrade: LR files of HR footage, each with a record that reproduces it."""

from pathlib import Path

from omegaconf import DictConfig

from vsr_lab.cli.app import begin_run, build, plain
from vsr_lab.cli.show import show_files, show_table
from vsr_lab.data.degrade_files import DegradationJob, write_pairs
from vsr_lab.footage.shots import find_shots


def run(cfg: DictConfig) -> None:
    """Check the footage, then write the pairs."""
    shots = find_shots(Path(cfg.root), plain(cfg.clips), cfg.frames, cfg.downscale, cfg.split, cfg.content_type)
    job = DegradationJob(build(cfg.degradation), plain(cfg.degradation), cfg.seed, cfg.window, cfg.memory_gib)
    job.check(shots)
    folder = begin_run(cfg)
    pairs = write_pairs(shots, job, folder)
    rows = [[pair.name, str(pair.frames), "x".join(map(str, pair.size[::-1]))] for pair in pairs]
    show_table(f"{len(pairs)} clips at 1/{job.degradation.scale}", ["clip", "frames", "LR"], rows)
    files = {"lr_root=": folder / "lr", "manifest": folder / "manifest.csv"}
    if job.degradation.modifies_target:
        files = {"root=": folder / "hr", **files}
    show_files("written (use: data.lr_root= or suite.lr_root=)", files)
