"""Where the nodes of a graph stand: rings are rings, trees are trees, texts are lines."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np
from jaxtyping import Float
from torch_geometric.data import Data

from ..convert import molecule_places
from ..graphs import edge_triples, is_directed, node_labels
from ._line_places import in_lines, line_places, reading_order
from ._spread import spread
from ._tree_places import tree_places, tree_root

_STRESSED = 300
"""Nodes, at most, that are drawn by stress, in 2 seconds; 500 take 9. More are drawn by forces
[fruchterman91], 2000 in 22 seconds."""

_BETWEEN = 1.4
"""Space between the parts of a graph that no edge joins."""


class Places(NamedTuple):
    """Where the nodes of a graph stand.

    Args:
        xy: To the right and downwards; axes: node; coordinate. The unit is the least distance at
            which nodes may stand; the least number along each axis is 0.
        stretches: Whether it may be drawn wider than high: lines and trees, but no rings.
        molecule: Whether it is one, and edges are bonds.
        start: Where it begins, and stands beside other graphs. 0 is on the left, 1 on the right (a
            text of such a script), or in between.
    """

    xy: Float[np.ndarray, "n 2"]
    stretches: bool
    molecule: bool = False
    start: float = 0.5


def graph_places(graph: Data) -> Places:
    """Where the nodes of a graph stand; the same for the same graph.

    A molecule stands as RDKit draws it, where RDKit is installed. A text is a line, see
    `reading_order`. Otherwise each connected part is drawn by itself: a path as a line, a ring as a
    regular polygon, a tree in layers. Anything else is drawn by the stress of its distances
    [kamada89] or, where it is large, by forces.

    Args:
        graph: A graph with labels.

    Raises:
        InputError: If the graph carries no labels, or an edge ends at no node.
    """
    count = len(node_labels(graph))
    edges = [(u, v) for u, v, _ in edge_triples(graph) if u != v]
    if count < 2:
        return Places(np.zeros((count, 2)), stretches=True)
    found = molecule_places(graph)
    if found is not None:
        return Places(_from_zero(spread(np.asarray(found), edges)), stretches=False, molecule=True)
    order = reading_order(graph)
    if order is not None:
        xy, start = line_places(graph, order)
        return Places(xy, stretches=True, start=start)
    whole: nx.Graph[int] = nx.Graph(edges)
    whole.add_nodes_from(range(count))
    reached = {v for _, v in edges} if is_directed(graph) else set(range(count))
    parts = [sorted(part) for part in nx.connected_components(whole)]
    parts.sort(key=lambda part: (-len(part), part[0]))
    drawn = [
        _part(_induced(whole, part), [node for node in part if node not in reached])
        for part in parts
    ]
    xy = _packed(parts, [_from_zero(one.xy) for one in drawn], count)
    return Places(xy, stretches=all(one.stretches for one in drawn))


def _induced(whole: "nx.Graph[int]", part: Sequence[int]) -> "nx.Graph[int]":
    """A part of a graph, nodes and neighbours in the order of their numbers."""
    found: nx.Graph[int] = nx.Graph()
    found.add_nodes_from(part)
    inside = set(part)
    found.add_edges_from(sorted((u, v) for u, v in whole.edges(part) if v in inside))
    return found


def _part(part: "nx.Graph[int]", heads: Sequence[int]) -> Places:
    """Places of the nodes of a connected graph, in the order of its nodes."""
    nodes, degrees = list(part), [len(part[node]) for node in part]
    if len(nodes) == 1:
        return Places(np.zeros((1, 2)), stretches=True)
    if part.number_of_edges() == len(nodes) - 1:
        if max(degrees) <= 2:
            return Places(_path(part, heads), stretches=True)
        xy, layered = tree_places(part, tree_root(part, heads))
        return Places(xy, stretches=layered)
    if set(degrees) == {2}:
        return Places(_ring(part), stretches=False)
    if len(nodes) <= _STRESSED:
        places = nx.kamada_kawai_layout(part)
    else:
        places = nx.spring_layout(part, seed=0, method="force")
    xy = spread(np.array([places[node] for node in nodes]), _numbered(part))
    return Places(xy, stretches=False)


def _numbered(part: "nx.Graph[int]") -> list[tuple[int, int]]:
    number = {node: k for k, node in enumerate(part)}
    return [(number[u], number[v]) for u, v in part.edges]


def _path(part: "nx.Graph[int]", heads: Sequence[int]) -> Float[np.ndarray, "n 2"]:
    """A line, from where its edges come if they go one way; several where it is long."""
    nodes = list(part)
    ends = [node for node in nodes if len(part[node]) == 1]
    start = next((node for node in ends if node in heads), ends[0])
    order = list(nx.dfs_preorder_nodes(part, start))
    place = dict(zip(order, in_lines(len(order)), strict=True))
    return np.array([place[node] for node in nodes])


def _ring(part: "nx.Graph[int]") -> Float[np.ndarray, "n 2"]:
    """A regular polygon, from the top to the right."""
    nodes = list(part)
    order = list(nx.dfs_preorder_nodes(part, nodes[0]))
    radius = max(0.5 / math.sin(math.pi / len(nodes)), 1.0) * 1.1
    turn = {node: 2 * math.pi * k / len(nodes) for k, node in enumerate(order)}
    return np.array([[radius * math.sin(turn[k]), -radius * math.cos(turn[k])] for k in nodes])


def _packed(
    parts: Sequence[Sequence[int]], drawn: Sequence[Float[np.ndarray, "_ 2"]], count: int
) -> Float[np.ndarray, "n 2"]:
    """The parts beside each other, in lines about as wide as all are high."""
    sizes = [places.max(0) + _BETWEEN for places in drawn]
    area = sum(float(size[0] * size[1]) for size in sizes)
    limit = max(1.5 * math.sqrt(area), *(float(size[0]) for size in sizes))
    found = np.zeros((count, 2))
    x = y = height = 0.0
    for part, places, (wide, high) in zip(parts, drawn, sizes, strict=True):
        if x and x + wide > limit + 1e-9:
            x, y, height = 0.0, y + height, 0.0
        found[list(part)] = places + np.array([x, y])
        x, height = x + wide, max(height, float(high))
    return found


def _from_zero(places: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    return places - places.min(0)


def turned_alike(places: Places, others: Places, pairs: Sequence[tuple[int, int]]) -> Places:
    """The drawing turned, mirrored if need be, so that it looks like that of another graph.

    Lines and trees stay as they are.

    Args:
        places: The drawing.
        others: That of the other graph.
        pairs: Nodes of the one and of the other graph that are the same.
    """
    if places.stretches or others.stretches or len(pairs) < 2:
        return places
    own, wanted = zip(*pairs, strict=True)
    a, b = places.xy[list(own)], others.xy[list(wanted)]
    # The orthogonal matrix that fits best, (a - mean)^T (b - mean) = U S V^T [schonemann66].
    u, _, v = np.linalg.svd((a - a.mean(0)).T @ (b - b.mean(0)))
    return places._replace(xy=_from_zero(places.xy @ (u @ v)))
