"""The first look at the edges: what stands around two nodes, (E40) of docs/math.

Before anything is aligned the slope of the edge term says little. Where every carbon of a molecule
may be every other, all of them have the same expected neighbours. The neighbourhoods themselves
need no alignment. They are the local structures of Riesen and Bunke (2009) with expected counts in
the place of sets.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..batch._layout import Layout, dense
from ..batch._pairs import Pairs


def neighbour_edits(pairs: Pairs, *, by_class: bool, twice: bool = False) -> Float[Tensor, "B N M"]:
    """Half the L1 distance of the neighbourhoods of predicted and target nodes, (E40).

    A neighbourhood counts, by relation and label of the neighbour, the expected edges at a node.
    Where edges have a direction, those that leave it and those that arrive are counted apart. Where
    nodes carry no classes, all neighbours are counted together. One neighbour too many is half an
    edit: the other half is told at its other end.

    Args:
        pairs: Predictions and targets.
        by_class: Whether node outputs are logits of classes.
        twice: Whether to allow a second derivative, at the price of `B N M counts` numbers.
    """
    exists = pairs.layout.pad(pairs.exists.exp())[:, :, None]
    t = pairs.target
    if not (pairs.layout.width and t.layout.width):
        return exists.new_zeros(len(exists), pairs.layout.width, t.layout.width)
    if by_class:
        label, wanted_label = _labels(pairs, exists)
    else:
        label, wanted_label = exists, t.layout.mask[:, :, None]
    predicted = _neighbourhoods(
        pairs.layout,
        (pairs.graph, pairs.source, pairs.sink),
        pairs.relation[:, 1:].exp(),
        label,
        pairs.directed,
    )
    wanted = _neighbourhoods(
        t.layout,
        (t.graph, t.source, t.sink),
        _one_hot(t.relation - 1, pairs.relation.shape[1] - 1).to(exists.dtype),
        wanted_label.to(exists.dtype),
        pairs.directed,
    )
    if twice:
        return (predicted[:, :, None] - wanted[:, None]).abs().sum(3) / 2
    return torch.cdist(predicted, wanted, p=1) / 2


def _labels(
    pairs: Pairs, exists: Float[Tensor, "B N 1"]
) -> tuple[Float[Tensor, "B N k"], Bool[Tensor, "B M k"]]:
    """How much of each node carries each label of the pair's target, and any other; so for both.

    No target node carries another: their expected numbers add up, and need not be told apart. A
    target node of unknown class counts as another.
    """
    t = pairs.target
    size = max(pairs.outputs.shape[1], 1)
    sure = t.y >= 0
    present = (t.layout.batch * size + t.y)[sure].unique()  # by graph, then by label
    listed = Layout.of(present // size, len(exists))
    kind = listed.pad(present % size + 1) - 1  # -1: there are no more
    each = pairs.layout.pad(pairs.outputs.softmax(1))
    known = each.gather(2, kind.clamp(min=0)[:, None].expand(-1, each.shape[1], -1)) * (
        kind[:, None] >= 0
    )
    other = (1 - known.sum(2, keepdim=True)).clamp(min=0)
    mine = (t.y[:, None] == kind[t.layout.batch]) & sure[:, None]
    wanted = t.layout.pad(torch.cat([mine, ~sure[:, None]], 1))
    return exists * torch.cat([known, other], 2), wanted


def _neighbourhoods(
    layout: Layout,
    edges: tuple[Int[Tensor, " e"], Int[Tensor, " e"], Int[Tensor, " e"]],
    relation: Float[Tensor, "e relations"],
    label: Float[Tensor, "B N labels"],
    directed: bool,
) -> Float[Tensor, "B N counts"]:
    """The expected number of edges at each node, by direction, relation and label at the end."""
    graph, source, sink = edges
    leaving = dense(relation, graph, [(source, sink)], layout)
    ways = [leaving, leaving.mT] if directed else [leaving + leaving.mT]
    counts = [(way @ label[:, None]).transpose(1, 2).flatten(2) for way in ways]
    return torch.cat(counts, dim=2)


def _one_hot(choice: Int[Tensor, " k"], num_classes: int) -> Tensor:
    return choice[:, None] == torch.arange(num_classes, device=choice.device)
