"""Graphs of GraphML and GEXF files, read by networkx."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx as nx

from .._check import Received, refusal, require
from ..graph import NEXT, graph_from_node_link
from ._pieces import Piece, Record, Skip, located, records

FilePair = tuple[str | Path, str | Path]


def graphml(
    pairs: Iterable[FilePair],
    *,
    skip: Skip | None = None,
    node_label: str = "label",
    edge_label: str = "label",
) -> Iterator[Record]:
    """Pairs of GraphML files to pairs of graphs.

    Args:
        pairs: The files of input and target; one that ends in .txt is read as text.
        skip: Called with each pair that is refused; without it the first one is raised.
        node_label: The attribute that labels a node. Default: its id, where it is missing.
        edge_label: The attribute that labels an edge. Default: "next", where it is missing.

    Yields:
        A record per pair, with "name": the name of its files, without ending.

    Raises:
        InputError: "FILE:LINE: ..." at a file that is no GraphML, or a graph with two edges
            from one node to another.
    """
    return _records(pairs, nx.read_graphml, skip, node_label, edge_label)


def gexf(
    pairs: Iterable[FilePair],
    *,
    skip: Skip | None = None,
    node_label: str = "label",
    edge_label: str = "label",
) -> Iterator[Record]:
    """Pairs of GEXF files to pairs of graphs.

    Args:
        pairs: The files of input and target; one that ends in .txt is read as text.
        skip: Called with each pair that is refused; without it the first one is raised.
        node_label: The attribute that labels a node. Default: its id, where it is missing.
        edge_label: The attribute that labels an edge. Default: "next", where it is missing.

    Yields:
        A record per pair, with "name": the name of its files, without ending.

    Raises:
        InputError: "FILE:LINE: ..." at a file that is no GEXF, or a graph with two edges from
            one node to another.
    """
    return _records(pairs, nx.read_gexf, skip, node_label, edge_label)


def _records(
    pairs: Iterable[FilePair],
    read: Callable[[str], Any],
    skip: Skip | None,
    node_label: str,
    edge_label: str,
) -> Iterator[Record]:
    def side(piece: Piece) -> Record:
        path = Path(piece.source)
        if path.suffix == ".txt":
            return {"side": _text(path)}
        return {"side": _document(_read(path, read), node_label, edge_label)}

    for pair in pairs:
        files = [Piece("", str(path), whole=True) for path in pair]
        sides = [found["side"] for found in records(files, side, skip)]
        if len(sides) == 2:
            yield {"input": sides[0], "target": sides[1], "name": Path(pair[0]).stem}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        found = Received(getattr(error, "strerror", None) or str(error))
        raise refusal("the file", "be readable text", found, "Check its path.") from None


def _read(path: Path, read: Callable[[str], Any]) -> Any:
    remedy = "Check it with networkx."
    try:
        return read(str(path))
    except OSError as error:
        found = Received(error.strerror or str(error))
        raise refusal("the file", "be readable", found, "Check its path.") from None
    except ParseError as error:
        bad = refusal("the file", "be XML", Received(str(error)), "Export it again.")
        raise located(bad, error.position[0] - 1) from None
    except (nx.NetworkXException, ValueError, KeyError, TypeError, LookupError) as error:
        found = Received(f"{type(error).__name__}: {error}")
        raise refusal("the file", "be a graph", found, remedy) from None
    except StopIteration:  # networkx found no graph element
        raise refusal("the file", "hold a graph", Received("none"), remedy) from None


def _document(graph: Any, node_label: str, edge_label: str) -> dict[str, Any]:
    if graph.is_multigraph():
        found = Received(f"{graph.number_of_edges()} edges, some in parallel")
        remedy = "Join the labels of parallel edges into one."
        _check_simple(graph, found, remedy)
    index = {node: k for k, node in enumerate(graph)}
    nodes = [
        {"id": k, "label": str(graph.nodes[node].get(node_label, node))}
        for node, k in index.items()
    ]
    edges = [
        {"source": index[u], "target": index[v], "label": str(data.get(edge_label, NEXT))}
        for u, v, data in graph.edges(data=True)
    ]
    document = {"directed": graph.is_directed(), "nodes": nodes, "edges": edges}
    graph_from_node_link(document)  # refuses what a data set could not hold
    return document


def _check_simple(graph: Any, found: Received, remedy: str) -> None:
    pairs = [frozenset((u, v)) if not graph.is_directed() else (u, v) for u, v in graph.edges()]
    require(len(set(pairs)) == len(pairs), "edges", "be one from a node to another", found, remedy)
