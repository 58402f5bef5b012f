"""The top of the report: what ships, why, what is missing, and what a wrong content choice costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.core.records import write_record
from vsr_lab.core.records.comparison import CandidatePlace, Comparison
from vsr_lab.core.records.evaluation import CandidateFacts, Evaluated, ProtocolFacts, Selection
from vsr_lab.core.records.votes import PairVotes, Votes
from vsr_lab.evaluation.gates import Above, NotWorse
from vsr_lab.evaluation.results import read_run, write_results
from vsr_lab.evaluation.selection import select
from vsr_lab.reporting import compare
from vsr_lab.reporting.clip_table import clip_tables
from vsr_lab.reporting.decision import Decision, decisions
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.tables import origin_rows, pair_tables

CLIPS = [f"clip_{n}" for n in range(8)]
GATES = {"psnr": Above("psnr", 0.0), "flicker": NotWorse("flicker", 0.05)}


def evaluate(root: Path, candidate: str, suite: str, gain: float, clips: list[str] = CLIPS) -> Path:
    """Write an evaluation of invented values: gain dB above 30, the more the less flicker."""
    random = np.random.default_rng(sum(map(ord, candidate + suite)))
    folder = root / suite / candidate
    bases = {"psnr": 30 + gain, "flicker": 2 - gain / 10}
    scores = {clip: {name: base + 0.02 * random.standard_normal(4) for name, base in bases.items()} for clip in clips}
    facts = CandidateFacts(
        kind="checkpoint", path=f"/private/{candidate}.safetensors", sha256="0" * 64, about={"trained_with": "fidelity"}
    )
    evaluated = Evaluated(
        candidate=candidate,
        candidate_facts=facts if candidate != "bicubic" else CandidateFacts(kind="interpolation"),
        suite=suite,
        content=suite,
        suite_fingerprint="abc",
        protocol=ProtocolFacts(name="p", fingerprint="f", scale=2, description=""),
        metric_fingerprints={},
        ms_per_frame=5.0,
        pictures=[],
    )
    write_results(folder, evaluated, scores)
    return folder


def decide(root: Path, clips: list[str] = CLIPS, **gains: float) -> tuple[list[Decision], Comparison]:
    """Evaluations on animation and screen_capture; gains are on animation, and opposite on screen_capture."""
    runs = [
        evaluate(root, name, suite, way * gain, clips)
        for suite, way in (("animation", 1), ("screen_capture", -1))
        for name, gain in {"bicubic": 0.0, **gains}.items()
    ]
    selection = select(runs, {"default": GATES}, front=("psnr", "flicker"), folder=root / "select")
    comparison = compare(runs, root / "compare", selection=selection, front=("psnr", "flicker"))
    return decisions(Lookup(comparison)), comparison


def test_what_ships_and_why(tmp_path: Path) -> None:
    (animation, screen), comparison = decide(tmp_path, drawn=2.0, typed=-1.0)
    assert (animation.answer, animation.status) == ("drawn ships for animation.", "final")
    assert animation.gain.startswith("PSNR (mean of frames) +2.0")
    assert animation.gain.endswith("against bicubic, better on 8 of 8 clips")
    assert animation.missing == []
    assert "2 of 2 gates are passed." in animation.why
    assert "It is the only candidate that no gate refused." in animation.why
    assert animation.refused[0].why.startswith("refused by psnr: psnr (of the mean squared error) -1.0")
    assert (screen.chosen, screen.status) == ("typed", "final")
    assert animation.costs[0].startswith(
        "By typed, which ships for screen_capture: a clear loss: PSNR (mean of frames) \N{MINUS SIGN}3.0"
    )
    html = (tmp_path / "compare" / "report.html").read_text("utf-8")
    assert "drawn ships for animation." in html and "/private/" not in html.split("<script")[0]
    assert [row.gate for row in animation.gates] == ["psnr", "flicker"]
    assert comparison.selection is not None


def test_few_clips_are_provisional_and_say_what_is_missing(tmp_path: Path) -> None:
    (animation, screen), _ = decide(tmp_path, ["only"], drawn=2.0)
    assert animation.status == "provisional"
    assert "provisionally" in animation.answer
    assert animation.missing[-1].startswith("more clips of independent sources: 1 here, at least 8")
    assert animation.why[-1] == "With one clip, the stability of the choice cannot be tested."
    assert (screen.status, screen.costs) == ("nothing", [])
    assert screen.answer == "Nothing ships for screen_capture: no candidate passed every gate."


def test_the_worst_tile_of_what_ships_is_named(tmp_path: Path) -> None:
    _, comparison = decide(tmp_path, drawn=2.0)
    tiles = [
        CandidatePlace(
            **{"suite": "animation", "candidate": name, "clip": "clip_3", "kind": "tile"},
            **{"frame": 2, "top": 16, "left": 32, "error": error, "bicubic": 3.0},
        )
        for name, error in (("drawn", 4.0), ("drawn", 9.5), ("bicubic", 50.0))
    ]
    animation = decisions(Lookup(comparison.model_copy(update={"worst": tiles})))[0]
    assert animation.why[-1] == (
        "Its worst tile of 16×16 pixels is in clip_3, frame 2, at x 32, y 16: error 9.5 levels, bicubic 3.0."
    )


def test_a_tie_is_named(tmp_path: Path) -> None:
    (animation, _), _ = decide(tmp_path, drawn=2.0, twin=1.98)
    assert animation.refused[0].why.startswith("tied with drawn: 2 tied by PSNR (mean of frames); ")
    assert "Tied with it: twin." in animation.why
    assert animation.why[-1].startswith(
        "Stability: leaving out one clip, the choice is the same in 8 of 8 cases; of 200"
    )


def test_the_votes_that_decided_are_shown(tmp_path: Path) -> None:
    runs = [evaluate(tmp_path, name, "film", gain) for name, gain in {"bicubic": 0.0, "a": 2.0, "b": 1.0}.items()]
    rows = [
        PairVotes(suite="film", clip=clip, candidate=one, other=other, wins=1, losses=3, ties=0)
        for clip in CLIPS
        for one, other in (("a", "b"), ("bicubic", "b"))
    ]
    votes = Votes(
        protocol=read_run(runs[0]).summary.protocol,
        **{"seed": 0, "voters": {}, "left_out": [], "strengths": [], "pairs": rows, "agreement": []},
        evaluations={"film": {read_run(run).candidate: read_run(run).summary.fingerprint for run in runs}},
    )
    write_record(tmp_path / "votes.json", votes)
    front = ("psnr", "flicker")
    selection = select(runs, {"default": GATES}, front=front, votes=tmp_path / "votes.json")
    (film,) = decisions(Lookup(compare(runs, tmp_path / "compare", selection=selection, front=front)))
    assert film.answer == "b ships for film."
    assert "Of 2 candidates that no gate refused: best by people's votes." in film.why
    told = "preferred on 8 clips and not on 0 (p = 0.0078), 24 of 32 votes against 8 for"
    assert film.refused[0].why == f"b is {told} it"
    html = (tmp_path / "compare" / "report.html").read_text("utf-8")
    assert f"b is {told} it" in html and f"{told} bicubic" in html


def test_tables_of_clips_pairs_and_origins(tmp_path: Path) -> None:
    _, comparison = decide(tmp_path, drawn=2.0, typed=-1.0)
    lookup = Lookup(comparison)
    psnr = clip_tables(lookup)[0]
    assert [row.clip for row in psnr.rows] == CLIPS * 2
    names = [candidate.name for candidate in comparison.candidates]
    assert dict(zip(names, psnr.wins, strict=True)) == {"bicubic": 0, "drawn": 8, "typed": 8}
    assert dict(zip(names, psnr.better, strict=True)) == {"bicubic": "–", "drawn": "8 of 16", "typed": "8 of 16"}
    cells = dict(zip(names, psnr.rows[0].cells, strict=True))
    assert (cells["drawn"].gain[:2], cells["drawn"].tone) == ("+2", "better")
    assert (cells["typed"].gain[:2], cells["typed"].tone) == ("\N{MINUS SIGN}1", "worse")
    assert (cells["bicubic"].gain, cells["drawn"].best) == ("", True)
    grid = pair_tables(lookup)[0].grids[0]
    row = next(row for row in grid.rows if row.name == "drawn")
    cell = row.cells[grid.names.index("typed")]
    assert cell is not None
    assert (cell.tone, cell.clear, cell.record) == ("better", True, "8 won, 0 lost; p < 0.001")
    turned = next(row for row in grid.rows if row.name == "typed").cells[grid.names.index("drawn")]
    assert turned is not None
    assert (turned.tone, turned.record) == ("worse", "0 won, 8 lost; p < 0.001")
    assert row.cells[grid.names.index("drawn")] is None
    origins = {origin.candidate: origin for origin in origin_rows(lookup)}
    assert origins["drawn"].file == "drawn.safetensors"
    assert len(origins["drawn"].suites) == 2
    assert origins["drawn"].machine


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda s: s["protocol"].update(fingerprint="other"), "other settings"),
        (lambda s: s["choices"][0]["gates"].update(gone=[]), "gone on animation"),
        (lambda s: s["choices"][0]["candidate_facts"].update(sha256="1" * 64), "other weights"),
    ],
)
def test_a_selection_of_other_evaluations_is_refused(tmp_path: Path, change: Any, problem: str) -> None:
    _, comparison = decide(tmp_path, drawn=2.0)
    assert comparison.selection is not None
    changed = comparison.selection.model_dump()
    change(changed)
    runs = [path.parent for path in tmp_path.glob("*/*/summary.json")]
    with pytest.raises(UserError, match=problem):
        compare(runs, tmp_path / "again", selection=Selection.model_validate(changed))
    assert not (tmp_path / "again").exists()
