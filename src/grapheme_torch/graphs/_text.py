"""Text as a graph, and a graph that is one path as text."""

import regex
import torch
from torch_geometric.data import Data

from .._check import Received, refusal
from ._direction import edge_triples, is_directed
from ._form import NEXT, assembled, check_text, node_labels

_CLUSTER = regex.compile(r"\X")


def text_to_graph(text: str) -> Data:
    """The graph of a text: a node per extended grapheme cluster (UAX 29), joined in reading order.

    Args:
        text: Any Unicode string, the empty one included. Nothing is normalised: the text
            comes back from `graph_to_text` code point by code point.

    Returns:
        A directed path, each edge labelled "next", positions 0, 1, 2, ...

    Raises:
        InputError: If `text` is no string or holds a lone surrogate, which no encoding can store.
    """
    check_text("`text`", text)
    label = _CLUSTER.findall(text)
    steps = range(len(label) - 1)
    graph = assembled(label, [(i, i + 1) for i in steps], [NEXT] * len(steps), directed=True)
    graph.position = torch.arange(len(label), dtype=torch.float)
    return graph


def count_clusters(text: str) -> int:
    """The number of nodes of `text_to_graph(text)`, without building it."""
    return sum(1 for _ in _CLUSTER.finditer(text))


def graph_to_text(graph: Data) -> str:
    """The text of a graph that is one path: its labels, joined along the edges.

    Raises:
        InputError: If the nodes do not form a single directed path, or have no labels.
    """
    label = node_labels(graph)
    order = path_order(graph)
    if order is None:
        kind = "a" if is_directed(graph) else "an undirected"
        shape = f"{kind} graph of {len(label)} nodes and {len(edge_triples(graph))} edges"
        raise refusal(
            "`graph`",
            "be one directed path through all its nodes to be read as text",
            Received(shape),
            "Read it as node-link JSON instead: `graph_to_node_link(graph)`.",
        )
    return "".join(label[i] for i in order)


def path_order(graph: Data) -> list[int] | None:
    """The nodes in the order of the one directed path through them all; None if there is none.

    An undirected path has no order, unless it is a single node.
    """
    n = int(graph.num_nodes or 0)
    if n == 0:
        return []
    ends = [(source, target) for source, target, _ in edge_triples(graph)]
    after = dict(ends)
    starts = set(range(n)) - set(after.values())
    if len(ends) != n - 1 or len(after) != n - 1 or len(starts) != 1:
        return None
    if ends and not is_directed(graph):
        return None
    order = [starts.pop()]
    while order[-1] in after and len(order) <= n:
        order.append(after[order[-1]])
    return order if len(order) == n else None
