"""Laplacian encodings: what they are, that they are the same everywhere, and what they are for."""

import pytest
import torch
from torch_geometric.data import Batch, Data

from grapheme_torch import InputError, Prediction, Sinkhorn, StructuralLoss, laplacian_encoding

from ..problems import random_dag

RING = Data(
    edge_index=torch.stack([torch.arange(6), (torch.arange(6) + 1) % 6]),
    y=torch.zeros(6).long(),
    num_nodes=6,
)


def _laplacian(graph: Data) -> torch.Tensor:
    n = int(graph.num_nodes or 0)
    a = torch.zeros(n, n, dtype=torch.float64)
    for u, v in graph.edge_index.T.tolist():
        a[u, v] = a[v, u] = 1
    scale = a.sum(1).clamp(min=1) ** -0.5
    return torch.eye(n, dtype=torch.float64) - scale[:, None] * a * scale


@pytest.mark.parametrize("graph", [RING, random_dag(1, 7), random_dag(2, 9)])
def test_columns_are_eigenvectors_lowest_first(graph: Data) -> None:
    n = int(graph.num_nodes or 0)
    encoding, matrix = laplacian_encoding(graph, n - 1), _laplacian(graph)
    torch.testing.assert_close(
        encoding.T @ encoding, torch.eye(n - 1, dtype=torch.float64), rtol=0, atol=1e-9
    )
    value = (encoding * (matrix @ encoding)).sum(0)
    torch.testing.assert_close(matrix @ encoding, encoding * value, rtol=0, atol=1e-9)
    assert (value.diff() > -1e-9).all()


def test_a_ring_gets_the_basis_of_its_first_nodes() -> None:
    encoding = laplacian_encoding(RING, 2)
    angle = torch.arange(6, dtype=torch.float64) * torch.pi / 3
    wanted = torch.stack([angle.cos(), angle.sin()], 1) / 3**0.5
    torch.testing.assert_close(encoding, wanted, rtol=0, atol=1e-9)


def test_a_batch_is_each_graph_alone_and_small_graphs_are_filled_with_zeros() -> None:
    drawn = [random_dag(seed, n) for seed, n in ((3, 5), (4, 1), (5, 0))]
    graphs = [Data(edge_index=g.edge_index, num_nodes=g.num_nodes) for g in [*drawn, RING]]
    union = laplacian_encoding(Batch.from_data_list(graphs), 3)
    alone = torch.cat([laplacian_encoding(graph, 3) for graph in graphs])
    assert torch.equal(union, alone)
    assert not laplacian_encoding(graphs[1], 3).any()


def test_benzene_has_zero_loss_only_if_its_atoms_can_be_told_apart() -> None:
    """Numbered from elsewhere and the other way round, the ring is still the ring."""
    order = torch.tensor([3, 2, 1, 0, 5, 4])
    place = order.argsort()
    turned = Data(y=RING.y, edge_index=place[RING.edge_index], num_nodes=6)
    keep = turned.edge_index.sort(0).values
    sure = Prediction.certain(
        Data(y=RING.y, edge_index=keep, num_nodes=6), num_labels=1, num_relations=1
    )
    half = sure.edge_index[0] < sure.edge_index[1]
    encoding = laplacian_encoding(RING, 2)

    def loss(position: torch.Tensor | None) -> float:
        soft = Prediction(
            sure.existence, sure.label, sure.edge_index[:, half], sure.relation[half],
            position=position,
        )  # fmt: skip
        target = RING.clone()
        target.position = encoding
        compare = StructuralLoss(
            criterion="edit", directed=False, alignment=Sinkhorn(rounds=5, update="proximal")
        )
        return compare(soft, target).total.item()

    assert loss(None) > 2
    assert loss(encoding[order]) == pytest.approx(0, abs=1e-2)


def test_refusals() -> None:
    with pytest.raises(InputError, match="`size` must be a whole number from 1 on, got 0"):
        laplacian_encoding(RING, 0)
    with pytest.raises(
        InputError,
        match=r"`graph.edge_index` must be an integer tensor of shape \[2, e\], got nothing",
    ):
        laplacian_encoding(Data(num_nodes=2), 1)
    sure = Prediction.certain(RING, num_labels=1, num_relations=1)
    target = RING.clone()
    target.position = laplacian_encoding(RING, 2)
    flat = Prediction(
        sure.existence, sure.label, sure.edge_index, sure.relation, position=torch.zeros(6)
    )
    with pytest.raises(
        InputError,
        match=r"`target.position` must have 1 coordinates a node, as the prediction, got 2",
    ):
        StructuralLoss()(flat, target)
