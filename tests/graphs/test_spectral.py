"""Eigenvectors of Laplacians with fixed signs: what they are, the same everywhere."""

import pytest
import torch
from torch import Tensor

from grapheme_torch.graphs import normalized_laplacian, spectral_coordinates


def ring(n: int) -> Tensor:
    return torch.eye(n).roll(1, 0)


def graph(n: int, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return (torch.rand(n, n, generator=rng) < 0.3).float()


def coordinates(adjacency: Tensor, size: int, padding: int = 0) -> Tensor:
    n = len(adjacency)
    wide = torch.nn.functional.pad(adjacency, (0, padding, 0, padding))
    mask = torch.arange(n + padding) < n
    return spectral_coordinates(wide[None], mask[None], size)[0]


@pytest.mark.parametrize(
    "adjacency", [ring(6), ring(7), graph(7, 1), graph(9, 2), torch.zeros(4, 4)]
)
def test_columns_are_the_lowest_eigenvectors_that_are_not_constant(adjacency: Tensor) -> None:
    n = len(adjacency)
    matrix = normalized_laplacian(adjacency.double())
    values = torch.linalg.eigvalsh(matrix)
    wanted = values[values > 1e-6]
    found = coordinates(adjacency, n)
    columns = found[:, : len(wanted)]
    torch.testing.assert_close(
        columns.mT @ columns, torch.eye(len(wanted)).double(), rtol=0, atol=1e-12
    )
    torch.testing.assert_close(matrix @ columns, columns * wanted, rtol=0, atol=1e-12)
    assert bool((found[:, len(wanted) :] == 0).all())
    largest = columns.abs().amax(0)
    first = (columns.abs() > largest - 1e-9).to(torch.uint8).argmax(0)
    assert bool((columns.gather(0, first[None]) > 0).all())


@pytest.mark.parametrize("adjacency", [ring(6), graph(8, 3), torch.ones(5, 5)])
def test_padding_and_neighbours_in_a_batch_change_nothing(adjacency: Tensor) -> None:
    """Although eigenvalues repeat: no basis is left to the solver."""
    alone, padded = coordinates(adjacency, 4), coordinates(adjacency, 4, padding=3)
    torch.testing.assert_close(padded[: len(adjacency)], alone, rtol=0, atol=1e-10)
    assert bool((padded[len(adjacency) :] == 0).all())


def test_alike_nodes_get_coordinates_of_their_own() -> None:
    found = coordinates(ring(8), 2)
    distance = torch.cdist(found, found) + torch.eye(8)
    assert float(distance.min()) > 0.1


def test_coordinates_go_with_the_nodes_of_a_graph_without_symmetry() -> None:
    adjacency = torch.zeros(6, 6)
    for u, v in ((0, 1), (1, 2), (2, 3), (3, 1), (3, 4), (4, 5)):
        adjacency[u, v] = 1
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    turned = adjacency[order][:, order]
    torch.testing.assert_close(
        coordinates(turned, 5), coordinates(adjacency, 5)[order], rtol=0, atol=1e-10
    )


def test_nothing_has_no_coordinates() -> None:
    assert spectral_coordinates(torch.zeros(2, 0, 0), torch.zeros(2, 0).bool(), 3).shape == (
        2,
        0,
        3,
    )
    assert coordinates(torch.zeros(1, 1), 2).tolist() == [[1.0, 0.0]]
