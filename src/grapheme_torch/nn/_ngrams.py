"""A vector for every run of neighbouring labels, without a vocabulary."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import dropout, embedding_bag

from .._check import require


class NGramEmbedding(nn.Module):
    """Embeds a node by the n-grams that begin and that end at it [bojanowski17].

    An n-gram is a run of 2 to `longest` nodes of a graph in the order they are given in, as
    letters of a text. Before the first and behind the last stands a mark. Its vector is a row
    found by a hash. There is one table for runs that begin at the node, and another for those that
    end there; they are added up. Rows are zero at the start: what was never met says nothing.

    Args:
        dim: Size of the vector.
        longest: Nodes of the longest run, the mark included; at least 2.
        num_buckets: Rows of each table.
        dropout: Share of the runs that is left out in training, for long ones know their example.

    Raises:
        InputError: If a size is not positive.
    """

    def __init__(
        self, dim: int, longest: int, *, num_buckets: int = 2**14, dropout: float = 0.5
    ) -> None:
        super().__init__()
        require(longest >= 2, "`longest`", "be at least 2", longest, "Try 4.")
        require(num_buckets >= 1, "`num_buckets`", "be at least 1", num_buckets, "Try 16384.")
        self.longest, self.num_buckets, self.dropout = longest, num_buckets, dropout
        self.weight = nn.Parameter(torch.zeros(2 * num_buckets, dim))

    def forward(self, keys: Int[Tensor, " n"], batch: Int[Tensor, " n"]) -> Float[Tensor, "n dim"]:
        """The vectors of nodes.

        Args:
            keys: A number for each node that tells its label, see `label_keys`.
            batch: The graph of each node, ascending.
        """
        if not len(keys):
            return self.weight.new_zeros(0, self.weight.shape[1])
        end = torch.bincount(batch).cumsum(0)[batch]
        first = torch.searchsorted(batch, batch)
        place = torch.arange(len(keys), device=keys.device)
        begins = self._runs(keys, place, 1, end - 1 - place)
        ends = self._runs(keys, place, -1, place - first)
        rows = torch.cat([begins[0], ends[0] + self.num_buckets])
        there = torch.cat([begins[1], ends[1]]).to(self.weight.dtype)
        there = dropout(there, self.dropout, self.training)
        return embedding_bag(rows.T, self.weight, mode="sum", per_sample_weights=there.T)

    def _runs(
        self, keys: Tensor, place: Tensor, step: int, room: Tensor
    ) -> tuple[Int[Tensor, "lengths n"], Bool[Tensor, "lengths n"]]:
        """Rows of the runs from each node on, by length, and whether there is such a run.

        Args:
            keys: See `forward`.
            place: The nodes.
            step: 1 to go on, -1 to go back.
            room: Nodes of the same graph that follow in that direction.
        """
        run, rows = keys, []
        for length in range(1, self.longest):
            at = (place + step * length).clamp(0, len(keys) - 1)
            label = torch.where(length <= room, keys[at], 0)
            # Multiplied and folded as in a linear congruential generator; overflow is no matter.
            run = (run ^ (run >> 29)) * 0x5851F42D4C957F2D + label
            rows.append((run ^ (run >> 32)) % self.num_buckets)
        lengths = torch.arange(1, self.longest, device=keys.device)[:, None]
        return torch.stack(rows), lengths <= room + 1
