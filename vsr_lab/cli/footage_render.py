"""vsr-lab footage render: rendered footage, with LR versions rendered at their own resolution."""

from pathlib import Path

from omegaconf import DictConfig

from vsr_lab.cli.app import begin_run, build, plain
from vsr_lab.cli.resume import stored_config
from vsr_lab.cli.show import show_files, show_table
from vsr_lab.core.errors import UserError
from vsr_lab.core.run_folder import RUN_MARK, end_run, lock_folder
from vsr_lab.synthesis import RenderPlan, write_rendered

_MAY_DIFFER = {"n", "workers", "overwrite", "run_dir"}  # keys that do not change existing clips


def run(cfg: DictConfig) -> None:
    """Render the clips that do not exist yet."""
    size = _size(plain(cfg.size))
    plan = RenderPlan(build(cfg.kind), cfg.n, cfg.frames, size, cfg.seed, cfg.scale, cfg.split)
    folder = _new_or_existing_run(cfg)
    written = write_rendered(folder, plan, cfg.workers)
    end_run(folder)
    rows = [["HR", str(cfg.n), str(cfg.frames), f"{size[1]}x{size[0]}"]]
    if cfg.scale:
        rows.append(["LR", str(cfg.n), str(cfg.frames), f"{size[1] // cfg.scale}x{size[0] // cfg.scale}"])
    title = f"{plan.kind.name} footage, seeds {cfg.seed} to {cfg.seed + cfg.n - 1}"
    show_table(title, ["", "clips", "frames", "size"], rows)
    show_files("written", {"HR": written["manifest"], **({"LR": written["lr"]} if cfg.scale else {})})


def _size(value: object) -> tuple[int, int]:
    match value:
        case [int(height), int(width)] if min(height, width) >= 16:
            return height, width
        case _:
            raise UserError("size", f"{value} is no height and width of 16 and more", "set size=[360,640]")


def _new_or_existing_run(cfg: DictConfig) -> Path:
    """A new folder, or that of an earlier render with the same keys, whose clips are kept."""
    mark = Path(cfg.run_dir) / RUN_MARK
    if cfg.overwrite or not mark.is_file():
        return begin_run(cfg)
    then, now = plain(stored_config(mark)), plain(cfg)
    key = next((key for key in now if key not in _MAY_DIFFER and then.get(key) != now[key]), None)
    if key:
        raise UserError(
            cfg.run_dir, f"was rendered with another {key}", "choose another run_dir= or set overwrite=true"
        )
    lock_folder(mark.parent)
    return mark.parent
