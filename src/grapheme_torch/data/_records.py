"""Pairs of an input graph and its target graph, read from JSON Lines."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch_geometric.data import Data

from .._check import InputError, Received, refusal, relocate, require, shown
from .._reading import read_bytes
from ..graphs import (
    edge_triples,
    graph_from_node_link,
    graph_to_node_link,
    is_directed,
    make_graph,
    node_labels,
    text_to_graph,
)
from ._jsonl import parse_lines
from ._line_file import reading


@dataclass(frozen=True, eq=False)
class Pair:
    """What goes in and what should come out; two pairs are equal only if they are the same object.

    Args:
        input: The graph a network reads.
        target: The graph it should give; empty where the data name none.
        extra: The other keys of the record, as they were.
        line: Line of the file, from 1.
        source: The file, as its path was given.
        has_target: Whether the data name a target.
    """

    input: Data
    target: Data
    extra: dict[str, Any] = field(default_factory=dict)
    line: int = 1
    source: str = "<memory>"
    has_target: bool = True

    @property
    def place(self) -> str:
        """Where the pair stands, "FILE:LINE", the beginning of every message about it."""
        return f"{self.source}:{self.line}"


def read_pairs(path: str | os.PathLike[str], *, need_target: bool = True) -> list[Pair]:
    """The pairs of a JSON Lines file: `{"input": ..., "target": ...}`, one object per line.

    A side is a string, read by `text_to_graph`, or a node-link object, read by
    `graph_from_node_link`. Other keys are kept in `Pair.extra`. Blank lines are passed over but
    counted. Each graph keeps or lacks its `position` as written: see `unify_positions`.

    Args:
        path: The file, in UTF-8.
        need_target: Whether a line without "target" is refused.

    Raises:
        InputError: "FILE:LINE: ..." at the first line that is not as required, "FILE: ..." if
            the file cannot be read or holds no pair.
    """
    source = os.fspath(path)
    with reading(source):
        content = read_bytes(source)
    return parse_pairs(content, source, need_target=need_target)


def parse_pairs(content: bytes, source: str, *, need_target: bool = True) -> list[Pair]:
    """`read_pairs` for a file already read; `source` names it."""
    records = parse_lines(content, source)
    require(
        bool(records),
        f"{source}: the data set",
        "hold at least one pair",
        Received("none"),
        'Write one {"input": "...", "target": "..."} per line.',
    )
    return [make_pair(record, source, line, need_target=need_target) for line, record in records]


def make_pair(record: dict[str, Any], source: str, line: int, *, need_target: bool = True) -> Pair:
    """The pair of one record of a file.

    Raises:
        InputError: "SOURCE:LINE: ..." if it is not as required.
    """
    place = f"{source}:{line}"
    _check_keys(record, place, ("input", "target") if need_target else ("input",))
    has_target = "target" in record
    return Pair(
        input=_graph(record["input"], "input", place),
        target=_graph(record["target"], "target", place) if has_target else make_graph([], [], []),
        extra={key: value for key, value in record.items() if key not in ("input", "target")},
        line=line,
        source=source,
        has_target=has_target,
    )


def graph_document(graph: Data) -> str | dict[str, Any]:
    """What stands for a graph in a data set: its text where it is the graph of one, else node-link.

    A graph is the graph of a text if it is directed, has no numbers on its nodes, and
    `text_to_graph` gives the same. Compared are labels and edges in their order, and positions if
    it has any. Reading the document gives the graph again (an unplaced graph of a text comes back
    with its reading order).
    """
    if "features" in graph:
        return graph_to_node_link(graph)
    text = "".join(node_labels(graph))
    same = _form(text_to_graph(text), "position" in graph) == _form(graph, "position" in graph)
    return text if same and is_directed(graph) else graph_to_node_link(graph)


def _check_keys(record: dict[str, Any], place: str, keys: tuple[str, ...]) -> None:
    for key in keys:
        require(
            key in record,
            f"{place}: the line",
            f'have the key "{key}"',
            Received(f"the keys {shown(sorted(record))}"),
            'Write {"input": "...", "target": "..."} on one line.',
        )


def _graph(value: object, side: str, place: str) -> Data:
    try:
        if isinstance(value, str):
            return text_to_graph(value)
        if isinstance(value, Mapping):
            return graph_from_node_link(value)
    except InputError as error:
        relocate(error, f'{place}: in "{side}"')
    remedy = 'Put text in quotes, or write {"nodes": [...], "edges": [...]}.'
    raise refusal(f'{place}: the "{side}"', "be a string or a node-link object", value, remedy)


def _form(graph: Data, placed: bool) -> tuple[list[str], list[tuple[int, int, str]], list[float]]:
    return node_labels(graph), edge_triples(graph), graph.position.tolist() if placed else []
