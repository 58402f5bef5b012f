"""Weights that their authors publish on the web, downloaded at first use."""

import urllib.error
from pathlib import Path

import torch

from vsr_lab.core.errors import reported


def fetched(url: str, remedy: str) -> Path:
    """Path of a published file in the folder of torch.hub, to which it is downloaded if it is missing.

    Args:
        url: address of the file.
        remedy: what the user can do if the download fails, instead of putting the file into the folder by hand.

    Raises:
        UserError: the file is missing and cannot be downloaded.
    """
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not file.is_file():
        hint = f"put {url} there, or {remedy}"
        with reported((urllib.error.URLError, OSError), file, "could not be downloaded ({})", hint):
            file.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(file), progress=False)
    return file
