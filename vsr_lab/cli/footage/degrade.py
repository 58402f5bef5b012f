"""vsr-lab footage degrade: LR files of HR footage, each with a record from which it can be computed again."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.configuration.schema import Command, FootageChoice, Int, Scale, Seed, check_scale
from vsr_lab.cli.show import show_facts, show_table
from vsr_lab.core.parts import FilePath, Number, Part, Text, describes
from vsr_lab.core.spec import same_fields
from vsr_lab.data.degrade_files import DegradationJob, write_pairs
from vsr_lab.degradations import Degradation
from vsr_lab.footage.shots import ShotSelection, find_shots


class DegradeConfig(Command, FootageChoice):
    """Write LR files of HR footage.

    Example: vsr-lab footage degrade FOLDER degradation=archival scale=4
    """

    root: FilePath
    content_type: Text | None
    degradation: Annotated[Part[Degradation], describes(Degradation)]
    scale: Scale
    seed: Seed
    window: Annotated[Int, Field(ge=1, le=10_000)]
    memory_gib: Annotated[Number, Field(gt=0, le=4096)]

    def without_effect(self) -> dict[str, str]:
        if self.degradation.build().temporal:
            return {"window": "the degradation needs whole clips"}
        return {"memory_gib": "the degradation does not need whole clips"}

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        check_scale(self.degradation, self.scale)
        return self


def run(config: DegradeConfig) -> None:
    """Check the HR footage, then write an LR file and a record for every clip."""
    selection = ShotSelection(**same_fields(ShotSelection, config), content=config.content_type)
    shots = find_shots(config.root, selection)
    job = DegradationJob(config.degradation.build(), config.seed, config.window, config.memory_gib)
    job.check(shots)
    folder = begin_run(config)
    pairs = write_pairs(shots, job, folder)
    rows = [[pair.name, str(pair.frames), "x".join(map(str, pair.size[::-1]))] for pair in pairs]
    show_table(f"{len(pairs)} clips at 1/{job.degradation.scale}", ["clip", "frames", "LR"], rows)
    files = {"lr_root=": folder / "lr", "manifest": folder / "manifest.csv"}
    if job.degradation.modifies_target:
        files = {"root=": folder / "hr", **files}
    show_facts("written (use: data.lr_root= or suite.lr_root=)", files)
