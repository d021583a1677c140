"""COGS: sentences to semantic graphs, and back to the logical form.

A node is a variable, labelled by its predicate (`burn`, `* girl` where it is definite), or a name
(`Liam`). An edge is a role. It leads from an event to what takes part in it (`agent`), or from a
thing to what stands in a relation to it (`nmod . on`). The lambda terms of single words keep their
binder: `LAMBDA a` for a bound variable without a predicate, `LAMBDA e . touch` for one with.

What is definite can be told by a node instead, `*` at the article, to which an edge `definite`
leads. Then a noun has one label, and a network that met it as "a dog" knows "the dog".
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch_geometric.data import Data

from .._check import InputError, Received, refusal, require
from ._document import Triple
from ._meaning import (
    Parts,
    RoleOrder,
    Unit,
    aligned_graph,
    is_question,
    meaning_record,
    meaning_table,
    word_at,
)
from ._pieces import Normal, Piece, Record, Skip, records
from ._table import extras

_TERM = re.compile(r"(\* )?(\S+)((?: \. \S+)*) \( (x _ \d+|\S+)(?: , (x _ \d+|\S+))? \)")
_VARIABLE = re.compile(r"x _ (\d+)")
_LAMBDA = re.compile(r"LAMBDA ([a-z])(?: \. (.*))?")
_SEPARATOR = re.compile(r" AND | ; ")


@dataclass
class _Form:
    """A logical form: what is said of each argument, in the order in which they come."""

    predicate: dict[str, str | None] = field(default_factory=dict)
    definite: set[str] = field(default_factory=set)
    roles: list[tuple[str, str, str]] = field(default_factory=list)


def cogs(
    lines: Iterable[bytes | str],
    *,
    source: str = "<memory>",
    skip: Skip | None = None,
    columns: str = "sentence,logical_form,type",
    unit: Unit = "character",
    articles: bool = False,
    positions: bool = False,
    normalize: Normal | None = None,
    any_order: bool = False,
) -> Iterator[Record]:
    """Sentences of COGS to the graphs of their logical forms, nodes in the order of the words.

    Args:
        lines: Lines of sentence, logical form and type, separated by tabs.
        source: Name of the file, for messages.
        skip: Called with each line that is refused; without it the first one is raised.
        columns: Names of the columns; those but the first two are kept as further keys.
        unit: What a node of the input is: a "character" (grapheme cluster) or a "word".
        articles: Whether a definite article is a node, `*`, instead of a part of the label.
        positions: Whether a node has a position, the number of its word or character; then the
            loss aligns it by that as well.
        normalize: The normal form of Unicode of all columns. Default: as they stand.
        any_order: Whether a form is taken that comes back with its terms in another order.
            Default: it is refused.

    Yields:
        A record per line, with "alignment": the node of the input, from 0, at which the word of
        each node begins, None for a lambda term.

    Raises:
        InputError: "FILE:LINE: ..." at a line whose logical form is not of COGS, or does not come
            back from its graph by `cogs_to_logical_form`.
    """
    table, names = meaning_table(columns, normalize)

    def make(piece: Piece) -> Record:
        row = table.row(piece, names)
        sentence, form = (row[name] for name in names)
        graph = _graph(_parsed(form), sentence.split(" "))
        asked: dict[str, Any] = {"unit": unit, "articles": articles, "positions": positions}
        record = meaning_record(sentence, graph, **asked)
        back = cogs_to_logical_form(sentence, record["target"], record["alignment"], unit=unit)
        _check_back(form, back, any_order)
        return record | extras(row, names)

    return records(table.pieces(lines, source), make, skip)


def cogs_to_logical_form(
    sentence: str,
    graph: Data | Mapping[str, Any],
    alignment: Sequence[int | None],
    *,
    unit: Unit = "character",
) -> str:
    """The logical form of a semantic graph; the inverse of `cogs`.

    Args:
        sentence: The input, words separated by single spaces.
        graph: The graph, or its node-link document, with articles as nodes or without.
        alignment: The unit of the sentence at which the word of each node begins, as
            `cogs` gives it; COGS numbers its variables by the words.
        unit: What the alignment counts.

    Raises:
        InputError: If a node has no word, or the alignment is of another graph.
    """
    labels, edges, alignment = aligned_graph(graph, alignment)
    if any(label.startswith("LAMBDA ") for label in labels):
        return _lambda_form(labels, edges)
    words = [word_at(sentence, at, unit) for at in alignment]
    if len(labels) == 1 and not edges and _is_name(labels[0]):
        return labels[0]
    return _plain_form(labels, edges, words, sentence.split(" "))


def _check_back(form: str, back: str, any_order: bool) -> None:
    """Refuses a form that its graph does not tell."""
    given, found = _SEPARATOR.split(form), _SEPARATOR.split(back)
    if sorted(given) == sorted(found) and (any_order or form == back):
        return
    differ = [pair for pair in zip(given, found, strict=False) if pair[0] != pair[1]]
    shown = " for ".join(map(repr, reversed(differ[0]))) if differ else f"{back!r} for {form!r}"
    reorder = "" if any_order else ", or say `--any-order true` if only the order differs"
    remedy = f"Leave the line out{reorder}."
    raise refusal("the logical form", "come back from its graph", Received(shown), remedy)


def _parsed(form: str) -> _Form:
    found = _Form()
    binders, terms = _bound(form)
    for name in binders:
        found.predicate[name] = None
    if not binders and re.fullmatch(r"\S+", terms):
        found.predicate[terms] = None
        return found
    for term in _SEPARATOR.split(terms):
        _add_term(found, term)
    return found


def _bound(form: str) -> tuple[list[str], str]:
    binders = []
    while match := re.match(r"LAMBDA ([a-z]) \. ", form):
        binders.append(match[1])
        form = form[match.end() :]
    return binders, form


def _add_term(form: _Form, term: str) -> None:
    match = _TERM.fullmatch(term)
    remedy = "Write it as in COGS: `eat . agent ( x _ 1 , Emma )`, joined by AND."
    if " = " in term:
        remedy = "Forms without variables are of the format `slog`."
    if match is None:
        raise refusal("a term of the logical form", "be readable", term, remedy)
    star, predicate, role, first, second = match.groups()
    shape = bool(role) == (second is not None) and not (star and role)
    require(shape, "a term of the logical form", "be readable", term, remedy)
    before = form.predicate.get(first)
    said = Received(f"{before} and {predicate}")
    agreed = before in (None, predicate)
    require(agreed, f"what is said of {first}", "be one predicate", said, "Keep one of them.")
    form.predicate[first] = predicate
    if star:
        form.definite.add(first)
    if second is not None:
        form.predicate.setdefault(second, None)
        form.roles.append((first, second, role.removeprefix(" . ")))


def _graph(form: _Form, words: Sequence[str]) -> Parts:
    bound = {name for name in form.predicate if re.fullmatch(r"[a-z]", name)}
    place = {name: None if name in bound else _place(name, words) for name in form.predicate}
    order = sorted(place, key=lambda name: (place[name] is None, place[name] or 0, name))
    index = {name: k for k, name in enumerate(order)}
    labels = [_node_label(form, name, name in bound) for name in order]
    edges: dict[tuple[int, int], str] = {}
    for first, second, role in form.roles:
        ends = (index[first], index[second])
        found = Received(f"{edges.get(ends)} and {role} from {first} to {second}")
        remedy = "A graph holds one edge from a node to another."
        require(ends not in edges, "the role between two nodes", "be one", found, remedy)
        edges[ends] = role
    return labels, [(*ends, role) for ends, role in edges.items()], [place[n] for n in order]


def _place(name: str, words: Sequence[str]) -> int:
    """The number of the word that a variable or a name stands for, from 0."""
    variable = _VARIABLE.fullmatch(name)
    if variable is not None and int(variable[1]) < len(words):
        return int(variable[1])
    if variable is None and name in words:
        return words.index(name)
    remedy = "Number variables by the words, from 0; write a name as in the sentence."
    raise refusal("an argument", f"be one of the {len(words)} words", name, remedy)


def _node_label(form: _Form, name: str, bound: bool) -> str:
    predicate = form.predicate[name]
    if bound:
        return f"LAMBDA {name}" + (f" . {predicate}" if predicate else "")
    if predicate is None:
        remedy = "Say what it is: `girl ( x _ 3 )`."
        require(_VARIABLE.fullmatch(name) is None, "a variable", "have a predicate", name, remedy)
        return name
    return f"* {predicate}" if name in form.definite else predicate


def _is_name(label: str) -> bool:
    """Whether a label is a constant, not a predicate: a name such as `Liam`, or `?`; not `TV`."""
    capital = label[:1].isupper() and not (len(label) > 1 and label.isupper())
    return capital or is_question(label)


def _plain_form(
    labels: Sequence[str], edges: Sequence[Triple], words: Sequence[int], spoken: Sequence[str]
) -> str:
    def argument(k: int) -> str:
        return labels[k] if _is_name(labels[k]) else f"x _ {words[k]}"

    order_of = RoleOrder(labels, edges, words, spoken)
    heads = {source for source, _, label in edges if not label.startswith("nmod")}
    order = sorted(range(len(labels)), key=lambda k: words[k])
    definite = [f"{labels[k]} ( {argument(k)} ) ; " for k in order if labels[k][:2] == "* "]
    terms: list[tuple[tuple[int, float], str]] = [
        ((words[k], -1), f"{labels[k]} ( {argument(k)} )")
        for k in order
        if labels[k][:2] != "* " and not _is_name(labels[k]) and k not in heads
    ]
    for source, target, role in edges:
        predicate = labels[source].removeprefix("* ")
        term = f"{predicate} . {role} ( {argument(source)} , {argument(target)} )"
        terms.append(((words[source], order_of(source, target)), term))
    return "".join(definite) + " AND ".join(term for _, term in sorted(terms))


def _lambda_form(labels: Sequence[str], edges: Sequence[Triple]) -> str:
    names, predicates = [], []
    for label in labels:
        match = _LAMBDA.fullmatch(label)
        if match is None:
            raise _mixed(label)
        names.append(match[1])
        predicates.append(match[2])
    binders = "".join(f"LAMBDA {name} . " for name in sorted(names))
    last_first = sorted(edges, key=lambda edge: names[edge[1]], reverse=True)
    terms = [f"{predicates[s]} . {role} ( {names[s]} , {names[t]} )" for s, t, role in last_first]
    if not edges:
        terms = [f"{p} ( {name} )" for p, name in zip(predicates, names, strict=True)]
    return binders + " AND ".join(terms)


def _mixed(label: str) -> InputError:
    remedy = "Bind all variables, or none."
    return refusal("the label of a node beside LAMBDA", "be LAMBDA too", label, remedy)
