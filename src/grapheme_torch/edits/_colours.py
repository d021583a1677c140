"""Colours of nodes by label and neighbourhood, refined round by round (Weisfeiler and Leman)."""

from collections.abc import Hashable, Iterator, Sequence

from torch_geometric.data import Data

from ..graphs import arcs, node_labels

Colours = list[int]


def refinements(graphs: Sequence[Data]) -> Iterator[list[Colours]]:
    """The node colours of each graph, round after round without end.

    In round 0 two nodes have one colour if they have one label. In the next they also have equally
    many edges of each direction and label from and to nodes of each colour. An undirected edge has
    both directions. Within a round colours of different graphs compare.
    """
    labels, edges = [node_labels(graph) for graph in graphs], [arcs(graph) for graph in graphs]
    number: dict[Hashable, int] = {}
    colours = [[number.setdefault(name, len(number)) for name in label] for label in labels]
    while True:
        yield colours
        number = {}
        colours = [
            [number.setdefault(key, len(number)) for key in _keys(colour, triples)]
            for colour, triples in zip(colours, edges, strict=True)
        ]


def stable_colours(graphs: Sequence[Data]) -> list[Colours]:
    """The colours of the round after which no round tells more nodes apart.

    Nodes that an automorphism exchanges have one colour. The reverse fails only in graphs nearly
    as regular as a ring beside two smaller ones.
    """
    rounds = refinements(graphs)
    colours = next(rounds)
    for finer in rounds:
        if _count(finer) == _count(colours):
            break
        colours = finer
    return colours


def _keys(colours: Colours, triples: list[tuple[int, int, str]]) -> Iterator[Hashable]:
    leaving: list[list[tuple[str, int]]] = [[] for _ in colours]
    entering: list[list[tuple[str, int]]] = [[] for _ in colours]
    for u, v, name in triples:
        leaving[u].append((name, colours[v]))
        entering[v].append((name, colours[u]))
    for colour, out, into in zip(colours, leaving, entering, strict=True):
        yield colour, tuple(sorted(out)), tuple(sorted(into))


def _count(colours: list[Colours]) -> int:
    return len({colour for graph in colours for colour in graph})
