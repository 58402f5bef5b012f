"""Suites and protocols: which frames are judged, and at what size."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra import initialize_config_dir
from torch import Tensor

from vsr_lab.cli.app import composed
from vsr_lab.cli.configuration.usage import config_dir
from vsr_lab.core.clip import Frames
from vsr_lab.core.cuts import CUT_RULE
from vsr_lab.core.errors import UserError
from vsr_lab.degradations import BlurDown, Compose, Degradation, Params, ResizeDown
from vsr_lab.evaluation.protocol import Protocol, Suite, read_pairs
from vsr_lab.metrics import flicker, lr_consistency, psnr, ssim

WriteVideo = Callable[..., Path]


def _protocol(**changes: Any) -> Protocol:
    values: dict[str, Any] = {
        "degradation": ResizeDown(2),
        "colour": "y",
        "crop": 0,
        "trim": 0,
        "centre_only": False,
        "metrics": {"psnr": psnr},
        **changes,
    }
    return Protocol("test", "", 2, **values)


def test_lr_is_made_by_the_protocol_where_there_is_none(
    tmp_path: Path, write_video: WriteVideo, frames: Frames
) -> None:
    write_video("walk.mkv", frames)
    (shot,) = Suite("film", str(tmp_path)).shots()
    pairs = list(read_pairs(shot, None, _protocol(), chunk=3))
    hr = torch.from_numpy(frames).movedim(-1, 1) / 255
    assert torch.allclose(torch.stack([pair.hr for pair in pairs]), hr)
    assert torch.equal(torch.stack([pair.lr for pair in pairs]), ResizeDown(2).apply(hr, {}))


def test_recorded_lr_is_used_where_there_is_one(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> None:
    write_video("hr/walk.mkv", frames[:, :, :64].repeat(2, 1).repeat(2, 2))
    write_video("lr/walk.mkv", frames)
    suite = Suite("film", str(tmp_path / "hr"), frames="2:7", lr_root=str(tmp_path / "lr"))
    high = suite.shots()
    low = suite.low_shots(high, 2)
    assert low is not None
    pairs = list(read_pairs(high[0], low[0], _protocol(), chunk=2))
    assert np.array_equal(torch.stack([pair.lr for pair in pairs]).mul(255).round().byte().movedim(1, -1), frames[2:7])
    assert all(torch.equal(pair.hr[:, ::2, ::2], pair.lr) for pair in pairs)


def test_hr_is_cut_to_multiples_of_the_scale(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> None:
    write_video("walk.mkv", frames[:, :31, :63])
    (shot,) = Suite("film", str(tmp_path)).shots()
    pair = next(read_pairs(shot, None, _protocol(), chunk=3))
    assert (pair.hr.shape, pair.lr.shape) == ((3, 30, 62), (3, 15, 31))


# Protocols


def test_frames_that_count() -> None:
    assert _protocol().scored_frames(5) == range(5)
    assert _protocol(trim=2).scored_frames(7) == range(2, 5)
    assert list(_protocol(centre_only=True).scored_frames(7)) == [3]
    assert len(_protocol(trim=2).scored_frames(4)) == 0


def test_a_random_degradation_is_the_same_at_every_call() -> None:
    protocol = _protocol(degradation=BlurDown(2, (0.5, 2.0), 7, phase=0, border="reflect"))
    hr = torch.rand(3, 16, 16)
    assert torch.equal(protocol.degrade(hr), protocol.degrade(hr))


def test_the_fingerprint_changes_with_any_setting_but_the_metrics() -> None:
    plain = _protocol()
    other = _protocol(crop=8)
    more = _protocol(metrics={})
    assert plain.fingerprint != other.fingerprint
    assert plain.fingerprint == more.fingerprint


def test_the_fingerprint_shows_the_rule_for_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _protocol().fingerprint
    monkeypatch.setattr("vsr_lab.evaluation.protocol.CUT_RULE", (*CUT_RULE[:-1], 0.5))
    assert _protocol().fingerprint != before


def test_a_metric_measured_otherwise_has_another_fingerprint() -> None:
    other = _protocol(metrics={"psnr": partial(psnr, ceiling=50)})
    assert _protocol().metric_fingerprints.keys() == other.metric_fingerprints.keys() == {"psnr"}
    assert _protocol().metric_fingerprints != other.metric_fingerprints


@pytest.mark.parametrize("name", ["vid4-bi-y", "reds4-bi-rgb", "vimeo-bi-y", "content-x2-bi-y"])
def test_a_protocol_of_python_has_the_fingerprints_of_the_same_one_from_a_yaml(name: str) -> None:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        words = [f"protocol={name}", "candidate=bicubic", "suite=folder", "suite.root=x", "run_dir=x"]
        config = composed("evaluate", *words).protocol
    from_yaml = config.build()
    functions = {"psnr": psnr, "ssim": ssim, "flicker": flicker, "lr_consistency": lr_consistency}
    own = Protocol(
        "mine",
        "in Python",
        config.scale,
        ResizeDown(config.scale),
        colour=config.colour,
        centre_only=config.centre_only,
        metrics={metric: functions[metric] for metric in from_yaml.metrics if metric in functions},
    )
    assert own.fingerprint == from_yaml.fingerprint
    assert own.metric_fingerprints.items() <= from_yaml.metric_fingerprints.items()


@pytest.mark.parametrize("trait", ["temporal", "modifies_target"])
def test_a_degradation_that_judging_cannot_apply_in_runs_of_frames_is_refused(trait: str) -> None:
    class Step(Degradation):
        def apply(self, clip: Tensor, params: Params) -> Tensor:
            return clip

    step = Step()
    setattr(step, trait, True)
    with pytest.raises(UserError, match=r"protocol test: .*footage degrade.*suite\.lr_root=") as refused:
        _protocol(degradation=Compose([ResizeDown(2), step]))
    assert "\n" not in str(refused.value)
