"""Attention: the formula, and that it stays within a graph."""

import cmath
import math
import re

import pytest
import torch
from torch import Tensor

from grapheme_torch import InputError
from grapheme_torch.nn import GraphAttention

from ..problems import costs
from .inputs import assert_differentiates

DIM = 8


def _part(num_heads: int = 2) -> GraphAttention:
    return GraphAttention(DIM, num_heads=num_heads).double()


@pytest.mark.parametrize("num_heads", [1, 2, 4])
def test_the_formula_node_by_node(num_heads: int) -> None:
    part, h = _part(num_heads), costs(1, 5, DIM)
    query, key, value = part.query_key_value(part.norm(h)).split(DIM, dim=1)
    size = DIM // num_heads
    mixed = torch.zeros_like(h)
    for head in range(num_heads):
        own = slice(head * size, (head + 1) * size)
        for u in range(5):
            scores = torch.stack([query[u, own] @ key[v, own] for v in range(5)])
            weights = (scores / math.sqrt(size)).softmax(0)
            mixed[u, own] = sum(weights[v] * value[v, own] for v in range(5))
    wanted = h + part.merge(mixed)
    wanted = wanted + part.feed_forward(wanted)
    found = part(h, torch.zeros(5, dtype=torch.long), 1)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)


def _turned(x: Tensor, place: float) -> Tensor:
    """One head's vector, its pairs of coordinates as complex numbers times `exp(i angle)`."""
    half = len(x) // 2
    out = x.clone()
    for k in range(half):
        angle = place * 100.0 ** (-k / half)
        pair = complex(x[k], x[k + half]) * cmath.exp(1j * angle)
        out[k], out[k + half] = pair.real, pair.imag
    return out


@pytest.mark.parametrize(("dim", "num_heads"), [(8, 2), (8, 8), (6, 2), (5, 1)])
def test_the_formula_with_positions(dim: int, num_heads: int) -> None:
    """Heads of even and odd size, of size one too."""
    part, h = GraphAttention(dim, num_heads=num_heads).double(), costs(1, 4, dim)
    place = [0.0, 2.0, -1.5, 40.0]
    with torch.no_grad():
        query, key, value = part.query_key_value(part.norm(h)).split(dim, dim=1)
        size, mixed = dim // num_heads, torch.zeros_like(h)
        for head in range(num_heads):
            own = slice(head * size, (head + 1) * size)
            q, k = ([_turned(x[u, own], place[u]) for u in range(4)] for x in (query, key))
            for u in range(4):
                weights = (torch.stack([q[u] @ k[v] for v in range(4)]) / math.sqrt(size)).softmax(
                    0
                )
                mixed[u, own] = sum(weights[v] * value[v, own] for v in range(4))
        wanted = h + part.merge(mixed)
        wanted = wanted + part.feed_forward(wanted)
        found = part(h, torch.zeros(4, dtype=torch.long), 1, torch.tensor(place))
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)


def test_only_differences_of_positions_count() -> None:
    part, h = _part(), costs(1, 6, DIM)
    batch = torch.tensor([0, 0, 0, 1, 1, 1])
    position = torch.tensor([0.0, 3.0, 1.0, 5.0, 6.0, 6.5]).double()
    first = part(h, batch, 2, position)
    shifted = part(h, batch, 2, position + torch.tensor([7.0, -2.5]).double()[batch])
    torch.testing.assert_close(shifted, first, rtol=1e-12, atol=1e-12)
    assert (part(h, batch, 2, 2 * position) - first).abs().max() > 1e-4
    assert (part(h, batch, 2) - first).abs().max() > 1e-4


@pytest.mark.parametrize("placed", [True, False])
def test_derivative_by_finite_differences(placed: bool) -> None:
    part = GraphAttention(4, num_heads=2).double()
    batch = torch.tensor([0, 0, 0, 2])
    position = torch.tensor([0, 2, 1, 5]) if placed else None
    assert_differentiates(part, lambda h: part(h, batch, 4, position), costs(1, 4, 4))


def test_graphs_do_not_see_each_other() -> None:
    part, counts = _part(), [3, 0, 1, 6, 0]
    hidden = [costs(k, n, DIM) for k, n in enumerate(counts)]
    batch = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    position = torch.randperm(10)
    whole = part(torch.cat(hidden), batch, len(counts), position)
    parts = zip(hidden, position.split(counts), strict=True)
    alone = [part(h, torch.zeros(len(h), dtype=torch.long), 1, place) for h, place in parts]
    torch.testing.assert_close(whole, torch.cat(alone), rtol=1e-12, atol=1e-12)
    assert whole.isfinite().all()


def test_gradients_stay_within_a_graph_and_are_finite_beside_empty_ones() -> None:
    part, h = _part(), costs(1, 5, DIM).requires_grad_()
    batch = torch.tensor([0, 0, 3, 3, 3])
    (slope,) = torch.autograd.grad(part(h, batch, 6)[:2].square().sum(), h)
    assert slope.isfinite().all()
    assert (slope[:2].abs().sum(1) > 0).all()
    assert not slope[2:].any()


def test_every_node_is_seen() -> None:
    part, h = _part(), costs(2, 4, DIM).requires_grad_()
    (slope,) = torch.autograd.grad(part(h, torch.zeros(4, dtype=torch.long), 1)[0].sum(), h)
    assert (slope.abs().sum(1) > 1e-6).all()


def test_the_order_of_nodes_does_not_matter() -> None:
    part, h, order = _part(), costs(1, 6, DIM), torch.randperm(6)
    batch = torch.zeros(6, dtype=torch.long)
    turned = part(h[order], batch, 1)
    torch.testing.assert_close(turned, part(h, batch, 1)[order], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("num_graphs", [0, 1, 3])
def test_no_nodes(num_graphs: int) -> None:
    none = torch.zeros(0, dtype=torch.long)
    assert _part()(costs(1, 0, DIM), none, num_graphs).shape == (0, DIM)


@pytest.mark.parametrize(
    ("dim", "num_heads", "message"),
    [
        (
            6, 4, "`dim` must be a multiple of num_heads (4), got 6. "
            "Each head gets an equal share of the vector.",
        ),
        (8, 0, "`num_heads` must be at least 1, got 0. Try 4."),
    ],
)  # fmt: skip
def test_refusals(dim: int, num_heads: int, message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
        GraphAttention(dim, num_heads=num_heads)
