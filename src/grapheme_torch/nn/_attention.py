"""Attention among the nodes of one graph."""

from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from .._check import require
from .operations._attend import attend


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
        mixed = attend(qkv, batch, num_graphs, position)
        h = h + self.merge(mixed.flatten(1))
        return h + self.feed_forward(h)


def feed_forward(dim: int) -> nn.Sequential:
    """The pre-norm transformation of each vector by itself."""
    return nn.Sequential(
        nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.SiLU(), nn.Linear(2 * dim, dim)
    )
