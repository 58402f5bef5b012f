"""Legibility: characters of HR that are read from SR, by the height of their lines."""

import math
import sys
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.errors import UserError
from vsr_lab.core.resize import imresize
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.candidates import interpolation
from vsr_lab.evaluation.protocol import Pair, Protocol
from vsr_lab.evaluation.scoring import ClipFacts, score_clip
from vsr_lab.metrics import find_text, legibility, read_text
from vsr_lab.metrics.legibility import Line, edit_distance, reader

installed = pytest.mark.skipif(
    find_spec("rapidocr_onnxruntime") is None, reason="the extra legibility is not installed"
)
WORDS = ("Streaming networks keep a state", "for every frame of the video", "and are reset at cuts")


def line(text: str, height: int) -> Line:
    return Line(text, 0, 0, 100, height)


@pytest.fixture(scope="module")
def page() -> Tensor:
    """One frame of dark text on white, its lines growing, (1, 1, 3, 240, 640)."""
    image = np.full((240, 640, 3), 255, np.uint8)
    for n, words in enumerate(WORDS):
        cv2.putText(
            image, words, (12, 50 + 70 * n), cv2.FONT_HERSHEY_SIMPLEX, 0.6 + 0.3 * n, (20, 20, 20), 1 + n, cv2.LINE_AA
        )
    return torch.from_numpy(image).permute(2, 0, 1)[None, None] / 255


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("", "", 0), ("abc", "abc", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("ab", "ba", 2)],
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == distance


def test_it_is_one_minus_the_rate_of_wrong_characters() -> None:
    frames = torch.zeros(1, 3, 3, 8, 8)
    lines = [[line("abcd", 10), line("efghij", 20)], [line("abcd", 10)], []]
    texts = [["abxd", "efghij"], ["what was never there"], []]
    assert legibility(frames, texts, lines).tolist()[0][:2] == [pytest.approx(0.9), 0]
    assert legibility(frames, texts, lines)[0, 2].isnan()


def test_lines_are_counted_by_their_height() -> None:
    frames, lines, texts = torch.zeros(1, 1, 3, 8, 8), [[line("abcd", 15), line("efgh", 16)]], [["abcd", "...."]]
    assert legibility(frames, texts, lines, most=16).item() == 1
    assert legibility(frames, texts, lines, least=16, most=28).item() == 0
    assert math.isnan(legibility(frames, texts, lines, least=28).item())


@installed
def test_hr_is_read_in_full_and_its_text_is_what_was_written(page: Tensor) -> None:
    lines = find_text(page)
    assert [found.text.replace(" ", "") for found in lines[0]] == [words.replace(" ", "") for words in WORDS]
    heights = [found.height for found in lines[0]]
    assert heights == sorted(heights)
    assert legibility(page, read_text(page, lines), lines).item() == 1


@installed
def test_small_text_is_lost_first(page: Tensor) -> None:
    lines = find_text(page)
    blurred = quantise(imresize(imresize(page[0], 1 / 4), 4))[None]
    texts = read_text(blurred, lines)
    border = lines[0][1].height
    small = legibility(blurred, texts, lines, most=border).item()
    assert small < 0.8
    assert legibility(blurred, texts, lines, least=border).item() > small + 0.1


@installed
def test_a_page_without_text_has_no_number() -> None:
    blank = torch.ones(1, 2, 3, 64, 64)
    lines = find_text(blank)
    assert legibility(blank, read_text(blank, lines), lines).isnan().all()


@installed
def test_an_evaluation_measures_it_in_every_frame(page: Tensor) -> None:
    protocol = Protocol("p", "p", 2, ResizeDown(2), metrics={"legibility": legibility})
    pair = Pair(protocol.degrade(page[0])[0], page[0, 0])
    scores, _ = score_clip(
        [interpolation("bicubic", 2)],
        ClipFacts("page", 3),
        [pair] * 3,
        protocol=protocol,
        chunk=2,
        watch=lambda *_: None,
    )
    values = scores["bicubic"]["legibility"]
    assert len(values) == 3
    assert (values == values[0]).all()
    assert 0.7 < values[0] <= 1


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    with pytest.raises(UserError, match=r"^legibility: its package is not installed .* Python 3\.13; pip install"):
        reader.__wrapped__()
