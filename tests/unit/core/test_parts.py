"""Parts: objects that a configuration names."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from vsr_lab.core import parts
from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import Part, PartError, describes, parse_part
from vsr_lab.core.validation import validate
from vsr_lab.losses import L1, Charbonnier, Objective, Term


class Inner:
    def __init__(self, size: Annotated[int, Field(ge=1)], ratio: float = 0.5, kind: Literal["a", "b"] = "a") -> None:
        self.size, self.ratio, self.kind = size, ratio, kind


class Outer:
    def __init__(self, inner: Inner, many: Sequence[Inner] = (), named: Mapping[str, Inner] | None = None) -> None:
        self.inner, self.many, self.named = inner, many, named


class Owner(BaseModel):
    part: Annotated[Part[Any], describes(Outer)]
    path: Path | None = None


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "registered_packages", lambda: (f"{__name__.partition('.')[0]}.",))


def node(kind: type, /, **keywords: Any) -> dict[str, Any]:
    return {"_target_": f"{__name__}.{kind.__name__}", **keywords}


def test_nested_parts_are_built() -> None:
    inner = node(Inner, size=3)
    owner = validate(Owner, {"part": node(Outer, inner=inner, many=[inner, inner], named={"x": inner})})
    built = owner.part.build()
    assert (built.inner.size, len(built.many), built.named["x"].ratio) == (3, 2, 0.5)
    assert owner.part.build() is not built


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"inner": {"size": 0}}, "part.inner.size: must be >= 1, got 0"),
        ({"inner": {"size": True}}, "part.inner.size: must be an integer, got true"),
        ({"inner": {"size": "3"}}, "part.inner.size: must be an integer, got '3'"),
        ({"inner": {"size": 1, "ratio": float("nan")}}, "part.inner.ratio: must be a finite number, got nan"),
        ({"inner": {"size": 1, "kind": "c"}}, "part.inner.kind: must be 'a' or 'b', got 'c'"),
        (
            {"inner": {"size": 1, "sise": 1}},
            "part.inner.sise: is not a known key of part.inner; did you mean part.inner.size?",
        ),
        ({"inner": {}}, "part.inner.size: is required; set part.inner.size="),
        ({"inner": {"sice": 1}}, "part.inner.sice: is not a known key of part.inner; did you mean part.inner.size?"),
    ],
)
def test_what_does_not_fit_the_constructor_is_named_with_its_key(keywords: dict[str, Any], message: str) -> None:
    inner = node(Inner, **keywords["inner"])
    with pytest.raises(UserError, match=r"^.*$") as caught:
        validate(Owner, {"part": node(Outer, inner=inner)})
    assert str(caught.value) == message


def test_keywords_have_the_order_of_the_constructor() -> None:
    """So the config.yaml of a run is the same in every process, and a stopped run is recognised."""
    assert list(parse_part(node(Inner, kind="b", ratio=0.1, size=2)).keywords) == ["size", "ratio", "kind"]


def test_an_item_of_a_list_is_named_by_its_number() -> None:
    good, bad = node(Inner, size=1), node(Inner, size=-1)
    with pytest.raises(UserError, match=r"part\.many\.1\.size: must be >= 1, got -1"):
        validate(Owner, {"part": node(Outer, inner=good, many=[good, bad])})


@pytest.mark.parametrize(
    "target",
    [
        *("os.system", "builtins.eval", "subprocess.run", "torch.load", "pathlib.Path.unlink", "", "x", 7, None),
        *("vsr_lab.core.parts.locate", "vsr_lab.core.files.os.system", "vsr_lab.core.files.errno.errorcode"),
        *("torch.optim.os.system", "torch.optim..AdamW", "hydra.utils.get_class", "vsr_labx.models.Compact"),
        "vsr_lab.core.parts.importlib.import_module",
        *("vsr_lab.core.files.write_text", "vsr_lab.core.run_folder.remove_unfinished", "vsr_lab.cli.main.main"),
        *("vsr_lab.deployment.upscale", "vsr_lab.data.StoreWriter", "vsr_lab.models.files.read_note"),
        *("vsr_lab.evaluation.results.write_results", "vsr_lab.evaluation.stored.remove_clips"),
    ],
)
def test_foreign_code_is_refused_before_it_is_imported(target: object, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"part\._target_"):
        validate(Owner, {"part": {"_target_": target}})


def test_an_object_of_another_kind_is_refused() -> None:
    with pytest.raises(UserError, match="is not a Outer"):
        validate(Owner, {"part": node(Inner, size=1)})
    with pytest.raises(UserError, match=r"part\.inner: must be a mapping with _target_"):
        validate(Owner, {"part": node(Outer, inner=7)})


def test_a_factory_takes_the_rest_later() -> None:
    part = parse_part({"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 0.1, "betas": [0.9, 0.99]})
    assert part.build().keywords == {"lr": 0.1, "betas": (0.9, 0.99)}  # type: ignore[attr-defined]


def test_losses_are_described_by_their_annotations() -> None:
    term = {
        "_target_": "vsr_lab.losses.Term",
        "weight": 1,
        "loss": {"_target_": "vsr_lab.losses.Charbonnier", "epsilon": 1e-3},
    }
    objective = {
        "_target_": "vsr_lab.losses.Objective",
        "terms": {"a": term},
        "estimator": {"_target_": "vsr_lab.core.flow.Farneback", "shrink": 1},
    }
    built = parse_part(objective, Objective).build()
    assert isinstance(built.terms["a"], Term)
    assert isinstance(built.terms["a"].loss, Charbonnier)
    assert not isinstance(built.terms["a"].loss, L1)


@pytest.mark.parametrize(
    "name",
    [
        "pytorch_lightning.loggers.CSVLogger",
        "pytorch_lightning.callbacks.ModelCheckpoint",
        "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
        "vsr_lab.training.train.RunFolder",
        "vsr_lab.training.RunFolder",
        "vsr_lab.training.checkpoints.SaveLast",
    ],
)
def test_what_writes_or_removes_files_may_not_be_named(name: str) -> None:
    with pytest.raises(PartError, match=r"cannot be used|has no class"):
        parse_part({"_target_": name})


def test_the_model_of_vmaf_is_a_name() -> None:
    part = {"_target_": "vsr_lab.metrics.vmaf", "_partial_": True}
    assert parse_part({**part, "model": "vmaf_v0.6.1neg"}).keywords == {"model": "vmaf_v0.6.1neg"}
    with pytest.raises(PartError):
        parse_part({**part, "model": "vmaf_v0.6.1:log_path=film.mkv"})
