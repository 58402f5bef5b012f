"""vsr-lab VERB key=value ...: one file a verb, Hydra's grammar everywhere."""

import importlib
import os
import sys

from vsr_lab import __version__

VERBS = {
    "train": "footage to checkpoints: train content=animation data.root=FOLDER",
    "evaluate": "score a candidate: evaluate candidate=bicubic suite=folder suite.root=FOLDER protocol=content-x2-bi-y",
    "compare": "evaluations to one page: compare runs=[A,B]",
    "select": "what may ship: select runs=[A,B]",
    "export": "a checkpoint to a bundle: export candidate.path=RUN/network.safetensors",
    "upscale": "a video through a bundle: upscale bundle=BUNDLE input=IN.mp4 output=OUT.mp4",
    "footage index": "a folder to a manifest: footage index FOLDER",
    "footage leaks": "shots that two splits share: footage leaks manifest.csv",
    "footage sample": "the shots that stand for all: footage sample FOLDER -n 12",
    "footage degrade": "HR to LR files: footage degrade FOLDER degradation=archival scale=4",
    "footage store": "decoded footage, checked and pruned: footage store results/store",
    "footage render": "footage made here: footage render kind=screen|animation|camera n=8 frames=48 scale=2",
    "footage check": "faults of LR/HR pairs, named with their size: footage check LR HR",
    "demo": "all of it, on footage that comes along: demo",
}
# Keys that may be given by their place: `footage index FOLDER` is `footage index root=FOLDER`.
PLACES: dict[str, tuple[str, ...]] = {
    "footage index": ("root",),
    "footage leaks": ("root",),
    "footage sample": ("root",),
    "footage degrade": ("root",),
    "footage store": ("root",),
    "footage check": ("lr", "hr"),
}


def main() -> None:
    """Entry point of vsr-lab. Exit codes: 0 done, 1 judged and refused, 2 unusable input."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in {"-sc", "--shell-completion"}:
        sys.exit(_complete(arguments))
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(_usage())
        sys.exit(0)
    if arguments[0] == "--version":
        print(f"vsr-lab {__version__}")
        sys.exit(0)
    verb = _verb(arguments)
    if verb is None:
        print(f"vsr-lab: {arguments[0]}: no such verb; choose one of {', '.join(VERBS)}", file=sys.stderr)
        sys.exit(2)
    rest = arguments[len(verb.split()) :]
    sys.argv = [f"vsr-lab {verb}", *_named(rest, PLACES.get(verb, ()))]
    sys.exit(_run(verb))


def _verb(words: list[str]) -> str | None:
    """The verb that words begin with; it has one word or two."""
    return next((verb for verb in (" ".join(words[:2]), words[0]) if verb in VERBS), None)


def _named(arguments: list[str], places: tuple[str, ...]) -> list[str]:
    """Arguments with a key for each bare word, in the order of places, and n= for -n."""
    if not places:
        return arguments
    named: list[str] = []
    free, words = iter(places), iter(arguments)
    for word in words:
        if word == "-n":
            named.append(f"n={next(words, '')}")
        elif "=" in word or word.startswith(("-", "~", "+")):
            named.append(word)
        else:
            key = next(free, None)
            named.append(f"{key}={word}" if key else word)
    return named


def _run(verb: str) -> int:
    # Hydra, torch and Lightning take seconds to import: only for a verb that runs.
    from vsr_lab.cli.app import launch

    return launch(verb, importlib.import_module(f"vsr_lab.cli.{verb.replace(' ', '_')}").run)


def _usage() -> str:
    verbs = "\n".join(f"  {verb:<16} {what}" for verb, what in VERBS.items())
    return (
        f"vsr-lab {__version__}: train, judge and ship video super-resolution models\n\n"
        f"vsr-lab VERB key=value ...\n{verbs}\n\n"
        "Every key of a verb: vsr-lab VERB --cfg job. A sweep: -m key=a,b. "
        'Completion: eval "$(vsr-lab -sc install=bash)"'
    )


def _complete(arguments: list[str]) -> int:
    """Hydra's completion for the verb on the line being typed; the verbs themselves where there is none yet."""
    line = os.environ.get("COMP_LINE", "")
    words = line.split()[1:]
    verb = _verb(words) if words else None
    if any(a.startswith("query") for a in arguments) and verb is None:
        typed = words.pop() if words and not line.endswith(" ") else ""
        known = [name.split() for name in VERBS]
        nexts = [name[len(words)] for name in known if name[: len(words)] == words and len(name) > len(words)]
        print("\n".join(word for word in dict.fromkeys(nexts) if word.startswith(typed)))
        return 0
    if verb:
        os.environ["COMP_LINE"] = line.split()[0] + (line.split(verb, 1)[1] or " ")
        os.environ["COMP_POINT"] = str(len(os.environ["COMP_LINE"]))
    sys.argv = [sys.argv[0], *arguments]
    return _run(verb or "train")
