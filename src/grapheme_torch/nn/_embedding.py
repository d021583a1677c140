"""A vector for every label, without a vocabulary."""

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from .._check import require
from ..graphs import NUM_HASHES


class HashEmbedding(nn.Module):
    """Embeds a label by its hashes: `concat_k table_k[hash_k mod num_buckets]` [clark22].

    Every string has a vector. Two labels share all of it only if all their hashes collide,
    with probability `num_buckets ** -num_hashes`. To it a vector of each of the first code
    points is added, where the hashes tell them. So labels that are spelled alike are alike:
    Hangul syllables of the same letters, or a letter with one accent or another.

    Args:
        dim: Size of the vector; a multiple of `num_hashes`.
        num_buckets: Rows of each table.
        num_hashes: Tables, and hashes read of each label as a whole.

    Raises:
        InputError: If `dim` is no positive multiple of `num_hashes`, or there are no buckets.
    """

    def __init__(self, dim: int, *, num_buckets: int = 2048, num_hashes: int = 8) -> None:
        super().__init__()
        require(dim >= 1, "`dim`", "be at least 1", dim, "Try 64.")
        require(num_buckets >= 1, "`num_buckets`", "be at least 1", num_buckets, "Try 2048.")
        require(
            dim % num_hashes == 0, "`dim`", f"be a multiple of num_hashes ({num_hashes})", dim,
            "Each hash looks up an equal share of the vector.",
        )  # fmt: skip
        self.num_buckets, self.num_hashes = num_buckets, num_hashes
        self.weight = nn.Parameter(torch.empty(num_hashes * num_buckets, dim // num_hashes))
        nn.init.normal_(self.weight)
        self.spelling = nn.Parameter(torch.empty(num_buckets, dim))
        nn.init.normal_(self.spelling)

    def forward(self, hashes: Int[Tensor, "n h"]) -> Float[Tensor, "n dim"]:
        """The vectors of labels given by their hashes (`graph.x` or `graph.edge_attr`).

        Columns from the ninth on are code points, negative where there is none.
        """
        offset = torch.arange(self.num_hashes, device=hashes.device) * self.num_buckets
        rows = hashes[:, : self.num_hashes] % self.num_buckets + offset
        whole = nn.functional.embedding(rows, self.weight).flatten(1)
        points = hashes[:, NUM_HASHES:]
        spelled = nn.functional.embedding(points % self.num_buckets, self.spelling)
        return whole + (spelled * (points >= 0)[:, :, None]).sum(1)


def hidden_labels(hashes: Int[Tensor, "n h"], share: float) -> Int[Tensor, "n h"]:
    """The hashes of labels, a share of them as those of labels never met; spelling apart."""
    if not share:
        return hashes
    unknown = torch.where(hashes < 0, hashes, torch.randint_like(hashes, 2**31))
    whole, spelling = (torch.rand(2, len(hashes), 1, device=hashes.device) < share).unbind()
    parts = [NUM_HASHES, hashes.shape[1] - NUM_HASHES]
    hidden = torch.cat([whole.expand(-1, parts[0]), spelling.expand(-1, parts[1])], dim=1)
    return torch.where(hidden, unknown, hashes)


def label_keys(hashes: Int[Tensor, "n h"]) -> Int[Tensor, " n"]:
    """Two of the hashes of each label as one number of 62 bits, which tells labels apart."""
    return (hashes[:, 0] << 31) | hashes[:, 1]


def distinct(
    hashes: Int[Tensor, "n h"],
) -> tuple[Int[Tensor, "k h"], Int[Tensor, " n"]]:
    """The different rows among the hashes of labels, and which of them each row is.

    By keys, which a sort of numbers tells apart; whole rows are compared one by one.
    """
    keys, which = label_keys(hashes).unique(return_inverse=True)
    row = torch.arange(len(which), device=which.device)
    return hashes[which.new_empty(len(keys)).scatter_(0, which, row)], which


def sinusoids(
    position: Shaped[Tensor, " n"], dim: int, dtype: torch.dtype
) -> Float[Tensor, "n dim"]:
    """Sines and cosines of a position, which may be negative [vaswani17].

    There are `dim / 2` wavelengths, from 2 pi to 20,000 pi steps.
    """
    rate = 10_000.0 ** -(torch.arange(0, dim, 2, device=position.device, dtype=dtype) / dim)
    angle = position.to(dtype)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1)[:, :dim]
