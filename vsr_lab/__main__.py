"""python -m vsr_lab COMMAND ...: the same as vsr-lab, for launchers of processes (torchrun, srun, Lightning)."""

from vsr_lab.cli.main import main

main()
