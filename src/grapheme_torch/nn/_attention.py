"""Attention among the nodes of one graph."""

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch_geometric.utils import to_dense_batch

from .._check import require


class GraphAttention(nn.Module):
    """A pre-norm transformer block whose attention stays within each graph [vaswani17].

    Where nodes have positions, queries and keys are rotated by them, so that a score depends on
    how far apart two nodes are and not on where they stand (rotary embedding, [su24]).

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
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.SiLU(), nn.Linear(2 * dim, dim)
        )

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
        qkv, mask = to_dense_batch(self.query_key_value(self.norm(h)), batch, batch_size=num_graphs)
        query, key, value = qkv.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        if position is not None:
            angle, _ = to_dense_batch(_angles(position, query), batch, batch_size=num_graphs)
            query, key = _rotated(query, angle), _rotated(key, angle)
        # Padded queries see everything, so that no row of the softmax is empty.
        visible = mask[:, None, None, :] | ~mask.any(1)[:, None, None, None]
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=visible)
        h = h + self.merge(mixed.transpose(1, 2).flatten(2)[mask])
        return h + self.feed_forward(h)


SLOWEST = 100.0
"""Ratio of the fastest to the slowest rotation: texts and molecules are some dozens of steps."""


def _angles(position: Tensor, like: Tensor) -> Float[Tensor, "n half"]:
    """By how much each pair of coordinates of a head is rotated."""
    half = like.shape[-1] // 2
    rate = SLOWEST ** -(torch.arange(half, device=like.device, dtype=like.dtype) / max(half, 1))
    return position.to(like.dtype)[:, None] * rate


def _rotated(x: Float[Tensor, "B h n d"], angle: Float[Tensor, "B n half"]) -> Tensor:
    """Coordinates `k` and `k + d // 2` turned as a pair; the last of an odd number stays."""
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    half = angle.shape[2]
    first, second, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    return torch.cat([first * cos - second * sin, first * sin + second * cos, rest], dim=3)
