"""Set-up of Weights & Biases (wandb)."""

from contextlib import chdir
from pathlib import Path


def set_up_wandb(silent: bool) -> None:
    """Load the settings of wandb from its files of the user and from the environment.

    The file wandb/settings of the current folder is not read. It may have been written by others, and can name servers,
    to which wandb connects even if it is offline.

    Args:
        silent: whether wandb prints nothing.
    """
    import wandb  # takes a second, which only those who use it need to wait

    folder = Path.cwd()
    with chdir(folder.anchor):
        wandb.setup(wandb.Settings(silent=silent, root_dir=str(folder)))
