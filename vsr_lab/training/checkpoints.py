"""Checkpoints that a kill cannot take away: written whole beside, then moved into place, the one before kept."""

import io
import os
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from vsr_lab.core.errors import UserError

LAST = Path("checkpoints/last.ckpt")


def previous(path: Path) -> Path:
    """Where the checkpoint before `path` is kept."""
    return path.with_suffix(f".previous{path.suffix}")


class RollingCheckpointIO(TorchCheckpointIO):
    """Writes checkpoints and keeps the one that was there as well: `last.ckpt` is joined by `last.previous.ckpt`.

    The new one is on the disk before the old one is touched, and no two names ever share one file. A kill between the
    two moves leaves the old one under its second name alone, where `newest` finds it.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}")  # one name for all, so that kills leave no more than one behind
        buffer = io.BytesIO()  # torch, writing to a file, does not say that the disk is full
        torch.save(checkpoint, buffer)
        try:
            with new.open("wb") as file:
                file.write(buffer.getbuffer())
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            new.unlink(missing_ok=True)
            raise
        if path.exists():
            path.replace(previous(path))
        new.replace(path)


def checkpoint_callbacks(run_dir: Path, every: int) -> tuple[ModelCheckpoint, ModelCheckpoint]:
    """The best checkpoint by val/score, written after validation; and the last, written every `every` steps."""
    folder = run_dir / LAST.parent
    best = ModelCheckpoint(folder, "best", monitor="val/score", mode="max", enable_version_counter=False)
    last = ModelCheckpoint(folder, LAST.stem, every_n_train_steps=every, enable_version_counter=False)
    return best, last


def newest(path: Path) -> tuple[Path, dict[str, Any]]:
    """The checkpoint at path, or the one before where that is missing or broken, and what is in it.

    Raises UserError where there is neither, and for what is broken where there is nothing before it.
    """
    kept = [place for place in (path, previous(path)) if place.is_file()]
    if not kept:
        raise UserError(path, "not found", "start a new run")
    try:
        return kept[0], _load(kept[0])
    except UserError:
        if len(kept) == 1:
            raise
        return kept[1], _load(kept[1])


def resumable(run_dir: Path, steps: int) -> tuple[Path, int]:
    """The newest checkpoint of a run from before its last step, and the step that it is of.

    From the last step itself there is none to do, and Lightning would end without the validation that follows it.
    Raises UserError where there is none, and for broken ones.
    """
    last = run_dir / LAST
    path, state = newest(last)
    if (done := int(state["global_step"])) < steps:
        return path, done
    others = [other for other in (previous(last), last.with_stem("best")) if other.is_file() and other != path]
    found = [(other, done) for other in others if (done := int(_load(other)["global_step"])) < steps]
    if not found:
        raise UserError(run_dir, "has no checkpoint from before its last step", "start anew; save_every= keeps more")
    return max(found, key=lambda one: one[1])


def _load(path: Path) -> dict[str, Any]:
    """A training checkpoint, plain tensors and numbers only. Raises UserError where it is broken or could run code."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds here, all of which mean the same to a user
        reason = str(error).strip().splitlines()[0]
        raise UserError(path, f"cannot be loaded ({reason})", "resume from another checkpoint") from error
