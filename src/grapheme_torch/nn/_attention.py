"""Attention among the nodes of one graph."""

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch_geometric.utils import to_dense_batch

from .._check import require


class GraphAttention(nn.Module):
    """A pre-norm transformer block whose attention stays within each graph [vaswani17].

    Where nodes have positions, queries and keys are rotated by them (rotary embedding, [su24]). A
    score then depends on how far apart two nodes are, and not on where they stand.

    Args:
        dim: Size of a node's vector; a multiple of `num_heads`.
        num_heads: Attention heads.

    Raises:
        InputError: If `num_heads` is not positive or `dim` is no multiple of it.
    """

    def __init__(self, dim: int, *, num_heads: int = 4) -> None:
        super().__init__()
        require(num_heads >= 1, "`num_heads`", "be at least 1", num_heads, "Try 4.")
        remedy = "Each head gets an equal share of the vector."
        require(
            dim % num_heads == 0, "`dim`", f"be a multiple of num_heads ({num_heads})", dim, remedy
        )
        self.num_heads = num_heads
        self.norm = nn.LayerNorm(dim)
        # No bias: one on the keys would shift all scores of a query alike and change nothing.
        self.query_key_value = nn.Linear(dim, 3 * dim, bias=False)
        self.merge = nn.Linear(dim, dim)
        self.feed_forward = feed_forward(dim)

    def forward(
        self,
        h: Float[Tensor, "n d"],
        batch: Int[Tensor, " n"],
        num_graphs: int,
        position: Shaped[Tensor, " n"] | None = None,
    ) -> Float[Tensor, "n d"]:
        """The node vectors after every node has attended to the nodes of its graph."""
        if len(h) == 0:
            return h
        qkv = self.query_key_value(self.norm(h)).unflatten(1, (3, self.num_heads, -1))
        if position is not None:
            qkv = torch.cat([_rotated(qkv[:, :2], position), qkv[:, 2:]], dim=1)
        padded, mask = to_dense_batch(qkv, batch, batch_size=num_graphs)
        query, key, value = padded.permute(2, 0, 3, 1, 4)
        # Padded queries see everything, so that no row of the softmax is empty.
        visible = mask[:, None, None, :] | ~mask.any(1)[:, None, None, None]
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=visible)
        h = h + self.merge(mixed.transpose(1, 2).flatten(2)[mask])
        return h + self.feed_forward(h)


def feed_forward(dim: int) -> nn.Sequential:
    """The pre-norm transformation of each vector by itself."""
    return nn.Sequential(
        nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.SiLU(), nn.Linear(2 * dim, dim)
    )


SLOWEST = 100.0
"""Ratio of the fastest to the slowest rotation: texts and molecules are some dozens of steps."""


def _rotated(x: Float[Tensor, "n 2 h d"], position: Shaped[Tensor, " n"]) -> Tensor:
    """Coordinates `k` and `k + d // 2` of each head turned as a pair; an odd one stays."""
    half = x.shape[3] // 2
    rate = SLOWEST ** -(torch.arange(half, device=x.device, dtype=x.dtype) / max(half, 1))
    angle = position.to(x.dtype)[:, None, None, None] * rate
    cos, sin = angle.cos(), angle.sin()
    first, second, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    return torch.cat([first * cos - second * sin, first * sin + second * cos, rest], dim=3)
