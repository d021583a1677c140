"""Candidate edges by a double loop; the heads by their formula."""

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
)
def test_candidates_are_those_of_a_double_loop(
    counts: list[int], kind: Literal["forward", "all"], window: int | None
) -> None:
    batch = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts, dtype=torch.long))
    graph = batch.tolist()
    wanted = [
        [u, v]
        for u in range(len(graph))
        for v in range(len(graph))
        if graph[u] == graph[v]
        and u != v
        and (u < v or kind == "all")
        and (window is None or abs(u - v) <= window)
    ]
    found = candidate_edges(batch, kind=kind, window=window)
    assert found.shape == (2, len(wanted))
    assert found.dtype == torch.long
    assert found.T.tolist() == wanted


def _heads() -> OutputHeads:
    return OutputHeads(DIM, num_labels=LABELS, num_relations=RELATIONS).double()


def _inputs(n: int = 4) -> tuple[Tensor, Tensor]:
    return costs(1, n, DIM), candidate_edges(torch.zeros(n, dtype=torch.long), kind="all")


@pytest.mark.parametrize("placed", [True, False])
def test_the_formula_edge_by_edge(placed: bool) -> None:
    part, (h, ends) = _heads(), _inputs()
    batch = torch.zeros(4, dtype=torch.long)
    position = costs(2, 4) * 10 if placed else None
    found = part(h, ends, batch, 1, position)
    z = part.norm(h)
    assert found.position is position
    torch.testing.assert_close(found.existence, part.existence(z).flatten(), rtol=0, atol=0)
    torch.testing.assert_close(found.label, part.label(z), rtol=0, atol=0)
    for k, (u, v) in enumerate(ends.T.tolist()):
        pair = part.source(z[u]) + part.target(z[v])
        if position is not None:
            step = sinusoids(position[v : v + 1] - position[u : u + 1], DIM, torch.float64)
            pair = pair + part.offset(step)[0]
        wanted = part.relation(silu(pair))
        torch.testing.assert_close(found.relation[k], wanted, rtol=0, atol=1e-12)
    assert found.relation.shape == (12, RELATIONS + 1)
    assert torch.equal(found.edge_index, ends)
    assert found.num_graphs == 1


def test_derivative_by_finite_differences() -> None:
    part, (h, ends) = _heads(), _inputs(3)
    batch, position = torch.zeros(3, dtype=torch.long), torch.arange(3).double()

    def outputs(h: Tensor) -> Tensor:
        found = part(h, ends, batch, 1, position)
        return torch.cat([found.existence, found.label.flatten(), found.relation.flatten()])

    assert_differentiates(part, outputs, h)


def test_direction_matters() -> None:
    part, (h, ends) = _heads(), _inputs(2)
    found = part(h, ends, torch.zeros(2, dtype=torch.long), 1)
    assert (found.relation[0] - found.relation[1]).abs().max() > 1e-4


def test_no_nodes() -> None:
    none = torch.zeros(0, dtype=torch.long)
    found = _heads()(costs(1, 0, DIM), candidate_edges(none), none, 3, costs(1, 0))
    assert found.num_graphs == 3
    assert found.label.shape == (0, LABELS)
    assert found.relation.shape == (0, RELATIONS + 1)
