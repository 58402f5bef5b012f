"""Random text for pages, terminals, dialogs and tables: sentences from a small vocabulary."""

from __future__ import annotations

import re

import numpy as np

from vsr_lab.synthesis.drawing.scripts import LATIN, words
from vsr_lab.synthesis.drawing.style import pick

Line = list[tuple[str, str]]  # pieces of text, each with the name of its colour

_VOCABULARY = {
    "noun": (
        "bridge buffer cache camera canal channel cluster column corner cursor device "
        "factor field filter folder frame garden gateway harbour header journal kernel ladder "
        "layer ledger marker meadow message mirror module market number packet "
        "panel parcel pattern pixel planet player pocket portal profile queue random record region "
        "report river route sample schema screen sensor server session shadow signal socket sprite station "
        "stream table target thread ticket token tower tracker valley vector village window"
    ),
    "verb": (
        "blend build check clean collect compare count decode draw encode filter follow gather group inspect "
        "join limit load measure merge order pack paint parse plan print prune read reduce render repair "
        "replace report restore sample scale scan select send shift sort split start store stream sum trim "
        "update validate write"
    ),
    "adj": (
        "quiet narrow broad sharp gentle recent simple steady hidden bright distant final formal "
        "heavy hollow local massive modern neutral partial plain private proper public rapid regular "
        "remote rough round second silent single slow small solid spare stable strict sudden tidy"
    ),
    "name": "Ada Bruno Carla Dario Elsa Femi Greta Hugo Ines Jonas Kira Lena Milo Nora Otto Pia Rosa",
    "place": "Arden Belmor Corvia Dunmere Elstow Farrow Glenholt Havring Istria Kelmar Lowick Marden",
    "ext": "py rs ts cpp md json yaml toml csv png mp4 txt",
    "level": "INFO INFO INFO DEBUG WARN ERROR",
}
_WORDS = {kind: words.split() for kind, words in _VOCABULARY.items()}
_OPENINGS = (
    "", "", "", "", "In {place2}, ", "On most days ", "By contrast, ", "Since last spring, ",
    "At that point ", "According to {name2}, ", "Even so, ", "For a {adj3} {noun4}, ",
)  # fmt: skip
_CLAUSES = (
    "the {adj1} {noun1} {verb1}s every {noun2}",
    "a {noun1} can {verb1} more than {num1} {noun2}s a day",
    "nobody had to {verb1} the {noun1} or its {adj1} {noun2}",
    "{name1} learned to {verb1} the {noun1} slowly",
    "there are {num1} ways to {verb1} a {noun1}",
    "the {noun1} stays {adj1} and the {noun2} {adj2}",
    "{num1} of the {adj1} {noun1}s were lost",
    "each {noun1} carries its own {noun2}",
    "it helps to {verb1} the {noun1}, then {verb2} the {noun2}",
    "what remains is a {adj1} {noun1}",
)
_ENDINGS = (
    ".", ".", " before the {noun3} is ready.", ", and only two of them keep the {noun3}.", " once again.",
    ", which surprised {name3}.", "; the {adj2} {noun3} is another matter.", " without a {adj2} {noun3}.",
    ", at least near {place1}.", " as soon as the {noun3}s {verb3}.",
)  # fmt: skip
_TITLES = (
    "How to {verb1} a {adj1} {noun1}",
    "The {adj1} {noun1} of {place1}",
    "{Noun1}s and {noun2}s",
    "Why we {verb1} the {noun1}",
    "{num1} notes on the {adj1} {noun1}",
    "{place1}: a {adj1} {noun1}",
    "{Verb1} less, {verb2} more",
)
_FILES = ("{noun1}_{noun2}.{ext1}", "{noun1}.{ext1}", "{verb1}_{noun1}.{ext1}", "{noun1}-{num1}.{ext1}")


class Slots:
    """Replaces slots such as {noun1}, {Verb2} and {num3} in a text by random values; a name always gets one value."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._known: dict[str, str] = {}

    def fill(self, template: str) -> str:
        """Fill the known slots of `template`; other braces are not changed."""
        return re.sub(r"\{([A-Za-z]+)(\d)\}", self._value, template)

    def _value(self, match: re.Match[str]) -> str:
        kind, name = match[1].lower(), match[0].lower()
        if kind not in _WORDS and kind not in ("num", "hex"):
            return match[0]
        if name not in self._known:
            self._known[name] = self._draw(kind)
        value = self._known[name]
        return value.upper() if match[1].isupper() else value.capitalize() if match[1][0].isupper() else value

    def _draw(self, kind: str) -> str:
        if kind == "num":
            return str(int(self._rng.integers(2, pick(self._rng, (13, 103, 1003, 9999)))))
        if kind == "hex":
            return f"{int(self._rng.integers(16**7)):07x}"
        return pick(self._rng, _WORDS[kind])


def fill(rng: np.random.Generator, *templates: str) -> str:
    """Choose one of the templates and fill it."""
    return Slots(rng).fill(pick(rng, templates))


def title(rng: np.random.Generator, script: str = LATIN) -> str:
    """Generate a headline."""
    return fill(rng, *_TITLES) if script == LATIN else words(rng, script, 3, 6)


def sentence(rng: np.random.Generator, script: str = LATIN) -> str:
    """Generate a sentence."""
    if script != LATIN:
        return words(rng, script, 5, 13) + pick(rng, (".", ".", ".", "!", "?"))
    said = fill(rng, pick(rng, _OPENINGS) + pick(rng, _CLAUSES) + pick(rng, _ENDINGS))
    return said[0].upper() + said[1:]


def paragraph(rng: np.random.Generator, fewest: int = 2, most: int = 5, script: str = LATIN) -> str:
    """Generate a paragraph of a few sentences."""
    return " ".join(sentence(rng, script) for _ in range(int(rng.integers(fewest, most + 1))))


def file_name(rng: np.random.Generator) -> str:
    """Generate a file name with an extension."""
    return fill(rng, *_FILES)


def clock(moment: int) -> str:
    """Format seconds as the hours, minutes and seconds of a day."""
    return f"{moment // 3600 % 24:02}:{moment // 60 % 60:02}:{moment % 60:02}"
