"""Runs `python -m vsr_lab COMMAND ...`, the same as `vsr-lab`, for process launchers such as torchrun."""

from vsr_lab.cli.main import main

main()
