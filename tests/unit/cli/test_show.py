"""What commands print: names of files come from anywhere, and reach the terminal as plain text."""

from collections.abc import Callable

import pytest

from vsr_lab.cli.show import show, show_facts, show_left_out, show_table
from vsr_lab.core.progress import report

NAME = "a\x1b]0;title\x07\x1b[2J[/b][red]\u202eb\udcff"
SHOWN = r"a\x1b]0;title\x07\x1b[2J[/b][red]\u202eb\udcff"


@pytest.mark.parametrize(
    "print_it",
    [
        show,
        report,
        lambda name: show_facts(name, {"file": name}),
        lambda name: show_left_out([name]),
        lambda name: show_table(name, [name], [[name]]),
    ],
)
def test_no_control_character_or_markup_of_a_name_reaches_the_terminal(
    print_it: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    print_it(NAME)
    shown = capsys.readouterr().out
    assert SHOWN in shown
    assert all(character.isprintable() for character in shown.replace("\n", ""))


def test_a_name_cannot_begin_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_left_out(["a\nvsr-lab: b"])
    assert capsys.readouterr().out == "left out: a\\nvsr-lab: b\n"
