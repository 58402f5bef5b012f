"""Functions are handed what their signature names, and lazy things are made once."""

import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.core.inputs import Inputs, required_inputs


def test_only_parameters_without_a_default_are_needed() -> None:
    assert required_inputs(lambda sr, hr, weight=1: None) == ("sr", "hr")


def test_a_function_gets_just_what_it_names() -> None:
    assert Inputs({"sr": 3, "hr": 5, "lr": 7}, {}).call(lambda hr, sr: hr - sr) == 2


def test_a_lazy_input_is_computed_once_and_only_when_asked_for() -> None:
    made: list[str] = []
    inputs = Inputs({"sr": 1}, {"motion": lambda: made.append("motion") or 4})
    assert inputs.call(lambda sr: sr) == 1
    assert made == []
    assert [inputs.call(lambda motion: motion) for _ in range(2)] == [4, 4]
    assert made == ["motion"]


def test_a_lazy_input_of_the_parent_is_computed_once_for_all_children() -> None:
    made: list[str] = []
    parent = Inputs({}, {"motion": lambda: made.append("motion") or 4})
    children = [Inputs({"sr": sr}, {}, parent) for sr in (1, 2)]
    assert [child.call(lambda sr, motion: sr * motion) for child in children] == [4, 8]
    assert made == ["motion"]


def test_a_child_hides_its_parents_inputs_of_the_same_name() -> None:
    assert Inputs({"sr": 2}, {}, Inputs({"sr": 1}, {})).call(lambda sr: sr) == 2


def test_an_input_nobody_offers_is_named() -> None:
    with pytest.raises(
        UserError, match=r"has a parameter depth, which is not the name of an input; choose from hr, motion, sr"
    ):
        Inputs({"sr": 1}, {"motion": int}, Inputs({"hr": 1}, {})).call(lambda sr, depth: None)
