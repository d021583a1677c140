"""Small random graphs with labels, which are alike often enough to be confused."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hypothesis import strategies as st
from torch_geometric.data import Data

from grapheme_torch.graphs import edge_triples, make_graph, node_labels

Form = tuple[list[str], list[tuple[int, int, str]]]


@contextmanager
def untouched_random() -> Iterator[None]:
    """Run-time type checks draw from `random`, which hypothesis forbids within a strategy."""
    state = random.getstate()
    yield
    random.setstate(state)


@st.composite
def graphs(draw: st.DrawFn, max_nodes: int = 5) -> Data:
    """Any directed graph with two node labels and two relations, loops and cycles included."""
    label = draw(st.lists(st.sampled_from("ab"), max_size=max_nodes))
    n = len(label)
    couples = [(u, v) for u in range(n) for v in range(n)]
    chosen = draw(st.lists(st.sampled_from(couples), unique=True, max_size=2 * n)) if n else []
    edges = [(u, v, draw(st.sampled_from("xy"))) for u, v in chosen]
    position = [float(k) for k in range(n)] if draw(st.booleans()) else None
    with untouched_random():
        return make_graph(label, edges, position)


@st.composite
def undirected_graphs(draw: st.DrawFn, max_nodes: int = 5) -> Data:
    """Any undirected graph with two node labels and two relations, loops and cycles included."""
    label = draw(st.lists(st.sampled_from("ab"), max_size=max_nodes))
    couples = [(u, v) for u in range(len(label)) for v in range(u + 1)]
    chosen = draw(st.lists(st.sampled_from(couples), unique=True)) if couples else []
    ends = [pair if draw(st.booleans()) else pair[::-1] for pair in chosen]
    edges = [(u, v, draw(st.sampled_from("xy"))) for u, v in ends]
    with untouched_random():
        return make_graph(label, edges, directed=False)


def form(graph: Data) -> Form:
    """What two equal graphs with the same numbering share."""
    return node_labels(graph), sorted(edge_triples(graph))


def renumbered(graph: Data, order: Sequence[int]) -> Data:
    """The same graph, with node `order[k]` as node `k`, edges in another order, no positions."""
    label, place = node_labels(graph), {node: k for k, node in enumerate(order)}
    edges = [(place[u], place[v], name) for u, v, name in reversed(edge_triples(graph))]
    return make_graph([label[node] for node in order], edges)


@st.composite
def shuffled(draw: st.DrawFn, graph: Data) -> Data:
    """The same graph with its nodes in any order."""
    order = draw(st.permutations(range(len(graph.label))))
    with untouched_random():
        return renumbered(graph, order)


def ring(lengths: Sequence[int]) -> Data:
    """Directed cycles of these lengths, all nodes and edges alike."""
    starts = [sum(lengths[:k]) for k in range(len(lengths))]
    edges = [
        (start + i, start + (i + 1) % length, "x")
        for start, length in zip(starts, lengths, strict=True)
        for i in range(length)
    ]
    return make_graph(["a"] * sum(lengths), edges)
