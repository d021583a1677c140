"""What the semantic graphs of COGS and SLOG share: columns, articles, words, order of roles."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from torch_geometric.data import Data

from .._check import Received, refusal, require
from ._document import Triple, clusters_at, node_link, read_graph, symbols_document
from ._pieces import Normal, Record
from ._table import Table

Unit = Literal["character", "word"]

STAR = "*"
"""The sign of what is definite."""
_DEFINITE = "definite"

Parts = tuple[list[str], list[Triple], list[int | None]]
"""A graph as labels, edges, and the word of each node, from 0."""


def meaning_table(columns: str, normalize: Normal | None) -> tuple[Table, list[str]]:
    """The table that the lines of a file are, and the names of sentence and logical form."""
    table = Table(columns, "\t", header=False, quotes=False, normalize=normalize)
    names = table.names[:2]
    require(len(names) == 2, "`columns`", "name two at least", columns, "Name the sentence first.")
    return table, names


def meaning_record(
    sentence: str, graph: Parts, *, unit: Unit, articles: bool, positions: bool
) -> Record:
    """The record of a sentence and its graph, in the units and with the nodes that are asked."""
    words = sentence.split(" ")
    labels, edges, places = _with_articles(graph, words) if articles else graph
    record: Record = {"input": sentence, "target": node_link(labels, edges), "alignment": places}
    if unit == "word":
        record["input"] = symbols_document(words)
    else:
        record["alignment"] = clusters_at(sentence, _characters(sentence, places))
    if positions:
        for node, place in zip(record["target"]["nodes"], record["alignment"], strict=True):
            node["position"] = 0 if place is None else place
    return record


def _characters(sentence: str, places: Iterable[int | None]) -> list[int | None]:
    starts = [0]
    for word in sentence.split(" "):
        starts.append(starts[-1] + len(word) + 1)
    return [None if place is None else starts[place] for place in places]


def _with_articles(graph: Parts, words: Sequence[str]) -> Parts:
    """A node for each star, at the word before; nodes stay in the order of the words."""
    labels, edges, places = graph
    nodes: list[tuple[str, int | None, int | None]] = []
    moved = {}
    for k, (label, place) in enumerate(zip(labels, places, strict=True)):
        bare = label.removeprefix(f"{STAR} ")
        if bare != label:
            article = place is not None and place > 0 and words[place - 1].lower() == "the"
            nodes.append((STAR, place - 1 if article and place else None, k))
        moved[k] = len(nodes)
        nodes.append((bare, place, None))
    stars = [(moved[of], k, _DEFINITE) for k, (_, _, of) in enumerate(nodes) if of is not None]
    joined = [(moved[source], moved[target], role) for source, target, role in edges]
    return [label for label, _, _ in nodes], joined + stars, [place for _, place, _ in nodes]


def aligned_graph(
    graph: Data | Mapping[str, Any], alignment: Sequence[Any]
) -> tuple[list[str], list[Triple], list[Any]]:
    """Labels, edges and places of a graph whose articles are in its labels.

    Raises:
        InputError: If the alignment is of another graph.
    """
    labels, edges = read_graph(graph)
    counts = Received(f"{len(alignment)} for {len(labels)} nodes")
    remedy = "Give each node a character, or None."
    require(len(alignment) == len(labels), "`alignment`", "have one per node", counts, remedy)
    return _without_articles(labels, edges, alignment)


def _without_articles(
    labels: list[str], edges: list[Triple], places: Sequence[Any]
) -> tuple[list[str], list[Triple], list[Any]]:
    """The stars back in the labels."""
    definite = {source for source, _, role in edges if role == _DEFINITE}
    stars = {target for _, target, role in edges if role == _DEFINITE}
    kept = [k for k in range(len(labels)) if k not in stars]
    index = {k: new for new, k in enumerate(kept)}
    named = [f"{STAR} {labels[k]}" if k in definite else labels[k] for k in kept]
    joined = [(index[s], index[t], role) for s, t, role in edges if s in index and t in index]
    return named, joined, [places[k] for k in kept]


def word_at(sentence: str, at: int | None, unit: Unit) -> int:
    """The word, from 0, that begins at a unit of the sentence.

    Raises:
        InputError: If none begins there.
    """
    remedy = f"Align every node with the first {unit} of its word."
    if at is None:
        raise refusal("the alignment of a node", f"be a {unit}", at, remedy)
    if unit == "word":
        count = len(sentence.split(" "))
        require(0 <= at < count, "the alignment of a node", f"be below {count}", at, remedy)
        return at
    try:
        return word_starts(sentence, unit).index(at)
    except ValueError:
        raise refusal("the alignment of a node", "begin a word", at, remedy) from None


def words_near(sentence: str, alignment: Iterable[float | None], unit: Unit) -> list[int]:
    """The words, from 0, in which some units of the sentence stand; None: behind the last."""
    starts = word_starts(sentence, unit)
    return [len(starts) if at is None else max(bisect_right(starts, at) - 1, 0) for at in alignment]


def word_starts(sentence: str, unit: Unit) -> list[Any]:
    """The unit of the sentence at which each word begins."""
    count = range(len(sentence.split(" ")))
    return list(count) if unit == "word" else clusters_at(sentence, _characters(sentence, count))


def is_question(label: str) -> bool:
    """Whether a label is that of what is asked for, `?`."""
    return not label[:1].isalpha() and not label.startswith(f"{STAR} ")


class RoleOrder:
    """The order in which a form tells the roles of an event.

    It is that of the words of the participants. What a relative clause or a question takes out
    of its place is told where it is missing. That is behind the verb and what follows that without
    `to`, unless it is the subject.

    Args:
        labels: The labels of the nodes.
        edges: The edges of the graph.
        words: The number of the word of each node.
        sentence: The words of the sentence.
    """

    def __init__(
        self,
        labels: Sequence[str],
        edges: Iterable[Triple],
        words: Sequence[int],
        sentence: Sequence[str],
    ) -> None:
        self._labels, self._words, self._sentence = labels, words, sentence
        self._ends: defaultdict[int, list[int]] = defaultdict(list)
        for source, target, _ in edges:
            self._ends[source].append(target)

    def __call__(self, source: int, target: int) -> float:
        """The place of a role among those of `source`, to be compared with others."""
        verb, at = self._words[source], self._words[target]
        question = is_question(self._labels[target])
        if not question and source not in self._ends[target]:
            return at
        others = [self._words[end] for end in self._ends[source] if end != target]
        if not any((question or at < other) and other < verb for other in others):
            return -1 if question else at
        objects = (o for o in others if o > verb and "to" not in self._sentence[verb:o])
        return max(objects, default=verb) + 0.5
