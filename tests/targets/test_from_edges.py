"""Lists of edges, with relations from 0 or from 1, of one graph or of several."""

import re
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch

from grapheme_torch import InputError, StructuralLoss, target_from_edges

from ..problems import join, random_dag, random_prediction
from ..unchecked import unchecked
from .test_from_dense import assert_same, several

TRIPLES = [(0, 1, 0), (1, 2, 1), (2, 0, 0)]


def test_a_list_of_edges() -> None:
    found = target_from_edges([3, 0, 1], TRIPLES)
    assert found.num_graphs == 1
    assert found.y.tolist() == [3, 0, 1]
    assert found.edge_index.tolist() == [[0, 1, 2], [1, 2, 0]]
    assert found.edge_type.tolist() == [1, 2, 1]
    assert "directed" not in found
    pairs = [(u, v) for u, v, _ in TRIPLES]
    assert_same(target_from_edges([3, 0, 1], pairs, [1, 2, 1], edge_type_from=1), found)
    assert "edge_type" not in target_from_edges([3, 0, 1], pairs)


def test_two_edges_are_no_edge_index() -> None:
    assert target_from_edges([0, 0, 0], [(0, 1), (0, 2)]).edge_index.tolist() == [[0, 0], [1, 2]]
    index = torch.tensor([[0, 0], [1, 2]])
    assert target_from_edges([0, 0, 0], index).edge_index.tolist() == [[0, 0], [1, 2]]


def test_no_edge_and_no_node() -> None:
    assert target_from_edges([1], []).edge_index.shape == (2, 0)
    empty = target_from_edges([], [])
    assert (empty.num_graphs, empty.num_nodes) == (1, 0)


def test_what_else_a_target_has() -> None:
    found = target_from_edges([0, 1], [(0, 1)], edge_weight=[0.5], position=[0, 1], directed=False)
    assert found.edge_weight.tolist() == [0.5]
    assert found.position.tolist() == [0.0, 1.0]
    assert found.directed.tolist() == [False]
    rows = target_from_edges(torch.randn(2, 3), [(0, 1)])
    assert rows.y.shape == (2, 3)


@given(st.integers(0, 1000), several(), st.integers(0, 1))
def test_a_batch_comes_back(seed: int, sizes: list[int], first: int) -> None:
    batch = Batch.from_data_list([random_dag(seed + k, n) for k, n in enumerate(sizes)])
    order = torch.randperm(batch.num_edges, generator=torch.Generator().manual_seed(seed))
    found = target_from_edges(
        batch.y,
        batch.edge_index[:, order],
        batch.edge_type[order] - 1 + first,
        edge_type_from=first,
        position=batch.position,
        batch=batch.batch,
        num_graphs=len(sizes),
    )
    assert_same(found, batch)
    prediction = join([random_prediction(seed + k, 1 + n) for k, n in enumerate(sizes)])
    loss = StructuralLoss()
    left, right = loss(prediction, found), loss(prediction, batch)
    assert torch.allclose(left.total, right.total, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edges": [(0, 1), (1, 2, 0)]}, "`edges` must be pairs of nodes, all with a relation or"),
        ({"edges": [(0, "1")]}, "`edges` must be pairs of nodes, all with a relation or none, got"),
        (
            {"edges": torch.ones(3, 2).long()},
            "`edges` must be an integer tensor of shape (2,",
        ),
        ({"edges": [(0, 3)]}, "`edges` must name nodes in [0, 3), got"),
        ({"edges": [(0, -1)]}, "`edges` must name nodes in [0, 3), got"),
        ({"edge_type": [0]}, "`edge_type` must have one entry per edge (3), got"),
        ({"edge_type": torch.rand(3)}, "`edge_type` must be a tensor of integers, got"),
        ({"edge_type": [0, 1, 1], "edge_type_from": 1}, "`edge_type` must be at least 1, got 0."),
        ({"edge_type_from": 2}, "`edge_type_from` must be 0 or 1, got 2."),
        ({"edge_weight": [1.0]}, "`edge_weight` must have one entry per edge (3), got"),
        ({"position": [1.0]}, "`position` must have one entry per node (3), got"),
        ({"batch": torch.zeros(2).long()}, "`batch` must have one entry per node (3), got"),
        ({"batch": torch.tensor([0, 1, 0])}, "`batch` must be integers that ascend from 0, got"),
        ({"batch": torch.tensor([0, 0, 1])}, "`edges` must join nodes of the same graph, got an"),
        ({"num_graphs": 2}, "`num_graphs` must be 1 without `batch`, got 2. Give `batch`."),
        (
            {"batch": torch.tensor([0, 0, 1]), "num_graphs": 1},
            "`num_graphs` must be at least 2, as `batch` says, got 1.",
        ),
    ],
)
def test_what_is_refused(options: dict[str, Any], message: str) -> None:
    given_ = {"y": [0, 1, 2], "edges": [(u, v) for u, v, _ in TRIPLES], **options}
    with pytest.raises(InputError, match="^" + re.escape(message)):
        unchecked(target_from_edges)(**given_)
