"""Explanation of the errors that end a training."""

import errno
import signal
from pathlib import Path

from pytorch_lightning.utilities.exceptions import SIGTERMException

from vsr_lab.core.errors import Stopped, UserError, is_out_of_memory
from vsr_lab.core.run_folder import is_saved
from vsr_lab.core.signals import interruption_of


def explained(error: BaseException, run_dir: Path) -> Stopped | UserError | None:
    """Convert an exception that ended a run to an explanation.

    Returns:
        Stopped after a signal; UserError if memory ran out or the disk is full; None for any other exception.
    """
    resume = (
        f"continue by vsr-lab train resume={run_dir}"
        if is_saved(run_dir)
        else "run the command again (no step was saved)"
    )
    interruption = error if isinstance(error, SIGTERMException) else interruption_of(error)
    if interruption:  # Lightning, taking itself down after one, raises others
        default = signal.SIGTERM if interruption is error else signal.SIGINT
        number = signal.Signals(interruption.args[0] if interruption.args else default)
        return Stopped(f"stopped by {number.name}; {resume}", 128 + number)
    if is_out_of_memory(error):
        knobs = "data.batch_size (and raise trainer.accumulate_grad_batches), data.clip_frames or data.size"
        return UserError("training", "ran out of memory in a step", f"lower {knobs}")
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return UserError(run_dir / "checkpoints", "the disk is full", f"free some space, then {resume}")
    return None
