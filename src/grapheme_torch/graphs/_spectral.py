"""Laplacians of a batch of graphs, and their lowest eigenvectors with fixed signs."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SAME = 1e-6
"""Eigenvalues of a Laplacian lie in [0, 2]; closer ones are the same one."""


def normalized_laplacian(adjacency: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B n n"]:
    """`1 - D^-1/2 A D^-1/2` of graphs read as undirected, without loops and weights."""
    linked = torch.maximum(adjacency, adjacency.mT) > 0
    one = torch.eye(linked.shape[-1], dtype=torch.bool, device=linked.device)
    whole = (linked & ~one).to(adjacency.dtype)
    scale = whole.sum(-1).clamp(min=1).rsqrt()
    return one.to(whole.dtype) - scale[..., :, None] * whole * scale[..., None, :]


@torch.no_grad()
def spectral_coordinates(
    adjacency: Float[Tensor, "B n n"], mask: Bool[Tensor, "B n"], size: int
) -> Float[Tensor, "B n size"]:
    """The eigenvectors of the lowest nonzero eigenvalues of each Laplacian, zero in the padding.

    Of each the entry of largest magnitude is positive, the first of several. A basis of the
    vectors of one eigenvalue goes by the order of the nodes. So nodes that a symmetry of the graph
    exchanges get coordinates of their own. In a graph without symmetry coordinates go with their
    nodes, whatever the order of these.

    Args:
        adjacency: Links of each graph, padded; in either direction.
        mask: Which places hold a node.
        size: Number of coordinates; what a graph of fewer nodes lacks is zero.

    Returns:
        Coordinates in [-1, 1], float64.
    """
    n = mask.shape[1]
    if not mask.numel():
        return torch.zeros(*mask.shape, size, dtype=torch.float64, device=mask.device)
    matrix = normalized_laplacian(adjacency.double())
    # Above all others: the padding stands last, alone.
    matrix = matrix + torch.diag_embed(torch.where(mask, 0.0, 3.0).double())
    values, vectors = torch.linalg.eigh(matrix)
    vectors = _told_apart(values, vectors)
    first = (values < SAME).sum(1, keepdim=True)
    wanted = first + torch.arange(size, device=mask.device)
    known = wanted < mask.sum(1, keepdim=True)
    chosen = wanted.clamp(max=n - 1)[:, None].expand(-1, n, -1)
    found = vectors.gather(2, chosen).masked_fill(~known[:, None], 0)
    return _signed(found) * mask[..., None]


def _told_apart(values: Float[Tensor, "B n"], vectors: Float[Tensor, "B n n"]) -> Tensor:
    """The vectors of each eigenvalue as those that one matrix, projected on them, has itself.

    It is diagonal, with a number of its own for each node: no two alike, none near another. So the
    basis does not depend on the solver.
    """
    n = values.shape[1]
    place = torch.arange(n, dtype=torch.float64, device=values.device)
    number = place * _GOLDEN % 1
    projected = vectors.mT @ (number[:, None] * vectors)
    space = (values.diff() > SAME).cumsum(1)
    space = torch.cat([torch.zeros_like(space[:, :1]), space], 1) if n > 1 else values.long()
    apart = space[:, :, None] != space[:, None]
    rotation = torch.linalg.eigh(
        projected.masked_fill(apart, 0) + torch.diag_embed(2 * space.double())
    ).eigenvectors
    return vectors @ rotation


_GOLDEN = 0.6180339887498949


def _signed(vectors: Float[Tensor, "B n k"]) -> Float[Tensor, "B n k"]:
    """The vectors with their first entry of largest magnitude positive."""
    most = vectors.abs().amax(1, keepdim=True)
    large = (vectors.abs() > most - SAME) & (most > 0)
    leading = vectors.gather(1, large.to(torch.uint8).argmax(1, keepdim=True))
    return vectors * torch.where(leading < 0, -1.0, 1.0)
