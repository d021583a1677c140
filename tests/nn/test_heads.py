"""Candidate edges by a double loop; the heads by their formula."""

import math
from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import silu

from grapheme_torch.nn import OutputHeads, candidate_edges, sinusoids

from ..problems import costs
from .inputs import assert_differentiates

DIM, LABELS, RELATIONS = 4, 3, 2


@given(
    st.lists(st.integers(0, 5), max_size=5),
    st.sampled_from(["forward", "all"]),
    st.none() | st.integers(1, 6),
    st.booleans(),
)
def test_candidates_are_those_of_a_double_loop(
    counts: list[int], kind: Literal["forward", "all"], window: int | None, loops: bool
) -> None:
    batch = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts, dtype=torch.long))
    graph = batch.tolist()
    wanted = [
        [u, v]
        for u in range(len(graph))
        for v in range(len(graph))
        if graph[u] == graph[v]
        and (u != v or loops)
        and (u <= v or kind == "all")
        and (window is None or abs(u - v) <= window)
    ]
    found = candidate_edges(batch, kind=kind, window=window, loops=loops)
    assert found.shape == (2, len(wanted))
    assert found.dtype == torch.long
    assert found.T.tolist() == wanted


def _heads(num_heads: int = 2, *, copy: bool = False, locality: float = 0.0) -> OutputHeads:
    made = OutputHeads(
        DIM, num_labels=LABELS, num_relations=RELATIONS, num_heads=num_heads, copy=copy,
        locality=locality,
    )  # fmt: skip
    return made.double()


def _inputs(n: int = 4) -> tuple[Tensor, Tensor]:
    return costs(1, n, DIM), candidate_edges(torch.zeros(n, dtype=torch.long), kind="all")


@pytest.mark.parametrize("placed", [True, False])
@pytest.mark.parametrize(("num_heads", "locality"), [(1, 0.0), (2, 1.5), (4, 0.0)])
def test_the_formula_edge_by_edge(num_heads: int, locality: float, placed: bool) -> None:
    part, (h, ends) = _heads(num_heads, locality=locality), _inputs()
    position = costs(2, 4) * 10 if placed else None
    existence, label, relation = part(h, ends, position)
    z = part.norm(h)
    torch.testing.assert_close(existence, part.existence(z).flatten(), rtol=0, atol=0)
    torch.testing.assert_close(label, part.label(z), rtol=0, atol=0)
    size = DIM // num_heads
    for k, (u, v) in enumerate(ends.T.tolist()):
        query, key = part.query(z[u]), part.key(z[v])
        parts = [slice(i * size, (i + 1) * size) for i in range(num_heads)]
        scores = torch.stack([query[own] @ key[own] / math.sqrt(size) for own in parts])
        pair = part.source(z[u]) + part.target(z[v]) + part.score(scores)
        if position is not None:
            assert part.offset is not None
            step = sinusoids(position[v : v + 1] - position[u : u + 1], DIM, torch.float64)
            pair = pair + part.offset(step)[0]
        wanted = part.relation(silu(pair))
        if position is not None:
            wanted[0] += locality * math.log(max(1.0, abs(float(position[v] - position[u]))))
        torch.testing.assert_close(relation[k], wanted, rtol=0, atol=1e-12)
    assert relation.shape == (12, RELATIONS + 1)


def test_odds_fall_with_the_distance() -> None:
    """Half a chance between neighbours, then the distance to that power, in either direction."""
    part, (h, ends) = _heads(locality=2.0), _inputs()
    torch.nn.init.zeros_(part.relation.weight)
    torch.nn.init.zeros_(part.relation.bias[1:])
    absent = part(h, ends, torch.arange(4).double() * 3)[2].softmax(1)[:, 0]
    distance = 3.0 * (ends[1] - ends[0]).abs().double()
    torch.testing.assert_close((1 - absent) / absent, distance**-2)
    together = part(h, ends, torch.zeros(4).double())[2].softmax(1)[:, 0]
    torch.testing.assert_close(together, torch.full((12,), 0.5).double())
    assert OutputHeads(DIM, num_labels=1, num_relations=0, locality=1.0).relation.bias[0] == 0


@pytest.mark.parametrize(("copy", "locality"), [(False, 0.0), (True, 0.0), (False, 2.0)])
def test_derivative_by_finite_differences(copy: bool, locality: float) -> None:
    part, (h, ends) = _heads(copy=copy, locality=locality), _inputs(3)
    position, own = torch.arange(3).double(), torch.tensor([1, LABELS, 1])

    def outputs(h: Tensor) -> Tensor:
        found = part(h, ends, position, own if copy else None)
        return torch.cat([value.flatten() for value in found])

    assert_differentiates(part, outputs, h)


def test_direction_matters() -> None:
    part, (h, ends) = _heads(), _inputs(2)
    _, _, relation = part(h, ends)
    assert (relation[0] - relation[1]).abs().max() > 1e-4


@pytest.mark.parametrize("copy", [False, True])
def test_no_nodes(copy: bool) -> None:
    none = torch.zeros(0, dtype=torch.long)
    _, label, relation = _heads(copy=copy)(
        costs(1, 0, DIM), candidate_edges(none), costs(1, 0), none if copy else None
    )
    assert label.shape == (0, LABELS + copy)
    assert relation.shape == (0, RELATIONS + 1)
