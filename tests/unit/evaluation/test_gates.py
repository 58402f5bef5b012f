"""Gates: the number, the bound it was held against, and what it takes to pass."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import StreamingNetwork
from vsr_lab.deployment.export import Exporter
from vsr_lab.evaluation.gates import Above, Floor, Gate, NotWorse
from vsr_lab.evaluation.gates.network import ExportParity, NoDrift
from vsr_lab.evaluation.gates.sanity import InOrder, Limit, Upright
from vsr_lab.evaluation.results import Run
from vsr_lab.models import Compact, save_network

MakeRun = Callable[..., Run]
NOISE = np.random.default_rng(0).normal(30, 2, 64)


def _psnr(shift: float | np.ndarray = 0.0) -> dict[str, dict[str, list[float]]]:
    return {"psnr": {"walk": (NOISE + shift).tolist(), "run": (NOISE[::-1] + shift).tolist()}}


def test_above_needs_the_whole_interval_over_clips(make_run: MakeRun) -> None:
    """All are 0.65 above in the mean; one is so in every clip, one in one clip, and one has a single clip."""
    baseline = make_run("bicubic", _psnr())
    steady = Above("psnr", 0.5).judge("sharp", make_run("steady", _psnr(0.65)), baseline)
    assert (steady.gate, steady.outcome, steady.bound) == ("sharp", "pass", 0.5)
    assert steady.value == pytest.approx(0.65)
    assert steady.reason.startswith("psnr (of the mean squared error) +")
    assert steady.reason.endswith("over bicubic, better on 2 of 2 clips")
    uneven = {"psnr": {"walk": (NOISE + 1.3).tolist(), "run": NOISE[::-1].tolist()}}
    assert Above("psnr", 0.5).judge("sharp", make_run("uneven", uneven), baseline).outcome == "fail"


def test_above_knows_which_way_a_metric_is_better(make_run: MakeRun) -> None:
    """Of st_lpips, lower is better."""
    clips = [f"clip{n}" for n in range(9)]
    base, less = ({"st_lpips": {c: [mean + n / 100] for n, c in enumerate(clips)}} for mean in (0.3, 0.2))
    bicubic, ours = make_run("bicubic", base), make_run("ours", less)
    verdict = Above("st_lpips", 0.0).judge("perceptual", ours, bicubic)
    assert verdict.passed
    assert verdict.reason.startswith("st_lpips improved by +0.100")
    assert Above("st_lpips", 0.0).judge("perceptual", bicubic, ours).outcome == "fail"


def test_gains_on_few_clips_that_differ_want_more_clips(make_run: MakeRun) -> None:
    """Clearly above on the frames of each of these clips, which does not show that it would be on others."""
    baseline = make_run("bicubic", _psnr())
    found = {"psnr": {"walk": (NOISE + 1.0).tolist(), "run": (NOISE[::-1] + 3.0).tolist()}}
    assert Above("psnr", 0.5).judge("sharp", make_run("uneven", found), baseline).outcome == "too few clips"
    one = make_run("bicubic", {"psnr": {"walk": NOISE.tolist()}}, suite="one")
    alone = make_run("ours", {"psnr": {"walk": (NOISE + 1.0).tolist()}}, suite="one")
    assert Above("psnr", 0.5).judge("sharp", alone, one).outcome == "too few clips"


def test_a_black_frame_does_not_outweigh_the_others(make_run: MakeRun) -> None:
    """Bicubic is exact on it, as a mean of decibels would have it: 40 dB worse on one frame, 2 dB better on nine."""
    clips = ("walk", "run", "swim")
    baseline = make_run("bicubic", {"psnr": {clip: [30.0] * 9 + [100.0] for clip in clips}})
    ours = make_run("ours", {"psnr": {clip: [32.0 + n / 10] * 9 + [60.0] for n, clip in enumerate(clips)}})
    verdict = Above("psnr", 0.0).judge("sharp", ours, baseline)
    assert verdict.outcome == "pass" and "+2.100" in verdict.reason


def test_a_difference_in_one_frame_passes_no_gate(make_run: MakeRun) -> None:
    """One changed pixel in one frame of a short clip is no gain."""
    baseline = make_run("bicubic", {"psnr": {"walk": [30.0] * 12}})
    ours = make_run("ours", {"psnr": {"walk": [30.0] * 11 + [30.0001]}})
    assert Above("psnr", 0.0).judge("sharp", ours, baseline).outcome != "pass"


def test_a_clear_mean_gain_hides_no_clip_that_is_much_worse(make_run: MakeRun) -> None:
    """The interval of the mean gain is above 0 although one of ten clips loses 1 dB."""
    gains = (2.0, 2.6, 3.2, 0.9, 0.8, 0.7, 1.4, 1.1, 0.6, -1.0)
    baseline, ours = (
        make_run(name, {"psnr": {f"clip{n}": [30.0 + share * gain] * 4 for n, gain in enumerate(gains)}})
        for name, share in (("bicubic", 0), ("ours", 1))
    )
    assert Above("psnr", 0.0).judge("sharp", ours, baseline).passed
    verdict = Above("psnr", 0.0, clip_margin=0.5).judge("sharp", ours, baseline)
    assert (verdict.outcome, verdict.value, verdict.bound) == ("fail", pytest.approx(-1), -0.5)
    assert verdict.reason == "psnr (of the mean squared error) -1.000 over bicubic in clip9, at least -0.500"
    assert verdict.p is not None, "it counts among the candidates that were tested"
    assert Above("psnr", 0.0, clip_margin=1.1).judge("sharp", ours, baseline).passed


def test_a_gain_hides_no_worst_frames_that_are_much_worse(make_run: MakeRun) -> None:
    """4 of 40 frames lose 2 dB in one of three clips. Of st_lpips, higher is worse."""
    frames, clips = np.array([2.0] * 36 + [-2.0] * 4), ("walk", "run", "swim")
    baseline = make_run("bicubic", {"psnr": {clip: [30.0] * 40 for clip in clips}})
    ours = {clip: (31.9 + n / 10 + np.zeros(40)).tolist() for n, clip in enumerate(clips)} | {
        "walk": (30 + frames).tolist()
    }
    verdict = Above("psnr", 0.0, clip_margin=0.5).judge("sharp", make_run("ours", {"psnr": ours}), baseline)
    assert verdict.outcome == "fail" and "-2.000 over bicubic in the worst frames of walk" in verdict.reason
    bicubic = make_run("bicubic", {"st_lpips": {clip: [0.3] * 40 for clip in clips}})
    lower = {clip: [0.1 + n / 100] * 40 for n, clip in enumerate(clips)} | {"walk": (0.3 - frames / 20).tolist()}
    verdict = Above("st_lpips", 0.0, clip_margin=0.05).judge("eyes", make_run("ours", {"st_lpips": lower}), bicubic)
    assert verdict.outcome == "fail" and "-0.100 over bicubic in the worst frames of walk" in verdict.reason


def test_worst_frames_that_nobody_sees_fail_nothing(make_run: MakeRun) -> None:
    """On a still clip bicubic may be exact: 100 dB, of which only the PSNR of rounding counts."""
    baseline = make_run("bicubic", {"psnr": {"still": [100.0] * 20, "walk": [30.0] * 20, "run": [30.0] * 20}})
    ours = make_run("ours", {"psnr": {"still": [59.0] * 20, "walk": [31.0] * 20, "run": [31.2] * 20}})
    assert "over bicubic, better" in Above("psnr", 0.0, clip_margin=0.5).judge("sharp", ours, baseline).reason


@pytest.mark.parametrize(("value", "passed"), [(1.0, True), (1.1, True), (1.11, False)])
def test_not_worse_allows_a_share_of_the_baselines(make_run: MakeRun, value: float, passed: bool) -> None:
    baseline = make_run("bicubic", {"flicker": {"walk": [1.0, 1.0]}})
    run = make_run("ours", {"flicker": {"walk": [value, value]}})
    verdict = NotWorse("flicker", 0.1, slack=0).judge("calm", run, baseline)
    assert (verdict.passed, verdict.value, verdict.bound) == (passed, value, 1.1)


def test_where_the_baseline_of_a_clip_has_next_to_none_the_slack_is_allowed(make_run: MakeRun) -> None:
    """On a still clip bicubic has no flicker at all."""
    baseline = make_run("bicubic", {"flicker": {"still": [0.0] * 4, "walk": [8.0] * 4}})
    good = make_run("good", {"flicker": {"still": [0.3] * 4, "walk": [8.4] * 4}})
    wild = make_run("wild", {"flicker": {"still": [0.4] * 4, "walk": [8.0] * 4}})
    assert NotWorse("flicker", 0.1, slack=0.33).judge("calm", good, baseline).passed
    verdict = NotWorse("flicker", 0.1, slack=0.33).judge("calm", wild, baseline)
    assert (verdict.passed, verdict.bound, verdict.reason) == (False, 0.33, "flicker 0.400 of still")


def test_not_worse_looks_at_the_worst_clip_and_the_worst_frames(make_run: MakeRun) -> None:
    baseline = make_run("bicubic", {"flicker": {"walk": [1.0] * 20, "run": [1.0] * 20}})
    clip = make_run("clip", {"flicker": {"walk": [1.5] * 20, "run": [0.5] * 20}})
    frames = make_run("frames", {"flicker": {"walk": [3.0] * 2 + [0.5] * 18, "run": [0.5] * 20}})
    assert "of walk" in NotWorse("flicker", 0.1).judge("calm", clip, baseline).reason
    assert "in the worst frames of walk" in NotWorse("flicker", 0.1).judge("calm", frames, baseline).reason


@pytest.mark.parametrize(("value", "passed"), [(29.9, False), (30.0, True)])
def test_floor_is_the_least_that_passes(make_run: MakeRun, value: float, passed: bool) -> None:
    baseline, run = (make_run(name, {"psnr": {"walk": [psnr]}}) for name, psnr in (("bicubic", 40.0), ("ours", value)))
    assert Floor("psnr", 30).judge("floor", run, baseline).passed == passed


def test_floor_asks_no_more_than_the_baseline_has(make_run: MakeRun) -> None:
    baseline, run = (make_run(name, {"psnr": {"walk": [psnr]}}) for name, psnr in (("bicubic", 25.0), ("ours", 26.0)))
    assert Floor("psnr", 30).judge("floor", run, baseline).passed


def test_floor_pools_errors_so_that_a_black_part_cannot_hide_the_rest(make_run: MakeRun) -> None:
    """A mean of decibels would be 63."""
    run = make_run("ours", {"psnr": {"walk": [100.0, 26.0]}})
    baseline = make_run("bicubic", {"psnr": {"walk": [100.0, 40.0]}})
    verdict = Floor("psnr", 35).judge("floor", run, baseline)
    assert not verdict.passed
    assert verdict.value == pytest.approx(26 + 10 * np.log10(2), abs=0.01)


def test_limits_hold_in_every_clip(make_run: MakeRun) -> None:
    baseline = make_run("bicubic", {"color_bias": {"walk": [0.1] * 4, "run": [0.1] * 4}})
    cast = make_run("cast", {"color_bias": {"walk": [0.1] * 4, "run": [2.0] * 4}})
    verdict = Limit("color_bias", high=0.8).judge("color", cast, baseline)
    assert (verdict.passed, verdict.value, verdict.bound) == (False, 2.0, 0.8)
    assert "in run" in verdict.reason
    assert Limit("color_bias", high=0.8).judge("color", baseline, baseline).passed


def test_a_limit_asks_no_more_than_the_baseline_has(make_run: MakeRun) -> None:
    baseline, run = (make_run(name, {"grid": {"walk": [value]}}) for name, value in (("bicubic", 2.0), ("ours", 1.9)))
    assert Limit("grid", high=1.0).judge("grid", run, baseline).passed
    assert not Limit("grid", low=2.5).judge("grid", run, baseline).passed
    assert not Limit("grid", high=1.0).judge("grid", baseline, run).passed
    assert Limit("grid", high=1.0, margin=0.1).judge("grid", baseline, run).passed


def test_a_share_of_percentiles_finds_the_part_of_a_clip_that_is_worse(make_run: MakeRun) -> None:
    """Less sharp in a quarter of the frames; less sharp throughout is for another gate."""
    even, part = [0.85] * 16, [1.0] * 12 + [0.8] * 4
    gate = Limit("lr_sharpness", low=0.9, percentile=10, over=90)
    baseline, whole, blurred = (
        make_run(name, {"lr_sharpness": {"walk": values}})
        for name, values in (("bicubic", [0.7] * 16), ("whole", even), ("blurred", part))
    )
    assert gate.judge("even", whole, baseline).passed
    verdict = gate.judge("even", blurred, baseline)
    assert (verdict.passed, verdict.value) == (False, pytest.approx(0.8))
    assert gate.judge("even", blurred, make_run("bicubic", {"lr_sharpness": {"walk": part}})).passed


def test_a_metric_without_a_value_on_still_clips_refuses_nothing(make_run: MakeRun) -> None:
    """It was measured, so there is nothing to evaluate again."""
    baseline, still = (make_run(name, {**_psnr(), "ghosting": {}}) for name in ("bicubic", "still"))
    verdict = Limit("ghosting", high=0.09).judge("ghosting", still, baseline)
    assert (verdict.passed, verdict.reason) == (True, "ghosting has no value on these clips")
    with pytest.raises(UserError, match="has no metric ghosting, which a gate needs"):
        Limit("ghosting", high=0.09).judge("ghosting", make_run("ours", _psnr()), baseline)


def test_a_limit_is_one_of_low_and_high() -> None:
    with pytest.raises(ValueError, match="one of low and high"):
        Limit("grid")


@pytest.mark.parametrize(
    ("offsets", "reason"),
    [
        ([-1.0] * 6, "walk is one frame late"),
        ([1.0] * 6, "walk is one frame early"),
        ([2.0] * 5 + [0.0], "walk is 2 frames early"),
        ([0, 0, 1.0, -1.0, 0, 0], "walk has 2 frames out of order"),
        ([5.0, 3.0, 1.0, -1.0, -3.0, -5.0], "walk is reversed in time"),
        ([-1.0, -2.0, -2.0, -2.0, -2.0, -2.0], "walk is 2 frames late"),
        ([0, 0, 0, -1.0, 0, 0], "walk has 1 frame that repeats the one before"),
        ([0, -1.0, -2.0, 0, 0, 0], "walk has 2 frames that repeat the one before"),
        ([0, 0, 0, 0, 1.0, 1.0], "walk has 2 frames that are one frame early"),
        ([0.0] * 6, "every frame shows its own LR"),
    ],
)
def test_frames_out_of_order_are_named(make_run: MakeRun, offsets: list[float], reason: str) -> None:
    baseline, run = (
        make_run(name, {"frame_offset": {"walk": values}})
        for name, values in (("bicubic", [0.0] * 6), ("ours", offsets))
    )
    verdict = InOrder().judge("order", run, baseline)
    assert verdict.reason == reason
    assert verdict.passed == (not any(offsets))


def test_mirrored_output_is_named(make_run: MakeRun) -> None:
    runs = [make_run(name, {"orientation": {"walk": [n] * 4}}) for name, n in (("bicubic", 0.0), ("ours", 1.0))]
    assert Upright().judge("orientation", runs[1], runs[0]).reason == "walk is mirrored left to right"
    assert Upright().judge("orientation", runs[0], runs[0]).passed


@pytest.mark.parametrize("gate", [Above("ssim", 0), NotWorse("ssim", 0), Floor("ssim", 0)])
def test_a_metric_that_was_not_measured_is_named(make_run: MakeRun, gate: Above | NotWorse | Floor) -> None:
    run = make_run("ours", _psnr())
    with pytest.raises(UserError, match="has no metric ssim, which a gate needs"):
        gate.judge("gate", run, run)


def test_a_verdict_says_itself_in_json(make_run: MakeRun) -> None:
    run = make_run("ours", {"psnr": {"walk": [31.0]}})
    assert Floor("psnr", 30).judge("floor", run, run).model_dump() == {
        "gate": "floor",
        "value": 31.0,
        "bound": 30,
        "outcome": "pass",
        "reason": "psnr (of the mean squared error) 31.00 in walk, at least 30.00",
        "p": None,
    }


# Export


class Kept(Exporter):
    """Keeps the network in memory, changed by `change`."""

    format = "kept"
    file = "kept"

    def __init__(self, change: Callable[[StreamingNetwork], StreamingNetwork] = lambda network: network) -> None:
        super().__init__(tolerance=1e-4, frames=3)
        self.change = change

    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        path.touch()
        self.network = network

    def load(self, path: Path) -> StreamingNetwork:
        return self.change(self.network)


@pytest.fixture
def trained(tmp_path: Path, make_run: MakeRun) -> Run:
    save_network(Compact(2, 4, 1), {}, tmp_path / "network.safetensors")
    return make_run(
        "ours", _psnr(), candidate_facts={"kind": "checkpoint", "path": str(tmp_path / "network.safetensors")}
    )


def test_a_checkpoint_that_exports_passes(trained: Run) -> None:
    verdict = ExportParity(Kept()).judge("export", trained, trained)
    assert (verdict.passed, verdict.value, verdict.bound) == (True, 0, 1e-4)


def test_a_checkpoint_whose_graph_strays_fails_with_the_reason(trained: Run) -> None:
    class Brighter(Compact):
        def frame(self, lr: Tensor) -> Tensor:
            return super().frame(lr) + 0.01

    verdict = ExportParity(Kept(lambda _: Brighter(2, 4, 1))).judge("export", trained, trained)
    assert not verdict.passed
    assert "differs from the network by 0.01" in verdict.reason


@pytest.mark.parametrize(("kind", "passed"), [("bundle", True), ("interpolation", False), ("frames", False)])
def test_only_a_bundle_needs_no_export(make_run: MakeRun, kind: str, passed: bool) -> None:
    run = make_run("ours", _psnr(), candidate_facts={"kind": kind})
    assert ExportParity(Kept()).judge("export", run, run).passed == passed


class Counted(Kept):
    """Counts what it was asked to write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        self.writes += 1
        super().write(network, example, path)


def test_a_network_is_exported_once_for_all_suites_and_anew_when_it_has_changed(trained: Run) -> None:
    exporter = Counted()
    gate = ExportParity(exporter)
    assert gate.judge("export", trained, trained) == gate.judge("export", trained, trained)
    assert exporter.writes == 1
    save_network(Compact(2, 4, 1), {"seed": 1}, Path(trained.summary.candidate_facts.path or ""))
    gate.judge("export", trained, trained)
    assert exporter.writes == 2


@pytest.mark.parametrize("gate", [ExportParity(Kept()), NoDrift(600, 0.1)])
def test_a_checkpoint_that_is_gone_is_told_in_one_line(trained: Run, gate: Gate) -> None:
    Path(trained.summary.candidate_facts.path or "").unlink()
    with pytest.raises(UserError, match=r"network\.safetensors: not found"):
        gate.judge("gate", trained, trained)


def test_a_network_without_memory_has_no_drift_to_measure(trained: Run) -> None:
    verdict = NoDrift(600, 0.1).judge("drift", trained, trained)
    assert (verdict.passed, verdict.value, verdict.reason) == (True, None, "the network has no state")
