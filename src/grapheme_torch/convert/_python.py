"""Python source to abstract syntax trees: the sources, and the parts that make a record."""

import ast
import io
import textwrap
import tokenize
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal

from .._check import InputError, Received, refusal, require
from ._document import clusters_at, node_link, symbols_document
from ._pieces import LeftOut, Piece, Record, Skip, located, records, valid
from ._tokens import source_lines, tokens_of
from ._tree import Places, syntax_graph

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
        unit: What a record is: a module; each function and method by itself, outdented; or each
            statement that holds no others, such as an assignment.
        tokens: Whether a node of the input is a token instead of a character. Tokens are those of
            this interpreter, comments left out. Identifiers and constants are then nodes of the
            tree instead of parts of labels.

    Yields:
        A record per unit, with "alignment": the node of the input (grapheme cluster or token,
        from 0) at which each node begins, None for those without a place, such as operators.

    Raises:
        InputError: "FILE:LINE: ..." at a source that is no Python for the running interpreter.
    """
    sources = (Piece(piece) if isinstance(piece, str) else piece for piece in pieces)
    if unit == "module":
        return records(sources, partial(_record, tokens=tokens, part=False), skip)
    parts = _parts(sources, *_PARTS[unit], skip)
    return records(parts, partial(_record, tokens=tokens, part=True), skip)


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
    raise located(_refused(reason + at), line) from None


def _record(piece: Piece, *, tokens: bool, part: bool) -> Record:
    text = _decoded(piece)
    places = Places(text)
    try:
        tree = parsed(text)
    except InputError as error:
        if not part:
            raise
        # The whole file is Python, so it is the margin that is not.
        raise LeftOut(f"cannot be outdented: {error}") from None
    try:
        read = tokens_of(places.lines, places.starts) if tokens else None
        labels, edges, starts = syntax_graph(tree, places, read)
    except (RecursionError, MemoryError) as error:
        raise _refused(str(error) or "too large for the memory") from None
    record: Record = {"input": text, "target": node_link(labels, edges)}
    if read is None:
        record["alignment"] = clusters_at(text, starts)
    else:
        record["input"] = symbols_document(read.labels)
        record["alignment"] = [read.at(start) for start in starts]
    return record | (piece.extra or {})


def _refused(reason: str) -> InputError:
    remedy = "Check it with the interpreter that runs this."
    return refusal("the source", "be Python", Received(reason), remedy)


def _decoded(piece: Piece) -> str:
    """The text, in the encoding that a source file may declare."""
    text = piece.text if isinstance(piece.content, str) or piece.problem else _read(piece.content)
    # A notebook is an expression of Python, as JSON is; what it shows is not its program.
    notebook = piece.source.endswith(".ipynb") or (
        text.lstrip().startswith("{") and all(f'"{key}"' in text for key in ("cells", "nbformat"))
    )
    remedy = "Type `jupyter nbconvert --to script NOTEBOOK` first."
    require(not notebook, "the source", "be Python", Received("a notebook"), remedy)
    return text


def _read(content: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, LookupError, ValueError) as error:  # LookupError: rot13 is no encoding
        remedy = "Save it as UTF-8, or declare its encoding."
        raise refusal("the source", "be readable text", Received(str(error)), remedy) from None
    return valid(text)


def _parts(pieces: Iterable[Piece], kind: Any, cut: Cut, skip: Skip | None) -> Iterator[Piece]:
    """What `cut` makes of the nodes of a kind in each source, as sources of their own."""
    found: list[Piece] = []

    def make(piece: Piece) -> Record:
        text = _decoded(piece)
        lines = source_lines(text)
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
    text = _outdented(node, first, lines[first - 1 : node.end_lineno])
    extra = {**(piece.extra or {}), "name": node.name, "line": piece.line + first - 1}
    return Piece(text, piece.source, piece.line + first - 1, extra)


def _outdented(node: ast.stmt, first: int, lines: list[str]) -> str:
    """The lines of a function at the margin."""
    text = textwrap.dedent("".join(lines))
    if not text[:1].isspace():
        return text
    # A line stands further left than the function: a comment, the inside of a string or what goes
    # on from the line above. Those may stand anywhere, and strings stay as they are.
    margin = lines[0][: node.col_offset]
    spans = (range(part.lineno + 1, (part.end_lineno or 0) + 1) for part in ast.walk(node)
             if isinstance(part, ast.Constant | ast.JoinedStr))  # fmt: skip
    kept = {line for span in spans for line in span}
    numbered = enumerate(lines, first)
    return "".join(line if k in kept else line.removeprefix(margin) for k, line in numbered)


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
