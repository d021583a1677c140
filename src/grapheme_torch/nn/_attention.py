"""Attention among the nodes of one graph."""

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch_geometric.utils import to_dense_batch

from .._check import require


class GraphAttention(nn.Module):
    """A pre-norm transformer block whose attention stays within each graph [vaswani17].

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
        self, h: Float[Tensor, "n d"], batch: Int[Tensor, " n"], num_graphs: int
    ) -> Float[Tensor, "n d"]:
        """The node vectors after every node has attended to the nodes of its graph."""
        if len(h) == 0:
            return h
        qkv, mask = to_dense_batch(self.query_key_value(self.norm(h)), batch, batch_size=num_graphs)
        heads = qkv.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        # Padded queries see everything, so that no row of the softmax is empty.
        visible = mask[:, None, None, :] | ~mask.any(1)[:, None, None, None]
        mixed = scaled_dot_product_attention(heads[0], heads[1], heads[2], attn_mask=visible)
        h = h + self.merge(mixed.transpose(1, 2).flatten(2)[mask])
        return h + self.feed_forward(h)
