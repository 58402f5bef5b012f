"""The bounds of configs/gates/standard.yaml, by faults of benchmarks/faults.py on the output of a good candidate.

The candidate lies half way between bicubic and HR, on drawn clips, so that nothing depends on footage or weights.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from tests.conftest import ROOT
from vsr_lab.core.clip import quantise
from vsr_lab.core.records.evaluation import Choice
from vsr_lab.evaluation.protocol import Suite, read_pairs
from vsr_lab.evaluation.selection import select
from vsr_lab.models import Interpolation
from vsr_lab.video import VideoWriter

_SIDE, _SCALE = 128, 4
MEANT = {  # faults by the gate that is meant for them
    "frame_order": "late1 early1 reversed shuffled swap2 drop_dup_end every2nd_dup freeze1 freeze4",
    "color": "cast2 cast2_all chroma_off6 desat50 gray m601as709 m709as601 gamma1.05 gamma1.2 full_as_limited "
    "limited_as_full letterbox16 other_clip flick2 flick5 border1black tile32_wrong",
    "registration": "px0.25 px0.5",
    "grid": "checker2 checker4",
    "sharpness": "halfblur blur1.5",
    "even_sharpness": "2nd_half_blur",
    "worst_area": "tile32_black_1frame black1 blacklast",
    "ghosting": "ghost20 ghostIIR30",
}
# Sharpening is no fault here: it brings a candidate that is half bicubic closer to HR.
RELATIVE = ("blur0.8", "jpeg80", "jpeg50", "hall_static3", "hall_dyn3")
QUICK = ("late1", "px0.25", "checker2", "halfblur")


def _scene(path: Path, frames: int, seed: int) -> None:
    """A lossless clip of outlined boxes on texture, past which the camera moves down and left by fractions of a pixel.

    The planted shifts are to the right and down, so that they do not resemble a neighbouring frame.
    """
    rng = np.random.default_rng(seed)
    size = 4 * _SIDE + 10 * frames
    canvas = np.full((size, size, 3), 128.0)
    for octave in range(1, 8):
        noise = rng.normal(0, 4 * 1.3**octave, (size // 2**octave + 1, size // 2**octave + 1, 3))
        canvas += cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    for _ in range(60):
        centre, sides = rng.integers(0, size, 2).tolist(), rng.integers(8, 90, 2).tolist()
        box = cv2.boxPoints((centre, sides, float(rng.uniform(0, 180)))).astype(np.int32)
        cv2.polylines(canvas, [box], True, rng.integers(0, 256, 3).tolist(), int(rng.integers(3, 9)))
    down, right = rng.integers(6, 11, 2)
    with VideoWriter(path, (_SIDE, _SIDE), Fraction(25)) as writer:
        for t in range(frames):
            window = canvas[t * down :, (frames - t) * right :][: 4 * _SIDE, : 4 * _SIDE]
            small = cv2.resize(window, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
            writer.write(np.clip(small, 0, 255).astype(np.uint8)[None], [t / 25])


class Judged(NamedTuple):
    """The gates that an output fails, and the choice between it and the unaltered output, beside bicubic."""

    failed: set[str]
    choice: Choice


Judge = Callable[[int, Sequence[str]], dict[str, Judged]]


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """judge(frames, faults): what was found for the unaltered output, `good`, and for each fault on it."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    planted: Any = importlib.import_module("planted_faults")

    def run(frames: int, faults: Sequence[str]) -> dict[str, Judged]:
        for seed in range(3):
            _scene(tmp_path / f"scene{seed}.mkv", frames, seed)
        suite = Suite("drawn", str(tmp_path))
        protocol, gates = planted.settings(_SCALE)
        clips = {shot.name: list(read_pairs(shot, None, protocol, 8)) for shot in suite.shots()}
        bicubic = planted.output(Interpolation(_SCALE).eval(), clips)
        good = _half_way(planted, bicubic)
        unaltered = planted.UNALTERED["asis"][1]
        made = [planted.Faulty("bicubic", _SCALE, unaltered, bicubic), planted.Faulty("good", _SCALE, unaltered, good)]
        made += [planted.Faulty(fault, _SCALE, planted.ZOO[fault][1], good) for fault in faults]
        runs = planted.score(made, suite, protocol)
        found: dict[str, Judged] = {}
        for name in ("good", *faults):
            verdicts = {gate: gates[gate].judge(gate, runs[name], runs["bicubic"]) for gate in gates}
            together = [runs[key] for key in dict.fromkeys(("bicubic", name, "good"))]
            (choice,) = select(together, {"default": gates}).choices
            found[name] = Judged({gate for gate, verdict in verdicts.items() if verdict.outcome == "fail"}, choice)
        return found

    return run


def _half_way(planted: Any, bicubic: Mapping[str, Any]) -> dict[str, Any]:
    names = list(bicubic)
    made = {name: quantise((clip.sr + clip.hr) / 2) for name, clip in bicubic.items()}
    others = dict(zip(names, names[1:] + names[:1], strict=True))
    return {name: planted.Material(made[name], made[others[name]], bicubic[name].hr) for name in names}


def _check(found: Mapping[str, Judged]) -> None:
    """The unaltered output fails no gate and is chosen; each fault fails the gate that is meant for it."""
    assert not found["good"].failed and not found["good"].choice.provisional
    assert {name: judged.choice.chosen for name, judged in found.items()} == dict.fromkeys(found, "good")
    meant = {fault: gate for gate, faults in MEANT.items() for fault in faults.split() if fault in found}
    assert not {fault: found[fault].failed for fault, gate in meant.items() if gate not in found[fault].failed}


def test_some_faults_are_refused_by_the_gate_meant_for_them(judge: Judge) -> None:
    _check(judge(6, QUICK))


@pytest.mark.slow
def test_every_absolute_fault_is_refused_and_no_relative_one_is_chosen(judge: Judge) -> None:
    _check(judge(12, [*RELATIVE, *(fault for faults in MEANT.values() for fault in faults.split())]))
