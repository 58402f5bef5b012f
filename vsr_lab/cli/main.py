"""Entry point of `vsr-lab COMMAND key=value ...`, which calls the module of the command."""

import os
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from itertools import islice

from vsr_lab import __version__
from vsr_lab.cli.configuration.usage import COMMANDS, FLAGS, POSITIONAL, command_help, usage
from vsr_lab.core.current_folder import import_torch_elsewhere, protect_processes
from vsr_lab.core.errors import Stopped
from vsr_lab.core.signals import catch_signals, forget_interruption, interruption_of, pass_signals, signal_of


def main() -> None:
    """Run the command in sys.argv.

    Exit codes: 0 done, 1 a check failed, 2 unusable input, 3 some files refused, 70 a defect, 128 + N stopped by signal
    N.
    """
    protect_processes()
    import_torch_elsewhere()
    try:
        code = _dispatch(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output, such as head, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _dispatch(arguments: list[str]) -> int:
    """Run the command that begins the arguments, or print a help text, and return the exit code."""
    if arguments and arguments[0] in {"-sc", "--shell-completion"}:
        return _complete(arguments)
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(usage())
        return 0
    if arguments[0] == "--version":
        print(f"vsr-lab {__version__}")
        return 0
    command = _command(arguments)
    groups = {name.split()[0] for name in COMMANDS if " " in name}
    if command is None and arguments[0] in groups and arguments[1:] in ([], ["-h"], ["--help"]):
        print(usage(arguments[0]))
        return 0
    if command is None:
        print(f"vsr-lab: {arguments[0]}: no such command; choose one of {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    rest = arguments[len(command.split()) :]
    if {"-h", "--help"} & set(rest):
        print(command_help(command))
        return 0
    sys.argv = [f"vsr-lab {command}", *_named(rest, POSITIONAL[command])]
    return _run(command)


def _command(words: list[str]) -> str | None:
    """The command of one or two words at the beginning of words."""
    return next((command for command in (" ".join(words[:2]), words[0]) if command in COMMANDS), None)


def _named(arguments: list[str], keys: Sequence[str]) -> list[str]:
    """Put the next of `keys` before each word that has no key, as key=word, and replace -n by n=."""
    if not keys:
        return arguments
    named: list[str] = []
    free, words = iter(keys), iter(arguments)
    for word in words:
        if word == "-n":
            named.append(f"n={next(words, '')}")
        elif FLAGS.get(word):  # its value follows
            named += [word, *islice(words, 1)]
        elif "=" in word or word.startswith(("-", "~", "+")):
            named.append(word)
        else:
            key = next(free, None)
            named.append(f"{key}={word}" if key else word)
    return named


def _run(command: str) -> int:
    """Run a command and return its exit code."""
    catch_signals()
    try:
        from vsr_lab.cli.app import launch  # imports Hydra, which --help does without

        return launch(command)
    except Stopped as stopped:
        print(f"vsr-lab {command}: {stopped}", file=sys.stderr)
        return stopped.code
    except BaseException as error:  # such as a panic of Rust, of which KeyboardInterrupt is no base
        interruption = interruption_of(error)
        if interruption is None:
            raise
        number = signal_of(interruption)
        message = f"stopped by {number.name}; no incomplete file is left; run the command again"
        print(f"vsr-lab {command}: {message}", file=sys.stderr)
        forget_interruption()
        return 128 + number
    finally:
        pass_signals()


def _complete(arguments: list[str]) -> int:
    """Complete the line being typed: with Hydra if it contains a command, else with the names of the commands."""
    line = os.environ.get("COMP_LINE", "")
    words = line.split()[1:]
    command = _command(words) if words else None
    is_query = any(a.startswith("query") for a in arguments)
    if is_query and command is None:
        typed = words.pop() if words and not line.endswith(" ") else ""
        known = [name.split() for name in COMMANDS]
        nexts = [name[len(words)] for name in known if name[: len(words)] == words and len(name) > len(words)]
        print("\n".join(word for word in dict.fromkeys(nexts) if word.startswith(typed)))
        return 0
    if command:
        os.environ["COMP_LINE"] = line.split()[0] + (line.split(command, 1)[1] or " ")
        os.environ["COMP_POINT"] = str(len(os.environ["COMP_LINE"]))
    sys.argv = [sys.argv[0], *arguments]
    if not is_query:
        return _run(command or "train")
    with redirect_stdout(StringIO()) as completions:
        code = _run(command or "train")
    # Bash expands what it is given: a file name may contain a command.
    print(" ".join(word for word in completions.getvalue().split() if re.fullmatch(r"[\w.@/=,:+~-]+", word)))
    return code
