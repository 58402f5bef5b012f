"""vsr-lab recommend: which bundle to use for a file, with the reason, and a comparison of all bundles."""

import shlex

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.choosing import Choosing
from vsr_lab.cli.configuration.schema import Command, Count, FolderPath
from vsr_lab.cli.show import show, show_facts, show_left_out, show_table
from vsr_lab.core.errors import Refusal
from vsr_lab.core.parts import FilePath
from vsr_lab.curation import Scans
from vsr_lab.workflows.batch import find_sources
from vsr_lab.workflows.recommend import recommend, write_comparison


class RecommendConfig(Command, Choosing):
    """Recommend a bundle for a file or for each of many files, and compare all bundles on representative shots.

    Example: vsr-lab recommend old.mp4 selection=results/select/RUN/selection.json
    """

    input: FilePath
    scans: FolderPath
    n: Count


def run(config: RecommendConfig) -> None:
    """Print the bundle for each file, the reason and the command to run. Raises Refusal if no file has a bundle."""
    auto = config.chooser()
    found = recommend(find_sources(config.input), auto, Scans(config.scans))
    sheet = begin_run(config) / "sheet.png"
    shots = write_comparison(sheet, found, auto.bundles, config.n)
    rows = [
        [str(one.source.path), one.content, f"{one.confidence:.0%}", ", ".join(one.because), str(one.bundle or "none")]
        for one in found
        if one.content
    ]
    show_table(f"{len(found)} files", ["file", "content type", "probability", "because of", "bundle"], rows, texts=5)
    show_left_out([one.problem for one in found if one.problem])
    chosen = {one.bundle for one in found if one.bundle}
    if not chosen:
        raise Refusal(f"{config.input}: no suitable bundle was found; see the reason for each file above")
    auto_keys = ["bundle=auto", f"selection={config.selection}", f"bundles={config.bundles}"]
    choice = [f"bundle={chosen.pop()}"] if len(found) == 1 else auto_keys
    show(shlex.join(["vsr-lab", "upscale", *choice, f"input={config.input}", "output=OUTPUT"]))
    if shots:
        show_facts(f"compared on {len(shots)} shots", {"sheet": sheet})
