"""Choice of a bundle for a file: the bundle of the candidate that `select` chose for the content type of the file."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.core.records import read_record
from vsr_lab.core.records.bundle import BundleManifest
from vsr_lab.core.records.evaluation import Selection
from vsr_lab.curation import ContentModel, Suggestion
from vsr_lab.curation.content import UNSURE
from vsr_lab.curation.scan import sampled_features
from vsr_lab.deployment import MANIFEST
from vsr_lab.video import Footage, ReadOptions, open_footage


def selected_bundles(selection: Path, folder: Path) -> dict[str, Path]:
    """Find the bundle of the candidate that `select` chose for each content type.

    Args:
        selection: path of the selection.json that `select` wrote.
        folder: folder with bundles at any depth. If a chosen candidate is itself a bundle, this bundle is used.

    Returns:
        Content type -> folder of the bundle.

    Raises:
        UserError: no candidate was chosen, or a chosen candidate has no bundle.
    """
    manifests = {path.parent: read_record(path, BundleManifest) for path in folder.rglob(MANIFEST)}
    by_time = sorted(manifests, key=lambda path: manifests[path].created)  # of bundles of the same weights, the newest
    exported = {str(manifests[path].about.get("weights_sha256")): path for path in by_time}
    found: dict[str, Path] = {}
    for choice in read_record(selection, Selection).choices:
        facts = choice.candidate_facts
        if not choice.content or not choice.chosen or facts is None:
            continue
        bundle = Path(facts.path or "") if facts.kind == "bundle" else exported.get(facts.sha256 or "")
        if bundle is None:
            problem = f"chose {choice.chosen} for {choice.content}, but {folder} contains no bundle of it"
            command = shlex.join(["vsr-lab", "export", f"candidate.path={facts.path}", f"selection={selection}"])
            raise UserError(selection, problem, f"run {command}")
        found[choice.content] = bundle
    if not found:
        raise UserError(selection, "chose nothing for any content type", "set bundle= to the folder of a bundle")
    return found


def open_to_measure(path: Path, read_options: ReadOptions) -> Footage:
    """Open a file to measure its content type. HDR is read as it is stored, unless read_options say otherwise."""
    return open_footage(path, read_options=replace(read_options, tone_map=read_options.tone_map or "keep"))


@dataclass(frozen=True)
class AutoBundle:
    """Chooses the bundle for a file by the content type of the file, which is measured if it is not known.

    Args:
        bundles: content type -> folder of the bundle.
        model: suggests content types, as in `footage index`.
    """

    bundles: Mapping[str, Path]
    model: ContentModel

    def suggest(self, path: Path, read_options: ReadOptions) -> Suggestion:
        """Suggest the content type of a file from a sample of its frames."""
        features = sampled_features(open_to_measure(path, read_options))
        return self.model.suggest(features) if len(features) else Suggestion(UNSURE, 0.0, ("", ""))

    def choose(self, path: Path, read_options: ReadOptions, content: str = "") -> Path:
        """Choose the bundle for a file. Returns the folder of the bundle.

        Args:
            path: the file.
            read_options: how to read interlaced, HDR and damaged files.
            content: content type of the file; empty: it is measured.

        Raises:
            UserError: the measured content type is "unsure", or there is no bundle for the content type.
        """
        return self.bundle_for(path, content or self.suggest(path, read_options).kind)

    def bundle_for(self, path: Path, content: str) -> Path:
        """Get the bundle for a file of a known or suggested content type. Raises UserError as `choose` does."""
        if content == UNSURE:
            problem = f"has no clear content type ({', '.join(self.model.kinds)}), which bundle=auto needs"
            hint = "set bundle=FOLDER, or set input= to a manifest with its type in the column content_type"
            raise UserError(path, problem, hint)
        if content not in self.bundles:
            problem = f"is {content}, for which no bundle was selected ({', '.join(self.bundles)} have one)"
            raise UserError(path, problem, "set bundle=FOLDER")
        return self.bundles[content]
