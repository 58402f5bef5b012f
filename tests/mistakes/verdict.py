"""What became of a command line: right, or which kind of wrong."""

import difflib
import re
from dataclasses import dataclass

from tests.mistakes.lines import Line
from tests.mistakes.processes import Ended
from tests.mistakes.world import CACHES

RIGHT = "right"
KINDS = (
    RIGHT,
    "traceback",
    "silent",
    "wrong message",
    "leftovers",
    "data loss",
    "code execution",
    "hang",
    "not run",
)

# Words of libraries and of Python that tell a user nothing.
_INTERNAL = re.compile(
    r"Config group override|Interpolation key|not in struct|full_key|object_type|Weights only load|weights_only|"
    r"avcodec_open2|\[Errno|mismatched input|viable alternative|missing EQUAL|hydra\.cc|NoneType|has no attribute|"
    r"unexpected keyword|multiple values for|ListConfig|DictConfig|PosixPath|Assertion|enforce fail|polars\.|"
    r"invalid literal|not subscriptable|not iterable|not a mapping|not supported between|\.partial\b|mend the key|"
    r"step sign|<EOF>|posix\.|input_value|errors\.pydantic|MissingMandatoryValue|resolving interpolation|"
    r"Error loading '|float division|Expecting property|Error code|did you mean trainer\?|<class '|0x[0-9a-f]{6}|"
    r"Traceback|Could this error message|but got false|Could not find '|Available options in|"
    r"unrecognized arguments|takes no keyword|__init__|positional argument|Could not override|\bverb\b"
)
_JUDGED = re.compile(r"nothing deployable|pairs are faulty|share footage|clips have no partner")


@dataclass(frozen=True)
class Verdict:
    """The kind of an outcome and the reason in a few words."""

    kind: str
    why: str = ""


def judge(line: Line, ended: Ended, changes: dict[str, str], orphans: int = 0) -> Verdict:
    """The worst that can be said of how a line ended.

    changes: path -> "new", "changed" or "gone" in the folder that it ran in.
    """
    marks = [path for path in changes if path.rpartition("/")[2].startswith("PWNED")]
    if marks:
        return Verdict("code execution", f"{marks[0]} was written")
    lost = _lost(line, ended, changes)
    if lost.endswith("outside") and ended.code == 0:
        return Verdict("silent", lost)
    if lost:
        return Verdict("data loss", lost)
    if ended.code is None:
        slow = line.command == "demo"  # goes on with what takes minutes: the mistake was not seen
        return Verdict("silent" if slow else "hang", f"still running after {ended.seconds:.0f} s")
    if re.search(r"^Traceback \(most recent call last\)", ended.err, re.MULTILINE):
        return Verdict("traceback", ended.err.strip().splitlines()[-1])
    if ended.code == 70:
        return Verdict("traceback", "reported as a defect")
    if ended.code < 0:
        return Verdict("traceback", f"ended by signal {-ended.code}")
    if orphans:
        return Verdict("hang", f"{orphans} processes outlived the command")
    wrong = _code(line, ended) or (_message(line, ended) if ended.code else None)
    return wrong or _leftovers(line, ended, changes) or Verdict(RIGHT)


def _code(line: Line, ended: Ended) -> Verdict | None:
    if ended.code in line.codes:
        return None
    if ended.code == 0:
        return Verdict("silent", "exit 0")
    if ended.code == 1 and _JUDGED.search(ended.err):
        return Verdict("silent", "the mistake was not seen")
    return Verdict("wrong message", f"exit {ended.code}, not {' or '.join(map(str, sorted(line.codes)))}")


def _message(line: Line, ended: Ended) -> Verdict | None:
    said = [text for text in ended.err.splitlines() if text.strip()]
    if len(said) != 1:
        return Verdict("wrong message", f"{len(said)} lines on stderr")
    message = said[0]
    command = "" if line.command == "main" else f" {line.command}"
    if not re.match(rf"vsr-lab{re.escape(command)}[^:]*: ", message):
        return Verdict("wrong message", "does not begin with the command's name")
    body = message.partition(": ")[2]
    internal = None if line.earlier_verdict.startswith("right") else _INTERNAL.search(body)
    if internal:
        return Verdict("wrong message", f"a library's words: {internal[0]}")
    offered = re.search(r"did you mean ['\"]?([\w.@]+)", body)
    if offered and offered[1] in {word.lstrip("+~").partition("=")[0] for word in line.own}:
        return Verdict("wrong message", f"suggests {offered[1]}, which it refuses")
    if line.earlier_verdict.startswith("wrong message") and _alike(message, line.earlier):
        return Verdict("wrong message", "as it was when the shared table was written")
    if not _names_cause(line, body):
        return Verdict("wrong message", "names neither the key nor the file")
    return None


def _alike(message: str, earlier: str) -> bool:
    """Whether a message is the one that was judged wrong, numbers and a word or two aside."""
    plain = [re.sub(r"\d+", "0", text).strip() for text in (message, earlier)]
    return difflib.SequenceMatcher(None, *plain).ratio() > 0.9


def _names_cause(line: Line, body: str) -> bool:
    """Whether the message names what the line has that others have not: a key, its last part, a value or a file."""
    low = body.lower()
    if line.words:
        return any(word.lower() in low for word in line.words)
    hints: set[str] = set()
    for word in line.own:
        key, equals, value = word.lstrip("+~").partition("=")
        if key == "run_dir" and value.startswith("r/"):
            continue  # every line has one
        hints |= {key, key.replace("@", ".").rpartition(".")[2]} if equals or word[0] == "~" else set()
        hints |= {f"{key.partition('.')[0]}:"} if "." in key else set()  # a whole group that the command has not
        place = value if equals else key
        hints |= {place, place.rstrip("/").rpartition("/")[2].rpartition(",")[2].rstrip("]")}
    hints = {hint.lower() for hint in hints if len(hint) > 1}
    return not hints or any(hint in low for hint in hints)


def _allowed(line: Line) -> list[str]:
    """What a command that ends well may write: its run folder, what it is asked to write, and the caches."""
    wanted = [line.key("run_dir"), line.key("resume"), line.key("output"), line.key("output") + ".provenance.json"]
    return [path.removeprefix("./").rstrip("/") for path in wanted if path] + list(CACHES)


def _lost(line: Line, ended: Ended, changes: dict[str, str]) -> str:
    """What was there before and is not as it was, or was written where nothing may be."""
    free = _allowed(line) if ended.code == 0 else list(CACHES)
    protected = [*PROTECTED.get(line.name, ()), *(line.key(name) for name in _INPUTS if line.key(name))]
    for path, what in sorted(changes.items()):
        inside = any(path == place or path.startswith(f"{place}/") for place in free)
        kept = any(path == place or path.startswith(f"{place}/") for place in protected)
        if what != "new" and (kept or not inside):
            return f"{path} {what}"
    escaped = [p for p, what in changes.items() if what == "new" and not _own_place(line, p)]
    return f"{min(escaped)} written outside" if escaped else ""


def _own_place(line: Line, path: str) -> bool:
    places = _allowed(line)
    names = (".lock", "outputs", "multirun", "results")
    hidden = path.rpartition("/")[2].startswith(".")
    return (
        hidden
        or path.startswith(names)
        or any(
            path == place or path.startswith(f"{place}/") or place.startswith(f"{path}/") for place in places if place
        )
    )


_INPUTS = ("input", "bundle", "root", "data.root", "suite.root", "candidate.path", "lr", "hr")
# What must be as it was whatever the exit code says.
PROTECTED = {"LOSS_overwrite_contains_runs": ("evn/runA",), "C094": ("hr",), "fdde26": ("hr",)}


def _leftovers(line: Line, ended: Ended, changes: dict[str, str]) -> Verdict | None:
    """What a refused command, or any command under a temporary name, left behind."""
    new = [p for p, what in changes.items() if what == "new" and p.partition("/")[0] not in CACHES]
    partial = [path for path in new if ".partial" in path]
    if partial:
        return Verdict("leftovers", f"{partial[0]} left behind")
    run_dir = line.key("run_dir")
    if ended.code == 2 and run_dir and any(p == run_dir or p.startswith(f"{run_dir}/") for p in new):
        return Verdict("leftovers", "a run folder left behind")
    if ended.code == 2 and any(not p.rpartition("/")[2].startswith(".") for p in new):
        return Verdict("leftovers", f"{min(new)} left behind")
    return None
