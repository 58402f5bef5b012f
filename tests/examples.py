"""The examples of a Markdown page: commands, Python, and files that a reader is asked to write.

A comment `<!-- not run: REASON -->` leaves out the paragraph, table or block that follows it, and is the only way to
have an example that no test runs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_NOT_RUN = re.compile(r"<!-- not run: \S.* -->\n")
_FENCED = re.compile(
    r"(?:^`(?P<path>[\w./-]+)`\n\n?)?^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
_INLINE = re.compile(r"`(?:\.venv/bin/)?((?:vsr-lab|python) [^`]+)`")
_MENTIONED = re.compile(r"vsr-lab (?:footage )?[A-Za-z]+|vsr-lab COMMAND.*|.*\.\.\.")
_ASSIGNED = re.compile(r"^(\w+)=\"([^\"]*)\"\n", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """text, from a line of a page. path: the file that a reader is asked to put it into."""

    kind: Literal["command", "python", "file"]
    text: str
    page: str
    line: int
    path: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.path or self.text.splitlines()[0]}"


def find_examples(page: Path) -> list[Example]:
    """Every example of the page that is to be run, in order."""
    text = page.read_text(encoding="utf-8")
    variables = dict[str, str]()
    found = list[Example]()
    for start, part in _parts(text):
        line = text.count("\n", 0, start) + 1
        fenced = _FENCED.fullmatch(part)
        if fenced is None:
            commands = [command for command in _INLINE.findall(part) if not _MENTIONED.fullmatch(command)]
        elif fenced["language"] in {"", "sh"}:
            body = fenced["body"].replace("\\\n", " ")
            variables.update(_ASSIGNED.findall(body))
            commands = _commands(_ASSIGNED.sub("", body), variables)
        else:
            commands = []
            if fenced["path"] or fenced["language"] == "python":
                kind = "file" if fenced["path"] else "python"
                found.append(Example(kind, fenced["body"], page.name, line, fenced["path"] or ""))
        found += [Example("command", " ".join(command.split()), page.name, line) for command in commands]
    return found


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Fenced blocks, and the paragraphs between them, with where each begins; without those that are marked."""
    place = 0
    for fenced in [*_FENCED.finditer(text), None]:
        between = text[place : fenced.start() if fenced else len(text)]
        marked = False
        for paragraph in re.finditer(r"\S.*?(?=\n\s*\n|\Z)", between + ("" if fenced else "\n"), re.DOTALL):
            whole = paragraph[0].rstrip()
            mark = _NOT_RUN.match(whole + "\n")
            if mark is None and not marked:
                yield place + paragraph.start(), whole
            marked = mark is not None and mark.end() > len(whole)
        if fenced:
            if not marked and not re.search(_NOT_RUN.pattern + r"\s*\Z", between):
                yield fenced.start(), fenced[0]
            place = fenced.end()


def _commands(body: str, variables: dict[str, str]) -> Iterator[str]:
    for line in body.splitlines():
        command = re.sub(r"\s+#.*$|^#.*$", "", line).strip().removeprefix(".venv/bin/")
        if command:
            yield re.sub(r"\$(\w+)", lambda name: variables.get(name[1], name[0]), command)
