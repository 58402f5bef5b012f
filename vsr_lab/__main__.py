"""python -m vsr_lab VERB ...: as vsr-lab, for what starts processes itself (torchrun, srun, Lightning)."""

from vsr_lab.cli.main import main

main()
