"""The contact sheet in docs/pictures shows every degradation there is, and its cells are well formed."""

import importlib.util
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import vsr_lab.degradations as shelf
from vsr_lab.degradations import Compose, Degradation, RandomApply, RandomChoice

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def sheet() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sheet", ROOT / "docs" / "pictures" / "degradations.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def within(step: Degradation) -> Iterator[type[Degradation]]:
    yield type(step)
    for inner in getattr(step, "steps", [getattr(step, "step", None), getattr(step, "inside", None)]):
        if inner is not None:
            yield from within(inner)


def test_every_degradation_has_a_cell(sheet: ModuleType) -> None:
    drawn = {
        kind
        for family, own in sheet.cells().items()
        if not family.startswith("Presets")
        for cell in own
        if cell.degradation
        for kind in within(cell.degradation)
    }
    exported = {kind for _, kind in inspect.getmembers(shelf, inspect.isclass) if issubclass(kind, Degradation)}
    assert exported - drawn - {Degradation, Compose, RandomChoice, RandomApply} == set()


def test_labels_are_unique_and_cells_have_frames_to_show(sheet: ModuleType) -> None:
    own = [cell for family in sheet.cells().values() for cell in family]
    assert len({cell.label for cell in own}) == len(own)
    assert all(cell.show in {"frame", "frames", "time"} and cell.at + 4 <= sheet.FRAMES for cell in own)


def test_the_picture_is_small_enough_to_keep() -> None:
    assert (ROOT / "docs" / "pictures" / "degradations.png").stat().st_size < 3 * 2**20
