"""vsr-lab footage render: rendered footage, with LR versions rendered at their own resolution."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.configuration.resumed import stored_config
from vsr_lab.cli.configuration.schema import Command, Count, Int, Seed
from vsr_lab.cli.show import show_facts, show_table
from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import FilePath, Part, Text, describes
from vsr_lab.core.run_folder import RUN_MARK, continue_folder, end_run, lock_folder
from vsr_lab.core.spec import spec_of
from vsr_lab.synthesis import Kind, RenderPlan, write_rendered

_MAY_DIFFER = {"n", "workers", "overwrite", "run_dir"}  # keys that do not change existing clips
Side = Annotated[Int, Field(ge=16, le=8192)]


class RenderConfig(Command):
    """Render clips of synthetic footage: computer screens, or a virtual camera that moves over photographs.

    Example: vsr-lab footage render kind=screen n=8 frames=48 scale=2
    """

    kind: Annotated[Part[Kind], describes(Kind)]
    n: Count
    frames: Annotated[Int, Field(ge=1, le=100_000)]
    size: tuple[Side, Side]
    seed: Seed
    scale: Annotated[Int, Field(ge=2, le=8)] | None
    stills: FilePath | None
    split: Text
    workers: Annotated[Int, Field(ge=1, le=1024)]

    results = "hr/*.mkv"

    def without_effect(self) -> dict[str, str]:
        return {} if "stills" in self.kind.keywords else {"stills": "this kind of footage is made without photographs"}


def run(config: RenderConfig) -> None:
    """Render the clips. Those that an earlier run with the same settings has written are kept."""
    (height, width), scale, n = config.size, config.scale, str(config.n)
    kind = config.kind.build()
    plan = RenderPlan(kind, config.n, config.frames, config.size, config.seed, scale, config.split)
    folder = _new_or_existing_run(config)
    written = write_rendered(folder, plan, config.workers)
    end_run(folder)
    rows = [["HR", n, str(config.frames), f"{width}x{height}"]]
    if scale:
        rows.append(["LR", n, str(config.frames), f"{width // scale}x{height // scale}"])
    title = f"{kind.name} footage, seeds {config.seed} to {config.seed + config.n - 1}"
    show_table(title, ["", "clips", "frames", "size"], rows)
    show_facts("written", {"HR": written["manifest"], **({"LR": written["lr"]} if scale else {})})


def _new_or_existing_run(config: RenderConfig) -> Path:
    """Create the run folder, or return the folder of an earlier run with the same keys, whose clips are kept."""
    mark = config.run_dir / RUN_MARK
    if config.overwrite or not mark.is_file():
        return begin_run(config)
    then, now = stored_config(mark), spec_of(config)
    key = next((key for key in now if key not in _MAY_DIFFER and then.get(key) != now[key]), None)
    if key:
        problem = f"was rendered with another {key}"
        raise UserError(config.run_dir, problem, "choose another run_dir= or set overwrite=true")
    lock_folder(mark.parent)
    continue_folder(mark.parent, mark.read_text(encoding="utf-8"))
    return mark.parent
