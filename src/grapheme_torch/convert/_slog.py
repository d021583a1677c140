"""SLOG: sentences to semantic graphs, and back to the logical form without variables.

`like ( agent = * boy , theme = cake ( nmod . on = table ) )` is a tree: a concept (`* boy` where it
is definite), and in brackets roles and what fills them. A tree mentions again what has several
roles: `want ( agent = Max , xcomp = run ( agent = Max ) )`. In the graph that is one node.

Nothing tells the word of a concept. It is learned from the whole file, see `align_labels`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch_geometric.data import Data

from .._check import InputError, Received, refusal, require
from ..data import Unaligned, align_labels
from ._document import Triple
from ._meaning import (
    STAR,
    Parts,
    RoleOrder,
    Unit,
    aligned_graph,
    meaning_record,
    meaning_table,
    words_near,
)
from ._pieces import Normal, Piece, Record, Skip, records
from ._table import Table, extras

_ITEM = re.compile(
    r"(?:(?P<role>[^\s(),=]+(?: \. [^\s(),=]+)*) = )?(?P<concept>(?:\* )?[^\s(),=]+)"
    r"(?P<close>(?: \))*)(?P<next> \( | , |$)"
)


@dataclass
class _Tree:
    """A form: the concepts in the order in which they come, and the roles between them."""

    labels: list[str] = field(default_factory=list)
    edges: list[Triple] = field(default_factory=list)


def slog(
    lines: Iterable[bytes | str],
    *,
    source: str = "<memory>",
    skip: Skip | None = None,
    columns: str = "sentence,logical_form,type",
    unit: Unit = "character",
    articles: bool = False,
    positions: bool = False,
    normalize: Normal | None = None,
) -> Iterator[Record]:
    """Sentences of SLOG to the graphs of their logical forms, nodes in the order of the words.

    All lines are read before the first record is given, since words and concepts are aligned by
    what occurs together in the file. What a form mentions again is one node: concepts alike that
    are told by one word.

    Args:
        lines: Lines of sentence, logical form without variables and type, separated by tabs.
        source: Name of the file, for messages.
        skip: Called with each line that is refused; without it the first one is raised.
        columns: Names of the columns; those but the first two are kept as further keys.
        unit: What a node of the input is: a "character" (grapheme cluster) or a "word".
        articles: Whether a definite article is a node, `*`, instead of a part of the label.
        positions: Whether a node has a position, the number of its word or character; then the
            loss aligns it by that as well.
        normalize: The normal form of Unicode of all columns. Default: as they stand.

    Yields:
        A record per line, with "alignment": the node of the input, from 0, at which the word of
        each node begins, None where no word was found.

    Raises:
        InputError: "FILE:LINE: ..." at a line whose logical form is not of SLOG, or does not come
            back from its graph by `slog_to_logical_form`.
    """
    table, names = meaning_table(columns, normalize)
    pieces = list(table.pieces(lines, source))
    found = {piece.line: tree for piece in pieces if (tree := _unaligned(piece, table, names))}
    places = dict(zip(found, align_labels(found.values()), strict=True))

    def make(piece: Piece) -> Record:
        row = table.row(piece, names)
        sentence, form = (row[name] for name in names)
        graph = _graph(_parsed(form), places[piece.line])
        asked: dict[str, Any] = {"unit": unit, "articles": articles, "positions": positions}
        record = meaning_record(sentence, graph, **asked)
        back = slog_to_logical_form(sentence, record["target"], record["alignment"], unit=unit)
        remedy = "Leave the line out."
        require(back == form, "the logical form", "come back from its graph", back, remedy)
        return record | extras(row, names)

    return records(pieces, make, skip)


def slog_to_logical_form(
    sentence: str,
    graph: Data | Mapping[str, Any],
    alignment: Sequence[float | None],
    *,
    unit: Unit = "character",
) -> str:
    """The logical form of a semantic graph, without variables; the inverse of `slog`.

    The form begins at the node from which edges lead to all others, of several at that with the
    first word. Roles stand in the order of the words. A node is told in full where it is met
    first, by its label alone after that.

    Args:
        sentence: The input, words separated by single spaces.
        graph: The graph, or its node-link document, with articles as nodes or without.
        alignment: The unit of the sentence at which the word of each node begins, as `slog` gives
            it, or one within the word. Only the order of the words counts.
        unit: What the alignment counts.

    Raises:
        InputError: If from no node edges lead to all others, or the alignment is of another graph.
    """
    labels, edges, alignment = aligned_graph(graph, alignment)
    words = words_near(sentence, alignment, unit)
    order = RoleOrder(labels, edges, words, sentence.split(" "))
    roles: defaultdict[int, list[tuple[float, int, str]]] = defaultdict(list)
    for source, target, role in edges:
        roles[source].append((order(source, target), target, role))
    return _written(labels, roles, _root(len(labels), edges, words))


def _unaligned(piece: Piece, table: Table, names: Sequence[str]) -> Unaligned | None:
    """What is to be aligned of a line; None of one that will be refused."""
    try:
        row = table.row(piece, names)
        tree = _parsed(row[names[1]])
    except InputError:
        return None
    bare = [label.removeprefix(f"{STAR} ") for label in tree.labels]
    words = [word if any(map(str.isalnum, word)) else "." for word in row[names[0]].split(" ")]
    return Unaligned(words, bare, tree.edges)


def _parsed(form: str) -> _Tree:
    tree = _Tree()
    opened: list[int] = []
    at, ended = 0, False
    while not ended:
        match = _ITEM.match(form, at)
        named = match is not None and (match["role"] is not None) == bool(opened)
        if match is None or not named:
            raise _unreadable(form[at:])
        node = len(tree.labels)
        tree.labels.append(match["concept"])
        if opened:
            tree.edges.append((opened[-1], node, match["role"]))
        closed = match["close"].count(")")
        if match["next"] == " ( ":
            opened.append(node)
        ended = not match["next"]
        fits = not closed if match["next"] == " ( " else closed <= len(opened)
        del opened[len(opened) - min(closed, len(opened)) :]
        if not fits or (ended and opened) or (match["next"] == " , " and not opened):
            raise _unreadable(form[at:])
        at = match.end()
    return tree


def _unreadable(rest: str) -> InputError:
    remedy = "Write it as in SLOG: `eat ( agent = * girl , theme = cake ( nmod . on = table ) )`."
    if " x _ " in rest:
        remedy = "Forms with variables are of the format `cogs`."
    return refusal("the logical form", "be readable", rest, remedy)


def _graph(tree: _Tree, places: Sequence[int | None]) -> Parts:
    """The graph of a form: mentions alike that are told by one word are one node."""
    mentions = [
        (label, place, None if place is not None else k)
        for k, (label, place) in enumerate(zip(tree.labels, places, strict=True))
    ]
    nodes = sorted(dict.fromkeys(mentions), key=lambda node: (node[1] is None, node[1] or 0))
    index = {node: k for k, node in enumerate(nodes)}
    edges: dict[tuple[int, int], str] = {}
    for source, target, role in tree.edges:
        ends = (index[mentions[source]], index[mentions[target]])
        said = f"{edges.get(ends)} and {role} from {tree.labels[source]} to {tree.labels[target]}"
        remedy = "A graph holds one edge from a node to another."
        once = ends not in edges
        require(once, "the role between two nodes", "be one", Received(said), remedy)
        edges[ends] = role
    joined = [(*ends, role) for ends, role in edges.items()]
    return [label for label, _, _ in nodes], joined, [place for _, place, _ in nodes]


def _root(count: int, edges: Iterable[Triple], words: Sequence[int]) -> int:
    """The node at which the form begins."""
    forth: defaultdict[int, list[int]] = defaultdict(list)
    back: defaultdict[int, list[int]] = defaultdict(list)
    for source, target, _ in edges:
        forth[source].append(target)
        back[target].append(source)
    seen: set[int] = set()
    last = None
    for node in range(count):  # If some node leads to all, the last one that is not led to does.
        if node not in seen:
            seen |= _reached(node, forth)
            last = node
    remedy = "Join them by roles: one node leads to all others."
    if last is None:
        raise refusal("the graph", "have nodes", Received("none"), remedy)
    apart = count - len(_reached(last, forth))
    found = Received(f"{apart} of {count} nodes that it does not reach")
    require(apart == 0, "the graph", "have a root", found, remedy)
    return min(_reached(last, back), key=lambda node: (words[node], node))


def _reached(start: int, steps: Mapping[int, Sequence[int]]) -> set[int]:
    seen, open_ = {start}, [start]
    while open_:
        new = [node for node in steps.get(open_.pop(), ()) if node not in seen]
        seen.update(new)
        open_ += new
    return seen


def _written(
    labels: Sequence[str], roles: Mapping[int, Iterable[tuple[float, int, str]]], root: int
) -> str:
    told: set[int] = set()
    parts: list[str] = []
    waiting: list[int | str] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        parts.append(labels[item])
        if item not in told:
            told.add(item)
            filled: list[int | str] = []
            for _, target, role in sorted(roles.get(item, ())):
                filled += [f" , {role} = " if filled else f" ( {role} = ", target]
            waiting += [*([" )"] if filled else []), *reversed(filled)]
    return "".join(parts)
