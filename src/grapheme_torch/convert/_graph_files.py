"""Pairs of GraphML or GEXF files to pairs of graphs."""

import bz2
import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BufferedIOBase, BufferedReader
from pathlib import Path

from .._check import Received, refusal
from .._reading import bare_name
from .._safe_files import open_regular
from ._gexf import read_gexf
from ._graph_document import FileGraph, document
from ._graphml import read_graphml
from ._pieces import Piece, Record, Skip, records

FilePair = tuple[str | Path, str | Path]


def graphml(
    pairs: Iterable[FilePair],
    *,
    skip: Skip | None = None,
    node_label: str | None = None,
    edge_label: str | None = None,
) -> Iterator[Record]:
    """Pairs of GraphML files to pairs of graphs.

    Args:
        pairs: The files of input and target; one that ends in .txt is read as text.
        skip: Called with each pair that is refused; without it the first one is raised.
        node_label: The attribute that labels a node; its id, where a node has no value. Default:
            label, or name in a file without it.
        edge_label: The attribute that labels an edge; "next", where an edge has no value.
            Default: label.

    Yields:
        A record per pair, with "name": the name of its files, without ending.

    Raises:
        InputError: "FILE:LINE: ..." at a file that is no GraphML, or that holds what a graph of
            labelled nodes and edges cannot. That is parallel edges, directed beside undirected
            ones, hyperedges, graphs within nodes, a second graph. Also if a chosen attribute is
            none of the file, or a node or edge has several values of it.
    """
    return _records(pairs, read_graphml, skip, node_label, edge_label)


def gexf(
    pairs: Iterable[FilePair],
    *,
    skip: Skip | None = None,
    node_label: str | None = None,
    edge_label: str | None = None,
) -> Iterator[Record]:
    """Pairs of GEXF files to pairs of graphs.

    Args:
        pairs: The files of input and target; one that ends in .txt is read as text.
        skip: Called with each pair that is refused; without it the first one is raised.
        node_label: The attribute that labels a node; its id, where a node has no value. Default:
            label, or name in a file without it.
        edge_label: The attribute that labels an edge; "next", where an edge has no value.
            Default: label.

    Yields:
        A record per pair, with "name": the name of its files, without ending.

    Raises:
        InputError: "FILE:LINE: ..." at a file that is no GEXF, or that holds what a graph of
            labelled nodes and edges cannot. That is parallel edges, directed beside undirected
            ones, nodes within nodes, values per time, a second graph. Also if a chosen attribute
            is none of the file, or a node or edge has several values of it.
    """
    return _records(pairs, read_gexf, skip, node_label, edge_label)


def _records(
    pairs: Iterable[FilePair],
    read: Callable[[bytes], FileGraph],
    skip: Skip | None,
    node_label: str | None,
    edge_label: str | None,
) -> Iterator[Record]:
    def side(piece: Piece) -> Record:
        path = Path(piece.source)
        content = _content(path)
        if Path(bare_name(path.name)).suffix == ".txt":
            return {"side": _text(content)}
        return {"side": document(read(content), node_label, edge_label)}

    for pair in pairs:
        files = [Piece("", str(path), whole=True) for path in pair]
        sides = [found["side"] for found in records(files, side, skip)]
        if len(sides) == 2:
            yield {
                "input": sides[0],
                "target": sides[1],
                "name": Path(bare_name(str(pair[0]))).stem,
            }


def _content(path: Path) -> bytes:
    try:
        with open_regular(path, pipes=True) as file:
            return _unpacked(file, path.suffix).read()
    except (OSError, EOFError, ValueError, zlib.error) as error:  # ValueError: a null in the path
        found = Received(getattr(error, "strerror", None) or str(error))
        raise refusal("the file", "be readable", found, "Check the file and its path.") from None


def _unpacked(file: BufferedReader, suffix: str) -> BufferedIOBase:
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=file)
    return bz2.BZ2File(file) if suffix == ".bz2" else file


def _text(content: bytes) -> str:
    text = Piece(content, whole=True).text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
