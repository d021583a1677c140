"""The most probable graphs of a prediction, with their probabilities."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import networkx as nx
import numpy as np
import torch
from jaxtyping import Float, Int
from torch.nn.functional import logsigmoid

from .._check import Received, refusal, require
from ..graphs import edge_triples, make_graph, node_labels, sorted_edges
from ..prediction import Prediction
from ._answer import Answer, Answers
from ._bounds import Bounds, Constraint
from ._decode import checked_direction
from ._ranking import Ranking, Search, independent, node_sets, spanning_trees, sums
from ._subgraphs import Gains

LIMIT = 50_000
"""Steps of the search for one graph before it gives up: seconds."""


def decode_nbest(
    prediction: Prediction,
    labels: Sequence[str],
    relations: Sequence[str],
    nbest: int = 5,
    constraint: Constraint | None = None,
    *,
    temperature: float = 1.0,
    directed: bool | None = None,
    own: Sequence[str] | None = None,
) -> list[Answers]:
    """The most probable graphs of each prediction, the best first, with probabilities.

    A network decides about each node, its label and each edge independently. The probability of
    a graph is the product over its choices, (E47). Each node is there or not. Those that are there
    have their labels. Each candidate edge between two of them has its relation or is
    absent. Over all graphs these probabilities add up to one. A constraint leaves out graphs of
    other shapes; the probabilities stay as they are and add up to less.

    The ranking is exact where it is complete. No two answers have the same labels and edges in
    the same order. Where different nodes of the prediction give the same graph, it is listed
    once, with the probability of the likeliest of these ways alone.

    The first answer is mostly that of `decode`. It may be another where the network is unsure:
    `decode` keeps each node that is likelier there than not, whatever its label and edges.

    Args:
        prediction: Soft graphs, in logits.
        labels: Name of each node class.
        relations: Name of each relation from 1 on.
        nbest: How many answers for each graph. There are fewer where no more are possible. There
            are also fewer where the search for more would take too long; then `complete` of these
            answers is false.
        constraint: What the graphs have to be, as for `decode`: "path" (where every candidate
            leads to a later node), "tree" (with one root) or "acyclic".
        temperature: Divides every logit: above 1 the choices get more alike, below 1 more
            certain.
        directed, own: As for `decode`. Classes of one name are one label.

    Raises:
        InputError: As `decode`. If `nbest` is below 1, `temperature` is not positive, or a logit
            is no number. If paths are asked for where candidates lead both ways. If the network
            is too unsure for any answer to be found. If the constraint is `Bounds`.
    """
    kind, remedy = "be no bounds where several answers are asked for", "Ask `decode` for one."
    require(not isinstance(constraint, Bounds), "`constraint`", kind, constraint, remedy)
    directed = checked_direction(prediction, labels, relations, constraint, directed, own)
    check_scoring(nbest, temperature)
    found = []
    for search, ranking in rankings(
        prediction, labels, relations, constraint,
        temperature=temperature, directed=directed, own=own,
    ):  # fmt: skip
        answers = list(islice(ranking, nbest))
        if not answers:
            remedy = "Train it for longer, or ask for one answer without probabilities."
            got = Received(f"no answer within {LIMIT} steps")
            raise refusal("the prediction", "be sure enough to rank graphs", got, remedy)
        found.append(Answers(answers, complete=not search.cut))
    return found


def rankings(
    prediction: Prediction,
    labels: Sequence[str],
    relations: Sequence[str],
    constraint: Constraint | None,
    *,
    temperature: float = 1.0,
    directed: bool,
    own: Sequence[str] | None,
) -> Iterator[tuple[Search, Iterator[Answer]]]:
    """For each graph the search, and its answers as they are asked for; see `decode_nbest`.

    What is given has been checked.
    """
    names = _Names(labels, relations, own)
    for first, one in _each(prediction.detach().to("cpu", torch.double)):
        search, choices = Search(LIMIT), _choices(one, names, first, temperature)
        yield search, _ranked(choices, search, constraint, directed=directed)


def check_scoring(nbest: Any, temperature: Any) -> None:
    """Refuses numbers of answers and temperatures out of range."""
    counts = isinstance(nbest, int) and not isinstance(nbest, bool) and nbest >= 1
    require(counts, "`nbest`", "be a whole number of at least 1", nbest, "Try 5.")
    number = isinstance(temperature, (int, float)) and not isinstance(temperature, bool)
    fits = number and 0 < temperature < math.inf
    remedy = "1 leaves the probabilities as they are."
    require(fits, "`temperature`", "be a positive number", temperature, remedy)


@dataclass(frozen=True)
class _Names:
    """The names of classes, see `decode_nbest`."""

    labels: Sequence[str]
    relations: Sequence[str]
    own: Sequence[str] | None


@dataclass(frozen=True)
class _Choices:
    """The choices of one graph, in log-probability.

    Args:
        on, off: That each node exists, and does not.
        names: Labels of each node, the likeliest first.
        label: Their scores; axes: node, rank.
        source, sink: Ends of each candidate edge.
        relation: Scores of its relations; axes: candidate, relation; 0 is *absent*.
        relations: Their names from 1 on.
        position: Place of each node, if it has one number for it.
    """

    on: Float[np.ndarray, " n"]
    off: Float[np.ndarray, " n"]
    names: list[list[str]]
    label: Float[np.ndarray, "n k"]
    source: Int[np.ndarray, " e"]
    sink: Int[np.ndarray, " e"]
    relation: Float[np.ndarray, "e r"]
    relations: Sequence[str]
    position: list[float] | None


def _each(prediction: Prediction) -> Iterator[tuple[int, Prediction]]:
    """The graphs one by one, each with the number of its first node in the batch."""
    sizes = torch.bincount(prediction.batch, minlength=prediction.num_graphs).tolist()
    first = 0
    for k, size in enumerate(sizes):
        yield first, prediction[k]
        first += size


def _choices(said: Prediction, names: _Names, first: int, temperature: float) -> _Choices:
    existence = said.existence / temperature
    relation = said.relation / temperature
    if relation.shape[1] == 0:
        relation = relation.new_zeros(len(relation), 1)
    width = len(names.labels) + (names.own is not None)
    labelled = (said.label / temperature).log_softmax(1)[:, :width]
    relation = relation.log_softmax(1)
    for what, part in (("existence", existence), ("label", labelled), ("relation", relation)):
        remedy = "Look for the loss or weight that became NaN: `check_gradients`."
        bad = Received("NaN")
        require(not bool(part.isnan().any()), f"`prediction.{what}`", "hold numbers", bad, remedy)
    label = labelled.numpy().copy()
    listed = [list(names.labels[: label.shape[1]]) for _ in range(len(label))]
    if names.own is not None and label.shape[1] > len(names.labels):
        _merge_own(label, listed, names, first)
    order = np.argsort(-label, axis=1, kind="stable")
    source, sink = said.edge_index.numpy()
    place = said.position
    return _Choices(
        logsigmoid(existence).numpy(),
        logsigmoid(-existence).numpy(),
        [[known[c] for c in row] for known, row in zip(listed, order.tolist(), strict=True)],
        np.take_along_axis(label, order, 1),
        source,
        sink,
        relation.numpy(),
        names.relations,
        None if place is None or place.ndim > 1 else place.tolist(),
    )


def _merge_own(label: np.ndarray, listed: list[list[str]], names: _Names, first: int) -> None:
    """Adds the class of a node's own label to the class of the same name, if there is one."""
    assert names.own is not None
    known = {name: c for c, name in enumerate(names.labels)}
    for node, row in enumerate(listed):
        own = names.own[first + node]
        row.append(own)
        if own in known:
            label[node, known[own]] = np.logaddexp(label[node, known[own]], label[node, -1])
            label[node, -1] = -np.inf


def _ranked(
    choices: _Choices, search: Search, constraint: Constraint | None, *, directed: bool
) -> Iterator[Answer]:
    """The answers for one graph, each of them once."""
    if constraint == "path":
        forward = directed and bool((choices.source <= choices.sink).all())
        remedy = 'Ask for one answer, or for "tree" or "acyclic".'
        found = Received("candidates both ways" if directed else "undirected ones")
        what = "lead to later nodes only, for the n best paths"
        require(forward, "the candidate edges", what, found, remedy)
    joint = _joint(choices, loops=constraint is None)
    ways = node_sets(
        choices.on + choices.label.max(1, initial=-np.inf) + joint.diagonal(),
        choices.off,
        joint,
        lambda nodes: _on(choices, nodes, constraint, search, directed=directed),
        search,
    )
    known = set()
    for score, (nodes, ranks, edges) in ways:
        answer = _answer(choices, score, nodes, ranks, edges, directed=directed)
        key = (tuple(node_labels(answer.graph)), tuple(sorted_edges(answer.graph)))
        if key not in known:
            known.add(key)
            yield answer


def _joint(choices: _Choices, *, loops: bool) -> Float[np.ndarray, "n n"]:
    """Upper bounds of the scores of all candidates between two nodes; of a loop as it may be."""
    n = len(choices.on)
    best = choices.relation.max(1, initial=-np.inf)
    if not loops:
        best = np.where(choices.source == choices.sink, choices.relation[:, 0], best)
    joint = np.zeros((n, n))
    np.add.at(joint, (choices.source, choices.sink), best)
    return joint + joint.T - np.diag(joint.diagonal())


_Chosen = tuple[list[int], dict[int, int], list[tuple[int, int]]]
"""Nodes, the rank of the label of some of them by their place, and edges with their relation."""


def _on(
    choices: _Choices,
    nodes: list[int],
    constraint: Constraint | None,
    search: Search,
    *,
    directed: bool,
) -> Ranking[_Chosen]:
    """The graphs on a set of nodes."""
    inside = np.zeros(len(choices.on), dtype=bool)
    inside[nodes] = True
    inner = np.flatnonzero(inside[choices.source] & inside[choices.sink])
    base = float(choices.on[inside].sum() + choices.off[~inside].sum())
    if constraint is None:
        edges = _free(choices, inner)
    elif constraint == "path":
        edges = _along(choices, nodes, inner)
    elif constraint == "tree":
        edges = _trees(choices, nodes, inner, directed=directed)
    else:
        edges = _acyclic(choices, inner, search, directed=directed)
    for score, (ranks, chosen) in sums(independent(choices.label[nodes]), edges):
        yield base + score, (nodes, ranks, chosen)


def _free(choices: _Choices, inner: Int[np.ndarray, " k"]) -> Ranking[list[tuple[int, int]]]:
    """Each edge for itself."""
    table = choices.relation[inner]
    order = np.argsort(-table, axis=1, kind="stable")
    first = order[:, 0]
    for score, ranks in independent(np.take_along_axis(table, order, 1)):
        kind = first.copy()
        for row, rank in ranks.items():
            kind[row] = order[row, rank]
        there = np.flatnonzero(kind)
        yield score, list(zip(inner[there].tolist(), kind[there].tolist(), strict=True))


def _along(
    choices: _Choices, nodes: list[int], inner: Int[np.ndarray, " k"]
) -> Ranking[list[tuple[int, int]]]:
    """The path through the nodes in their order; only its relations are free."""
    ends = zip(choices.source[inner].tolist(), choices.sink[inner].tolist(), strict=True)
    number = dict(zip(ends, inner.tolist(), strict=True))
    steps = list(pairwise(nodes))
    if any(step not in number for step in steps):
        return
    path = [number[step] for step in steps]
    absent = np.setdiff1d(inner, path)
    base = float(choices.relation[absent, 0].sum())
    table = choices.relation[path, 1:]
    order = np.argsort(-table, axis=1, kind="stable")
    for score, ranks in independent(np.take_along_axis(table, order, 1)):
        kinds = [1 + int(order[row, ranks.get(row, 0)]) for row in range(len(path))]
        yield base + score, list(zip(path, kinds, strict=True))


def _trees(
    choices: _Choices, nodes: list[int], inner: Int[np.ndarray, " k"], *, directed: bool
) -> Ranking[list[tuple[int, int]]]:
    """The trees over the nodes; each relation of a candidate is an edge of its own."""
    absent = choices.relation[:, 0]
    joins = inner[choices.source[inner] != choices.sink[inner]]
    # An edge that cannot be absent gains much, but not without bound.
    gain = choices.relation[joins, 1:] - np.maximum(absent[joins, None], -1e6)
    edge, kind = np.nonzero(np.isfinite(gain))
    place = np.zeros(len(choices.on), dtype=int)
    place[nodes] = np.arange(len(nodes))
    ends = place[choices.source[joins[edge]]], place[choices.sink[joins[edge]]]
    gains = Gains(np.zeros(len(nodes)), *ends, gain[edge, kind])
    for _, chosen in spanning_trees(gains, directed=directed):
        tree, kinds = joins[edge[chosen]], 1 + kind[chosen]
        rest = np.setdiff1d(inner, tree)
        score = float(choices.relation[tree, kinds].sum() + absent[rest].sum())
        if score > -np.inf:
            yield score, list(zip(tree.tolist(), kinds.tolist(), strict=True))


def _acyclic(
    choices: _Choices, inner: Int[np.ndarray, " k"], search: Search, *, directed: bool
) -> Ranking[list[tuple[int, int]]]:
    """Of the sets of edges those without a cycle."""
    loop = choices.source[inner] == choices.sink[inner]
    base = float(choices.relation[inner[loop], 0].sum())
    inner = inner[~loop]
    for k, (score, edges) in enumerate(_free(choices, inner)):
        if k == search.limit:
            search.cut = True
            return
        pairs = [(int(choices.source[e]), int(choices.sink[e])) for e, _ in edges]
        if not pairs or _has_no_cycle(pairs, directed=directed):
            yield base + score, edges


def _has_no_cycle(pairs: list[tuple[int, int]], *, directed: bool) -> bool:
    if directed:
        return nx.is_directed_acyclic_graph(nx.DiGraph(pairs))
    return nx.is_forest(nx.Graph(pairs))


def _answer(
    choices: _Choices,
    score: float,
    nodes: list[int],
    ranks: dict[int, int],
    edges: list[tuple[int, int]],
    *,
    directed: bool,
) -> Answer:
    """A graph with the probabilities of its parts."""
    place = {node: k for k, node in enumerate(nodes)}
    ends = [(place[int(choices.source[e])], place[int(choices.sink[e])]) for e, _ in edges]
    named = [choices.names[node][ranks.get(k, 0)] for k, node in enumerate(nodes)]
    joined = [
        (*pair, choices.relations[kind - 1]) for pair, (_, kind) in zip(ends, edges, strict=True)
    ]
    position = None if choices.position is None else [choices.position[node] for node in nodes]
    graph = make_graph(named, joined, position, directed=directed)
    sure = {
        frozenset(pair) if not directed else pair: math.exp(choices.relation[edge])
        for pair, edge in zip(ends, edges, strict=True)
    }
    return Answer(
        graph,
        score,
        [
            math.exp(choices.on[node] + choices.label[node, ranks.get(k, 0)])
            for k, node in enumerate(nodes)
        ],
        [sure[(u, v) if directed else frozenset((u, v))] for u, v, _ in edge_triples(graph)],
    )
