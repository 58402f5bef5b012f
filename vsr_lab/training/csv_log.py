"""Logger that writes metrics.csv with one row per value. A resumed run continues the same file."""

import csv
from argparse import Namespace
from pathlib import Path
from typing import Any

from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning.loggers.logger import Logger

from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.files import check_file, write_text

_LARGEST = 1 << 28  # bytes of a table that is continued
_HEADER = ["step", "name", "value"]


class CsvLog(Logger):
    """Logger that writes rows of step, name and value to a CSV file; `start` must be called first."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    @rank_zero_only
    def start(self, step: int) -> None:
        """Write the header to a new file. In an existing file, delete the rows from training step `step` on.

        A resumed run logs these rows again. Raises UserError if the file is not such a table.
        """
        path = self.path
        if path.exists():
            check_file(path, "remove it, or restore the file from a backup")
            if path.stat().st_size > _LARGEST:
                raise UserError(
                    path, f"has more than {_LARGEST >> 20} MiB", "remove this file, or restore it from a backup"
                )
            problem, hint = "is not the table of a training", "remove this file, or restore it from a backup"
            with reported((ValueError, OSError), path, problem, hint), path.open(newline="") as file:
                header, *lines = file.read().splitlines()
                if header.split(",")[:3] != _HEADER:
                    raise ValueError(header)
                if lines and lines[-1].count(",") < 2:
                    lines.pop()  # cut by a kill
                kept = [line for line in lines if int(line.partition(",")[0]) < step]
            write_text(path, "\n".join([header, *kept]) + "\n")
        else:
            write_text(path, ",".join(_HEADER) + "\n")

    @property
    def name(self) -> str:
        return "csv"

    @property
    def version(self) -> int:
        return 0

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        with self.path.open("a", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(
                [step, name, value] for name, value in metrics.items() if name != "epoch"
            )

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any) -> None:
        """Do nothing: config.yaml contains the hyperparameters."""
