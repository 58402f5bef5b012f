"""vsr-lab footage store: check and prune the store of decoded footage."""

from collections import defaultdict

from vsr_lab.cli.configuration.schema import Bool, Section
from vsr_lab.cli.show import show, show_facts, show_table
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.parts import FilePath
from vsr_lab.core.progress import tracked
from vsr_lab.core.run_folder import lock_folder, unlock_folder
from vsr_lab.data import StoreEntry, inspect_store, remove_entry, stored_files

_MEANING = {
    "whole": "as it was decoded",
    "stale": "its footage is missing or has changed",
    "unfinished": "a decoding that was cut off, or an older version's",
    "damaged": "bytes have changed on the disk",
}


class StoreConfig(Section):
    """List the decoded clips that training keeps in a folder, check them, or delete the unusable ones.

    Example: vsr-lab footage store results/store
    """

    root: FilePath
    verify: Bool
    prune: Bool


def run(config: StoreConfig) -> None:
    """Print the number and size of the clips in each state, such as whole or damaged.

    With prune=true, unusable clips are deleted. Otherwise, Refusal is raised if a clip is damaged.
    """
    folder = config.root
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "not found"
        raise UserError(folder, problem, "set root= to the data.store= of a training")
    files = stored_files(folder)
    if not files and any(folder.iterdir()):
        raise UserError(folder, "holds no decoded footage", "set root= to the data.store= of a training")
    if config.prune:
        lock_folder(folder)  # a training that decodes has unfinished clips there
    states: dict[str, list[StoreEntry]] = defaultdict(list)
    for entry in tracked("checking", inspect_store(folder, config.verify), len(files)):
        states[entry.state].append(entry)
    found = [entry for entries in states.values() for entry in entries]
    rows = [
        [state, str(len(entries)), f"{sum(entry.bytes for entry in entries) / 2**30:.2f}", _MEANING[state]]
        for state, entries in states.items()
    ]
    how = "every byte read" if config.verify else "a few pages of each read; verify=true reads all"
    show_table(f"{folder}: {len(found)} clips, {how}", ["state", "clips", "GiB", "meaning"], rows)
    removable = [entry for entry in found if entry.state != "whole"]
    for entry in removable[:20]:
        show_facts("", {entry.state: f"{entry.path.name} {entry.source}"})
    if config.prune:
        for entry in removable:
            remove_entry(entry.path)
        show(f"removed {len(removable)} clips, {sum(entry.bytes for entry in removable) / 2**30:.2f} GiB")
        unlock_folder(folder)
    show_facts("store", {"root": folder})
    if states["damaged"] and not config.prune:
        raise Refusal(f"{folder}: {len(states['damaged'])} clips are damaged; set prune=true to remove them")
