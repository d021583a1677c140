"""What was left out of a support changes no more than the result says, and costs no memory."""

import math
import resource
import subprocess
import sys
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from grapheme_torch import (
    EdgeCost,
    Hints,
    Sinkhorn,
    StructuralLoss,
    StructuralLossResult,
    Support,
    Window,
)
from grapheme_torch.costs import SeveralRelations
from grapheme_torch.loss._program import edge_costs
from grapheme_torch.loss.batch._read import read
from grapheme_torch.loss.layouts._certificate import Truncation, slope_range
from grapheme_torch.loss.layouts._padded_edges import PaddedEdges

from ...problems import NUM_RELATIONS, random_pairs, union
from ...random_graphs import untouched_random

ROUNDING = 1e-9


def regularised(cost: Tensor, plan: Tensor, a: Tensor, b: Tensor, eps: float) -> float:
    """The objective of (E3)."""
    product = a[:, None] * b
    used = plan > 1e-30
    entropy = (plan * (plan / product)[:, :].clamp(min=1e-300).log())[used].sum()
    return float((cost * plan).sum() + eps * (entropy - plan.sum() + product.sum()))


def truncation(result: StructuralLossResult) -> Truncation:
    """What is said of the matches that were left out."""
    assert result.truncation is not None
    return result.truncation


def whole(result: StructuralLossResult, n: int, m: int) -> Tensor:
    """The plan as a matrix, void last, for a slack of one half."""
    plan = result.plan[0].detach().clone()
    plan[n, m] = max(m - n, 0) + 0.5 * min(n, m) - plan[n, :m].sum()
    return plan


@settings(max_examples=60)
@given(
    n=st.integers(1, 5),
    m=st.integers(1, 5),
    seed=st.integers(0, 10**6),
    several=st.booleans(),
    criterion=st.sampled_from(["edit", "likelihood"]),
)
def test_the_slope_of_the_edges_is_in_its_range(
    n: int, m: int, seed: int, several: bool, criterion: Literal["edit", "likelihood"]
) -> None:
    """Whatever the plan; with several relations between two nodes each of them adds."""
    with untouched_random():
        predictions, targets = random_pairs(seed, [(n, m)])
    target = union(targets)
    if several:
        again = target.edge_index, target.edge_type % NUM_RELATIONS + 1
        target.edge_index = torch.cat([target.edge_index, again[0]], 1)
        target.edge_type = torch.cat([target.edge_type, again[1]])
    cost = SeveralRelations() if several else EdgeCost()
    spec = StructuralLoss(edge_cost=cost, criterion=criterion).spec
    pairs = read(predictions[0], target, spec)
    costs = edge_costs(spec, pairs, edits=spec.edit)
    least, most = slope_range(pairs, costs)
    draw = torch.Generator().manual_seed(seed)
    for sharpness in (0.0, 30.0):
        logit = sharpness * torch.rand(1, n, m, generator=draw, dtype=torch.float64)
        slope = PaddedEdges.of(pairs, costs).gradient(logit.softmax(2))[0]
        assert bool((slope >= -least[:, None] - ROUNDING).all())
        assert bool((slope <= most[:, None] + ROUNDING).all())


@settings(max_examples=60)
@given(
    n=st.integers(1, 7),
    m=st.integers(1, 7),
    seed=st.integers(0, 10**6),
    temperature=st.sampled_from([0.05, 0.1, 0.4]),
    weight=st.sampled_from([0.0, 0.3, 1.0]),
    window=st.sampled_from([None, 1.0, 2.5]),
    criterion=st.sampled_from(["edit", "likelihood"]),
    rounds=st.sampled_from([0, 1]),
)
def test_the_bounds_hold(
    n: int, m: int, seed: int, temperature: float, weight: float, window: float | None,
    criterion: str, rounds: int,
) -> None:  # fmt: skip
    with untouched_random():
        predictions, targets = random_pairs(seed, [(n, m)])
    prediction, target = predictions[0], union(targets)
    loss = StructuralLoss(
        criterion=criterion,
        gamma=0.0,
        beta=0.5 if rounds == 0 else 1e-9,
        alignment=Sinkhorn(temperature=temperature, rounds=rounds, slack=0.5, tolerance=1e-13),
        hints=Hints(position=weight),
    )
    draw = torch.Generator().manual_seed(seed)
    chosen = torch.rand(n, m, generator=draw) < 0.5
    chosen[torch.arange(min(n, m)), torch.arange(min(n, m))] = True
    matches = Window(window) if window else Support(chosen.nonzero().T)
    try:
        result = loss(prediction, target, matches=matches)
    except ValueError:
        return  # too narrow a window for its masses
    dense = loss(prediction, target)
    if not (result.converged.all() and dense.converged.all()):
        return
    bound = truncation(result)
    gap = float((whole(result, n, m) - dense.plan.padded[0]).abs().sum())
    # With rounds the plan of the last cost is bounded; here edges weigh next to nothing.
    assert gap <= float(bound.plan) + (ROUNDING if rounds == 0 else 1e-5)
    if rounds == 0:
        change = abs(float(result.total - dense.total))
        assert change <= float(bound.loss) + ROUNDING
    else:
        assert math.isinf(float(bound.loss))


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), temperature=st.sampled_from([0.1, 0.4]))
def test_the_least_value_rises_by_no_more_than_the_bound(seed: int, temperature: float) -> None:
    with untouched_random():
        predictions, targets = random_pairs(seed, [(5, 6)])
    prediction, target = predictions[0], union(targets)
    loss = StructuralLoss(
        alignment=Sinkhorn(temperature=temperature, rounds=0, slack=0.5, tolerance=1e-13)
    )
    result = loss.replace(matches=Window(1.5))(prediction, target)
    dense = loss(prediction, target).plan.padded[0].detach()
    h = prediction.existence.sigmoid()
    cost = torch.zeros(6, 7, dtype=torch.float64)
    steps = (prediction.position[:, None] - target.position).abs()
    cost[:5, :6] = 1 - h[:, None] * prediction.label.softmax(1)[:, target.y] + 0.5 * steps
    cost[:5, 6], cost[5, :6] = h, 1.0
    a = torch.tensor([1.0] * 5 + [3.5]).double()
    b = torch.tensor([1.0] * 6 + [2.5]).double()
    few, all_of_them = (
        regularised(cost, plan, a, b, temperature) for plan in (whole(result, 5, 6), dense)
    )
    assert -ROUNDING <= few - all_of_them <= float(truncation(result).value) + ROUNDING


def test_a_full_support_leaves_nothing_out() -> None:
    predictions, targets = random_pairs(1, [(5, 6)])
    full = torch.cartesian_prod(torch.arange(5), torch.arange(6)).T
    for weight in (0.0, 0.5):
        loss = StructuralLoss(
            alignment=Sinkhorn(rounds=0), hints=Hints(position=weight), matches=Support(full)
        )
        bound = truncation(loss(predictions[0], union(targets)))
        assert float(bound.mass) < 1e-12
        assert float(bound.loss) < 1e-4


def test_a_wider_window_is_known_to_be_better() -> None:
    predictions, targets = random_pairs(1, [(30, 30)])
    loss = StructuralLoss(alignment=Sinkhorn(rounds=0, slack=0.5))
    bounds = [
        float(truncation(loss(predictions[0], union(targets), matches=Window(w))).value)
        for w in (2.0, 4.0, 8.0)
    ]
    assert bounds[0] > 100 * bounds[1] > 10_000 * bounds[2]


PROGRAM = """
import resource, torch
from torch_geometric.data import Data
from grapheme_torch import Prediction, Sinkhorn, StructuralLoss, Window
def run(n):
    path = torch.stack([torch.arange(n - 1), torch.arange(1, n)])
    place = torch.arange(n).double()
    soft = Prediction(torch.zeros(n), torch.randn(n, 5).requires_grad_(), path,
                      torch.zeros(n - 1, 2), position=place)
    loss = StructuralLoss(alignment=Sinkhorn(slack=0.2), matches=Window(4.0))
    loss(soft, Data(y=torch.randint(5, (n,)), edge_index=path, position=place)).total.backward()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
run(100)
print(run(1000), run(20000))
"""


@pytest.mark.repeats
@pytest.mark.skipif(not hasattr(resource, "RUSAGE_SELF"), reason="no resource usage here")
def test_memory_grows_with_the_support_and_not_with_its_square() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    small, large = map(float, done.stdout.split())
    # One dense matrix of 20,000 nodes a side takes 3 GiB.
    assert large - small < 400
