"""Values on the command line are text: they arrive as they were typed."""

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from vsr_lab.cli.configuration.overrides import keys_within, literal, normalise, quoted
from vsr_lab.core.errors import UserError

TEXTS = [
    "a b",
    "it's",
    "a\\b",
    "a b\\",
    "a b\\'c",
    "${env}",
    "x/${env} y",
    "\\${a}",
    "\\\\${a}",
    "${oc.env:HOME}",
    "a${b",
]
TEXTS += [
    "co,mma",
    "co,mma's",
    "range(1,3)",
    "choice(a,b)",
    "a=b",
    "$x",
    "(x",
    "100%",
    "~/x",
    "日本",
    "a:b",
    "#x",
    "a\\ b",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_arrives_as_typed(text: str) -> None:
    override = OverridesParser.create().parse_override(quoted(f"name={text}"))
    assert not override.is_sweep_override()
    assert OmegaConf.create({"name": override.value()}).name == text
    assert OmegaConf.create(literal({"name": [text]})).name[0] == text


def test_a_comma_begins_a_sweep_after_m_alone() -> None:
    assert normalise("train", ["content=mixed", "-m", "seed=1,2"]) == ["-m", "content=mixed", "++seed=1,2"]
    assert normalise("train", ["content=mixed", "seed=1,2"]) == ["content=mixed", "++seed='1,2'"]


@pytest.mark.parametrize("words", [["--foo"], ["--config-name=x"], ["--cfg"], ["--cfg", "x"], ["--multirun=1"], ["=5"]])
def test_unknown_options_are_refused(words: list[str]) -> None:
    with pytest.raises(UserError, match=words[0].partition("=")[0]):
        normalise("train", ["content=mixed", *words])


@pytest.mark.parametrize("word", ["objective=null", "~objective"])
def test_a_group_that_has_a_default_is_not_removed(word: str) -> None:
    with pytest.raises(UserError, match="objective: cannot be removed; choose one of balanced, fidelity"):
        normalise("select", [word])


def test_null_chooses_nothing_from_a_group() -> None:
    assert normalise("train", ["content=null", "adversarial=null"]) == ["~content", "~adversarial"]
    assert normalise("train", ["candidate@teacher=null", "teacher=null"]) == ["~candidate@teacher", "++teacher=null"]


@pytest.mark.parametrize(
    "words",
    [
        ["+hydra.callbacks.x._target_=torch.utils.collect_env.run", "+hydra.callbacks.x.command=ls"],
        ["+hydra.callbacks={x: {_target_: a.b}}"],
        ["hydra.launcher._target_=a.b"],
        ["hydra.sweeper.sampler={_target_: a.b}"],
        ["hydra.sweeper.params=${x}"],
        ["hydra.sweep.dir=$\\{x\\}"],
        ["hydra.run.dir=hr", "hydra.output_subdir=."],
        ["hydra.searchpath=[file:///tmp]"],
        ["hydra/job_logging=default"],
        ["hydra={callbacks: null}"],
        ["model@hydra.callbacks.x=compact"],
    ],
)
def test_of_hydras_keys_those_of_sweeps_may_be_set(words: list[str]) -> None:
    with pytest.raises(UserError, match=r"^hydra|^model@hydra"):
        normalise("train", ["content=mixed", *words])
    sweep = ["hydra.sweep.dir=x", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra/sweeper=optuna"]
    assert normalise("train", ["content=mixed", *sweep])[1:] == sweep


@pytest.mark.parametrize("is_link", [False, True])
def test_the_folder_of_a_sweep_is_new(tmp_path: Path, is_link: bool) -> None:
    folder, place = tmp_path / "of others", tmp_path / "sweep"
    folder.mkdir()
    if is_link:
        place.symlink_to(folder)
    else:
        normalise("train", ["content=mixed", f"hydra.sweep.dir='{place}'"])
        place.mkdir()
    with pytest.raises(UserError, match=r"hydra\.sweep\.dir: .*sweep already exists"):
        normalise("train", ["content=mixed", f"hydra.sweep.dir='{place}'"])


def test_a_configuration_folder_has_no_keys_of_hydra(tmp_path: Path) -> None:
    assert normalise("train", ["content=mixed", "--config-dir", str(tmp_path)])[1] == str(tmp_path)
    (tmp_path / "hydra").mkdir()
    with pytest.raises(UserError, match=r"--config-dir: .* contains a folder named hydra"):
        normalise("train", ["content=mixed", "--config-dir", str(tmp_path)])


def test_a_group_with_an_option_none_is_not_removed() -> None:
    with pytest.raises(UserError, match="logger: cannot be removed; choose one of none, tensorboard, wandb"):
        normalise("train", ["~logger"])


def test_keys_set_by_a_mapping_are_known() -> None:
    assert keys_within(["++validation.score={psnr: 0.0, flicker: 1}", "seed=3"]) == [
        "validation.score.psnr",
        "validation.score.flicker",
    ]


def test_what_lightning_adds_for_a_second_device_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    added = ['hydra.run.dir="."', "hydra.job.name=train_ddp_process_1", "hydra.output_subdir=null"]
    with pytest.raises(UserError, match=r"hydra\.run\.dir"):
        normalise("train", ["content=mixed", *added])
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert normalise("train", ["content=mixed", *added]) == ["content=mixed"]


@pytest.mark.parametrize(
    "word",
    ["output=up.mp4", "++output=up.mp4", "outputs=[{output: a.mp4}]", "pair=p.json", "database=v.sqlite", "+run_dir=a"],
)
def test_jobs_of_a_sweep_do_not_share_a_file(word: str) -> None:
    with pytest.raises(UserError, match=f"^{word.lstrip('+').partition('=')[0]}:.* every job of the sweep"):
        normalise("upscale", ["-m", word, "grain=0,1"])


@pytest.mark.parametrize("word", ["output=a.mp4,b.mp4", "output=up-${hydra:job.num}.mp4", "pair=null"])
def test_jobs_of_a_sweep_may_have_files_of_their_own(word: str) -> None:
    assert normalise("upscale", ["-m", word, "grain=0,1"])[0] == "-m"
