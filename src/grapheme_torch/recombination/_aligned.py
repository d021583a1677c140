"""A pair of a sequence and a graph whose nodes have their places in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..convert import node_link, symbols_document
from ..data import Pair
from ..edits import check_places, input_nodes
from ..graphs import NEXT, edge_triples, is_directed, node_labels

Edge = tuple[int, int, str]
"""Source, target and relation."""


@dataclass(frozen=True)
class Aligned:
    """A pair whose input is a sequence of symbols, with the places of the target nodes in it.

    Args:
        symbols: Labels of the input nodes, in their order.
        labels: Labels of the target nodes.
        edges: Source, target and relation of each target edge.
        places: The input nodes of each target node, in order; none where they are not known.
        positioned: Whether the target nodes have positions: the first place of each, or 0.
    """

    symbols: tuple[str, ...]
    labels: tuple[str, ...]
    edges: tuple[Edge, ...]
    places: tuple[tuple[int, ...], ...]
    positioned: bool = False

    @property
    def positions(self) -> list[int]:
        """The first place of each target node, 0 where it is not known."""
        return [nodes[0] if nodes else 0 for nodes in self.places]


def read_aligned(pair: Pair) -> Aligned | None:
    """A pair by its symbols and places; None if its kind has none.

    Its input has to be a path of symbols, and not of the letters of a text, and has no numbers. Its
    target is directed and has an "alignment". If it has positions, they are the places.

    Raises:
        InputError: "FILE:LINE: ..." if the "alignment" cannot be one.
    """
    places: Any = pair.extra.get("alignment")
    symbols, labels = tuple(node_labels(pair.input)), tuple(node_labels(pair.target))
    if places is None or not is_directed(pair.target) or not _is_path(pair, symbols):
        return None
    check_places(f'{pair.place}: "alignment"', places, len(labels), len(symbols))
    spread = tuple(tuple(sorted(input_nodes(place))) for place in places)
    positioned = "position" in pair.target
    found = Aligned(symbols, labels, tuple(edge_triples(pair.target)), spread, positioned)
    if positioned and pair.target.position.tolist() != found.positions:
        return None
    return found


def record_of(pair: Aligned) -> Mapping[str, Any]:
    """The record of a pair, a line of a data set."""
    target = node_link(pair.labels, pair.edges)
    if pair.positioned:
        for node, position in zip(target["nodes"], pair.positions, strict=True):
            node["position"] = position
    return {
        "input": symbols_document(pair.symbols),
        "target": target,
        "alignment": [_place(nodes) for nodes in pair.places],
    }


def _place(nodes: tuple[int, ...]) -> int | list[int] | None:
    if len(nodes) > 1:
        return list(nodes)
    return nodes[0] if nodes else None


def _is_path(pair: Pair, symbols: tuple[str, ...]) -> bool:
    """Whether the input is a path of symbols; the letters of a text are none."""
    if "features" in pair.input:
        return False
    edges = [(k, k + 1, NEXT) for k in range(len(symbols) - 1)]
    if edge_triples(pair.input) != edges or not is_directed(pair.input):
        return False
    return not isinstance(symbols_document(symbols), str) or len(symbols) == 1
