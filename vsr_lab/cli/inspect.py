"""vsr-lab inspect: what a file is, and whether it can be used."""

from vsr_lab.cli.configuration.schema import Section
from vsr_lab.cli.show import show_facts
from vsr_lab.core.errors import Refusal
from vsr_lab.core.parts import FilePath
from vsr_lab.workflows.inspection import inspect


class InspectConfig(Section):
    """Find out what a file or folder is, whether it can be used, and by which command.

    Example: vsr-lab inspect old.mp4
    """

    input: FilePath


def run(config: InspectConfig) -> None:
    """Print what a file is. Raises Refusal if it cannot be used as it is."""
    found = inspect(config.input)
    show_facts(f"{config.input} is {found.kind}", found.facts | ({"use": f"vsr-lab {found.use}"} if found.use else {}))
    if found.problem:
        raise Refusal(found.problem)
