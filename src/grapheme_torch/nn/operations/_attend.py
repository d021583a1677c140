"""Attention among the nodes of each graph."""

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from torch_geometric.utils import to_dense_batch

from ._operation import Given, Operation, apply, by_formula

SLOWEST = 100.0
"""Ratio of the fastest to the slowest rotation: texts and molecules are some dozens of steps."""


def attend(
    query_key_value: Float[Tensor, "n 3 h d"],
    batch: Int[Tensor, " n"],
    num_graphs: int,
    position: Shaped[Tensor, " n"] | None = None,
) -> Float[Tensor, "n h d"]:
    """Every node's mean of the values of its graph, weighted by a softmax of scaled products.

    Args:
        query_key_value: Query, key and value of each node and head.
        batch: The graph of each node, ascending.
        num_graphs: Number of graphs.
        position: Where nodes have one, queries and keys are rotated by it.
    """
    cosine, sine = (None, None) if position is None else _angles(query_key_value, position)
    given = {"batch": batch, "cosine": cosine, "sine": sine, "graphs": num_graphs}
    return apply(_ATTEND, given, query_key_value)


def _angles(x: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
    half = x.shape[3] // 2
    rate = SLOWEST ** -(torch.arange(half, device=x.device, dtype=x.dtype) / max(half, 1))
    angle = position.to(x.dtype)[:, None] * rate
    return angle.cos(), angle.sin()


def _formula(given: Given, query_key_value: Tensor) -> Tensor:
    qkv, batch = query_key_value, given["batch"]
    if given["cosine"] is not None:
        turned = _rotated(qkv[:, :2], given["cosine"], given["sine"])
        qkv = torch.cat([turned, qkv[:, 2:]], dim=1)
    padded, mask = to_dense_batch(qkv, batch, batch_size=given["graphs"])
    query, key, value = padded.permute(2, 0, 3, 1, 4)
    # Padded queries see everything, so that no row of the softmax is empty.
    visible = mask[:, None, None, :] | ~mask.any(1)[:, None, None, None]
    mixed: Tensor = scaled_dot_product_attention(query, key, value, attn_mask=visible)
    return mixed.transpose(1, 2)[mask]


def _rotated(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Coordinates `k` and `k + d // 2` of each head turned as a pair; an odd one stays."""
    half = x.shape[3] // 2
    cosine, sine = cosine[:, None, None], sine[:, None, None]
    first, second, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine, rest], dim=3)


def _differentiable(given: Given, tensors: tuple[Tensor, ...], grad: Tensor) -> list[Tensor | None]:
    """PyTorch's fused attention has no second derivative, its plain one has."""
    with sdpa_kernel(SDPBackend.MATH):
        return by_formula(_ATTEND, given, tensors, grad)


_ATTEND = Operation(
    formula=_formula,
    record="Attend",
    reads=("batch", "cosine", "sine"),
    names=("query_key_value",),
    result="mixed",
    shape=lambda given, qkv: (qkv.shape[0], *qkv.shape[2:]),
    derivatives=lambda given, qkv: [qkv.shape],
    differentiable=_differentiable,
)
