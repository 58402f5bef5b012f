"""Help texts of vsr-lab. It imports neither Hydra nor torch, so that --help is fast."""

import re

import vsr_lab
from vsr_lab.core.files import config_dir

COMMANDS = {
    "train": "train a network: train content=animation data.root=FOLDER",
    "evaluate": "score a candidate: evaluate candidate=bicubic suite=folder suite.root=FOLDER protocol=content-x2-bi-y",
    "compare": "compare evaluations, or two videos: compare runs=[A,B], compare A.mp4 B.mp4 [HR.mp4]",
    "select": "choose what can be deployed: select runs=[A,B]",
    "vote": "which candidate people prefer, in blind pairs on a local page: vote runs=[A,B]",
    "export": "make a bundle of trained weights: export candidate.path=RUN/network.safetensors",
    "upscale": "upscale a video with a bundle: upscale bundle=BUNDLE input=IN.mp4 output=OUT.mp4",
    "bundle verify": "check files, signature and graphs of a bundle: bundle verify BUNDLE public_key=KEY.pem",
    "recommend": "the bundle for a file, and why: recommend FILE selection=RUN/selection.json",
    "inspect": "what a file is, and whether it can be used: inspect FILE",
    "provenance": "find and check how an upscaled file was made: provenance FILE",
    "bench": "measure the speed of a bundle in every runtime: bench bundle=BUNDLE",
    "footage index": "write the manifest of a folder: footage index FOLDER",
    "footage leaks": "find shots that two splits share: footage leaks manifest.csv",
    "footage sample": "choose representative shots: footage sample FOLDER -n 12",
    "footage degrade": "write LR clips of HR clips: footage degrade FOLDER degradation=archival scale=4",
    "footage store": "check and prune decoded footage: footage store results/store",
    "footage render": "render footage: footage render kind=screen|animation|camera n=8 frames=48 scale=2",
    "footage check": "find faults in LR/HR pairs: footage check LR HR",
    "demo": "run the whole workflow on footage from installed packages: demo",
}


def config_name(command: str) -> str:
    """Name of a command's yaml in the Hydra tree, such as footage_index."""
    return command.replace(" ", "_")


def module_name(command: str) -> str:
    """Module of a command, such as vsr_lab.cli.footage.index."""
    return f"vsr_lab.cli.{command.replace(' ', '.')}"


def usage(first: str = "") -> str:
    """All commands, or those that begin with a word, with an example of each."""
    listed = {command: what for command, what in COMMANDS.items() if command.startswith(first)}
    commands = "\n".join(f"  {command:<16} {what}" for command, what in listed.items())
    return (
        f"vsr-lab {vsr_lab.__version__}: train, evaluate and deploy video super-resolution models\n\n"
        f"vsr-lab COMMAND key=value ...\n{commands}\n\n"
        "The keys of a command: vsr-lab COMMAND --help; its composed configuration: --cfg job. A sweep: -m key=a,b. "
        'Completion: eval "$(vsr-lab -sc install=bash)"'
    )


def command_help(command: str) -> str:
    """A command's example, its groups with their options, and its own keys with their comments."""
    text = (config_dir() / f"{config_name(command)}.yaml").read_text(encoding="utf-8")
    defaults, _, keys = text.partition("\n\n")
    entries = re.findall(r"^  - (?:optional )?/?([a-z_]+)(@[\w.]+)?: (\S+)", defaults, re.MULTILINE)
    first = {group: f"{group}{key}={chosen}" for group, key, chosen in reversed(entries)}  # one line each
    lines = [f"  {first[group]} of {', '.join(options(group))}" for group in dict.fromkeys(e[0] for e in entries)]
    parts = [f"vsr-lab {command}: {COMMANDS[command]}", "Groups, each with its default and its options:", *lines]
    shown = "\n".join(parts if lines else parts[:1])
    return f"{shown}\n\nKeys:\n{keys.strip()}\n\nThe composed configuration: vsr-lab {command} --cfg job"


def options(group: str) -> list[str]:
    """Names of the yamls of a group."""
    folder = config_dir() / group
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))
