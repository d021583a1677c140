"""Masses, matching cost and node term, entry by entry."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch_geometric.data import Data

from grapheme_torch import Prediction
from grapheme_torch.loss import _program
from grapheme_torch.loss.batch._pairs import Pairs
from grapheme_torch.loss.layouts._padded import Padded
from grapheme_torch.loss.terms import _nodes

from ...problems import (
    NUM_LABELS,
    SIZES,
    join,
    loss_of,
    random_dag,
    random_pairs,
    random_prediction,
    union,
)
from ..batches import pair_up

WIDTH = max(n for n, _ in SIZES), max(m for _, m in SIZES)


def _padded(pairs: Pairs, **settings: Any) -> Padded:
    return Padded(pairs, loss_of(**settings).spec)


def expected_edits(pairs: Pairs) -> Tensor:
    """Edits of each entry."""
    space = _padded(pairs)
    return _nodes.expected_edits(space, space.node_terms().match, space.spec.prices, 1.0)


def surprise(pairs: Pairs) -> Tensor:
    """Nats of each entry."""
    space = _padded(pairs)
    return _nodes.surprise(space, space.node_terms().nll, space.spec.prices, 1.0)


def matching_cost(pairs: Pairs, weight: float) -> Tensor:
    """What the alignment minimises."""
    return _program.matching_cost(_padded(pairs, position=weight))


def _pairs(seed: int = 1) -> tuple[Pairs, list[Prediction], list[Data]]:
    predictions, targets = random_pairs(seed, SIZES)
    return pair_up(join(predictions), union(targets)), predictions, targets


@pytest.mark.parametrize("slack", [0.0, 0.3, 1.0])
def test_masses(slack: float) -> None:
    a, b = _padded(_pairs()[0], slack=slack).masses
    assert a.shape == (len(SIZES), WIDTH[0] + 1)
    assert b.shape == (len(SIZES), WIDTH[1] + 1)
    for k, (n, m) in enumerate(SIZES):
        assert a[k, :-1].tolist() == [1.0] * n + [0.0] * (WIDTH[0] - n)
        assert b[k, :-1].tolist() == [1.0] * m + [0.0] * (WIDTH[1] - m)
        assert float(a[k, -1]) == pytest.approx(max(m - n, 0) + slack * min(n, m), abs=1e-12)
        assert float(b[k, -1]) == pytest.approx(max(n - m, 0) + slack * min(n, m), abs=1e-12)
    torch.testing.assert_close(a.sum(1), b.sum(1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0])
def test_every_cost(weight: float) -> None:
    pairs, predictions, targets = _pairs()
    edits, matching, unlikely = expected_edits(pairs), matching_cost(pairs, weight), surprise(pairs)
    for k, (prediction, target) in enumerate(zip(predictions, targets, strict=True)):
        h, p = torch.sigmoid(prediction.existence), torch.softmax(prediction.label, 1)
        t, s = prediction.position, target.position
        assert t is not None
        n, m = len(h), len(s)
        for u in range(n):
            for i in range(m):
                hit = float(h[u] * p[u, target.y[i]])
                away = weight * abs(float(t[u] - s[i]))
                assert float(edits[k, u, i]) == pytest.approx(1 - hit, abs=1e-12)
                assert float(matching[k, u, i]) == pytest.approx(1 - hit + away, abs=1e-12)
                log = torch.log(torch.tensor(hit, dtype=torch.float64))
                assert float(unlikely[k, u, i]) == pytest.approx(-float(log), abs=1e-10)
            for cost in (edits, matching):
                assert float(cost[k, u, -1]) == pytest.approx(float(h[u]), abs=1e-12)
            gone = -float(torch.log(1 - h[u]))
            assert float(unlikely[k, u, -1]) == pytest.approx(gone, abs=1e-10)
        for cost in (edits, matching, unlikely):
            assert cost[k, -1, :m].tolist() == [1.0] * m
            assert float(cost[k, -1, -1]) == 0


def test_costs_are_bounded_edits() -> None:
    cost = expected_edits(_pairs()[0])
    assert (cost >= 0).all()
    assert (cost <= 1).all()


def test_derivative_by_finite_differences() -> None:
    soft = join([random_prediction(1, 3), random_prediction(2, 1), random_prediction(3, 0)])
    target = union([random_dag(1, 2), random_dag(2, 3), random_dag(3, 1)])

    def value(existence: Tensor, label: Tensor, position: Tensor) -> tuple[Tensor, ...]:
        pairs = pair_up(
            Prediction(
                existence, label, soft.edge_index, soft.relation, soft.batch, soft.num_graphs,
                position,
            ),
            target,
        )  # fmt: skip
        return matching_cost(pairs, 0.5), expected_edits(pairs), surprise(pairs)

    assert soft.position is not None
    inputs = [
        values.clone().requires_grad_() for values in (soft.existence, soft.label, soft.position)
    ]
    assert gradcheck(value, inputs, eps=1e-6, atol=1e-8, rtol=1e-6)


def test_integer_positions_of_a_target_steer_too() -> None:
    prediction, target = random_prediction(1, 4), random_dag(1, 4)
    wanted = matching_cost(pair_up(prediction, target), 0.5)
    target.position = target.position.long()
    assert torch.equal(matching_cost(pair_up(prediction, target), 0.5), wanted)
    assert prediction.label.shape[1] == NUM_LABELS
