"""Laplacians of a batch of graphs, and their lowest eigenvectors with fixed signs."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SAME = 1e-6
"""Eigenvalues of a Laplacian lie in [0, 2]; closer ones are the same one."""
_NUDGE = 1e-9
"""What tells the vectors of one eigenvalue apart; others move by as much."""


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
    place = torch.arange(n, dtype=torch.float64, device=mask.device)
    nudge = _NUDGE * (place * 0.6180339887498949 % 1)  # no two alike, and none near another
    # Above all others: the padding stands last, alone.
    diagonal = nudge.expand(len(mask), n) + torch.where(mask, 0.0, 3.0)
    values, vectors = torch.linalg.eigh(matrix + torch.diag_embed(diagonal))
    first = (values < SAME).sum(1, keepdim=True)
    wanted = first + torch.arange(size, device=mask.device)
    known = wanted < mask.sum(1, keepdim=True)
    chosen = wanted.clamp(max=n - 1)[:, None].expand(-1, n, -1)
    found = vectors.gather(2, chosen).masked_fill(~known[:, None], 0)
    return _signed(found) * mask[..., None]


def _signed(vectors: Float[Tensor, "B n k"]) -> Float[Tensor, "B n k"]:
    """The vectors with their first entry of largest magnitude positive."""
    most = vectors.abs().amax(1, keepdim=True)
    large = (vectors.abs() > most - SAME) & (most > 0)
    leading = vectors.gather(1, large.to(torch.uint8).argmax(1, keepdim=True))
    return vectors * torch.where(leading < 0, -1.0, 1.0)
