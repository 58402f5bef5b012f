"""Set-up of Weights & Biases (wandb)."""

import os
from pathlib import Path

from vsr_lab.core.current_folder import elsewhere


def wandb_root() -> Path:
    """Folder in which wandb makes its folder `wandb`, unless it is given another one."""
    return Path(os.environ.get("WANDB_DIR", "")).absolute()


def set_up_wandb(silent: bool, offline: bool) -> None:
    """Load the settings of wandb from the settings files of the user and from the environment.

    The file wandb/settings in the current folder is not read: somebody else may have written it, and wandb connects to
    servers that the file names, even in offline mode.

    Args:
        silent: whether wandb prints nothing.
        offline: if True, wandb makes no connection; if False, the environment and the settings files decide. wandb
            reads the environment only once, so a variable that is set later, as Lightning does, has no effect.
    """
    import wandb  # takes a second, which only those who use it need to wait

    settings = wandb.Settings(silent=silent, root_dir=str(wandb_root()))
    if offline:
        settings.mode = "offline"
    with elsewhere():
        wandb.setup(settings)
