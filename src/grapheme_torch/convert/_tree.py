"""Abstract syntax trees as graphs.

A node is a class of the module `ast`, with the constants and identifiers it holds written as
`ast.dump` writes them: `Name(id='x')`, `Constant(value=3)`, `Add`. An edge is a field: `left`,
`value`. The elements of a list field (`body`, `args`) are joined to their parent by the same label
and, in order, to one another by `next`. Contexts (Load, Store, Del) are left out: they follow from
the place.

By tokens, identifiers and constants are nodes of their own, below their node by the edge `id` or
`value`. They are labelled as the source writes them: then a network can copy those it never met.
"""

import ast
import functools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .._check import Received, refusal
from ..graphs import NEXT
from ._document import Triple
from ._pieces import located
from ._tokens import Tokens, is_constant, source_lines

NOTHING = "None"
"""The node of an element that is missing from a list: the key of `**x` in a dictionary."""

CONSTANTS = (ast.Constant, ast.MatchSingleton)
"""The classes that hold a constant."""

_INFINITY = "1e309"


class Places:
    """Characters of a text by line and byte, as the nodes of a tree give their places."""

    def __init__(self, text: str) -> None:
        self.lines = source_lines(text)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def start(self, node: ast.AST) -> int | None:
        """The first character of a node; None if it has no place."""
        return self._at(getattr(node, "lineno", None), getattr(node, "col_offset", 0))

    def span(self, node: ast.AST) -> range:
        """The characters of a node; none if it has no place."""
        start = self.start(node)
        end = self._at(getattr(node, "end_lineno", None), getattr(node, "end_col_offset", 0))
        return range(start or 0, end or 0)

    def _at(self, line: int | None, byte: int) -> int | None:
        if line is None or line > len(self.lines):
            return None
        raw = self.lines[line - 1].encode()[:byte]
        return self.starts[line - 1] + len(raw.decode(errors="ignore"))


class _Leaf(NamedTuple):
    """An identifier or constant as a node of its own."""

    label: str
    start: int | None


_Part = ast.AST | _Leaf | None


def syntax_graph(
    tree: ast.AST, places: Places, tokens: Tokens | None
) -> tuple[list[str], list[Triple], list[int | None]]:
    """Labels, edges and first characters of a tree; with leaves if there are tokens."""
    labels: list[str] = []
    starts: list[int | None] = []
    edges: list[Triple] = []
    # Depth first with a stack of our own: a long sum is nested deeper than Python recurses.
    waiting: list[tuple[_Part, int, str, list[int]]] = [(tree, -1, "", [])]
    while waiting:
        node, parent, name, siblings = waiting.pop()
        index = len(labels)
        if parent >= 0:
            edges.append((parent, index, name))
        edges += [(before, index, NEXT) for before in siblings[-1:]]
        siblings.append(index)
        if isinstance(node, ast.AST):
            labels.append(_label(node, apart=tokens is not None))
            starts.append(places.start(node))
            for field, parts in reversed(list(_children(node, places, tokens))):
                elements: list[int] = []
                waiting += [(part, index, field, elements) for part in reversed(parts)]
        else:
            labels.append(NOTHING if node is None else node.label)
            starts.append(None if node is None else node.start)
    return labels, edges, starts


def _children(
    node: ast.AST, places: Places, tokens: Tokens | None
) -> Iterator[tuple[str, Sequence[_Part]]]:
    """The nodes below a node, by field."""
    for name, value in ast.iter_fields(node):
        values = value if isinstance(value, list) else [value]
        if isinstance(value, ast.expr_context):
            continue
        if value is not None and _holds_nodes(values):
            yield name, values
        elif tokens is not None and name in leaf_fields(type(node)) and _is_held(node, name, value):
            yield name, [_leaf(node, one, places, tokens) for one in values]


def leaf_fields(kind: type[ast.AST]) -> frozenset[str]:
    """The fields of a class that hold identifiers or constants."""
    return _named_or_constant(kind.__doc__ or "")


@functools.cache
def _named_or_constant(grammar: str) -> frozenset[str]:
    """The fields to which the grammar of a class, which is its docstring, gives these types."""
    return frozenset(re.findall(r"\b(?:identifier|constant)[*?]? (\w+)", grammar))


def _leaf(node: ast.AST, value: object, places: Places, tokens: Tokens) -> _Leaf:
    """An identifier or constant of a node, as the source writes it if it does so in one token."""
    span = places.span(node)
    if isinstance(node, CONSTANTS):
        at = tokens.where(lambda token: is_constant(token, value), span)
        label = _literal(node, value) if at is None else tokens.labels[at]
    else:
        label = str(value)
        at = tokens.where(label.__eq__, span, last=isinstance(node, ast.Attribute))
    return _Leaf(label, places.start(node) if at is None else tokens.starts[at])


def _label(node: ast.AST, *, apart: bool) -> str:
    """The label of a node; without what is told apart from it in leaves."""
    leaves = leaf_fields(type(node)) if apart else frozenset()
    held = [
        f"{name}={_literal(node, value)}"
        for name, value in ast.iter_fields(node)
        if name not in leaves and _is_held(node, name, value)
    ]
    kind = type(node).__name__
    return f"{kind}({', '.join(held)})" if held else kind


def _is_held(node: ast.AST, name: str, value: object) -> bool:
    """Whether a field is part of the label, or a leaf: no node, and not left empty."""
    if isinstance(value, list):
        return bool(value) and not _holds_nodes(value)
    if value is None:
        return name == "value" and isinstance(node, CONSTANTS)
    return not isinstance(value, ast.AST)


def _holds_nodes(values: list[object]) -> bool:
    return any(item is None or isinstance(item, ast.AST) for item in values)


def _literal(node: ast.AST, value: object) -> str:
    if value is ...:
        return "..."
    try:
        text = repr(value)
    except ValueError as error:  # an integer of more digits than Python writes
        remedy = "Write it as an expression."
        bad = refusal("a constant", "be writable", Received(str(error)), remedy)
        raise located(bad, getattr(node, "lineno", 1) - 1) from None
    return text.replace("inf", _INFINITY) if isinstance(value, float | complex) else text
