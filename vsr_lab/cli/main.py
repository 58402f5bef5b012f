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
    "demo": "all of it, on footage that comes along: demo",
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
    verb = arguments[0]
    if verb not in VERBS:
        print(f"vsr-lab: {verb}: no such verb; choose one of {', '.join(VERBS)}", file=sys.stderr)
        sys.exit(2)
    sys.argv = [f"vsr-lab {verb}", *arguments[1:]]
    sys.exit(_run(verb))


def _run(verb: str) -> int:
    # Hydra, torch and Lightning take seconds to import: only for a verb that runs.
    from vsr_lab.cli.app import launch

    return launch(verb, importlib.import_module(f"vsr_lab.cli.{verb}").run)


def _usage() -> str:
    verbs = "\n".join(f"  {verb:<9} {what}" for verb, what in VERBS.items())
    return (
        f"vsr-lab {__version__}: train, judge and ship video super-resolution models\n\n"
        f"vsr-lab VERB key=value ...\n{verbs}\n\n"
        "Every key of a verb: vsr-lab VERB --cfg job. A sweep: -m key=a,b. "
        'Completion: eval "$(vsr-lab -sc install=bash)"'
    )


def _complete(arguments: list[str]) -> int:
    """Hydra's completion for the verb on the line being typed; the verbs themselves where there is none yet."""
    line = os.environ.get("COMP_LINE", "")
    words = line.split()
    if any(a.startswith("query") for a in arguments) and (len(words) < 2 or words[1] not in VERBS):
        typed = words[1] if len(words) > 1 else ""
        print("\n".join(verb for verb in VERBS if verb.startswith(typed)))
        return 0
    verb = words[1] if len(words) > 1 and words[1] in VERBS else "train"
    if len(words) > 1:
        rest = line.split(verb, 1)[1]
        os.environ["COMP_LINE"] = words[0] + (rest or " ")
        os.environ["COMP_POINT"] = str(len(os.environ["COMP_LINE"]))
    sys.argv = [sys.argv[0], *arguments]
    return _run(verb)
