"""Every yaml in configs/ composes, names something real and gives it keywords that fit."""

import importlib
import inspect
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from vsr_lab.cli.configuration.schema import check
from vsr_lab.cli.configuration.usage import COMMANDS, config_dir, config_name, module_name
from vsr_lab.core.errors import UserError
from vsr_lab.core.network import Network
from vsr_lab.degradations import Degradation
from vsr_lab.deployment.export import Exporter
from vsr_lab.evaluation.gates import Gate

CONFIGS = config_dir()
GROUPS = sorted(folder.name for folder in CONFIGS.iterdir() if folder.is_dir() and folder.name != "base")
# The verb that shows a group, with what else it needs.
HOME = {
    "content": ("train", ["data.root=x"], ""),
    "experiment": ("train", ["content=mixed", "data.root=x"], ""),
    "model": ("train", ["content=mixed", "data.root=x"], "model"),
    "degradation": ("train", ["content=mixed", "data.root=x"], "degradation"),
    "adversarial": ("train", ["content=mixed", "data.root=x"], "loss.terms.adversarial"),
    "flow": ("train", ["content=mixed", "data.root=x"], "loss.estimator"),
    "loss": ("train", ["content=mixed", "data.root=x"], "loss"),
    "optimizer": ("train", ["content=mixed", "data.root=x"], "optimizer"),
    "scheduler": ("train", ["content=mixed", "data.root=x"], "scheduler"),
    "trainer": ("train", ["content=mixed", "data.root=x"], "trainer"),
    "logger": ("train", ["content=mixed", "data.root=x"], "logger"),
    "callbacks": ("train", ["content=mixed", "data.root=x"], "callbacks"),
    "metric": ("compare", ["runs=[]"], "metrics"),
    "protocol": ("evaluate", ["candidate=bicubic", "suite=folder", "suite.root=x"], "protocol"),
    "suite": ("evaluate", ["candidate=bicubic", "protocol=vid4-bi-y", "suite.root=x"], "suite"),
    "candidate": ("evaluate", ["suite=folder", "suite.root=x", "protocol=vid4-bi-y"], "candidate"),
    "gates": ("select", ["runs=[]"], "gates"),
    "objective": ("select", ["runs=[]"], ""),
    "exporter": ("export", [], "exporters"),
    "kind": ("footage_render", [], "kind"),
    "preset": ("upscale", ["bundle=x", "input=x", "output=x"], "preset"),
}
OPTIONS = [
    (group, file.relative_to(CONFIGS / group).with_suffix("").as_posix())
    for group in GROUPS
    for file in sorted((CONFIGS / group).rglob("*.yaml"))
]


@pytest.fixture(autouse=True)
def _hydra(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("NODE_RANK", "0")  # as a launcher of several machines does
    OmegaConf.register_new_resolver("default_run_dir", lambda verb: f"results/{verb}", replace=True)
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        yield


def composed(group: str, option: str) -> DictConfig:
    verb, needed, _ = HOME[group]
    if group == "metric":
        return compose(verb, [*needed, f"+metric@metrics.{option}={option}"] if not listed(option) else needed)
    if group == "exporter":
        known = compose(verb, needed).exporters
        return compose(verb, needed if option in known else [f"+exporter@exporters.{option}={option}"])
    if group == "flow":
        cfg = compose(verb, [*needed, f"flow@loss.estimator={option}"])
        if OmegaConf.is_missing(cfg.loss.estimator, "weights"):
            cfg.loss.estimator.weights = "x"
        return cfg
    cfg = compose(verb, [*needed, f"{group}={option}"])
    if group in {"candidate", "model"} and OmegaConf.is_missing(cfg[group], "path"):
        cfg[group].path = "x"
    return cfg


def listed(metric: str) -> bool:
    return metric in OmegaConf.to_container(compose("compare", ["runs=[]"]).metrics)


def targets(node: Any) -> Iterator[dict[str, Any]]:
    """Every node with a `_target_`, at any depth."""
    if isinstance(node, dict):
        if "_target_" in node:
            yield node
        yield from itertools.chain.from_iterable(targets(child) for child in node.values())
    elif isinstance(node, list):
        yield from itertools.chain.from_iterable(targets(child) for child in node)


def located(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_every_group_has_a_home() -> None:
    assert set(GROUPS) == set(HOME)


@pytest.mark.parametrize("verb", list(COMMANDS))
def test_every_verb_has_a_yaml_and_a_file_with_run(verb: str) -> None:
    assert (CONFIGS / f"{config_name(verb)}.yaml").is_file()
    assert callable(importlib.import_module(module_name(verb)).run)


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_option_composes_and_is_valid(group: str, option: str) -> None:
    command = HOME[group][0].replace("_", " ")
    cfg = composed(group, option)
    if command in {"compare", "select"}:
        cfg.runs = ["x"]
    if command == "export":
        cfg.candidate.path = "x"
    check(command, cfg)


def test_a_misspelt_keyword_is_found() -> None:
    with pytest.raises(UserError, match=r"model\.block: is not a known key of model; did you mean model\.blocks\?"):
        check("train", compose("train", ["content=mixed", "data.root=x", "+model.block=1"]))


def test_no_constructor_swallows_unknown_keywords() -> None:
    for group, option in OPTIONS:
        node = OmegaConf.to_container(OmegaConf.load(CONFIGS / group / f"{option}.yaml"), resolve=False)
        for target in targets(node):
            called = located(target["_target_"])
            own = called.__init__ if inspect.isclass(called) else called
            if getattr(own, "__module__", "").startswith("vsr_lab."):  # a class without a constructor has torch's
                kinds = {p.kind for p in inspect.signature(own).parameters.values()}
                assert inspect.Parameter.VAR_KEYWORD not in kinds, target["_target_"]


BASES = {"model": Network, "degradation": Degradation, "exporter": Exporter, "gates": Gate}


@pytest.mark.parametrize(("group", "option"), [pair for pair in OPTIONS if pair[0] in BASES])
def test_option_keeps_its_contract(group: str, option: str) -> None:
    where = f"{HOME[group][2]}.{option}" if group == "exporter" else HOME[group][2]
    node = OmegaConf.to_container(OmegaConf.select(composed(group, option), where), resolve=True)
    first = next(targets(node))
    assert issubclass(located(first["_target_"]), BASES[group])


def test_a_content_type_brings_its_losses_and_the_command_line_has_the_last_word() -> None:
    own = ["content=screen_capture", "data.root=x"]
    cfg = compose("train", own)
    assert {"charbonnier", "flicker", "edges", "focal_frequency"} <= set(cfg.loss.terms)
    assert (cfg.pixel_format, cfg.validation.colour, cfg.data.flips) == ("yuv444p", "rgb", False)
    assert compose("train", [*own, "loss.terms.edges.weight=0"]).loss.terms.edges.weight == 0
    assert {"flow_alignment", "edges"} <= set(compose("train", [*own, "loss=aligned"]).loss.terms)
    assert "edges" not in compose("train", ["content=live_action", "data.root=x"]).loss.terms


def test_a_content_type_is_a_yaml_and_never_a_branch() -> None:
    contents = [option for group, option in OPTIONS if group == "content"]
    for file in (CONFIGS.parent / "vsr_lab").rglob("*.py"):
        if file.name in {"demo.py", "demo_footage.py"}:
            continue  # it says which of its clips is of which type
        text = file.read_text(encoding="utf-8")
        assert not [name for name in contents if f'"{name}"' in text], file
