"""A user's mistakes: exit code 2, one line that names what was wrong and what to do, and nothing written or lost."""

import errno
import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.conftest import write_moving_clip
from tests.encoded import write_encoded
from tests.smoke.conftest import Outcome
from vsr_lab.deployment import write_bundle
from vsr_lab.deployment.export import OnnxExporter
from vsr_lab.deployment.pipeline import conversion
from vsr_lab.deployment.streams.frames import FrameEncoder
from vsr_lab.models import build_network, read_note, save_network

Cli = Callable[..., Outcome]
SPEC = {"_target_": "vsr_lab.models.Recurrent", "scale": 2, "channels": 4, "blocks": 1}
ABOUT = {"name": "tiny", "content": "mixed"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, where anything written would be seen."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights" / "network.safetensors"
    save_network(build_network(SPEC), ABOUT, path)
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "bundle"
    write_bundle(folder, "tiny", build_network(SPEC), about=ABOUT, exporters=[OnnxExporter(frames=3)])
    return folder


def refused(outcome: Outcome, *named: object) -> None:
    """Exit 2 and one line on stderr that names each of these."""
    assert outcome.code == 2, outcome
    lines = [line for line in outcome.error.splitlines() if line.strip()]
    assert len(lines) == 1, outcome.error
    for name in named:
        assert str(name) in lines[0], lines[0]


def train(cli: Cli, root: Path, *more: str) -> Outcome:
    return cli("train", "content=mixed", f"data.root={root}", "logger=none", "run_dir=run", *more)


def evaluate(cli: Cli, root: Path, *more: str) -> Outcome:
    lean = [f"~protocol.metrics.{name}" for name in ("ssim", "st_lpips", "st_tlp", "tof", "flicker")]
    common = ["suite=folder", f"suite.root={root}", "protocol=content-x2-bi-y", *lean]
    return cli("evaluate", *common, *(more or ("candidate=bicubic", "run_dir=run")))


def test_unknown_key(cli: Cli, here: Path, tiny_footage: Path) -> None:
    refused(train(cli, tiny_footage, "data.batchsize=2"), "data.batchsize", "did you mean data.batch_size?")
    assert not list(here.iterdir())


def test_misspelt_option(cli: Cli, here: Path) -> None:
    refused(cli("train", "content=animatoin"), "content: has no option 'animatoin'", "animation")
    assert not list(here.iterdir())


def test_value_of_the_wrong_kind(cli: Cli, here: Path, tiny_footage: Path) -> None:
    refused(train(cli, tiny_footage, "model.channels=many"), "model.channels")
    assert not list(here.iterdir())


def test_missing_key(cli: Cli, here: Path) -> None:
    refused(cli("train", "content=mixed"), "data.root: is required", "set data.root=")
    assert not list(here.iterdir())


def test_missing_folder(cli: Cli, here: Path) -> None:
    refused(train(cli, here / "nowhere"), here / "nowhere", "not found")
    refused(evaluate(cli, here / "nowhere"), here / "nowhere", "not found")
    assert not list(here.iterdir())


def test_empty_folder(cli: Cli, here: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(train(cli, tmp_path / "empty"), tmp_path / "empty", "contains neither a video nor a folder of pictures")
    assert not list(here.iterdir())


def test_file_that_is_no_video(cli: Cli, here: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("these are my notes")
    refused(train(cli, tmp_path / "notes.mp4"), "notes.mp4", "not a video")
    refused(evaluate(cli, tmp_path / "notes.mp4"), "notes.mp4", "not a video")
    assert not list(here.iterdir())


def test_truncated_mp4(cli: Cli, here: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    noise = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), np.uint8)
    write_encoded(whole, noise, np.arange(40) / 25)
    cut.write_bytes(whole.read_bytes()[:-4000])
    refused(evaluate(cli, cut), "cut.mp4")
    # With its index in front such a file opens, and only counting finds what is missing.
    with av.open(str(whole)) as source, av.open(str(cut), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    refused(evaluate(cli, cut), "cut.mp4", "cut short")
    assert not list(here.iterdir())


def test_clip_shorter_than_the_window(cli: Cli, here: Path, tmp_path: Path) -> None:
    clip = write_moving_clip(tmp_path / "short.mkv", frames=5)
    refused(train(cli, clip), "short.mkv", "5 frames")
    assert not list(here.iterdir())


def test_crop_larger_than_the_clip(cli: Cli, here: Path, tiny_footage: Path, tmp_path: Path) -> None:
    refused(
        train(cli, tiny_footage, "data.size=512", f"data.store={tmp_path / 'store'}"),
        "512",
        "set data.size= to at most",
    )
    assert not list(here.iterdir())


def test_pairs_of_the_wrong_ratio(cli: Cli, here: Path, tmp_path: Path) -> None:
    write_moving_clip(tmp_path / "hr" / "a.mkv", height=64, width=80)
    write_moving_clip(tmp_path / "lr" / "a.mkv", height=32, width=56)
    refused(
        evaluate(cli, tmp_path / "hr", "candidate=bicubic", f"suite.lr_root={tmp_path / 'lr'}"),
        "a.mkv",
        "56x32",
        "40x32",
    )
    more = [f"data.lr_root={tmp_path / 'lr'}", f"data.store={tmp_path / 'store'}", "data.size=32"]
    refused(train(cli, tmp_path / "hr", *more), "56x32", "40x32")
    assert not list(here.iterdir())


def test_pairs_of_unequal_length(cli: Cli, here: Path, tmp_path: Path) -> None:
    write_moving_clip(tmp_path / "hr" / "a.mkv", frames=24)
    write_moving_clip(tmp_path / "lr" / "a.mkv", frames=23, height=32, width=40)
    refused(evaluate(cli, tmp_path / "hr", "candidate=bicubic", f"suite.lr_root={tmp_path / 'lr'}"), "23 frames", "24")
    more = [f"data.lr_root={tmp_path / 'lr'}", f"data.store={tmp_path / 'store'}", "data.size=32"]
    refused(train(cli, tmp_path / "hr", *more), "23 frames", "24")
    assert not list(here.iterdir())


def test_pickle_checkpoint_is_never_opened(cli: Cli, here: Path, tiny_footage: Path, tmp_path: Path) -> None:
    trap, fired = tmp_path / "model.pth", tmp_path / "fired"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (fired,)

    trap.write_bytes(pickle.dumps(Trap()))
    refused(evaluate(cli, tiny_footage, "candidate=checkpoint", f"candidate.path={trap}"), "model.pth", "pickle")
    refused(evaluate(cli, tiny_footage, "candidate=spandrel", f"candidate.path={trap}"), "model.pth")
    refused(cli("export", f"candidate.path={trap}", "run_dir=run"), "model.pth", "pickle")
    assert not fired.exists()
    assert not list(here.iterdir())


def test_checkpoint_of_another_architecture(cli: Cli, here: Path, tiny_footage: Path, weights: Path) -> None:
    store = f"data.store={weights.parent / 'store'}"
    outcome = train(cli, tiny_footage, f"init_from={weights}", "model=compact", "data.size=32", store)
    refused(outcome, weights, "another architecture")
    assert not list(here.iterdir())


def test_nan_in_a_checkpoint(cli: Cli, here: Path, tiny_footage: Path, weights: Path) -> None:
    tensors = load_file(weights)
    tensors["head.bias"][0] = torch.nan
    note = json.dumps(read_note(weights))
    save_file(tensors, weights, metadata={"vsr_lab": note})
    refused(evaluate(cli, tiny_footage, "candidate=checkpoint", f"candidate.path={weights}"), weights, "NaN")
    refused(cli("export", f"candidate.path={weights}", "run_dir=run"), weights, "NaN")
    assert not list(here.iterdir())


def test_candidate_of_another_scale(cli: Cli, here: Path, tiny_footage: Path, weights: Path) -> None:
    x4 = [f"~protocol.metrics.{name}" for name in ("st_lpips", "st_tlp")]
    outcome = cli(
        "evaluate", "candidate=checkpoint", f"candidate.path={weights}", "suite=folder", f"suite.root={tiny_footage}",
        "protocol=content-x4-bi-y", *x4,
    )  # fmt: skip
    refused(outcome, "upscales x2", "protocol content-x4-bi-y is x4")
    assert not list(here.iterdir())


def test_output_equal_to_the_input(cli: Cli, here: Path, bundle: Path, tmp_path: Path) -> None:
    clip = write_moving_clip(tmp_path / "original.mkv", frames=4)
    before = hashlib.sha256(clip.read_bytes()).digest()
    alias = tmp_path / "alias.mkv"
    alias.symlink_to(clip)
    for output in (clip, alias):
        outcome = cli("upscale", f"bundle={bundle}", f"input={clip}", f"output={output}", "overwrite=true")
        refused(outcome, output, "is the input, which is never overwritten")
    assert hashlib.sha256(clip.read_bytes()).digest() == before
    assert not list(here.iterdir())


def test_output_already_there(cli: Cli, here: Path, bundle: Path, tmp_path: Path) -> None:
    clip = write_moving_clip(tmp_path / "original.mkv", frames=4)
    output = tmp_path / "precious.mp4"
    output.write_bytes(b"precious")
    refused(cli("upscale", f"bundle={bundle}", f"input={clip}", f"output={output}"), output, "already exists")
    assert output.read_bytes() == b"precious"


def test_run_folder_already_there(cli: Cli, here: Path, tiny_footage: Path) -> None:
    (here / "run").mkdir()
    (here / "run" / "holiday.jpg").write_bytes(b"precious")
    outcome = evaluate(cli, tiny_footage, "candidate=bicubic", "run_dir=run", "overwrite=true")
    refused(outcome, "run", "no run of this command wrote")
    assert (here / "run" / "holiday.jpg").read_bytes() == b"precious"


def test_compare_and_select_refuse_two_protocols(cli: Cli, here: Path, tiny_footage: Path) -> None:
    assert evaluate(cli, tiny_footage, "candidate=bicubic", "run_dir=a").code == 0
    assert evaluate(cli, tiny_footage, "candidate=bilinear", "run_dir=b", "protocol.crop=8").code == 0
    for verb in ("compare", "select"):
        refused(cli(verb, "runs=[a,b]", "run_dir=run"), "protocol settings", "evaluate both with the same protocol")
    shutil.rmtree(here / "b")
    lean = [f"~protocol.metrics.{name}" for name in ("ssim", "tof", "flicker")]
    other = ["suite=folder", f"suite.root={tiny_footage}", "protocol=vid4-bi-y", *lean]
    assert cli("evaluate", "candidate=bilinear", *other, "run_dir=b").code == 0
    refused(cli("compare", "runs=[a,b]", "run_dir=run"), "content-x2-bi-y", "vid4-bi-y")
    assert sorted(p.name for p in here.iterdir()) == ["a", "b"]


def test_candidates_that_cannot_be_evaluated_together(cli: Cli, here: Path, tiny_footage: Path) -> None:
    refused(evaluate(cli, tiny_footage, "run_dir=run"), "candidate: is required", "bicubic", "candidates=[KIND:PATH")
    both = evaluate(cli, tiny_footage, "candidates=[bicubic]", "candidate=bilinear", "run_dir=run")
    refused(both, "candidate: cannot be combined with candidates")
    for listed, named in (
        ("bicubicc", "no kind 'bicubicc'"),
        ("bicubic,bicubic", "second"),
        ("{a: nope}", "no kind 'nope'"),
    ):
        refused(evaluate(cli, tiny_footage, f"candidates=[{listed}]", "run_dir=run"), named)
    assert not (here / "run").exists()


def test_runs_that_are_none(cli: Cli, here: Path) -> None:
    refused(cli("compare", "runs=[nowhere]"), "nowhere", "not found")
    refused(cli("compare", "runs=[]"), "runs: must not be empty")
    assert not list(here.iterdir())


def test_changed_bundle(cli: Cli, here: Path, bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    (copy / "step.onnx").write_bytes((copy / "step.onnx").read_bytes() + b" ")
    clip = write_moving_clip(tmp_path / "original.mkv", frames=4)
    refused(cli("upscale", f"bundle={copy}", f"input={clip}", "output=out.mp4"), "step.onnx", "changed")
    assert not list(here.iterdir())


def test_disk_full_while_upscaling(
    cli: Cli, here: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_moving_clip(tmp_path / "original.mkv", frames=4)

    def full(self: FrameEncoder, *args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(conversion, "FrameEncoder", type("Full", (FrameEncoder,), {"__call__": full}))
    refused(cli("upscale", f"bundle={bundle}", f"input={clip}", "output=out.mp4"), "out.mp4", "disk is full")
    assert not list(here.iterdir())


def test_disk_full_while_saving_a_checkpoint(
    cli: Cli, here: Path, tiny_footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = ["data.size=32", "data.clip_frames=4", "data.workers=0", "model.channels=4", "model.blocks=1"]
    small += ["save_every=2", "trainer.max_steps=6", f"data.store={tmp_path / 'store'}"]
    saves: list[int] = []
    real = torch.save

    def full_at_the_second(*arguments: object) -> None:
        saves.append(1)
        if len(saves) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(*arguments)

    monkeypatch.setattr(torch, "save", full_at_the_second)
    refused(train(cli, tiny_footage, *small), "disk is full")
    last = torch.load(here / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 2  # the last good one is still whole


def test_no_such_command(vsr_lab: Callable[..., str]) -> None:
    assert "upscal: no such command" in vsr_lab("upscal", code=2)


def _quick(footage: Path, *more: str) -> list[str]:
    short = ["data.size=32", "data.clip_frames=4", "data.batch_size=1", "data.workers=0", "logger=none"]
    return ["content=mixed", f"data.root={footage}", *short, "trainer.max_steps=2", "validation.every=2", *more]


def test_a_training_never_clears_footage(cli: Cli, here: Path, tiny_footage: Path) -> None:
    """Not even where a verb wrote it, and not what it is to read."""
    rendered = here / "footage"
    shutil.copytree(tiny_footage, rendered)
    (rendered / "config.yaml").write_text("kind: screen\nrun_dir: footage\n")
    before = sorted(path.name for path in rendered.iterdir())
    refused(cli("train", *_quick(rendered, f"run_dir={rendered}", "overwrite=true")), "footage")
    outcome = cli("train", *_quick(tiny_footage, f"run_dir={rendered}", "overwrite=true"))
    refused(outcome, "footage", "no run of this command")
    assert sorted(path.name for path in rendered.iterdir()) == before


def test_an_option_that_does_not_fit_costs_no_earlier_run(cli: Cli, here: Path, tiny_footage: Path) -> None:
    run = here / "run"
    run.mkdir()
    (run / "config.yaml").write_text("content: mixed\nrun_dir: run\n")
    (run / "network.safetensors").write_text("precious")
    for wrong in ("trainer.precision=fp16", "+trainer.foo=1", "optimizer.betas=0.9"):
        outcome = cli("train", *_quick(tiny_footage, f"run_dir={run}", "overwrite=true", wrong))
        assert outcome.code == 2, outcome.error
        assert (run / "network.safetensors").read_text() == "precious"


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ("trainer.max_steps=null", "trainer.max_steps"),
        ("++data.size=abc", "data.size"),
        ("validation.clips=0", "validation.clips"),
        ("validation.frames=1", "validation.frames"),
        ("optimizer.lr=-1", "optimizer.lr"),
        ("content=null", "content: is required"),
    ],
)
def test_a_value_out_of_range(cli: Cli, here: Path, tiny_footage: Path, wrong: str, key: str) -> None:
    refused(cli("train", *_quick(tiny_footage, wrong)), key)
    assert not list(here.iterdir())


def test_a_resumed_run_takes_no_other_keys(cli: Cli, here: Path) -> None:
    run = here / "run"
    run.mkdir()
    (run / "config.yaml").write_text("content: mixed\nrun_dir: run\nmodel: {}\ntrainer: {}\n")
    refused(cli("train", f"resume={run}", "optimizer.lr=1e-5"), "optimizer.lr: cannot be changed", "init_from=")
    (run / "config.yaml").write_text("kind: screen\nrun_dir: run\n")
    refused(cli("train", f"resume={run}"), "config.yaml", "is not the configuration of a training")


def test_compare_needs_two_of_one_kind(cli: Cli, here: Path, tiny_footage: Path) -> None:
    clip, other = (str(tiny_footage / f"clip_{n}.mkv") for n in (0, 1))
    assert evaluate(cli, tiny_footage, "candidate=bicubic", "run_dir=judged").code == 0
    refused(cli("compare", "run_dir=run"), "runs: is required", "a.mp4 b.mp4")
    refused(cli("compare", f"a={clip}", "run_dir=run"), "b: is required too")
    refused(
        cli("compare", f"a={clip}", "b=judged", "run_dir=run"),
        "judged: is a run of vsr-lab evaluate, but another path is a video",
    )
    refused(cli("compare", f"a={clip}", f"b={other}", "runs=[judged]", "run_dir=run"), "runs: cannot be combined")
    refused(cli("compare", f"a={clip}", f"b={other}", "run_dir=run"), "clip_1.mkv", "something else")
    assert not (here / "run").exists()
