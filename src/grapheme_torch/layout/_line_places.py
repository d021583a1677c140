"""Graphs that are read in one direction, such as texts: their nodes in lines."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from torch_geometric.data import Data

from ..graphs import edge_triples, is_directed, node_labels, path_order, positions_of

COLUMNS = 40
"""Nodes in a line, at most."""

_CONSECUTIVE = 0.6
"""Least share of the edges that join neighbours, where a graph is drawn as lines."""


def reading_order(graph: Data) -> list[int] | None:
    """The nodes as they are read; None if the graph is no text, nor nearly one.

    A directed path is read along its edges. Another directed graph is read by the positions of
    its nodes if most edges join neighbours. Such is the prediction of a text with a wrong edge.
    """
    if not is_directed(graph) or len(node_labels(graph)) < 2:
        return None
    order = path_order(graph)
    if order is not None:
        return order
    positions = positions_of(graph)
    if positions is None or len(set(positions)) < len(positions):
        return None
    order = sorted(range(len(positions)), key=positions.__getitem__)
    place = {node: k for k, node in enumerate(order)}
    edges = edge_triples(graph)
    near = sum(place[v] - place[u] == 1 for u, v, _ in edges)
    return order if near >= _CONSECUTIVE * len(edges) else None


def line_places(graph: Data, order: Sequence[int]) -> tuple[Float[np.ndarray, "n 2"], float]:
    """Places in lines of at most `COLUMNS` nodes, and where the script begins: 0 left, 1 right."""
    found = np.empty((len(order), 2))
    found[list(order)] = in_lines(len(order))
    if not _is_right_to_left(node_labels(graph)):
        return found, 0.0
    found[:, 0] = found[:, 0].max() - found[:, 0]
    return found, 1.0


def in_lines(count: int) -> Float[np.ndarray, "n 2"]:
    """Places of so many nodes one after the other, in lines of at most `COLUMNS`."""
    line, column = np.divmod(np.arange(count), min(count, COLUMNS))
    return np.stack([column, 1.6 * line], 1).astype(float)


def _is_right_to_left(labels: Sequence[str]) -> bool:
    """Whether most letters belong to scripts that are written from right to left."""
    kinds = [unicodedata.bidirectional(character) for label in labels for character in label]
    left = sum(kind == "L" for kind in kinds)
    return sum(kind in ("R", "AL") for kind in kinds) > left
