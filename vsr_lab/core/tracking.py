"""Set-up of Weights & Biases (wandb)."""

import os
from contextlib import chdir
from pathlib import Path


def set_up_wandb(silent: bool, offline: bool) -> None:
    """Load the settings of wandb from its files of the user and from the environment.

    The file wandb/settings of the current folder is not read. It may have been written by others, and can name servers,
    to which wandb connects even if it is offline.

    Args:
        silent: whether wandb prints nothing.
        offline: whether it makes no connection. It reads the environment only once, so this cannot be changed there
            later, as Lightning tries to. If False, the environment variable WANDB_MODE decides.
    """
    import wandb  # takes a second, which only those who use it need to wait

    folder = Path.cwd()
    with chdir(folder.anchor):
        wandb.setup(wandb.Settings(silent=silent, root_dir=os.environ.get("WANDB_DIR", str(folder))))
        mode = "offline" if offline else os.environ.get("WANDB_MODE", "online")
        wandb.setup(wandb.Settings(mode=mode))  # pyright: ignore[reportArgumentType]
