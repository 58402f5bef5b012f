"""Set-up of Weights & Biases (wandb)."""

import os
from pathlib import Path

from vsr_lab.core.current_folder import elsewhere


def wandb_root() -> Path:
    """Folder in which wandb makes its folder `wandb`, unless it is given another one."""
    return Path(os.environ.get("WANDB_DIR", "")).absolute()


def set_up_wandb(silent: bool, offline: bool) -> None:
    """Load the settings of wandb from its files of the user and from the environment.

    The file wandb/settings of the current folder is not read. It may have been written by others, and can name servers,
    to which wandb connects even if it is offline.

    Args:
        silent: whether wandb prints nothing.
        offline: whether it makes no connection. wandb reads the environment only once, so this cannot be changed there
            later, as Lightning tries to. If False, the environment and the files of the user decide.
    """
    import wandb  # takes a second, which only those who use it need to wait

    settings = wandb.Settings(silent=silent, root_dir=str(wandb_root()))
    if offline:
        settings.mode = "offline"
    with elsewhere():
        wandb.setup(settings)
