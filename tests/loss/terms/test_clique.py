"""The clique term: density statistics of hard graphs by NumPy, smooth where counts run out."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch_geometric.data import Data

from grapheme_torch import EdgeCost, Prediction
from grapheme_torch.loss.terms import _clique

from ... import unrolled
from ...problems import (
    NUM_LABELS,
    NUM_RELATIONS,
    SIZES,
    certain,
    gradients,
    join,
    leaf,
    random_dag,
    random_pairs,
    random_prediction,
    union,
)
from ..batches import pair_up


def clique_cost(prediction: Prediction, target: Data) -> Tensor:
    """The clique term of each pair."""
    pairs = pair_up(prediction, target)
    return _clique.clique_cost(pairs, EdgeCost().presence(pairs))


def _statistics(graph: Data) -> tuple[float, float]:
    """Mean and variance of out-degree over number of other nodes."""
    n = int(graph.num_nodes or 0)
    degree = np.bincount(graph.edge_index[0].numpy(), minlength=n)
    density = degree / max(n - 1, 1)
    return (float(density.mean()), float(density.var())) if n else (0.0, 0.0)


def _rounded(x: float) -> float:
    return float(np.hypot(x, 0.01)) - 0.01


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("m", [0, 1, 2, 7, 12])
@pytest.mark.parametrize("n", [0, 1, 2, 5, 12])
def test_hard_graphs_have_their_out_degree_statistics(n: int, m: int, seed: int) -> None:
    first, second = random_dag(seed, n), random_dag(seed + 50, m)
    found = clique_cost(certain(first), second)
    means, variances = zip(_statistics(first), _statistics(second), strict=True)
    wanted = 0.3 * _rounded(means[0] - means[1]) + 0.7 * _rounded(variances[0] - variances[1])
    assert found.tolist() == pytest.approx([wanted], abs=1e-12)


def test_nodes_that_do_not_exist_do_not_count() -> None:
    target, larger = random_dag(1, 5), random_dag(1, 8)
    sure = certain(larger)
    kept = torch.tensor([0, 2, 3, 6, 7])
    sure.existence.fill_(-40.0)[kept] = 40.0
    number = torch.full((8,), -1)
    number[kept] = torch.arange(5)
    ends = number[larger.edge_index]
    inside = (ends >= 0).all(0)
    smaller = Data(
        num_nodes=5, y=larger.y[kept], edge_index=ends[:, inside],
        edge_type=larger.edge_type[inside],
    )  # fmt: skip
    wanted = clique_cost(certain(smaller), target)
    torch.testing.assert_close(clique_cost(sure, target), wanted, rtol=0, atol=1e-12)
    assert wanted > 1e-3


@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_value_and_gradient_of_the_plain_program(spread: float) -> None:
    predictions, targets = random_pairs(1, SIZES, spread=spread)
    batch = leaf(join(predictions))
    found = clique_cost(batch, union(targets))
    plain = leaf(join(predictions))
    alone = []
    for k, target in enumerate(targets):
        nodes = (plain.batch == k).nonzero()[:, 0]
        own = plain.batch[plain.edge_index[0]] == k
        ends = plain.edge_index[:, own] - (nodes[0] if len(nodes) else 0)
        alone.append(
            unrolled.clique_cost(
                torch.sigmoid(plain.existence[nodes]),
                torch.softmax(plain.relation[own], 1),
                [(u, v) for u, v in ends.T.tolist()],
                int(target.num_nodes or 0),
                [(u, v, 1) for u, v in target.edge_index.T.tolist()],
            )
        )
    wanted = torch.stack(alone)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)
    weights = torch.linspace(1, 2, len(SIZES)).double()
    slopes = gradients(found @ weights, batch), gradients(wanted @ weights, plain)
    for value, other in zip(*slopes, strict=True):
        torch.testing.assert_close(value, other, rtol=0, atol=1e-12)
    assert slopes[0][0].any()
    assert slopes[0][2].any()


@pytest.mark.parametrize("shift", [-30.0, -4.0, 0.0, 4.0])
def test_derivative_by_finite_differences(shift: float) -> None:
    """Also where hardly a node exists: the soft count is below one there."""
    soft = join([random_prediction(1, 4), random_prediction(2, 1), random_prediction(3, 3)])
    target = union([random_dag(1, 3), random_dag(2, 2), random_dag(3, 0)])

    def cost(existence: Tensor, relation: Tensor) -> Tensor:
        prediction = Prediction(
            existence, soft.label, soft.edge_index, relation, soft.batch, soft.num_graphs
        )
        return clique_cost(prediction, target)

    inputs = (soft.existence + shift).requires_grad_(), soft.relation.clone().requires_grad_()
    assert gradcheck(cost, inputs, eps=1e-6, atol=1e-8, rtol=1e-6)


@pytest.mark.parametrize("n", [0, 1])
def test_no_node_and_one_node_have_density_zero_and_a_finite_gradient(n: int) -> None:
    soft = leaf(random_prediction(1, n))
    value = clique_cost(soft, random_dag(1, n))
    assert value.tolist() == [0.0]
    assert all(slope.isfinite().all() for slope in gradients(value.sum(), soft))


def test_equal_statistics_are_a_smooth_minimum() -> None:
    """At a difference of zero the slope is zero; two sides of it mirror each other."""
    target = random_dag(3, 6)
    prediction = leaf(certain(target))
    slopes = gradients(clique_cost(prediction, target).sum(), prediction)
    assert max(float(slope.abs().max()) for slope in slopes) < 1e-12


@pytest.mark.parametrize("total", [1e-6, 0.3, 1.0, 1.5, 2.0])
def test_soft_counts_join_smoothly(total: float) -> None:
    """The slope has no step, not even where a count passes one: three nodes share `total`."""
    h = torch.full((3,), total / 3, dtype=torch.float64)
    relation = torch.tensor([[0.0, 1.0]] * 3).double()
    ends = torch.tensor([[0, 0, 1], [1, 2, 2]])

    def slope(h: Tensor) -> Tensor:
        h = h.requires_grad_()
        soft = Prediction(h.logit(), torch.zeros(3, NUM_LABELS).double(), ends, relation)
        target = random_dag(1, 3, num_relations=1)
        return torch.autograd.grad(clique_cost(soft, target).sum(), h)[0]

    step = 1e-7
    before, after = slope(h * (1 - step)), slope(h * (1 + step))
    assert before.isfinite().all()
    assert (after - before).abs().max() < 1e-5


def test_relations_are_not_told_apart() -> None:
    soft = random_prediction(4, 5)
    other = random_dag(5, 5)
    shuffled = other.clone()
    shuffled.edge_type = NUM_RELATIONS + 1 - other.edge_type
    turned = Prediction(soft.existence, soft.label, soft.edge_index, soft.relation[:, [0, 3, 1, 2]])
    torch.testing.assert_close(
        clique_cost(turned, shuffled), clique_cost(soft, other),
        rtol=0, atol=1e-14,
    )  # fmt: skip
