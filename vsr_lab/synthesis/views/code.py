"""Random program text in four languages, and its tokens for syntax highlighting."""

from __future__ import annotations

import re

import numpy as np

from vsr_lab.synthesis.drawing.style import pick
from vsr_lab.synthesis.drawing.text import Line, Slots

_PYTHON = (
    '''def {verb1}_{noun1}({noun2}: list[int], limit: int = {num1}) -> dict[str, int]:
    """Return the {adj1} {noun1} of every {noun2}."""
    {noun3} = {}
    for index, value in enumerate({noun2}):
        if value > limit:  # too {adj2} for us
            continue
        {noun3}[f"{noun1}-{index}"] = value * {num2}
    return {noun3}
''',
    '''class {Noun1}{Noun2}:
    """A {adj1} {noun1} that can {verb1} itself."""

    def __init__(self, {noun3}: float = 0.{num1}) -> None:
        self.{noun3} = {noun3}
        self._{noun4}: list[str] = []

    def {verb1}(self, name: str) -> bool:
        if name in self._{noun4}:
            return False
        self._{noun4}.append(name.strip("/"))
        return len(self._{noun4}) < {num2}
''',
    """@cache
def {verb1}(path: Path) -> {Noun1}:
    with open(path, encoding="utf-8") as file:
        {noun2} = json.load(file)
    # {verb2} the {noun2} only once
    assert {noun2}["version"] >= {num1}, "the {noun1} is {adj1}"
    return {Noun1}(**{noun2}, {verb2}=True)
""",
    """{NOUN1}S = ("{noun2}", "{noun3}", "{noun4}")
{noun2}_{noun3} = [{num1}, {num2}, 0x{hex1}, 1.5e-3]
print(f"{noun2}: {sum({noun2}_{noun3}):.2f}", file=sys.stderr)
""",
    """import numpy as np
from {noun1}.{noun2} import {Noun3}, {verb1}_{noun4}
""",
)
_SCRIPT = (
    """export async function {verb1}{Noun1}(url: string): Promise<{Noun2}[]> {
  const reply = await fetch(`${url}/{noun2}s?limit={num1}`);
  if (!reply.ok) {
    throw new Error("{noun1} is {adj1}: " + reply.status);
  }
  return (await reply.json()).filter((item) => item.{noun3} !== null);
}
""",
    """interface {Noun1}Options {
  {noun2}: number; // in pixels
  {noun3}?: "{adj1}" | "{adj2}";
  on{Verb1}: (event: {Noun4}Event) => void;
}
""",
    """const {noun1} = document.querySelector("#{noun1}-{noun2}");
{noun1}.addEventListener("click", () => {
  state.{noun3} += {num1};
  {verb1}{Noun2}(state, { {adj1}: true, delay: {num2} });
});
""",
    """/* {Verb1} each {noun1} before the {noun2} opens */
export const {noun1}s = new Map([
  ["{noun3}", { width: {num1}, label: "{Noun3}" }],
  ["{noun4}", { width: {num2}, label: "{Noun4}" }],
]);
""",
)
_NATIVE = (
    """#include <vector>
#include "{noun1}/{noun2}.h"
""",
    """template <typename T>
static T {verb1}_{noun1}(const std::vector<T>& {noun2}, size_t count) {
    T total = 0;
    for (size_t i = 0; i < count; ++i) {
        total += {noun2}[i] * {num1}u;  // {adj1} on purpose
    }
    return total / 2.5f;
}
""",
    """struct {Noun1} {
    uint32_t {noun2} = 0x{hex1};
    std::string {noun3} = "{adj1}";
    bool {verb1}({Noun2}* {noun2}) const noexcept;
};
""",
    """int {Noun1}::{verb1}(int {noun2}, char {noun3}) {
    /* nothing to {verb2} without a {noun2} */
    if ({noun2} < {num1} || {noun3} == 'x') return -1;
    switch ({noun2} % 4) {
        case 0: {verb1}_{noun4}({noun2}); break;
        default: std::printf("%d {noun4}s\\n", {noun2});
    }
    return static_cast<int>({noun2});
}
""",
)
_RUST = (
    """use crate::{noun1}::{noun2}::{Noun2}{Noun3};
use {noun3}_{noun4}::{verb1}::{Verb1}Builder;
use std::collections::HashMap;
""",
    """// {Verb1} the {adj1} {noun1} first: the {noun2} is {adj2}
// unless the {noun3} was {adj3} before.
pub fn {verb1}_{noun1}({noun2}: &'static str, limit: usize) -> Option<{Noun1}> {
    let {noun3} = env!("{NOUN3}_{NOUN4}");
    if {noun3}.is_empty() || limit > {num1} {
        return None;
    }
    Some({Noun1}::new({noun2}, {noun3}.len() as u32))
}
""",
    """impl {Noun1} {
    /* {adj1} by design */
    fn {verb1}(&mut self, {noun2}: &[u8]) -> Result<(), {Noun1}Error> {
        for (index, value) in {noun2}.iter().enumerate() {
            self.{noun3}[index] ^= value.rotate_left({num1});
        }
        println!("{noun3}: {} of {num2}", self.{noun3}.len());
        Ok(())
    }
}
""",
)
_KEYWORDS = (
    "def class return for in if else elif while with as import from assert continue not and or is None True "
    "False export async function const let await throw new interface null true false template typename "
    "static struct int bool char void switch case default break noexcept sizeof self use pub fn impl mut mod enum crate"
)
LANGUAGES = {"py": _PYTHON, "ts": _SCRIPT, "cpp": _NATIVE, "rs": _RUST}
_KINDS: tuple[str, ...] = ("keyword", "string", "number", "comment", "call", "type", "punct", "name")
_SCHEMES: tuple[dict[str, str], ...] = tuple(
    dict(zip(_KINDS, tints.split(","), strict=True))
    for tints in (
        "bold yellow,magenta,magenta,italic cyan,cyan,fg,fg,fg",
        "bold yellow,magenta,red,italic cyan,blue,blue,yellow,fg",
        "magenta,green,yellow,dim,blue,yellow,fg,red",
        "bold blue,red,cyan,green,fg,bold green,fg,fg",
        "red,yellow,magenta,italic dim,green,cyan,red,fg",
        "green,cyan,cyan,dim,blue,yellow,fg,fg",
        "bold fg,green,cyan,dim,fg,bold fg,dim,fg",
    )
)

_TOKEN = re.compile(
    r"""(?P<comment>(?<!\S)\#(?!include).*|//.*|/\*.*?(?:\*/|$))
      | (?P<string>[f]?\"{3}.*|[f]?"[^"]*"?|'[^']*'?|`[^`]*`?)
      | (?P<number>\b0x[0-9a-f]+\b|\b\d[\d.e-]*[uf]?)
      | (?P<keyword>@\w+|\#include|\b(?:KEYWORDS)\b)
      | (?P<call>\b[a-z_]\w*(?=\())
      | (?P<type>\b[A-Z]\w*|\b(?:str|list|dict|float|string|number|size_t|uint32_t|std)\b)
      | (?P<punct>[^\w\s]+?)
      | (?P<name>\w+)
      | \s+""".replace("KEYWORDS", _KEYWORDS.replace(" ", "|")),
    re.VERBOSE,
)


def tokens(row: str) -> Line:
    """Split a row of program text into pieces with their kinds; the joined pieces are equal to the row."""
    return [(match[0], match.lastgroup or "name") for match in _TOKEN.finditer(row)]


def block(rng: np.random.Generator, language: str) -> list[str]:
    """Generate a few rows that belong together, followed by an empty row."""
    return Slots(rng).fill(pick(rng, LANGUAGES[language])).split("\n")


def program(rng: np.random.Generator, language: str, rows: int) -> list[str]:
    """Generate at least `rows` rows of program text."""
    text: list[str] = []
    while len(text) < rows:
        text += block(rng, language)
    return text


def coloured(rng: np.random.Generator, rows: int) -> list[Line]:
    """Generate at least `rows` rows of program text in the colours of a shell."""
    scheme = pick(rng, _SCHEMES)
    text = program(rng, pick(rng, tuple(LANGUAGES)), rows)
    return [[(piece, scheme.get(kind, "fg")) for piece, kind in tokens(row)] for row in text]
