"""One part in the place of another."""

from ._aligned import Aligned, Edge
from ._subgraph_parts import Part

_Node = tuple[bool, int]
"""Whether a node is of the donor, and its number there."""


def exchanged(host: Aligned, old: Part, donor: Aligned, new: Part) -> Aligned:
    """The host with a part of the donor in the place of its own; nodes in the order of the words.

    Edges to the head of the old part lead to the head of the new one. Where both have a gap, the
    node that fills the old one fills the new one.
    """
    places = _moved(host, old, donor, new)
    order = sorted(places, key=lambda node: (not places[node], places[node], node))
    index = {node: k for k, node in enumerate(order)}
    head = index[True, new.head]
    edges: list[Edge] = [
        (index[False, s], head if t == old.head else index[False, t], relation)
        for s, t, relation in host.edges
        if s not in old.nodes
    ]
    edges += [
        (index[True, s], index[True, t], relation)
        for s, t, relation in donor.edges
        if s in new.nodes and t in new.nodes
    ]
    if old.gap is not None and new.gap is not None:
        ends = index[True, new.gap.source], index[False, old.gap.filler]
        edges.append((*ends, new.gap.relation))
    labels = tuple((donor if given else host).labels[node] for given, node in order)
    middle = tuple(
        donor.symbols[k] for k in range(new.first, new.last + 1) if not _left_out(new, k)
    )
    symbols = host.symbols[: old.first] + middle + host.symbols[old.last + 1 :]
    spread = tuple(places[node] for node in order)
    return Aligned(symbols, labels, tuple(edges), spread, host.positioned and donor.positioned)


def _moved(host: Aligned, old: Part, donor: Aligned, new: Part) -> dict[_Node, tuple[int, ...]]:
    """Where the nodes that stay and those that come have their places in the new symbols."""
    longer = new.size - old.size
    places: dict[_Node, tuple[int, ...]] = {}
    for node, given in enumerate(host.places):
        if node not in old.nodes:
            places[False, node] = tuple(k + longer if k > old.last else k for k in given)
    kept = [k for k in range(new.first, new.last + 1) if not _left_out(new, k)]
    place = {k: old.first + step for step, k in enumerate(kept)}
    for node in new.nodes:
        places[True, node] = tuple(place[k] for k in donor.places[node])
    return places


def _left_out(part: Part, place: int) -> bool:
    return part.gap is not None and place in part.gap.hole
