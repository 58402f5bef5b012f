"""Random lines of output: logs, tests, builds, listings, diffs.

A tint is a text style: a colour of the shell, optionally with "bold" or "italic" before it, and with "on" and a
background colour after it, such as "bold green" or "back on blue".
"""

from __future__ import annotations

import numpy as np

from vsr_lab.synthesis.drawing.style import pick
from vsr_lab.synthesis.drawing.text import Line, Slots, clock, file_name, fill

Rng = np.random.Generator


def log_line(rng: Rng, moment: int) -> Line:
    """Generate a line of a service's log."""
    slots = Slots(rng)
    level = slots.fill("{level1}")
    colour = {"INFO": "green", "DEBUG": "blue", "WARN": "yellow", "ERROR": "bold red"}[level]
    says = pick(rng, ("{verb1} {noun1} done", "{noun1} {num1} is {adj1}", "cannot {verb1} {noun1}"))
    return [
        (f"{clock(moment)} ", "dim"),
        (f"{level:<6}", colour),
        (slots.fill("{noun2}.{noun3} "), "cyan"),
        (slots.fill(says), "fg"),
        (slots.fill(" took={num2}ms"), "magenta"),
    ]


def request(rng: Rng, moment: int) -> Line:
    """Generate a line of a web server's log."""
    status = pick(rng, (200, 200, 200, 204, 301, 404, 500))
    tint = "green" if status < 300 else "yellow" if status < 500 else "back on red"
    host = ".".join(str(int(part)) for part in rng.integers(1, 255, 4))
    said = fill(rng, '"GET /{noun1}s/{num1} HTTP/1.1" ', '"POST /api/{noun1} HTTP/2" ', '"GET /{noun1}.{ext1} HTTP/2" ')
    return [(f"{host:<16}", "blue"), (f"[{clock(moment)}] ", "dim"), (said, "fg"), (str(status), tint),
            (f" {int(rng.integers(99999))}", "cyan")]  # fmt: skip


def test(rng: Rng, _moment: int) -> Line:
    """Generate a test and its result."""
    passed = rng.random() < 0.9
    where = fill(rng, "tests/test_{noun1}.py::test_{verb1} ", "tests/{noun1}/test_{noun2}.py::test_{adj1} ")
    verdict = ("PASSED", "bold green") if passed else ("FAILED", "bold red")
    return [(where, "fg"), verdict, (f" [{int(rng.integers(100)):>3}%]", "cyan")]


def build(rng: Rng, _moment: int) -> Line:
    """Generate the line of a compiled crate."""
    if rng.random() < 0.15:
        return [("warning", "bold yellow"), (fill(rng, ": unused value `{noun1}_{noun2}`"), "bold fg")]
    crate = fill(rng, "{noun1}-{noun2} v0.{num1}", "{adj1}-{noun1} v1.{num1}")
    return [("   Compiling ", "bold green"), (crate, "fg")]


def make(rng: Rng, _moment: int) -> Line:
    """Generate the line of a compiled or linked file."""
    share, name = int(rng.integers(100)), fill(rng, "{noun1}.dir/{noun2}_{noun3}.cpp.o", "{noun1}.dir/{verb1}.c.o")
    if rng.random() < 0.2:
        return [(f"[{share:>3}%] ", "fg"), (fill(rng, "Linking CXX executable {noun1}"), "bold green")]
    return [(f"[{share:>3}%] ", "fg"), (f"Building CXX object src/{name}", "green")]


_CHANGES = ("{noun1} = {verb1}({noun2}, {num1})", "return {noun1}.{verb1}()", "for {noun1} in {noun2}s:")


def diff(rng: Rng, _moment: int) -> Line:
    """Generate a line of a diff."""
    kind = int(rng.integers(12))
    if kind == 0:
        return [(fill(rng, "@@ -{num1},7 +{num2},9 @@"), "cyan"), (fill(rng, " def {verb1}_{noun1}"), "fg")]
    if kind == 1:
        return [(fill(rng, "diff --git a/{noun1}.py b/{noun1}.py"), "bold fg")]
    sign, colour = ((" ", "fg"), ("+", "green"), ("-", "red"), ("+", "green"))[kind % 4]
    return [(f"{sign}    {fill(rng, *_CHANGES)}", colour)]


def listing(rng: Rng, _moment: int) -> Line:
    """Generate a line of a long file listing."""
    if rng.random() < 0.3:
        head, name, colour = "drwxr-xr-x", fill(rng, "{noun1}s", "{noun1}"), "bold blue"
    else:
        head, name = "-rw-r--r--", file_name(rng)
        colour = file_tint(name)
    size, day = int(rng.integers(90, 90000)), int(rng.integers(1, 29))
    owner = fill(rng, "{name1}").lower()
    return [(f"{head} {owner:<6}{size:>7} ", "fg"), (f"May {day:>2} ", "dim"), (name, colour)]


def file_tint(name: str) -> str:
    """Colour of a file in listings, by its extension."""
    ending = name.rpartition(".")[2]
    return "bold green" if ending in ("py", "rs") else "magenta" if ending in ("png", "mp4") else "fg"


def fetch(rng: Rng, _moment: int) -> Line:
    """Generate the line of a downloaded package, with a progress bar."""
    share = int(rng.integers(6, 33))
    return [(fill(rng, "{noun1}-{noun2}") + " ", "cyan"), ("━" * share, "green"), ("━" * (32 - share), "dim"),
            (fill(rng, " {num1} kB"), "green"), (fill(rng, " {num2} kB/s"), "red")]  # fmt: skip


def process(rng: Rng, _moment: int) -> Line:
    """Generate the line of a process."""
    who, load, memory = fill(rng, "{name1}", "root", "root").lower(), rng.exponential(3), rng.exponential(1)
    said = fill(rng, "/usr/bin/{noun1} --{noun2}", "[{noun1}/{num1}]", "{noun1} -c {noun2}.{ext1}", "python {verb1}.py")
    time = clock(int(rng.integers(86400)))[:5]
    return [
        (f"{who:<9}{int(rng.integers(2, 99999)):>6} {load:>4.1f} {memory:>4.1f} ", "fg"),
        (f"{int(rng.integers(9, 999999)):>7} ?  Ss  {time} ", "dim"),
        (said, "fg"),
    ]


def match(rng: Rng, _moment: int) -> Line:
    """Generate a search result."""
    before, after = fill(rng, *_CHANGES), fill(rng, ".{verb1}({num1})", " + {noun1}", " # {adj1}")
    word, at = fill(rng, "{noun1}"), int(rng.integers(9, 900))
    where = fill(rng, "{noun1}/{noun2}.py", "src/{verb1}.rs", "{noun3}.ts")
    return [(where, "magenta"), (":", "cyan"), (str(at), "green"), (":", "cyan"), (f"    {before} ", "fg"),
            (word, "bold red"), (after, "fg")]  # fmt: skip


def hexes(rng: Rng, moment: int) -> Line:
    """Generate a line of a hex dump, sixteen bytes."""
    row = rng.integers(0, 256, 16)
    text = "".join(chr(int(value)) if 32 < value < 127 else "." for value in row)
    return [(f"{(moment * 3 + int(rng.integers(3))) * 16:08x}  ", "dim"),
            (" ".join(f"{int(value):02x}" for value in row), "fg"), (f"  |{text}|", "green")]  # fmt: skip


def ping(rng: Rng, moment: int) -> Line:
    """Generate a line of the output of ping."""
    return [("64 bytes from ", "fg"), (fill(rng, "192.168.1.8"), "cyan"), (f": icmp_seq={moment % 1000} ttl=64 ", "fg"),
            (f"time={rng.uniform(0.1, 40):.2f} ms", "yellow")]  # fmt: skip
