"""vsr-lab bench: the speed of a bundle with every library and precision that this machine supports, on one device."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from vsr_lab.cli.configuration.schema import Int, Section
from vsr_lab.cli.show import show_table
from vsr_lab.core.parts import FilePath, Text
from vsr_lab.core.ranges import distinct
from vsr_lab.deployment import open_bundle
from vsr_lab.deployment.runtimes import Device, RuntimeOptions, Trial, bench


def _size(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}", text):
        raise ValueError(f"must be width x height, each 1 to 99999 pixels, such as 320x180, got {text}")
    return text


Size = Annotated[Text, AfterValidator(_size)]


class BenchConfig(Section):
    """Measure the speed of a bundle with every library and precision that this machine supports, on one device.

    Example: vsr-lab bench bundle=BUNDLE sizes=[320x180,960x540]
    """

    bundle: FilePath
    sizes: Annotated[list[Size], Field(min_length=1), AfterValidator(distinct)]
    device: Device | Literal["auto"]
    threads: Annotated[Int, Field(ge=0, le=1024)]


def run(config: BenchConfig) -> None:
    """Measure the speed for each frame size of the configuration, and print a table for each."""
    bundle = open_bundle(config.bundle, None)
    options = RuntimeOptions(device=config.device, precision="auto", threads=config.threads)
    for size in config.sizes:
        width, height = map(int, size.split("x"))
        title = f"{bundle.manifest.name}, {size} -> x{bundle.manifest.scale}"
        show_trials(title, bench(bundle.folder, bundle.manifest, options, (height, width)))


def show_trials(title: str, trials: Sequence[Trial]) -> None:
    """Print a table of the measured runtimes (library, device, precision), the fastest first."""
    rows = [
        (
            str(trial.runtime),
            f"{1000 * trial.seconds:.1f}",
            f"{trial.speed:.2f} x",
            f"{trial.psnr:.1f}",
            trial.problem and "refused",
        )
        for trial in sorted(trials, key=lambda trial: trial.seconds)
    ]
    show_table(title, ("runtime", "ms/frame", "torch, float32", "dB to that", ""), rows)
