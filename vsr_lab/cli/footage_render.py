"""vsr-lab footage render: footage that the project makes itself, and its native LR twins."""

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from vsr_lab.cli.app import begin_run, build, plain
from vsr_lab.cli.show import show_files, show_table
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import RUN_MARK
from vsr_lab.synthesis import Kind, write_rendered

_MAY_DIFFER = {"n", "workers", "overwrite", "run_dir"}  # keys that change no byte of a clip that is there


def run(cfg: DictConfig) -> None:
    """Render the clips that are not there yet."""
    size = _size(plain(cfg.size))
    kind: Kind = build(cfg.kind)
    folder = _begin_or_go_on(cfg)
    written = write_rendered(folder, kind, cfg.n, cfg.frames, size, cfg.seed, cfg.scale, cfg.split, cfg.workers)
    rows = [["HR", str(cfg.n), str(cfg.frames), f"{size[1]}x{size[0]}"]]
    if cfg.scale:
        rows.append(["LR", str(cfg.n), str(cfg.frames), f"{size[1] // cfg.scale}x{size[0] // cfg.scale}"])
    show_table(
        f"{kind.name} footage, seeds {cfg.seed} to {cfg.seed + cfg.n - 1}", ["", "clips", "frames", "size"], rows
    )
    show_files("written", {"HR": written["manifest"], **({"LR": written["lr"]} if cfg.scale else {})})


def _size(value: object) -> tuple[int, int]:
    match value:
        case [int(height), int(width)] if min(height, width) >= 16:
            return height, width
        case _:
            raise UserError("size", f"{value} is no height and width of 16 and more", "say size=[360,640]")


def _begin_or_go_on(cfg: DictConfig) -> Path:
    """A new folder, or that of an earlier render by the same keys, whose clips are kept."""
    mark = Path(cfg.run_dir) / RUN_MARK
    if cfg.overwrite or not mark.is_file():
        return begin_run(cfg)
    then, now = plain(OmegaConf.load(mark)), plain(cfg)
    for key in now:
        if key not in _MAY_DIFFER and then.get(key) != now[key]:
            raise UserError(
                cfg.run_dir, f"was rendered with another {key}", "choose another run_dir= or say overwrite=true"
            )
    return mark.parent
