"""Positions read off the structure of a graph: what tells alike nodes apart."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from .._check import require
from .._union import check_batch, check_edges
from ._form import check_data, edge_tensor, membership
from ._spectral import SAME, normalized_laplacian


def laplacian_encoding(graph: Data, size: int) -> Float[Tensor, "n size"]:
    """Eigenvectors of the Laplacian of each graph as coordinates of its nodes, lowest first.

    Give it to targets as `position`, and the same to predictions, where nothing else distinguishes
    nodes, such as the atoms of benzene. Without it an alignment must spread each such node over
    all of them, and the edges then carry no information. See `examples/symmetric_target.py`.

    An eigenvector is only defined up to its sign, and those of one eigenvalue up to a rotation.
    Here the basis of each eigenspace is made of projections of the nodes in order. Nodes that add
    no dimension are skipped. So the encoding depends on the graph and on the
    order of its nodes, not on the machine.

    Args:
        graph: A `Data` or `Batch`; read as undirected, without weights.
        size: Number of coordinates; what a graph of fewer nodes lacks is zero.

    Returns:
        Coordinates in [-1, 1] of every node of the batch, float64.

    Raises:
        InputError: If `size` is no positive whole number, or the edges do not fit the graphs.
    """
    whole = isinstance(size, int) and not isinstance(size, bool) and 1 <= size < 2**31
    require(whole, "`size`", "be a whole number from 1 on", size, "Two are enough for a ring.")
    check_data(graph)
    edge_index = edge_tensor(graph)
    batch, count = membership(graph)
    check_batch("graph", batch, count)
    check_edges("graph", edge_index.unique(dim=1), batch, directed=True)
    out = torch.zeros(len(batch), size, dtype=torch.float64, device=batch.device)
    for k in range(count):
        nodes = (batch == k).nonzero()[:, 0]
        if len(nodes):
            inside = edge_index[:, batch[edge_index[0]] == k] - nodes[0]
            basis = _eigenbasis(_laplacian(inside, len(nodes)))[:, 1 : size + 1]
            out[nodes, : basis.shape[1]] = basis
    return out


def _laplacian(edge_index: Tensor, n: int) -> Float[Tensor, "n n"]:
    adjacency = torch.zeros(n, n, dtype=torch.float64, device=edge_index.device)
    adjacency[edge_index[0], edge_index[1]] = 1
    return normalized_laplacian(adjacency)


def _eigenbasis(matrix: Float[Tensor, "n n"]) -> Float[Tensor, "n n"]:
    """Orthonormal eigenvectors, by ascending eigenvalue, the same on every machine."""
    values, vectors = torch.linalg.eigh(matrix)
    cuts = (values.diff() > SAME).nonzero()[:, 0] + 1
    spaces = torch.tensor_split(vectors, cuts.tolist(), dim=1)
    return torch.cat([_anchored(space) for space in spaces], dim=1)


def _anchored(space: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """The basis of a space made of the projections of unit vectors, first come, first served."""
    chosen = torch.zeros_like(space[:, :0])
    for node in range(len(space)):
        if chosen.shape[1] == space.shape[1]:
            break
        new = space @ space[node]
        new = new - chosen @ (chosen.T @ new)
        if new.norm() > SAME:
            chosen = torch.cat([chosen, (new / new.norm())[:, None]], dim=1)
    return chosen
