"""Python source to abstract syntax trees.

A node is a class of the module `ast`, with the constants and identifiers it holds written as
`ast.dump` writes them: `Name(id='x')`, `Constant(value=3)`, `Add`. An edge is a field: `left`,
`value`; the elements of a list field (`body`, `args`) are joined to their parent by the same label
and, in order, to one another by `next`. Contexts (Load, Store, Del) are left out: they follow from
the place.

By tokens, identifiers and constants are nodes of their own, below their node by the edge `id` or
`value` and labelled as the source writes them: then a network can copy those it never met.
"""

import ast
import functools
import io
import re
import textwrap
import tokenize
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from .._check import InputError, Received, refusal
from ._document import Triple, clusters_at, node_link, symbols_document
from ._pieces import LeftOut, Piece, Record, Skip, located, records
from ._tokens import Tokens, is_literal, tokens_of

NEXT = "next"
NOTHING = "None"
"""The node of an element that is missing from a list: the key of `**x` in a dictionary."""

CONSTANTS = (ast.Constant, ast.MatchSingleton)
"""The classes that hold a constant."""

_INFINITY = "1e309"

Unit = Literal["module", "function", "statement"]
Cut = Callable[[Piece, Any, list[str]], Piece | None]


def python(
    pieces: Iterable[Piece | str],
    *,
    skip: Skip | None = None,
    unit: Unit = "module",
    tokens: bool = False,
) -> Iterator[Record]:
    """Python source to its abstract syntax tree, nodes in the order of the source.

    Args:
        pieces: Sources, each the text of a module.
        skip: Called with each source that is refused; without it the first one is raised.
        unit: Whether a record is a module; or each function and method by itself, outdented; or
            each statement that holds no others, such as an assignment.
        tokens: Whether a node of the input is a token (of this interpreter, comments left out)
            instead of a character, and identifiers and constants are nodes of the tree
            instead of parts of labels.

    Yields:
        A record per unit, with "alignment": the node of the input (grapheme cluster or token,
        from 0) at which each node begins, None for those without a place, such as operators.

    Raises:
        InputError: "FILE:LINE: ..." at a source that is no Python for the running interpreter.
    """
    sources = (Piece(piece) if isinstance(piece, str) else piece for piece in pieces)
    make = partial(_record, tokens=tokens)
    if unit == "module":
        return records(sources, make, skip)
    return records(_parts(sources, *_PARTS[unit], skip), partial(_part_record, make), skip)


def parsed(text: str) -> ast.Module:
    """The tree of a module.

    Raises:
        InputError: If `text` is no Python; the error knows the line.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape is no concern of ours
            return ast.parse(text)
    except SyntaxError as error:
        line = max((error.lineno or 1) - 1, 0)
        reason, at = error.msg, f" at column {error.offset}" if error.offset else ""
    except (ValueError, RecursionError, MemoryError) as error:
        line, reason, at = 0, str(error) or "an expression nested too deeply", ""
    remedy = "Check it with the interpreter that runs this."
    bad = refusal("the source", "be Python", Received(reason + at), remedy)
    raise located(bad, line) from None


def _record(piece: Piece, *, tokens: bool) -> Record:
    text = _decoded(piece)
    places = _Places(text)
    tree = parsed(text)
    read = tokens_of(text, places.lines) if tokens else None
    labels, edges, starts = _graph(tree, places, read)
    record: Record = {"input": text, "target": node_link(labels, edges)}
    if read is None:
        record["alignment"] = clusters_at(text, starts)
    else:
        record["input"] = symbols_document(read.labels)
        record["alignment"] = [read.at(start) for start in starts]
    return record | (piece.extra or {})


def _part_record(make: Callable[[Piece], Record], piece: Piece) -> Record:
    try:
        return make(piece)
    except InputError as error:  # the whole file is Python, so it is the margin that is not
        raise LeftOut(f"cannot be outdented: {error}") from None


def _decoded(piece: Piece) -> str:
    """The text, in the encoding that a source file may declare."""
    if isinstance(piece.content, str):
        return piece.text
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(piece.content).readline)
        return piece.content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        remedy = "Save it as UTF-8, or declare its encoding."
        raise refusal("the source", "be readable text", Received(str(error)), remedy) from None


def _parts(pieces: Iterable[Piece], kind: Any, cut: Cut, skip: Skip | None) -> Iterator[Piece]:
    """What `cut` makes of the nodes of a kind in each source, as sources of their own."""
    found: list[Piece] = []

    def make(piece: Piece) -> Record:
        text = _decoded(piece)
        lines = _lines(text)
        nodes = (node for node in ast.walk(parsed(text)) if isinstance(node, kind))
        parts = (cut(piece, node, lines) for node in nodes)
        found.extend(part for part in parts if part is not None)
        return {}

    for _ in records(pieces, make, skip):
        yield from sorted(found, key=lambda piece: piece.line)
        found.clear()


def _function(
    piece: Piece, node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]
) -> Piece:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    text = textwrap.dedent("".join(lines[first - 1 : node.end_lineno]))
    extra = {**(piece.extra or {}), "name": node.name, "line": piece.line + first - 1}
    return Piece(text, piece.source, piece.line + first - 1, extra)


def _statement(piece: Piece, node: ast.stmt, lines: list[str]) -> Piece | None:
    """The text of a statement from its first to its last character; None if it holds others."""
    if any(isinstance(part, ast.stmt | ast.excepthandler) for part in ast.iter_child_nodes(node)):
        return None
    last = node.end_lineno or node.lineno
    whole = [line.encode() for line in lines[node.lineno - 1 : last]]
    whole[-1] = whole[-1][: node.end_col_offset]
    text = b"".join(whole)[node.col_offset :].decode()
    line = piece.line + node.lineno - 1
    return Piece(text, piece.source, line, {**(piece.extra or {}), "line": line})


_PARTS: dict[Unit, tuple[Any, Cut]] = {
    "function": (ast.FunctionDef | ast.AsyncFunctionDef, _function),
    "statement": (ast.stmt, _statement),
}


def _lines(text: str) -> list[str]:
    """The lines as Python counts them, with their ends; `splitlines` knows more line ends."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


class _Places:
    """Characters of a text by line and byte, as the nodes of a tree give their places."""

    def __init__(self, text: str) -> None:
        self.lines = _lines(text)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def start(self, node: ast.AST) -> int | None:
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


def _graph(
    tree: ast.AST, places: _Places, tokens: Tokens | None
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
    node: ast.AST, places: _Places, tokens: Tokens | None
) -> Iterator[tuple[str, Sequence[_Part]]]:
    """The nodes below a node, by field."""
    for name, value in ast.iter_fields(node):
        values = value if isinstance(value, list) else [value]
        if isinstance(value, ast.expr_context):
            continue
        if value is not None and _holds_nodes(values):
            yield name, values
        elif tokens is not None and name in leaf_fields(type(node)) and _is_held(node, name, value):
            yield name, [_leaf(node, one, places.span(node), tokens) for one in values]


def leaf_fields(kind: type[ast.AST]) -> frozenset[str]:
    """The fields of a class that hold identifiers or constants."""
    return _named_or_constant(kind.__doc__ or "")


@functools.cache
def _named_or_constant(grammar: str) -> frozenset[str]:
    """The fields to which the grammar of a class, which is its docstring, gives these types."""
    return frozenset(re.findall(r"\b(?:identifier|constant)[*?]? (\w+)", grammar))


def _leaf(node: ast.AST, value: object, span: range, tokens: Tokens) -> _Leaf:
    """An identifier or constant of a node, as the source writes it if it does so in one token."""
    if isinstance(node, CONSTANTS):
        at = tokens.where(lambda token: is_literal(token, value), span)
        label = _literal(value) if at is None else tokens.labels[at]
    else:
        label = str(value)
        at = tokens.where(label.__eq__, span, last=isinstance(node, ast.Attribute))
    return _Leaf(label, span.start if at is None else tokens.starts[at])


def _label(node: ast.AST, *, apart: bool) -> str:
    """The label of a node; without what is told apart from it in leaves."""
    leaves = leaf_fields(type(node)) if apart else frozenset()
    held = [
        f"{name}={_literal(value)}"
        for name, value in ast.iter_fields(node)
        if name not in leaves and _is_held(node, name, value)
    ]
    kind = type(node).__name__
    return f"{kind}({', '.join(held)})" if held else kind


def _is_held(node: ast.AST, name: str, value: object) -> bool:
    """Whether a field is part of the label: no node, and not left empty."""
    if isinstance(value, list):
        return bool(value) and not _holds_nodes(value)
    if value is None:
        return name == "value" and isinstance(node, CONSTANTS)
    return not isinstance(value, ast.AST)


def _holds_nodes(values: list[object]) -> bool:
    return any(item is None or isinstance(item, ast.AST) for item in values)


def _literal(value: object) -> str:
    if value is ...:
        return "..."
    try:
        text = repr(value)
    except ValueError as error:  # an integer of more digits than Python writes
        remedy = "Write it as an expression."
        raise refusal("a constant", "be writable", Received(str(error)), remedy) from None
    return text.replace("inf", _INFINITY) if isinstance(value, float | complex) else text
