"""Bounds learned from graphs, and the graph within bounds that contradicts a network least."""

import json
import re
from dataclasses import replace
from itertools import product
from math import nan
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import Bounds, InputError, Prediction, decode, decode_nbest, make_graph
from grapheme_torch._check import Notice
from grapheme_torch.decoding import _bounded
from grapheme_torch.decoding._bounds import obeys
from grapheme_torch.decoding._decisions import Choice, Decisions
from grapheme_torch.decoding._integer_program import Program
from grapheme_torch.graphs import edge_triples

from ..random_graphs import untouched_random

LABELS, RELATIONS = "ab", ["x", "y"]
LOGITS = st.floats(-4, 4, width=32)


@st.composite
def predictions(draw: st.DrawFn, *, directed: bool, most: int = 3) -> Prediction:
    """A graph of a few nodes with any logits; the position of a node is its number."""
    n = draw(st.integers(0, most))
    pairs = [(u, v) for u in range(n) for v in range(n) if u < v or (directed and u > v)]
    pairs = pairs[: draw(st.integers(0, 4))]

    def numbers(rows: int, columns: int) -> Tensor:
        drawn = [[draw(LOGITS) for _ in range(columns)] for _ in range(rows)]
        return torch.tensor(drawn, dtype=torch.double).reshape(rows, columns)

    existence, label, relation = numbers(n, 1)[:, 0], numbers(n, 2), numbers(len(pairs), 3)
    ends = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T
    with untouched_random():
        return Prediction(
            existence, label, ends, relation,
            position=torch.arange(n, dtype=torch.double), directed=directed,
        )  # fmt: skip


@st.composite
def some_bounds(draw: st.DrawFn, *, directed: bool) -> Bounds:
    few = st.integers(0, 2)
    leaving = {name: draw(few) for name in RELATIONS}
    entering = {name: draw(few) for name in RELATIONS} if directed else leaving
    most = draw(st.integers(0, 3))
    return Bounds(
        directed, leaving, entering, most, draw(st.integers(0, 3)) if directed else most,
        acyclic=draw(st.booleans()), connected=draw(st.booleans()),
    )  # fmt: skip


def contradicted(said: Prediction, nodes: set[int], edges: dict[int, int]) -> float:
    """(E51), written out."""
    total = 0.0
    for u, x in enumerate(said.existence.tolist()):
        if (x > 0) != (u in nodes):
            total += abs(x)
    for k, (u, v) in enumerate(said.edge_index.T.tolist()):
        if {u, v} <= nodes:
            each = said.relation[k] - said.relation[k, 0]
            total += float(each.max() - each[edges.get(k, 0)])
    return total


def least(said: Prediction, bounds: Bounds) -> float:
    """Of all graphs there are."""
    found = []
    for there in product([False, True], repeat=len(said.existence)):
        nodes = [u for u, kept in enumerate(there) if kept]
        place = {u: k for k, u in enumerate(nodes)}
        ends = [(k, u, v) for k, (u, v) in enumerate(said.edge_index.T.tolist())]
        inside = [(k, u, v) for k, u, v in ends if u in place and v in place]
        for kinds in product(range(3), repeat=len(inside)):
            edges = {k: kind for (k, _, _), kind in zip(inside, kinds, strict=True)}
            triples = [
                (place[u], place[v], RELATIONS[edges[k] - 1]) for k, u, v in inside if edges[k]
            ]
            if obeys(bounds, len(nodes), triples):
                found.append(contradicted(said, set(nodes), edges))
    return min(found)


def cost_of(said: Prediction, graph: Data) -> float:
    where = [int(place) for place in graph.position]
    number = {pair: k for k, pair in enumerate(map(tuple, said.edge_index.T.tolist()))}
    edges = {
        number[where[u], where[v]]: 1 + RELATIONS.index(name) for u, v, name in edge_triples(graph)
    }
    return contradicted(said, set(where), edges)


@settings(max_examples=100, deadline=None)
@given(st.data(), st.booleans(), st.sampled_from([0.3, _bounded.FIRST]), st.booleans())
def test_the_answer_obeys_and_contradicts_least_of_all_graphs(
    data: st.DataObject, directed: bool, first: float, greedy: bool
):
    said = data.draw(predictions(directed=directed))
    bounds = data.draw(some_bounds(directed=directed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_bounded, "FIRST", first)  # whatever is left out at first
        if not greedy:  # which often is the best: the program has to find it
            patch.setattr(Decisions, "greedy", lambda *_: Choice([], []))
        (graph,) = decode(said, LABELS, RELATIONS, bounds)
    assert bounds.allow(graph)
    assert cost_of(said, graph) == pytest.approx(least(said, bounds), abs=1e-5)


ANY = Bounds(True, {"x": 9, "y": 9}, {"x": 9, "y": 9}, 9, 9, acyclic=False, connected=False)
UNDIRECTED = replace(ANY, directed=False)


def likely(
    edges: list[tuple[int, int, float, float]], *, directed: bool = True, odds: float = 9.0
) -> Prediction:
    """Three nodes of these log-odds, and candidates with the log-odds of "x" and of "y"."""
    ends = torch.tensor([edge[:2] for edge in edges]).T
    relation = torch.tensor([[0.0, *edge[2:]] for edge in edges], dtype=torch.double)
    with untouched_random():
        return Prediction(
            torch.full((3,), odds, dtype=torch.double), torch.zeros(3, 2, dtype=torch.double), ends,
            relation, position=torch.arange(3, dtype=torch.double), directed=directed,
        )  # fmt: skip


RING = [(0, 1, 3.0, 1.0), (1, 2, 2.0, 1.5), (2, 0, 4.0, 0.0)]


@pytest.mark.parametrize(
    ("bounds", "edges", "wanted"),
    [
        (ANY, RING, [(0, 1, "x"), (1, 2, "x"), (2, 0, "x")]),
        (replace(ANY, acyclic=True), RING, [(0, 1, "x"), (2, 0, "x")]),
        (replace(UNDIRECTED, acyclic=True), RING, [(0, 1, "x"), (2, 0, "x")]),
        (replace(ANY, leaving={"x": 9}), RING, [(0, 1, "x"), (1, 2, "x"), (2, 0, "x")]),
        (replace(ANY, entering={"y": 9}), RING, [(0, 1, "y"), (1, 2, "y")]),
        (replace(ANY, leaving={"x": 1, "y": 1}), [(0, 1, 3.0, 1.0), (0, 2, 2.0, 1.5)],
         [(0, 1, "x"), (0, 2, "y")]),
        (replace(ANY, most_leaving=1), [(0, 1, 3.0, 1.0), (0, 2, 2.0, 1.5)], [(0, 1, "x")]),
        (replace(ANY, most_entering=1), [(0, 2, 3.0, 1.0), (1, 2, 2.0, 1.5)], [(0, 2, "x")]),
        (replace(UNDIRECTED, most_leaving=1, most_entering=1), RING, [(2, 0, "x")]),
        (replace(ANY, connected=True), [(0, 1, 3.0, 1.0), (1, 2, -2.0, -1.5)],
         [(0, 1, "x"), (1, 2, "y")]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("greedy", [True, False])
def test_each_kind_of_bound(
    bounds: Bounds,
    edges: list[tuple[int, int, float, float]],
    wanted: list[tuple[int, int, str]],
    greedy: bool,
    monkeypatch: pytest.MonkeyPatch,
):
    if not greedy:
        monkeypatch.setattr(Decisions, "greedy", lambda *_: Choice([], []))
    (graph,) = decode(likely(edges, directed=bounds.directed), LABELS, RELATIONS, bounds)
    assert edge_triples(graph) == wanted


def test_pieces_are_joined_where_a_cycle_has_edges_enough(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Decisions, "greedy", lambda *_: Choice([], []))
    edges = [(0, 1, 3.0, 1.0), (1, 0, 3.0, 1.0), (1, 2, -2.0, -1.5)]
    (graph,) = decode(likely(edges, odds=2.0), LABELS, RELATIONS, replace(ANY, connected=True))
    assert edge_triples(graph) == [(0, 1, "x"), (1, 0, "x"), (1, 2, "y")]


def test_a_node_that_nothing_joins_goes():
    said = likely([(0, 1, 3.0, 1.0)])
    (graph,) = decode(said, LABELS, RELATIONS, replace(ANY, connected=True))
    assert graph.position.tolist() == [0, 1]
    (graph,) = decode(said, LABELS, [*RELATIONS], replace(ANY, leaving={}, connected=True))
    assert len(graph.position) == 1


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_an_answer_that_obeys_is_left_as_it_is(data: st.DataObject):
    said = data.draw(predictions(directed=True, most=4))
    (plain,) = decode(said, LABELS, RELATIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_bounded, "Program", None)  # none is solved
        (bound,) = decode(said, LABELS, RELATIONS, Bounds.of([plain]))
    assert (bound.label, edge_triples(bound)) == (plain.label, edge_triples(plain))


def test_a_batch_is_answered_graph_by_graph():
    each = [likely(RING), likely([(0, 1, 3.0, 1.0)]), likely(RING[:2])]
    bounds = replace(ANY, most_leaving=1, acyclic=True)
    ends = torch.cat([one.edge_index + 3 * k for k, one in enumerate(each)], 1)
    with untouched_random():
        whole = Prediction(
            torch.cat([one.existence for one in each]), torch.cat([one.label for one in each]),
            ends, torch.cat([one.relation for one in each]),
            batch=torch.arange(3).repeat_interleave(3), num_graphs=3,
        )  # fmt: skip
    found = decode(whole, LABELS, RELATIONS, bounds)
    apart = [decode(one, LABELS, RELATIONS, bounds)[0] for one in each]
    assert list(map(edge_triples, found)) == list(map(edge_triples, apart))


def test_a_search_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Program, "solve", lambda *_: (None, False))
    bounds = replace(ANY, acyclic=True)
    with pytest.warns(Notice, match="^1 of 1 graphs, first number 0: the search within"):
        (graph,) = decode(likely(RING), LABELS, RELATIONS, bounds)
    assert bounds.allow(graph)
    assert len(edge_triples(graph)) == 2


def test_what_graphs_obey():
    graphs = [
        make_graph("abc", [(0, 1, "x"), (0, 2, "x")]),
        make_graph("ab", [(0, 1, "y")]),
        make_graph("", []),
    ]
    seen = Bounds.of(graphs)
    assert seen == Bounds(
        True, {"x": 2, "y": 1}, {"x": 1, "y": 1}, 2, 1, acyclic=True, connected=True
    )
    assert all(map(seen.allow, graphs))
    for bad in ([(0, 1, "y"), (0, 2, "y")], [(0, 1, "x"), (2, 1, "y")], [(0, 1, "x")]):
        assert not seen.allow(make_graph("abc", bad))
    assert not seen.allow(make_graph("abc", [(0, 1, "x"), (1, 2, "x"), (2, 0, "x")]))
    assert Bounds.from_dict(json.loads(json.dumps(seen.to_dict()))) == seen


def test_what_undirected_graphs_obey():
    star = make_graph("abcd", [(0, 1, "x"), (2, 0, "x"), (0, 3, "y")], directed=False)
    seen = Bounds.of([star, make_graph("", [])])
    counts = {"x": 2, "y": 1}
    assert seen == Bounds(False, counts, counts, 3, 3, acyclic=True, connected=True)
    ring = make_graph("abc", [(0, 1, "x"), (1, 2, "x"), (2, 0, "x")], directed=False)
    assert not seen.allow(ring)
    assert Bounds.of([ring, star]).allow(ring)


@pytest.mark.parametrize(
    ("edges", "directed", "shape"),
    [
        ([(0, 1), (1, 2), (2, 3)], True, "path"),
        ([(0, 1), (0, 2), (2, 3)], True, "tree"),
        ([(0, 1), (2, 1), (2, 3)], True, "acyclic"),
        ([(0, 1), (2, 3)], True, "acyclic"),
        ([(0, 1), (1, 2), (2, 3), (3, 0)], True, None),
        ([(1, 0), (1, 2), (3, 2)], False, "path"),
        ([(0, 1), (0, 2), (0, 3)], False, "tree"),
        ([(0, 1), (2, 3)], False, "acyclic"),
        ([(0, 1), (1, 2), (2, 0), (0, 3)], False, None),
    ],
)
def test_the_narrowest_shape(edges: list[tuple[int, int]], directed: bool, shape: str | None):
    graph = make_graph("abcd", [(u, v, "x") for u, v in edges], directed=directed)
    assert Bounds.of([graph, make_graph("", [], directed=directed)]).shape == shape
    path = make_graph("ab", [(0, 1, "x")], directed=directed)
    assert Bounds.of([graph, path]).shape == shape


STAR = make_graph("ab", [(0, 1, "x")], directed=False)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Bounds.of([]), "`graphs` must hold at least one graph, got none. "),
        (lambda: Bounds.of([STAR, make_graph("ab", [(0, 1, "x")])]),
         "the edges must all have a direction, or none, got edges of both. "),
        (lambda: ANY.allow(STAR), "the edges must all have a direction, or none, got "),
        (lambda: Bounds.from_dict({}), "the bounds must hold directed, leaving, entering, "),
        (lambda: replace(ANY, most_leaving=-1), "`most_leaving` must be a count, got -1. "),
        (lambda: replace(ANY, leaving={"x": -1}), "`leaving` must be counts, got {'x': -1}. "),
        (lambda: replace(ANY, acyclic=1), "`acyclic` must be true or false, got 1. "),
        (lambda: decode(likely(RING), LABELS, RELATIONS, UNDIRECTED),
         "`constraint` must be for directed=True, got bounds of undirected graphs. "),
        (lambda: decode_nbest(likely(RING), LABELS, RELATIONS, 2, ANY),
         "`constraint` must be no bounds where several answers are asked for, got Bounds("),
        (lambda: decode(likely([(0, 1, nan, 1.0)]), LABELS, RELATIONS, ANY),
         "`prediction.relation` must hold numbers, got 1 NaN. "),
    ],
)  # fmt: skip
@pytest.mark.untyped
def test_refusals(call: Any, message: str):
    with pytest.raises(InputError, match="^" + re.escape(message)):
        call()
