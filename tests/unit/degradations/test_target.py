"""What a model is to make of the LR: the HR, save for what it must not undo."""

import torch
from torch import Tensor

from vsr_lab.degradations import Compose, Degradation, Params, RandomApply, RandomChoice, ResizeDown, target_batch


class Marked(Degradation):
    """Whitens the square of params["side"] pixels in the corner, in the LR and in the truth."""

    modifies_target = True

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self.target(clip, params)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        marked = hr.clone()
        marked[..., : zoom * params["side"], : zoom * params["side"]] = 1
        return marked


def test_the_truth_of_an_ordinary_degradation_is_the_hr() -> None:
    hr = torch.rand(1, 2, 3, 8, 8)
    assert not Compose([ResizeDown(2)]).modifies_target
    assert target_batch(ResizeDown(2), hr, [{}]) is hr


def test_what_is_drawn_after_shrinking_is_drawn_larger_in_the_truth() -> None:
    hr = torch.rand(1, 2, 3, 16, 16) / 2
    chain = Compose([ResizeDown(4), Marked()])
    assert chain.modifies_target
    (truth,) = target_batch(chain, hr, [{"steps": [{}, {"side": 2}]}])
    assert (truth[..., :8, :8] == 1).all()
    assert torch.equal(truth[..., 8:, :], hr[0, ..., 8:, :])
    lr = chain.apply(hr, {"steps": [{}, {"side": 2}]})
    assert (lr[..., :2, :2] == 1).all() and lr[..., 2:, :].max() < 0.7


def test_a_step_that_did_not_happen_leaves_the_truth() -> None:
    hr = torch.rand(2, 3, 8, 8)
    step = RandomApply(Marked(), 0.5)
    assert step.target(hr, {"step": None}) is hr
    assert (step.target(hr, {"step": {"side": 1}})[..., 0, 0] == 1).all()
    assert torch.equal(RandomChoice([step, Marked()]).target(hr, {"chosen": 0, "step": {"step": None}}), hr)
