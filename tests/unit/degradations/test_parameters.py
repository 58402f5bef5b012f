"""Declared parameters: checked once, when a degradation is constructed, and drawn by their type."""

import numpy as np
import pytest
from hydra.utils import instantiate
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor

from vsr_lab.degradations import (
    BlurDown,
    Codec,
    Compose,
    Degradation,
    GaussianBlur,
    GaussianNoise,
    Params,
    PoissonNoise,
    RandomApply,
    RandomChoice,
    RescaleRoundTrip,
    ResizeDown,
)
from vsr_lab.degradations.base import Chance, Choice, LogRange, Range


class Every(Degradation, seeded=True):
    """One field of each kind, and one that is not drawn from."""

    share: Range[NonNegativeFloat] = (0.0, 1.0)
    count: Range[PositiveInt] = (1, 3)
    power: LogRange[float] = (0.01, 100.0)
    way: Choice[str] = ("up", "down")
    mirrored: Chance = 0.25
    fixed: float = 2.0

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return clip


def drawn(degradation: Degradation, count: int = 400) -> dict[str, list]:
    """Values of `count` clips, by parameter."""
    each = [degradation.sample(np.random.default_rng(seed)) for seed in range(count)]
    return {name: [params[name] for params in each] for name in each[0]}


def test_every_kind_of_field_draws_its_own_kind_of_value() -> None:
    values = drawn(Every())
    assert list(values) == ["share", "count", "power", "way", "mirrored", "seed"]
    assert min(values["share"]) < 0.05 and 0.95 < max(values["share"]) <= 1
    assert set(values["count"]) == {1, 2, 3}
    assert np.median(values["power"]) == pytest.approx(1, rel=0.7) and max(values["power"]) > 50
    assert set(values["way"]) == {"up", "down"}
    assert np.mean(values["mirrored"]) == pytest.approx(0.25, abs=0.07)
    assert len(set(values["seed"])) == 400
    assert [type(value[0]) for value in values.values()] == [float, int, float, str, bool, int]


def test_a_number_is_a_range_of_one_value_and_whole_numbers_become_floats_where_the_field_says_so() -> None:
    every = Every(share=1, count=2, way="up")
    values = drawn(every, 20)
    assert every.share == (1.0, 1.0) and set(values["share"]) == {1.0} and isinstance(values["share"][0], float)
    assert set(values["count"]) == {2} and set(values["way"]) == {"up"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: GaussianBlur((2, 1)), r"GaussianBlur\.sigma must not end below its start, got \(2, 1\)"),
        (lambda: GaussianBlur(-1), r"GaussianBlur\.sigma must be greater than or equal to 0, got -1"),
        (lambda: GaussianBlur((1, 2, 3)), r"GaussianBlur\.sigma .*2 items"),
        (lambda: GaussianBlur(drift=(0, 2)), r"GaussianBlur\.drift must be less than or equal to 1, got 2"),
        (lambda: GaussianNoise(None), r"GaussianNoise\.sigma must be a valid number, got None"),
        (lambda: GaussianNoise("soft"), r"GaussianNoise\.sigma must be a valid number.*, got 'soft'"),
        (lambda: GaussianNoise(gray=1.5), r"GaussianNoise\.gray must be less than or equal to 1, got 1.5"),
        (lambda: PoissonNoise(0), r"PoissonNoise\.photons must be greater than 0, got 0"),
        (lambda: Codec("h264", 20.5), r"Codec\.quality must be a valid integer"),
        (lambda: RescaleRoundTrip([]), r"RescaleRoundTrip\.factor .*at least 1 item"),
        (lambda: RescaleRoundTrip(0.0), r"RescaleRoundTrip\.factor must be greater than 0, got 0"),
        (lambda: ResizeDown(0), r"ResizeDown\.scale must be greater than 0, got 0"),
        (lambda: BlurDown(2, 1.6, 13, phase=0, border="wrap"), r"BlurDown\.border must be 'reflect' or 'replicate'"),
        (lambda: RandomApply(ResizeDown(2)), r"RandomApply\.step must have scale 1, got 2"),
        (lambda: RandomChoice([GaussianNoise()], [0]), r"RandomChoice\.weights must have 1 values, not all 0"),
        (lambda: RandomChoice([GaussianNoise(), ResizeDown(2)]), r"RandomChoice\.steps must have the same scale"),
        (lambda: Compose(["blur"]), r"Compose\.steps must be an instance of Degradation, got 'blur'"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(wrong, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        wrong()
    assert "\n" not in str(refused.value)


def test_unknown_and_missing_parameters_are_refused() -> None:
    with pytest.raises(TypeError, match="sigma_min"):
        GaussianBlur(sigma_min=1)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'scale'"):
        ResizeDown()
    with pytest.raises(TypeError, match="positional argument"):
        BlurDown(2, 1.6, 13, 0, "reflect")
    with pytest.raises(TypeError, match="temporel"):
        type("Misspelt", (Degradation,), {}, temporel=True)


def test_configurations_need_no_conversion() -> None:
    """Hydra hands on its own lists where `_convert_` is not set."""
    step = {"_target_": "vsr_lab.degradations.GaussianBlur", "sigma": [0.5, 1], "anisotropy": 2}
    chain = instantiate({"_target_": "vsr_lab.degradations.Compose", "steps": [step]})
    assert chain.steps[0].sigma == (0.5, 1.0) and chain.steps[0].anisotropy == (2.0, 2.0)


def test_a_subclass_adds_fields_and_keeps_those_it_has() -> None:
    class Tinted(GaussianNoise):
        tint: Range[float] = (0.0, 0.1)

    tinted = Tinted(sigma=5, tint=0.05)
    assert tinted.sample(np.random.default_rng(0)) == {
        **GaussianNoise(5).sample(np.random.default_rng(0)),
        "tint": 0.05,
        "seed": tinted.sample(np.random.default_rng(0))["seed"],
    }
    assert tinted.temporal and repr(tinted).endswith("Tinted(sigma=(5.0, 5.0), gray=0.4, tint=(0.05, 0.05))")


def test_parameters_of_steps_are_those_of_the_steps_alone() -> None:
    chain = Compose([RandomApply(GaussianNoise(), 1.0), ResizeDown(2)])
    rng = np.random.default_rng(1)
    rng.random()
    assert chain.sample(np.random.default_rng(1)) == {"steps": [{"step": GaussianNoise().sample(rng)}, {}]}
