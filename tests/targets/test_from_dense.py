"""Padded targets are the batch they were made from, to the loss and field by field."""

import re
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import one_hot
from torch_geometric.data import Batch, Data
from torch_geometric.utils import to_dense_adj, to_dense_batch

from grapheme_torch import InputError, Prediction, StructuralLoss, target_from_dense

from ..problems import NUM_LABELS, NUM_RELATIONS, join, random_dag, random_prediction
from ..unchecked import unchecked


def batch_of(seed: int, sizes: list[int], *, weighted: bool = False) -> Batch:
    graphs = [random_dag(seed + k, n) for k, n in enumerate(sizes)]
    for k, graph in enumerate(graphs):
        if weighted:
            rng = torch.Generator().manual_seed(seed + k)
            graph.edge_weight = torch.rand(graph.num_edges, generator=rng)
    return Batch.from_data_list(graphs)


class Dense(NamedTuple):
    y: Tensor
    mask: Tensor
    position: Tensor
    adjacency: Tensor


def dense(batch: Batch, slots: int | None = None) -> Dense:
    """By the functions of PyTorch Geometric."""
    size = {"batch": batch.batch, "batch_size": batch.num_graphs, "max_num_nodes": slots}
    y, mask = to_dense_batch(batch.y, fill_value=-1, **size)
    position, _ = to_dense_batch(batch.position, **size)
    slots = y.shape[1]
    adjacency = to_dense_adj(batch.edge_index, batch.batch, batch.edge_type, slots, len(y))
    return Dense(y, mask, position, adjacency)


def assert_same(found: Batch, wanted: Batch) -> None:
    """Field by field, edges in any order."""
    assert found.num_graphs == wanted.num_graphs
    for one, other in zip(found.to_data_list(), wanted.to_data_list(), strict=True):
        assert set(one.keys()) == set(other.keys())
        assert one.num_nodes == other.num_nodes
        assert torch.equal(one.y, other.y)
        if "position" in other:
            assert torch.equal(one.position, other.position)
        rows = [sorted(_edges(graph)) for graph in (one, other)]
        assert rows[0] == rows[1]


def _edges(graph: Data) -> list[tuple[float, ...]]:
    fields = ("edge_type", "edge_weight")
    columns = [*graph.edge_index, *(graph[name] for name in fields if name in graph)]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def several(max_size: int = 4) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, max_size), min_size=1, max_size=3).filter(any)


@given(st.integers(0, 1000), several(), st.integers(0, 2))
def test_the_loss_is_that_of_the_batch(seed: int, sizes: list[int], spare: int) -> None:
    batch = batch_of(seed, sizes)
    given_ = dense(batch, max(sizes) + spare)
    found = target_from_dense(given_.y, given_.adjacency, position=given_.position)
    prediction = join([random_prediction(seed + k, 1 + n) for k, n in enumerate(sizes)])
    loss = StructuralLoss()
    left, right = loss(prediction, found), loss(prediction, batch)
    assert torch.allclose(left.total, right.total, rtol=0, atol=1e-10)


@given(st.integers(0, 1000), several(), st.integers(0, 2), st.booleans())
def test_every_form_gives_the_batch(
    seed: int, sizes: list[int], spare: int, weighted: bool
) -> None:
    batch = batch_of(seed, sizes, weighted=weighted)
    y, mask, position, adjacency = dense(batch, max(sizes) + spare)
    options: dict[str, Any] = {"position": position}
    if weighted:
        ends = batch.edge_index, batch.batch, batch.edge_weight
        options["weight"] = to_dense_adj(*ends, y.shape[1], len(y))
    hot = one_hot(y.clamp(min=0), NUM_LABELS) * mask[:, :, None]
    extended = one_hot(y + 1, NUM_LABELS + 1)
    last = one_hot(torch.where(mask, y, NUM_LABELS), NUM_LABELS + 1)
    relations = one_hot(adjacency.long(), NUM_RELATIONS + 1)
    forms: list[tuple[Tensor, Tensor, dict[str, Any]]] = [
        (y, adjacency, {}),
        (y + 1, adjacency.long(), {"no_node": "first"}),
        (y.masked_fill(~mask, 7), adjacency, {"mask": mask}),
        (hot.float(), relations, {}),
        (extended, relations * (adjacency > 0)[..., None], {"no_node": "first"}),
        (last.bool(), relations.double(), {"no_node": "last"}),
        (hot + ~mask[:, :, None], relations[..., 1:], {"mask": mask.float(), "no_edge": None}),
    ]
    for nodes, edges, more in forms:
        assert_same(target_from_dense(nodes, edges, **options, **more), batch)


def test_what_stands_at_slots_without_a_node_is_not_read() -> None:
    batch = batch_of(3, [2, 4])
    y, mask, position, adjacency = dense(batch, 5)
    both = mask[:, :, None] & mask[:, None]
    adjacency = adjacency.double().masked_fill(~both, float("nan"))
    found = target_from_dense(y, adjacency, position=position)
    assert_same(found, batch)
    hot = one_hot(y.clamp(min=0), NUM_LABELS).float().masked_fill(~mask[..., None], float("nan"))
    assert_same(target_from_dense(hot, adjacency, mask=mask, position=position), batch)


def test_slots_in_use_may_stand_anywhere() -> None:
    y = torch.tensor([[-1, 2, -1, 0]])
    edges = torch.zeros(1, 4, 4, dtype=torch.long)
    edges[0, 3, 1] = 2
    found = target_from_dense(y, edges)
    assert found.y.tolist() == [2, 0]
    assert found.edge_index.tolist() == [[1], [0]]
    assert found.edge_type.tolist() == [2]


def test_vectors_stay_as_they_are() -> None:
    y = torch.randn(2, 3, 5)
    mask = torch.tensor([[True, False, True], [False, True, False]])
    found = target_from_dense(y, torch.zeros(2, 3, 3), mask=mask, vectors=True)
    assert torch.equal(found.y, y[mask])
    assert found.batch.tolist() == [0, 0, 1]


@pytest.mark.parametrize("half", ["both", "up", "down"])
def test_undirected_edges_stand_once(half: str) -> None:
    edges = torch.tensor([[[1, 2, 0], [2, 0, 1], [0, 1, 0]]])
    edges = {"both": edges, "up": edges.triu(), "down": edges.tril()}[half]
    weight = edges * 0.5
    found = target_from_dense(torch.zeros(1, 3), edges, weight=weight, directed=False)
    assert found.edge_index.tolist() == [[0, 0, 1], [0, 1, 2]]
    assert found.edge_type.tolist() == [1, 2, 1]
    assert found.edge_weight.tolist() == [0.5, 1.0, 0.5]
    assert not found.directed.any()
    prediction = Prediction.from_dense(
        torch.randn(1, 3, 3), torch.randn(1, 3, 3, 3), directed=False
    )
    assert StructuralLoss()(prediction, found).total.isfinite()


def test_a_direction_is_said_if_it_is_given() -> None:
    edges = torch.tensor([[[0, 1], [1, 0]]])
    silent = target_from_dense(torch.zeros(1, 2), edges)
    assert "directed" not in silent
    told = target_from_dense(torch.zeros(1, 2), edges, directed=True)
    assert told.directed.tolist() == [True]
    assert told.num_edges == silent.num_edges == 2


def test_gradients_reach_weights_and_places() -> None:
    weight = torch.rand(1, 2, 2, requires_grad=True)
    place = torch.rand(1, 2, requires_grad=True)
    edges = torch.tensor([[[0, 1], [0, 0]]])
    found = target_from_dense(torch.zeros(1, 2), edges, weight=weight, position=place)
    (found.edge_weight.sum() + found.position.sum()).backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[[0, 1], [0, 0]]]
    assert place.grad is not None


Y, EDGES = torch.zeros(1, 2).long(), torch.zeros(1, 2, 2).long()


@pytest.mark.parametrize(
    ("nodes", "edges", "options", "message"),
    [
        ([[0]], EDGES, {}, "`nodes` must be a tensor, got [[0]]. Convert it: `torch.as_tensor`."),
        (Y[0], EDGES, {}, "`nodes` must have shape (graphs, slots) or (graphs, slots, classes)"),
        (Y, EDGES[:, :1], {}, "`edges` must have shape (1, 2, 2) and perhaps one axis more, got"),
        (Y, EDGES, {"mask": torch.ones(2)}, "`mask` must have shape (1, 2), got"),
        (Y, EDGES, {"mask": Y + 2}, "`mask` must be of booleans, or of 0 and 1, got 2."),
        (Y - 1, EDGES, {"mask": Y + 1}, "`nodes` must have a class wherever `mask` is true, got a"),
        (Y, EDGES, {"weight": Y}, "`weight` must have shape (1, 2, 2), got"),
        (Y, EDGES, {"position": Y[0]}, "`position` must have shape (1, 2) and perhaps one axis mo"),
        (Y + 0.5, EDGES, {}, "`nodes` must be whole numbers, got 0.5. Weights go into"),
        (Y, EDGES + 0.5, {}, "`edges` must be whole numbers, got 0.5. Weights go into `weight`"),
        (Y, EDGES - 1, {}, "`edges` must not be negative between nodes, got -1. 0 means that"),
        (
            torch.ones(1, 2, 3),
            EDGES,
            {},
            "a row of `nodes` must hold at most one 1, and zeros",
        ),
        (Y, torch.rand(1, 2, 2, 3), {}, "a row of `edges` must hold at most one 1, and zeros"),
        (Y, EDGES, {"no_node": "last"}, "`no_node` must be first for classes as numbers, got 'la"),
        (Y, EDGES, {"no_node": "none"}, '`no_node` must be "first", "last" or None, got \'none\'.'),
        (Y, EDGES, {"no_edge": "last"}, "`no_edge` must be \"first\" or None, got 'last'. Class 0"),
        (Y, EDGES, {"vectors": True}, "`nodes` must be rows beside a mask, as `vectors` says, got"),
    ],
)
def test_what_is_refused(nodes: Any, edges: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        unchecked(target_from_dense)(nodes, edges, **options)


@pytest.mark.parametrize("name", ["edges", "weight"])
def test_undirected_edges_that_differ_are_refused(name: str) -> None:
    edges = torch.tensor([[[0, 1], [1, 0]]])
    differ = torch.tensor([[[0, 1], [2, 0]]])
    given_ = {"edges": edges, "weight": edges.float(), name: differ}
    message = f"^`{name}` must be equal in both directions, got 1(.0)? and 2(.0)?. Give both"
    with pytest.raises(InputError, match=message):
        target_from_dense(Y, given_["edges"], weight=given_["weight"].float(), directed=False)
