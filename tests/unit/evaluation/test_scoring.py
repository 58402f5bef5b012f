"""Scoring: the same numbers however the clip is cut, and nothing read before it is needed."""

import gc
import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.flow import Farneback
from vsr_lab.core.network import Network
from vsr_lab.core.records.evaluation import CandidateFacts
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.candidates import Candidate, FramesCandidate, NetworkCandidate, interpolation
from vsr_lab.evaluation.protocol import Pair, Protocol
from vsr_lab.evaluation.scoring import ClipFacts, score_clip
from vsr_lab.metrics import Stream, flicker, lr_consistency, psnr, ssim, tof, true_warp_error, warp_error

Moving = Callable[..., Tensor]
Scores = dict[str, dict[str, np.ndarray]]
METRICS: dict[str, Callable[..., Tensor]] = {
    "psnr": psnr,
    "ssim": ssim,
    "flicker": flicker,
    "tof": tof,
    "warp_error": warp_error,
    "true_warp_error": true_warp_error,
    "lr_consistency": lr_consistency,
}


def _protocol(*metrics: str, **changes: Any) -> Protocol:
    names = metrics or tuple(METRICS)
    values: dict[str, Any] = {
        "colour": "y",
        "crop": 0,
        "trim": 0,
        "centre_only": False,
        "metrics": {name: METRICS[name] for name in names},
        **changes,
    }
    return Protocol("test", "", 2, ResizeDown(2), **values)


@pytest.fixture
def pairs(moving: Moving) -> list[Pair]:
    """Nine frames, so that chunks of 2, 3, 4 and 8 all end otherwise."""
    hr = quantise(moving(9, 32, 48))
    return [Pair(*pair) for pair in zip(ResizeDown(2).apply(hr, {}), hr, strict=True)]


def _score(
    candidates: list[Candidate],
    pairs: Iterable[Pair],
    protocol: Protocol,
    chunk: int = 8,
    watch: Callable[..., None] = lambda *_: None,
    frames: int = 9,
) -> Scores:
    return score_clip(candidates, ClipFacts("walk", frames), pairs, protocol=protocol, chunk=chunk, watch=watch)[0]


def _values(scores: Scores) -> dict[tuple[str, str, int], float]:
    return {
        (candidate, metric, t): float(value)
        for candidate, metrics in scores.items()
        for metric, values in metrics.items()
        for t, value in enumerate(values)
        if not np.isnan(value)
    }


@dataclass(frozen=True)
class Changed:
    """The truth's own frames, changed: what another tool might have written."""

    name: str
    truth: list[Tensor]
    change: Callable[[int, Tensor], Tensor]
    scale: int | None = None
    facts: CandidateFacts = field(default_factory=lambda: CandidateFacts(kind="changed"))

    def frames(self, clip: str, lr: Iterable[Tensor]) -> Iterator[Tensor]:
        for t, _ in enumerate(lr):
            yield self.change(t, self.truth[t])


def _changed(pairs: list[Pair], change: Callable[[int, Tensor], Tensor], name: str = "ours") -> Changed:
    return Changed(name, [pair.hr for pair in pairs], change)


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 9, 20])
def test_the_size_of_a_chunk_changes_no_number(pairs: list[Pair], chunk: int) -> None:
    candidates = [interpolation("bicubic", 2), interpolation("nearest", 2)]
    whole = _values(_score(candidates, pairs, _protocol(), 8))
    assert _values(_score(candidates, pairs, _protocol(), chunk)) == pytest.approx(whole, rel=1e-6, abs=1e-9)


def test_numbers_are_those_of_the_metrics_on_the_whole_clip(pairs: list[Pair]) -> None:
    found = _values(_score([interpolation("bicubic", 2)], pairs, _protocol("psnr", "flicker")))
    hr = torch.stack([pair.hr for pair in pairs])[None]
    sr = quantise(interpolation("bicubic", 2).network(torch.stack([pair.lr for pair in pairs])[None]))  # type: ignore[attr-defined]
    for name, row in {"psnr": psnr(sr, hr, "y")[0], "flicker": flicker(sr, hr, Farneback()(hr))[0]}.items():
        for t in range(1, 9):
            assert found["bicubic", name, t] == pytest.approx(row[t].item())


def test_the_first_frame_has_no_temporal_score(pairs: list[Pair]) -> None:
    found = _values(_score([interpolation("bicubic", 2)], pairs, _protocol("psnr", "flicker")))
    assert {t for _, metric, t in found if metric == "psnr"} == set(range(9))
    assert {t for _, metric, t in found if metric == "flicker"} == set(range(1, 9))


@pytest.mark.parametrize("chunk", [1, 2, 4, 100])
def test_two_frames_of_different_scenes_have_no_temporal_score(moving: Moving, chunk: int) -> None:
    hr = quantise(torch.cat([moving(9, 32, 48), 0.4 * moving(9, 32, 48, seed=1)]))
    joined = [Pair(*pair) for pair in zip(ResizeDown(2).apply(hr, {}), hr, strict=True)]
    bicubic, protocol = interpolation("bicubic", 2), _protocol("psnr", "flicker")
    found = _values(_score([bicubic], joined, protocol, chunk, frames=18))
    assert {t for _, metric, t in found if metric == "psnr"} == set(range(18))
    assert {t for _, metric, t in found if metric == "flicker"} == {*range(1, 9), *range(10, 18)}
    second = _values(_score([bicubic], joined[9:], protocol))
    assert {t: found["bicubic", "flicker", t + 9] for t in range(1, 9)} == pytest.approx(
        {t: second["bicubic", "flicker", t] for t in range(1, 9)}
    )


def test_trimmed_frames_do_not_count_but_are_the_past_of_those_that_do(pairs: list[Pair]) -> None:
    found = _values(_score([interpolation("bicubic", 2)], pairs, _protocol("flicker", trim=2), 3))
    assert {t for *_, t in found} == set(range(2, 7))


def test_the_centre_frame_alone(pairs: list[Pair]) -> None:
    found = _values(_score([interpolation("bicubic", 2)], pairs, _protocol("psnr", centre_only=True), 3))
    assert {t for *_, t in found} == {4}


def test_frames_are_freed_without_a_search_for_reference_cycles(pairs: list[Pair]) -> None:
    windows = list[weakref.ref[Tensor]]()

    def alive(hr: Tensor) -> Tensor:
        windows.append(weakref.ref(hr))
        return torch.full(hr.shape[:2], sum(window() is not None for window in windows))

    gc.disable()
    try:
        found = _score([interpolation("bicubic", 2)], pairs, _protocol(metrics={"alive": alive}), 2)
    finally:
        gc.enable()
    assert max(_values(found).values()) <= 2  # the windows of this call and of the one before


def test_a_cropped_border_does_not_count(pairs: list[Pair]) -> None:
    def spoil(t: int, frame: Tensor) -> Tensor:
        frame = frame.clone()
        frame[:, :4] = 0
        return frame

    spoilt = [_changed(pairs, spoil)]
    assert min(_values(_score(spoilt, pairs, _protocol("psnr", crop=4))).values()) == 100
    # 24 of 32 rows are scored, and 48 of 48 columns
    assert min(_values(_score(spoilt, pairs, _protocol("psnr", crop_multiple=24))).values()) == 100
    assert max(_values(_score(spoilt, pairs, _protocol("psnr"))).values()) < 30


def test_the_truth_scores_perfectly(pairs: list[Pair]) -> None:
    found = _values(_score([_changed(pairs, lambda t, frame: frame)], pairs, _protocol()))
    perfect = {"psnr": 100, "ssim": 1, "flicker": 0, "tof": 0, "lr_consistency": 100}
    for (_, metric, t), value in found.items():
        expected = perfect.get(metric, found["ours", "true_warp_error", max(t, 1)])
        assert value == pytest.approx(expected, abs=1e-6)


def test_what_is_scored_is_clamped_and_rounded(pairs: list[Pair]) -> None:
    hardly = [_changed(pairs, lambda t, frame: frame + 0.4 / 255)]
    assert min(_values(_score(hardly, pairs, _protocol("psnr"))).values()) == 100


def test_candidates_beside_each_other_do_not_change_each_others_numbers(pairs: list[Pair]) -> None:
    both = _values(_score([interpolation("bicubic", 2), interpolation("nearest", 2)], pairs, _protocol("psnr", "tof")))
    for name in ("bicubic", "nearest"):
        alone = _values(_score([interpolation(name, 2)], pairs, _protocol("psnr", "tof")))
        assert {key: value for key, value in both.items() if key[0] == name} == alone


# What cannot be judged


def test_frames_of_another_size_are_refused(pairs: list[Pair]) -> None:
    small = _changed(pairs, lambda t, frame: frame[:, :16], "small")
    with pytest.raises(UserError, match="small: outputs 48x16 frames, but HR has 48x32"):
        _score([small], pairs, _protocol("psnr"))


def test_frames_that_are_not_finite_are_never_left_out_of_the_mean(pairs: list[Pair]) -> None:
    def burst(t: int, frame: Tensor) -> Tensor:
        return frame * float("nan") if t == 3 else frame

    try:
        found = _values(_score([_changed(pairs, burst)], pairs, _protocol("psnr")))
    except (UserError, Refusal):
        return
    assert found["ours", "psnr", 3] < 20


@dataclass(frozen=True)
class Short(Changed):
    """Outputs one frame less than it was given."""

    def frames(self, clip: str, lr: Iterable[Tensor]) -> Iterator[Tensor]:
        return itertools.islice(super().frames(clip, lr), 8)


def test_too_few_frames_are_reported(pairs: list[Pair]) -> None:
    short = Short("short", [pair.hr for pair in pairs], lambda t, frame: frame)
    with pytest.raises(UserError, match="short: outputs 8 frames, but the clip has more"):
        _score([short], pairs, _protocol("psnr"))


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        (lambda sr, hr: (sr - hr).abs().mean(), r"returned \(\), expected a tensor of shape \(1, 9\)"),
        (lambda sr, hr: (sr - hr).abs().mean((0, 2, 3, 4)), r"returned \(9,\), expected a tensor of shape \(1, 9\)"),
        (lambda sr, hr: 1.0, "returned float, expected a tensor"),
        (lambda sr, hr: 1 / (sr - sr).flatten(2).sum(2), "returned infinity"),
    ],
)
def test_a_metric_of_the_wrong_shape_is_named(
    pairs: list[Pair], metric: Callable[[Tensor, Tensor], Tensor], problem: str
) -> None:
    protocol = replace(_protocol("psnr"), metrics={"broken": metric})
    with pytest.raises(UserError, match=f"metric broken: {problem}"):
        _score([interpolation("bicubic", 2)], pairs, protocol)


def _write_frames(folder: Path, pairs: list[Pair], *shown: int) -> FramesCandidate:
    import cv2

    from vsr_lab.core.clip import to_frames

    (folder / "walk").mkdir(parents=True)
    for number, t in enumerate(shown):
        cv2.imwrite(str(folder / "walk" / f"{number:03}.png"), to_frames(pairs[t].hr)[..., ::-1])
    return FramesCandidate("theirs", folder)


def test_frames_of_another_tool_are_judged_one_by_one(tmp_path: Path, pairs: list[Pair]) -> None:
    theirs = _write_frames(tmp_path, pairs, *range(9))
    assert set(_values(_score([theirs], pairs, _protocol("psnr"), 4)).values()) == {100}


@pytest.mark.parametrize("count", [8, 10])
def test_another_number_of_frames_is_refused(tmp_path: Path, pairs: list[Pair], count: int) -> None:
    """Ten frames for a clip of nine are another window: the first nine would be held against the wrong truth."""
    theirs = _write_frames(tmp_path, pairs, *([0] * count))
    with pytest.raises(UserError, match=rf"walk: has {count} frames, but the clip"):
        _score([theirs], pairs, _protocol("psnr"))


# How much is read


def test_nothing_is_read_ahead_for_candidates_that_stream(pairs: list[Pair]) -> None:
    read: list[int] = []

    def source() -> Iterator[Pair]:
        for t, pair in enumerate(pairs):
            read.append(t)
            yield pair

    ahead: list[int] = []
    candidates: list[Candidate] = [interpolation("bicubic", 2), interpolation("nearest", 2)]
    _score(candidates, source(), _protocol("psnr"), 3, lambda t, *_: ahead.append(len(read) - (t + 1)))
    assert ahead == [0] * 9


class Whole(Network):
    """Sees the whole clip at once."""

    scale = 2
    lookahead = None

    def forward(self, lr: Tensor) -> Tensor:
        assert lr.shape[1] == 9
        return lr.repeat_interleave(2, -1).repeat_interleave(2, -2)


def test_a_candidate_that_needs_the_whole_clip_gets_it(pairs: list[Pair]) -> None:
    found = _values(_score([NetworkCandidate("whole", Whole()), interpolation("nearest", 2)], pairs, _protocol("psnr")))
    assert [found["whole", "psnr", t] for t in range(9)] == [found["nearest", "psnr", t] for t in range(9)]


def test_the_source_is_read_once_for_all_candidates(pairs: list[Pair]) -> None:
    read: list[int] = []
    source = (read.append(t) or pair for t, pair in enumerate(pairs))
    _score([interpolation("bicubic", 2), interpolation("nearest", 2)], source, _protocol("psnr"))
    assert read == list(range(9))


def test_every_frame_is_shown_as_it_passes(pairs: list[Pair]) -> None:
    shown: list[tuple[int, bool, set[str]]] = []

    def watch(t: int, pair: Pair, made: dict[str, Tensor]) -> None:
        shown.append((t, torch.equal(pair.hr, pairs[t].hr), set(made)))

    _score([interpolation("bicubic", 2)], pairs, _protocol("psnr", trim=2), 4, watch)
    assert shown == [(t, True, {"bicubic"}) for t in range(9)]


# Metrics of whole clips


def _levels(stream: Stream) -> Tensor:
    """The first level of every frame of sr and hr, the number of frames, and their rate."""
    rows = [torch.stack([sr[:, 0, 0, 0], hr[:, 0, 0, 0]]) for sr, hr in stream.read("sr", "hr")]
    return torch.cat(rows, 1).sum(0, keepdim=True) + 10 * stream.frames + 100 * stream.rate


@pytest.mark.parametrize("chunk", [1, 2, 8, 20])
@pytest.mark.parametrize(("trim", "crop"), [(0, 0), (2, 4)])
def test_a_metric_of_a_clip_reads_the_scored_frames_in_order(
    pairs: list[Pair], chunk: int, trim: int, crop: int
) -> None:
    protocol = _protocol(metrics={"levels": _levels, "psnr": psnr}, trim=trim, crop=crop)
    found = _score([_changed(pairs, lambda t, f: f), interpolation("nearest", 2)], pairs, protocol, chunk)
    expected = np.full(9, np.nan)
    for t in range(trim, 9 - trim):
        expected[t] = 2 * pairs[t].hr[0, crop, crop] + 10 * (9 - 2 * trim) + 100 * 25
    np.testing.assert_allclose(found["ours"]["levels"], expected)
    assert found["nearest"]["levels"][4] != expected[4]


@pytest.mark.parametrize(("read", "made"), [(0, 3), (1, 3), (2, 4), (9, 9)])
def test_a_metric_of_a_clip_that_fails_ends_the_evaluation(pairs: list[Pair], read: int, made: int) -> None:
    def fails(stream: Stream) -> Tensor:
        list(itertools.islice(stream.read("sr"), read))
        raise UserError("metric", "fails", "")

    threads = threading.active_count()
    seen: list[int] = []
    with pytest.raises(UserError, match="fails"):
        _score([interpolation("nearest", 2)], pairs, _protocol(metrics={"m": fails}), 1, lambda t, *_: seen.append(t))
    assert len(seen) == made
    assert threading.active_count() == threads


def test_a_metric_of_a_clip_ends_with_an_evaluation_that_fails(pairs: list[Pair]) -> None:
    threads = threading.active_count()
    with pytest.raises(UserError, match="NaN"):
        _score([_changed(pairs, lambda t, f: f / (t < 5))], pairs, _protocol(metrics={"levels": _levels}), 2)
    assert threading.active_count() == threads


def test_a_metric_of_a_clip_needs_a_value_for_each_frame(pairs: list[Pair]) -> None:
    with pytest.raises(UserError, match=r"returned \(1, 2\), expected a tensor of shape \(1, 9\)"):
        _score([interpolation("nearest", 2)], pairs, _protocol(metrics={"m": lambda stream: torch.zeros(1, 2)}))


# Pace


class Clock:
    """Stands still but for the work of candidates."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


def _pace(candidate: Candidate, pairs: list[Pair]) -> dict[str, float]:
    protocol = _protocol("psnr")
    return score_clip([candidate], ClipFacts("walk", 9), pairs, protocol=protocol, chunk=8, watch=lambda *_: None)[1]


def test_the_pace_is_that_of_a_frame_once_it_runs(pairs: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("vsr_lab.evaluation.scoring.time", clock)

    def work(t: int, frame: Tensor) -> Tensor:
        clock.now += 5 if t == 0 else 1
        return frame

    pace = _pace(_changed(pairs, work), pairs)
    assert pace == {"ours": pytest.approx(1000)}


def test_the_pace_of_a_candidate_that_sees_the_whole_clip_at_once_is_shared_by_its_frames(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("vsr_lab.evaluation.scoring.time", clock)

    class Slow(Whole):
        def forward(self, lr: Tensor) -> Tensor:
            clock.now += 9
            return super().forward(lr)

    pace = _pace(NetworkCandidate("whole", Slow()), pairs)
    assert pace == {"whole": pytest.approx(1000)}
