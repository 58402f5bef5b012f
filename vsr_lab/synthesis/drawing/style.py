"""Styles of desktops: colours, fonts and window decorations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from vsr_lab.synthesis.drawing.canvas import Colour, rgb
from vsr_lab.synthesis.drawing.fonts import Family, Font, FontSet, covers
from vsr_lab.synthesis.drawing.scripts import LATIN, SCRIPTS, letters

T = TypeVar("T")


def pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    """Choose one of `items` at random, all equally likely."""
    return items[int(rng.integers(len(items)))]


@dataclass(frozen=True)
class Ui:
    """Colours of windows and their contents."""

    dark: bool
    window: Colour
    panel: Colour
    title: Colour
    text: Colour
    muted: Colour
    border: Colour
    hover: Colour
    link: Colour


@dataclass(frozen=True)
class Ink:
    """Text colours of a program.

    Attributes:
        back: background.
        number: line numbers.
        line: background of the current line.
        select: background of selected text.
        tint: colours by kind of token.
    """

    back: Colour
    number: Colour
    line: Colour
    select: Colour
    tint: Mapping[str, Colour]


def _ui(dark: bool, codes: str) -> Ui:
    return Ui(dark, *map(rgb, codes.split()))


def _ink(kinds: str, codes: str) -> Ink:
    back, number, line, select, *tints = map(rgb, codes.split())
    return Ink(back, number, line, select, dict(zip(kinds.split(), tints, strict=True)))


_TOKENS = "name keyword string number comment call type punct"
_ANSI = "fg dim red green yellow blue magenta cyan"

# window panel title text muted border hover link
UIS = (
    _ui(False, "ffffff f3f4f6 e5e7ea 1f2328 6a737d d0d5db e3e8ee 0b57d0"),
    _ui(False, "fbfaf7 f1eee8 e3ded5 2b2722 7d766b d3ccbf e9e4da a0360c"),
    _ui(True, "22252b 2a2e35 30343c e4e7eb 9aa2ad 3c424c 3a404a 8ab4f8"),
    _ui(True, "121316 1b1d21 1f2126 d9dce1 878d97 2e3138 2b2e35 4cc2ff"),
)
ACCENTS = tuple(map(rgb, ("2f6fed", "d6336c", "0c9a6c", "e8590c", "7048e8", "1098ad", "c92a2a")))

# back number line select, then the tokens
DARK_INKS = (
    _ink(_TOKENS, "1e1f29 5a6078 282a36 3b4060 e6e6ec ff6ea8 e9e07c b794f6 6c7a99 5fe08a 6fd6ee c9cbd6"),
    _ink(_TOKENS, "1c1c1c 6e6e6e 272727 264f78 a5d8f3 5a9bdc d08f70 b3cfa2 6c9a55 dcdca0 4fc4ad d4d4d4"),
    _ink(_TOKENS, "282420 6b6055 322c27 4c4238 ebdcb8 f2553f b6ba2c d184a0 8f8272 8abf7a f7b92f cdbc96"),
    _ink(_TOKENS, "0b2733 4a6a74 10323f 1b4a5a a9bcc2 85b000 2ab5aa e0428a 5f7a82 3fa0e8 d8a010 8fa5ab"),
)
LIGHT_INKS = (
    _ink(_TOKENS, "ffffff a0a5ad f3f5f8 cfe3ff 24292f cf2035 0a3f80 0650c0 6b7681 7a3fd0 a04a00 24292f"),
    _ink(_TOKENS, "fbf4e0 a9a48f f1e9d0 e2dab8 56666c 7a9a00 209a90 d03080 93a1a1 2080cc b58000 586e75"),
    _ink(_TOKENS, "fafafa b0b0b0 f0f0f0 dfe6f5 383a42 a626a4 408f30 986801 a0a1a7 3068f0 c18401 383a42"),
)
SHELLS = (  # the last three are light
    _ink(_ANSI, "0f1117 7b8494 1a1d26 2f4a70 d0d4dc 7b8494 ff5c57 4fe06a f2e65a 57b0ff ff6ac1 8eeaf5"),
    _ink(_ANSI, "300a24 9a7f92 3d1430 6a3f5c eeeeec a08898 f05050 8ae234 fce94f 72a5e8 d08ac8 34e2e2"),
    _ink(_ANSI, "000000 808080 1a1a1a 404080 c8c8c8 808080 ff4040 30e030 e8e030 5080ff e050e0 30d8e8"),
    _ink(_ANSI, "000000 707070 202020 3a2a6a b2b2b2 707070 cd3131 18b218 cdcd18 5454ff ff55ff 18b2b2"),
    _ink(_ANSI, "000000 7f7f7f 24213a 4b4bb8 d6d6c2 8a8a8a ff5555 55ff55 ffff55 7a7aff ff55ff 55e0d8"),
    _ink(_ANSI, "282a36 6272a4 343746 44475a f8f8f2 7c88b8 ff5555 50fa7b f1fa8c bd93f9 ff79c6 8be9fd"),
    _ink(_ANSI, "282828 7c6f64 3c3836 504945 ebdbb2 928374 fb4934 b8bb26 fabd2f 83a598 d3869b 8ec07c"),
    _ink(_ANSI, "002b36 586e75 073642 134a58 93a1a1 657b83 dc322f 859900 b58900 268bd2 d33682 2aa198"),
    _ink(_ANSI, "1a1b26 565f89 24283b 33467c c0caf5 565f89 f7768e 9ece6a e0af68 7aa2f7 bb9af7 7dcfff"),
    _ink(_ANSI, "272822 75715e 3e3d32 49483e f8f8f2 8a8672 f92672 a6e22e e6db74 6690e0 ae81ff 66d9ef"),
    _ink(_ANSI, "012456 8090b0 0a3268 2a5a9a eeedf0 a0acc4 ff6a6a 6ee26e f2e25a 7ab8ff e58af0 5ce0ee"),
    _ink(_ANSI, "2e3440 4c566a 3b4252 434c5e e5e9f0 717c94 bf616a a3be8c ebcb8b 81a1c1 b48ead 88c0d0"),
    _ink(_ANSI, "0c0f0a 2f7a3a 10180e 1c4a24 4fe36a 2f8a40 d8f05a 8affa0 c8ff8a 3fc880 6ae0a8 a0ffd8"),
    _ink(_ANSI, "ffffff 8a8a8a f0f0f0 c0d8ff 333333 8a8a8a c91b00 00932a 9a7700 0225c7 b522b0 008a99"),
    _ink(_ANSI, "fdf6e3 93a1a1 eee8d5 d8d2bc 586e75 93a1a1 dc322f 859900 b58900 268bd2 d33682 2aa198"),
    _ink(_ANSI, "fafafa a0a1a7 ececee d0d8ec 383a42 9a9ba2 d6453a 4a9a48 b87a00 3a70ea a030a0 0780b4"),
)


@dataclass(frozen=True)
class Style:
    """Style of a desktop.

    Attributes:
        zoom: device pixels per logical pixel.
        ui: colours of windows.
        ink, shell: text colours of program text, and of terminals.
        accent: colour of highlighted elements, such as buttons.
        manner: kind of title bar, "lights", "flat" or "round".
        sans, prose, mono: font families of the interface, of running text, and of program text.
        soft: whether text is unhinted, see `Font`.
        ui_size, code_size: usual sizes of the interface font and of the monospaced font, in logical pixels.
        script: writing system of running text, such as Latin.
    """

    zoom: float
    ui: Ui
    ink: Ink
    shell: Ink
    accent: Colour
    manner: str
    sans: Family
    prose: Family
    mono: Family
    soft: bool
    ui_size: int
    code_size: int
    script: str = LATIN

    def label(self, size: float = 0, bold: bool = False) -> Font:
        """The interface font; `size` is added to its usual size, in logical pixels."""
        return self._font(self.sans, self.ui_size + size, bold=bold)

    def text(self, size: float, bold: bool = False, italic: bool = False) -> Font:
        """The font of running text on pages; `size` is in logical pixels."""
        return self._font(self.prose, size, bold=bold, italic=italic)

    def code(self, size: float = 0, bold: bool = False, italic: bool = False) -> Font:
        """The monospaced font; `size` is added to its usual size, in logical pixels."""
        return self._font(self.mono, self.code_size + size, bold=bold, italic=italic, mono=True)

    def _font(self, family: Family, size: float, bold: bool = False, italic: bool = False, mono: bool = False) -> Font:
        path = family.bold if bold else family.italic if italic else family.regular
        return Font(path, size, self.soft, mono)


def draw_style(rng: np.random.Generator, fonts: FontSet, zoom: float) -> Style:
    """Choose a style at random. Editors are dark more often than the desktop, and most terminals are dark."""
    ui = pick(rng, UIS)
    script = LATIN if rng.random() < 0.7 else pick(rng, SCRIPTS)
    sans, serif = ([f for f in some if covers(f, letters(script))] for some in (fonts.sans, fonts.serif))
    if not sans:
        sans, script = fonts.sans or fonts.mono, LATIN
    mono = pick(rng, fonts.mono)
    narrow = "cmtt" in mono.regular or "Inconsolata" in mono.regular  # comfortable sizes of these run larger
    return Style(
        zoom=zoom,
        ui=ui,
        ink=pick(rng, DARK_INKS if ui.dark or rng.random() < 0.3 else LIGHT_INKS),
        shell=pick(rng, SHELLS[:-3] if ui.dark or rng.random() < 0.6 else SHELLS),
        accent=pick(rng, ACCENTS),
        manner=pick(rng, ("lights", "flat", "round")),
        sans=pick(rng, sans),
        prose=pick(rng, (*sans, *(serif or sans))),
        mono=mono,
        soft=bool(rng.random() < 0.35),
        ui_size=int(rng.integers(11, 13)),
        code_size=int(rng.integers(13, 16)) if narrow else int(rng.integers(10, 14)),
        script=script,
    )
