"""Losses that are bounded: value, slope, and what their mean is least at."""

import re

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from grapheme_torch import InputError, StructuralLoss, geman_mcclure

from ..problems import batch_of_pairs, gradients


def test_near_zero_it_is_the_loss_and_far_away_the_bound() -> None:
    loss = torch.tensor([0.0, 1e-6, 4.0, 12.0, 1e12, -3.0]).double()
    wanted = torch.tensor([0.0, 1e-6, 2.0, 3.0, 4.0, -3.0]).double()
    torch.testing.assert_close(geman_mcclure(loss, 4.0), wanted, rtol=1e-6, atol=0)


def test_its_derivatives_by_finite_differences() -> None:
    loss = torch.tensor([-3.0, -0.1, 0.1, 2.0, 50.0]).double().requires_grad_()
    assert gradcheck(lambda x: geman_mcclure(x, 1.5), loss)
    assert gradgradcheck(lambda x: geman_mcclure(x, 1.5), loss)


def test_the_slope_has_no_step_at_zero() -> None:
    for value in (0.0, -0.0, -1e-300, 1e-300):
        loss = torch.tensor(value, dtype=torch.float64, requires_grad=True)
        geman_mcclure(loss, 0.1).backward()
        assert loss.grad == 1


def test_negative_losses_beyond_the_bound_do_no_harm() -> None:
    loss = torch.tensor([-4.0, -100.0], requires_grad=True)  # 1 + loss / bound is 0, and below
    geman_mcclure(loss, 4.0).sum().backward()
    assert loss.grad is not None
    assert loss.grad.tolist() == [1, 1]


def test_a_pair_counts_by_how_right_it_is() -> None:
    prediction, target = batch_of_pairs(1)
    each = StructuralLoss(reduction="none")(prediction, target).total
    found = gradients(geman_mcclure(each, 3.0).sum(), prediction)
    each = StructuralLoss(reduction="none")(prediction, target).total
    weight = (1 + each.detach() / 3.0) ** -2
    for got, wanted in zip(found, gradients((weight * each).sum(), prediction), strict=True):
        torch.testing.assert_close(got, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("bound", "share"), [(None, 0.6), (0.3, 1.0)])
def test_the_likeliest_target_is_learnt_not_one_between(bound: float | None, share: float) -> None:
    """Ten bits that are all 1 in six cases of ten, and all 0 else."""
    logits = torch.zeros(10, requires_grad=True)
    cases = torch.cat([torch.ones(6, 10), torch.zeros(4, 10)])
    adam = torch.optim.Adam([logits], lr=0.1)
    for _ in range(300):
        adam.zero_grad()
        each = (logits.sigmoid() - cases).square().sum(1)
        (each if bound is None else geman_mcclure(each, bound)).mean().backward()
        adam.step()
    torch.testing.assert_close(logits.sigmoid(), torch.full((10,), share), rtol=0, atol=0.01)


@pytest.mark.untyped
@pytest.mark.parametrize("bound", [0.0, -1.0, float("inf"), float("nan")])
def test_a_bound_that_is_none_is_refused(bound: float) -> None:
    message = f"`bound` must be positive and finite, got {bound}. Try what a nearly right answer"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        geman_mcclure(torch.ones(2), bound)
