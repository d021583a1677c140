"""Several output nodes for each input node."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn


class Wired(NamedTuple):
    """Nodes with vectors, and the edges between them.

    Args:
        h: Vector of each node.
        edge_index: Source and target of each edge.
        kind: Kind of each edge, a row of `kinds`.
        kinds: Vector of each kind of edge.
        batch: The graph of each node, ascending.
        position: Place of each node, if they have an order.
    """

    h: Float[Tensor, "n d"]
    edge_index: Int[Tensor, "2 e"]
    kind: Int[Tensor, " e"]
    kinds: Float[Tensor, "k c"]
    batch: Int[Tensor, " n"]
    position: Shaped[Tensor, " n"] | None


LIKELY, RARE = 0.95, 0.02
"""Before training no slot is expected to exist more or less often."""

FIRST = 0.9
"""Share of a node's outputs that stand in the first of its slots, if one is enough for all."""


class Slots(nn.Module):
    """Unfolds every node into a chain of output slots, which know their place in it.

    Slot `k` of node `i` is node `i * num_slots + k`. An edge from `i` to `j` goes from the last
    slot of `i` to the first of `j`, so that a path stays a path. Positions are counted in slots.
    Where slots are filled in turn, what the heads say of existence is moved by a number for each
    slot, `existence`.

    Args:
        dim: Size of a node's vector.
        num_slots: Output nodes per input node.
        in_turn: Whether they are expected to be filled in turn.
    """

    def __init__(self, dim: int, num_slots: int, in_turn: bool = False) -> None:
        super().__init__()
        self.num_slots = num_slots
        self.place = nn.Parameter(torch.randn(num_slots, dim))
        self.chain = nn.Parameter(torch.randn(dim))
        self.existence = nn.Parameter(torch.zeros(num_slots)) if in_turn else None

    def expect(self, share: float, said: Float[Tensor, "1"]) -> None:
        """Has the untrained network fill the slots of a node in turn, if it is to do so.

        Were all as likely, outputs would find their slots by chance: in one word the first, in
        another the second. What is learned of a letter would then have to be learned for each.

        Args:
            share: Share of all slots that exist.
            said: Logit that the heads say of each.
        """
        if self.existence is None:
            return
        left, found = share * self.num_slots, []
        for others in reversed(range(self.num_slots)):
            wanted = FIRST * left if others else left
            found.append(min(max(wanted, RARE), LIKELY))
            left -= found[-1]
        with torch.no_grad():
            self.existence.copy_(torch.tensor(found).to(said).logit() - said)

    def moved(self, existence: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Logits of the existence of all slots, by what the heads say of them."""
        if self.existence is None:
            return existence
        return existence + self.existence.repeat(len(existence) // self.num_slots)

    def forward(self, graph: Wired) -> Wired:
        """The slots of all nodes."""
        n, count = len(graph.h), self.num_slots
        slot = torch.arange(n * count, device=graph.h.device)
        inner = slot.view(n, count)[:, :-1].flatten()
        first, last = graph.edge_index[1] * count, graph.edge_index[0] * count + count - 1
        place = slot % count
        position = graph.position
        if position is not None:
            position = position.repeat_interleave(count) * count + place
        return Wired(
            (graph.h[:, None] + self.place).flatten(0, 1),
            torch.cat([torch.stack([last, first]), torch.stack([inner, inner + 1])], dim=1),
            torch.cat([graph.kind, torch.full_like(inner, len(graph.kinds))]),
            torch.cat([graph.kinds, self.chain[None]]),
            graph.batch.repeat_interleave(count),
            position,
        )
