"""Random outputs of commands, in terminal colours: histories, compiler errors, tables, trees, manuals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vsr_lab.synthesis.drawing.style import pick
from vsr_lab.synthesis.drawing.text import Line, Slots, file_name, fill, sentence
from vsr_lab.synthesis.views import printing
from vsr_lab.synthesis.views.code import coloured

Rng = np.random.Generator
_DECKS = ("magenta", "cyan", "green", "yellow", "blue", "red")


def command(rng: Rng) -> tuple[str, list[Line]]:
    """Generate a command line and its output."""
    typed, output = pick(rng, _COMMANDS)
    return fill(rng, typed), output(rng)


def _repeated(line: Callable[[Rng, int], Line]) -> Callable[[Rng], list[Line]]:
    """Generator of outputs that repeat one kind of line, with increasing time of day."""

    def output(rng: Rng) -> list[Line]:
        start, count = int(rng.integers(86400)), int(rng.integers(14, 46))
        return [line(rng, start + index // 3) for index in range(count)]

    return output


def history(rng: Rng) -> list[Line]:
    """Generate the output of git log --oneline --graph --decorate."""
    lines: list[Line] = []
    for index in range(int(rng.integers(24, 60))):
        slots, side = Slots(rng), rng.random() < 0.4
        graph: Line = [("* ", "fg"), ("| ", "red")] if side else [("* ", "fg")]
        if side and rng.random() < 0.5:
            graph = [("| ", "red"), ("* ", "fg")]
        if rng.random() < 0.12:
            lines.append([("|\\", "red")] if rng.random() < 0.5 else [("|/", "red")])
        names: Line = []
        if index == 0:
            names = [("(", "yellow"), ("HEAD -> ", "bold cyan"), ("main", "bold green"), (", ", "yellow"),
                     ("origin/main", "bold red"), (") ", "yellow")]  # fmt: skip
        elif rng.random() < 0.1:
            names = [("(", "yellow"), (slots.fill("tag: v1.{num1}"), "bold yellow"), (") ", "yellow")]
        says = pick(rng, ("{Verb1} the {adj1} {noun1}", "{noun1}: {verb1} {noun2}s", "Fix {noun1} of a {adj1} {noun2}"))
        lines.append([*graph, (slots.fill("{hex1} "), "yellow"), *names, (slots.fill(says), "fg")])
    return lines


def _status(rng: Rng) -> list[Line]:
    lines: list[Line] = [[("On branch ", "fg"), (fill(rng, "{noun1}-{noun2}"), "fg")],
                         [("Changes to be committed:", "fg")]]  # fmt: skip
    lines += [[(f"        modified:   {file_name(rng)}", "green")] for _ in range(int(rng.integers(2, 7)))]
    lines += [[("", "fg")], [("Changes not staged for commit:", "fg")]]
    lines += [[(f"        modified:   src/{file_name(rng)}", "red")] for _ in range(int(rng.integers(2, 9)))]
    lines += [[("", "fg")], [("Untracked files:", "fg")]]
    return lines + [[(f"        {file_name(rng)}", "red")] for _ in range(int(rng.integers(1, 6)))]


def _errors(rng: Rng) -> list[Line]:
    """Generate compiler errors that mark their position."""
    lines: list[Line] = []
    for _ in range(int(rng.integers(2, 5))):
        slots, row = Slots(rng), int(rng.integers(9, 900))
        bad = rng.random() < 0.6
        tint = "bold red" if bad else "bold yellow"
        said = slots.fill(
            pick(rng, ("mismatched types", "unused variable: `{noun1}`", "cannot find `{noun1}` in `{noun2}`"))
        )
        text = slots.fill("    let {noun1} = self.{verb1}(&{noun2}, {num1});")
        at = int(rng.integers(8, len(text) - 6))
        lines += [[(f"error[E{row:04}]" if bad else "warning", tint), (f": {said}", "bold fg")],
                  [("   --> ", "bold blue"), (slots.fill(f"src/{{noun3}}.rs:{row}:{at}"), "fg")],
                  [("    |", "bold blue")], [(f"{row:>3} | ", "bold blue"), (text, "fg")],
                  [("    | ", "bold blue"), (" " * at + "^" * int(rng.integers(3, 12)), tint), (f" {said}", tint)],
                  [("", "fg")]]  # fmt: skip
    return lines


def _traceback(rng: Rng) -> list[Line]:
    lines: list[Line] = [[("Traceback (most recent call last):", "fg")]]
    for _ in range(int(rng.integers(3, 7))):
        slots = Slots(rng)
        lines += [[('  File "', "fg"), (slots.fill("/srv/{noun1}/{noun2}.py"), "magenta"), ('", line ', "fg"),
                   (slots.fill("{num1}"), "magenta"), (slots.fill(", in {verb1}"), "fg")],
                  [(slots.fill("    return self.{verb2}({noun3}, {noun4}={num2})"), "fg")],
                  [(slots.fill("           ~~~~~~~~~^^^^^^^^^^^^^^^^"), "red")]]  # fmt: skip
    return [*lines, [("ValueError", "bold magenta"), (fill(rng, ": {noun1} is {adj1}, not {adj2}"), "magenta")]]


def _containers(rng: Rng) -> list[Line]:
    head = f"{'CONTAINER ID':<15}{'IMAGE':<24}{'STATUS':<16}NAMES"
    lines: list[Line] = [[(head, "bold fg")]]
    for _ in range(int(rng.integers(6, 16))):
        slots, up = Slots(rng), rng.random() < 0.8
        image = slots.fill("{noun1}/{noun2}:1.{num1}")[:22]
        state = slots.fill("Up {num2} hours" if up else "Exited (1)")[:14]
        lines.append([(slots.fill("{hex1}{hex2}")[:12] + "   ", "yellow"), (f"{image:<24}", "cyan"),
                      (f"{state:<16}", "green" if up else "red"), (slots.fill("{adj1}_{noun2}"), "fg")])  # fmt: skip
    return lines


def _tree(rng: Rng) -> list[Line]:
    lines: list[Line] = [[(".", "bold blue")]]
    for _ in range(int(rng.integers(3, 7))):
        lines.append([("├── ", "fg"), (fill(rng, "{noun1}s"), "bold blue")])
        for _ in range(int(rng.integers(1, 6))):
            name = file_name(rng)
            lines.append([("│   ├── ", "fg"), (name, printing.file_tint(name))])
        lines.append([("│   └── ", "fg"), (fill(rng, "{noun1}.lock"), "dim")])
    return [*lines, [("└── ", "fg"), ("README.md", "fg")]]


def _grid(rng: Rng) -> list[Line]:
    """Generate a framed table, as databases print it."""
    widths = [int(width) for width in rng.integers(8, 15, int(rng.integers(3, 6)))]
    rule = {key: left + mid.join("─" * width for width in widths) + right
            for key, (left, mid, right) in {"top": "┌┬┐", "mid": "├┼┤", "end": "└┴┘"}.items()}  # fmt: skip

    def row(tint: str, *templates: str) -> Line:
        pieces: Line = [("│", "dim")]
        for width in widths:
            pieces += [(f"{fill(rng, *templates)[: width - 2]:^{width}}", tint), ("│", "dim")]
        return pieces

    body = [row("fg", "{noun1}", "{num1}", "{name1}", "{hex1}") for _ in range(int(rng.integers(8, 22)))]
    rules: dict[str, Line] = {key: [(text, "dim")] for key, text in rule.items()}
    return [rules["top"], row("bold yellow", "{noun1}", "{verb1}"), rules["mid"], *body, rules["end"]]


def _source(rng: Rng) -> list[Line]:
    return [[(f"{index + 1:>4} ", "dim"), ("│ ", "dim"), *line] for index, line in enumerate(coloured(rng, 40))]


def _json(rng: Rng) -> list[Line]:
    lines: list[Line] = [[("[", "bold fg")]]
    for _ in range(int(rng.integers(4, 9))):
        lines.append([("  {", "bold fg")])
        for _ in range(int(rng.integers(2, 6))):
            value, tint = pick(rng, (("{num1}", "cyan"), ('"{adj1}"', "green"), ("true", "yellow"), ("null", "dim")))
            lines.append([(fill(rng, '    "{noun1}"', '    "{noun1}_{noun2}"'), "bold blue"), (": ", "bold fg"),
                          (fill(rng, value), tint), (",", "bold fg")])  # fmt: skip
        lines.append([("  },", "bold fg")])
    return [*lines, [("]", "bold fg")]]


def manual(rng: Rng) -> list[Line]:
    """Generate a page of a manual."""
    name = fill(rng, "{verb1}").upper()
    lines: list[Line] = [
        [(f"{name}(1)", "bold fg"), ("          User Commands          ", "fg"), (f"{name}(1)", "bold fg")]
    ]
    for head in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "FILES", "NOTES"):
        lines += [[("", "fg")], [(head, "bold red")]]
        for _ in range(int(rng.integers(2, 7))):
            if head == "OPTIONS":
                option = fill(rng, "       -{hex1}")[:9]
                lines.append([(f"{option}, --", "bold green"), (fill(rng, "{noun1}"), "bold green"), ("=", "fg"),
                              (fill(rng, "{Noun2}").upper(), "italic cyan")])  # fmt: skip
            lines.append([(f"       {sentence(rng)}", "fg")])
    return lines


def _columns(rng: Rng) -> list[Line]:
    lines: list[Line] = []
    for _ in range(int(rng.integers(6, 16))):
        names = [file_name(rng)[:17] for _ in range(5)]
        lines.append([(f"{name:<19}", printing.file_tint(name)) for name in names])
    return lines


def _machine(rng: Rng) -> list[Line]:
    """Generate system information: a logo, properties next to it, and the eight colours below."""
    mark, tint = rng.random((8, 6)) < 0.55, pick(rng, _DECKS)
    lines: list[Line] = []
    for half in mark:
        row = "".join("██" if cell else "  " for cell in (*half, *half[::-1]))
        fact = fill(rng, ": {Name1} {num1}", ": {noun2} {num1}.{num2}", ": {adj1} {noun2}")
        lines.append([(f"  {row}   ", f"bold {tint}"), (fill(rng, "{Noun1}"), f"bold {tint}"), (fact, "fg")])
    return [*lines, [("", "fg")], [(" " * 29, "fg"), *(("   ", f"fg on {deck}") for deck in ("dim", *_DECKS, "fg"))]]


_COMMANDS: tuple[tuple[str, Callable[[Rng], list[Line]]], ...] = (
    ("pytest -v tests/{noun1}", _repeated(printing.test)),
    ("cargo build --release", _repeated(printing.build)),
    ("cmake --build {noun1}", _repeated(printing.make)),
    ("git diff HEAD~1 {noun1}.py", _repeated(printing.diff)),
    ("ls -l {noun1}s/", _repeated(printing.listing)),
    ("tail -f /var/log/{noun1}.log", _repeated(printing.log_line)),
    ("./run.sh --{noun1} {num1}", _repeated(printing.log_line)),
    ("tail -f access.log", _repeated(printing.request)),
    ("pip install {noun1}-{noun2}", _repeated(printing.fetch)),
    ("ps aux | sort -k3", _repeated(printing.process)),
    ("rg {noun1} src/", _repeated(printing.match)),
    ("hexdump -C {noun1}.bin", _repeated(printing.hexes)),
    ("ping {noun1}.local", _repeated(printing.ping)),
    ("git log --oneline --graph", history),
    ("git status", _status),
    ("cargo check", _errors),
    ("python {verb1}.py", _traceback),
    ("docker ps -a", _containers),
    ("tree -L 2", _tree),
    ('sqlite3 {noun1}.db "select * from {noun2}s"', _grid),
    ("bat {noun1}_{noun2}.py", _source),
    ("curl -s localhost:8080/{noun1}s | jq .", _json),
    ("man {verb1}", manual),
    ("ls --color {noun1}", _columns),
    ("neofetch", _machine),
)
