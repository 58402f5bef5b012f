"""Publication of bundles: in a repository of the Hugging Face Hub, or as an artifact of wandb."""

import importlib
from functools import partial
from pathlib import Path
from typing import Any

from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.tracking import set_up_wandb, wandb_root
from vsr_lab.deployment.bundle import CARD, MANIFEST, Bundle
from vsr_lab.deployment.signature import SIGNATURE

_TOKEN = "set the variable HF_TOKEN to a token with write access"
_LOGIN = "run wandb login, or set the variable WANDB_MODE to offline"


def push_bundle(bundle: Bundle, to: str, *, private: bool = True) -> str:
    """Publish the files of a bundle that its manifest names, the manifest and its signature, but no other files.

    On the Hub, the model card is also written as README.md.

    Args:
        bundle: an opened bundle.
        to: "hf:OWNER/NAME" for a repository of the Hugging Face Hub, or "wandb:PROJECT/NAME" for an artifact. If it
            exists, a new version is added.
        private: whether the repository of the Hub must be private. If False, a new repository is public. Not used for
            wandb, where access depends on the project.

    Returns:
        Address of the version, or, if wandb is offline, the folder from which `wandb sync` uploads it.

    Raises:
        UserError: the package of the Hub is not installed, the repository is public although `private` is set, or the
            service refuses.
    """
    names = [*bundle.manifest.sha256, MANIFEST, SIGNATURE]
    files = [bundle.folder / name for name in names if (bundle.folder / name).is_file()]
    for file in files:
        if file.is_symlink():  # the signature has no hash
            raise UserError(file, "is a symbolic link", "replace it by a copy of its target")
    kind, _, name = to.partition(":")
    return _to_hub(name, files, private) if kind == "hf" else _to_wandb(name, files, bundle)


def _to_hub(repository: str, files: list[Path], private: bool) -> str:
    subject = f"to=hf:{repository}"
    with reported(ImportError, subject, "huggingface_hub is not installed", "pip install 'vsr-lab[hub]'"):
        hub: Any = importlib.import_module("huggingface_hub")
    api, failing = hub.HfApi(), partial(reported, Exception, subject, "was refused ({})", _TOKEN)
    with failing():  # its library for HTTP raises classes of its own
        api.create_repo(repository, private=private, exist_ok=True)
        is_public = not api.repo_info(repository).private
    if private and is_public:
        raise UserError(subject, "is a public repository, but private=true", "set private=false, or choose another to=")
    with failing():
        copies = {file.name: file for file in files}
        copies["README.md"] = copies[CARD]  # which the Hub shows
        operations = [hub.CommitOperationAdd(name, str(file)) for name, file in copies.items()]
        return str(api.create_commit(repository, operations, commit_message="Bundle of vsr_lab").commit_url)


def _to_wandb(place: str, files: list[Path], bundle: Bundle) -> str:
    import wandb

    if (folder := wandb_root() / "wandb").is_symlink():
        raise UserError(
            folder,
            "is a symbolic link, and wandb would write to its target",
            "remove it, or set the variable WANDB_DIR to a folder",
        )
    set_up_wandb(silent=True, offline=False)
    project, _, name = place.partition("/")
    subject, facts = f"to=wandb:{place}", bundle.manifest.model_dump(include={"name", "scale", "fingerprint"})
    with reported((wandb.Error, OSError, ValueError), subject, "was refused ({})", _LOGIN):
        artifact = wandb.Artifact(name, "model", metadata=facts)
        for file in files:
            artifact.add_file(str(file))
        run, code = wandb.init(project=project, job_type="bundle"), 1
        try:
            logged = run.log_artifact(artifact)
            address = Path(run.dir).parent if run.offline else logged.wait().url
            code = 0
        finally:  # `with run` would print the traceback of an error or a signal
            run.finish(exit_code=code)
    return str(address)
