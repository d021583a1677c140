"""The node labels and relations a network can give, numbered."""

import copy
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch_geometric.data import Data

from .._check import Received, refusal, require
from ..graphs import edge_triples, is_directed, node_labels, undirected


@dataclass(frozen=True)
class Alphabet:
    """The classes of nodes and edges, in code point order; either may be empty.

    Args:
        labels: Node labels; class `i` is `labels[i]`.
        relations: Edge labels; relation `r >= 1` is `relations[r - 1]`, relation 0 is *absent*.

    Raises:
        InputError: If a name comes twice or out of order.
    """

    labels: tuple[str, ...]
    relations: tuple[str, ...]

    def __post_init__(self) -> None:
        for name, values in (("labels", self.labels), ("relations", self.relations)):
            require(
                isinstance(values, tuple) and list(values) == sorted(set(values)),
                f"`Alphabet.{name}`",
                "be a sorted tuple without repeats",
                values,
                "Build it with `Alphabet.of(graphs)`.",
            )

    @classmethod
    def of(cls, graphs: Iterable[Data]) -> "Alphabet":
        """The alphabet of these graphs: every node label and edge label that occurs in them."""
        classes = Classes()
        for graph in graphs:
            classes.add(graph)
        return classes.alphabet()

    def encode(self, graph: Data) -> Data:
        """A shallow copy of `graph` with its classes: `y [n]` of nodes, `edge_type [e]` of edges.

        It is directed or not as `graph` is; an undirected edge stands once.

        Raises:
            InputError: If a label or relation is not in the alphabet.
        """
        directed = is_directed(graph)
        encoded = copy.copy(graph if directed else undirected(graph))
        encoded.directed = directed
        label, edges = node_labels(encoded), edge_triples(encoded)
        encoded.y = torch.tensor([self._class(name) for name in label], dtype=torch.long)
        relation = [self._relation(name) for _, _, name in edges]
        encoded.edge_type = torch.tensor(relation, dtype=torch.long)
        return encoded

    def covers(self, graph: Data) -> bool:
        """Whether every label and relation of `graph` is in the alphabet, so that it encodes."""
        edges = edge_triples(graph)
        known = all(name in self._classes for name in node_labels(graph))
        return known and all(name in self._relations for _, _, name in edges)

    def decode_label(self, index: int) -> str:
        """The node label of a class."""
        _check_range("class", index, range(len(self.labels)))
        return self.labels[index]

    def decode_relation(self, index: int) -> str:
        """The edge label of a relation, which is 1 or more: 0 is *absent* and has no label."""
        _check_range("relation", index, range(1, len(self.relations) + 1))
        return self.relations[index - 1]

    def to_dict(self) -> dict[str, list[str]]:
        """A document that JSON can hold and `from_dict` reads."""
        return {"labels": list(self.labels), "relations": list(self.relations)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Alphabet":
        """The alphabet of a document that `to_dict` wrote.

        Raises:
            InputError: If "labels" or "relations" is no list of strings, sorted and unique.
        """
        return cls(_names(document, "labels"), _names(document, "relations"))

    @functools.cached_property
    def _classes(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.labels)}

    @functools.cached_property
    def _relations(self) -> dict[str, int]:
        return {name: r for r, name in enumerate(self.relations, 1)}

    def _class(self, name: str) -> int:
        return _looked_up(self._classes, name, "a node label", "labels")

    def _relation(self, name: str) -> int:
        return _looked_up(self._relations, name, "an edge label", "relations")


class Classes:
    """The node labels and relations of graphs that are seen one at a time.

    Args:
        most: How many labels there may be, and how many relations. Default: any number.
    """

    def __init__(self, most: int | None = None) -> None:
        self._labels: set[str] = set()
        self._relations: set[str] = set()
        self._most = most

    def add(self, graph: Data) -> None:
        """Takes a graph in.

        Raises:
            InputError: If there are more classes than `most` with it.
        """
        self._labels.update(node_labels(graph))
        self._relations.update(name for _, _, name in edge_triples(graph))
        most = self._most
        for kind, names in (("node labels", self._labels), ("relations", self._relations)):
            if most is not None and len(names) > most:
                remedy = "Split the labels into smaller ones: a network has a class for each."
                got = Received("one more")
                raise refusal(f"the {kind} of all targets", f"be at most {most}", got, remedy)

    def alphabet(self) -> Alphabet:
        """The alphabet of these graphs."""
        return Alphabet(tuple(sorted(self._labels)), tuple(sorted(self._relations)))


def _looked_up(table: dict[str, int], name: str, kind: str, plural: str) -> int:
    if name not in table:
        raise refusal(
            kind,
            f"be one of the {len(table)} {plural} of the alphabet",
            name,
            "Build the alphabet from this graph too, or leave the graph out.",
        )
    return table[name]


def _check_range(kind: str, index: int, allowed: range) -> None:
    bounds = f"be from {allowed.start} to {allowed.stop - 1}"
    if not allowed:
        bounds = "not be asked for (the alphabet has none)"
    remedy = "Use the alphabet that the network was trained with."
    require(index in allowed, f"a {kind}", bounds, index, remedy)


def _names(document: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = document.get(key)
    require(
        isinstance(value, list) and all(isinstance(name, str) for name in value),
        f'the "{key}" of an alphabet',
        "be a list of strings",
        value if key in document else Received("nothing"),
        "Write the document with `Alphabet.to_dict`.",
    )
    assert isinstance(value, list)
    return tuple(value)
