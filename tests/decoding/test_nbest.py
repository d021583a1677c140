"""The n best graphs: against every graph that there is, with its probability."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data

from grapheme_torch import InputError
from grapheme_torch.decoding import Answer, decode, decode_nbest
from grapheme_torch.decoding._ranking import independent, spanning_trees, sums
from grapheme_torch.decoding._subgraphs import Gains
from grapheme_torch.graphs import edge_triples, node_labels, sorted_edges
from grapheme_torch.prediction import Prediction

from ..unchecked import unchecked

LABELS, RELATIONS = "ab", ["x", "y"]
Key = tuple[Any, ...]


def random_prediction(seed: int, n: int, *, kind: str, directed: bool = True) -> Prediction:
    """A graph with logits of a few units and most of its candidates."""
    draw = torch.Generator().manual_seed(seed)
    pairs = [(u, v) for u in range(n) for v in range(n) if u < v or (kind == "all" and directed)]
    pairs = [pair for pair in pairs if float(torch.rand((), generator=draw)) < 0.8]

    def logits(*shape: int) -> torch.Tensor:
        return 2 * torch.randn(*shape, generator=draw, dtype=torch.double)

    ends = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T
    return Prediction(logits(n) + 1, logits(n, 2), ends, logits(len(pairs), 3), directed=directed)


def key_of(graph: Data) -> Key:
    return tuple(node_labels(graph)), tuple(sorted_edges(graph))


def every_graph(said: Prediction, temperature: float = 1.0) -> Iterator[tuple[Key, float, Any]]:
    """All choices: the graph as labels and edges, its probability, and its edges for networkx."""
    h = (said.existence / temperature).sigmoid().tolist()
    p = (said.label / temperature).softmax(1).tolist()
    q = (said.relation / temperature).softmax(1).tolist()
    pairs = said.edge_index.T.tolist()
    for labels in itertools.product((None, 0, 1), repeat=len(h)):
        nodes = [u for u, label in enumerate(labels) if label is not None]
        chance = math.prod(1 - h[u] for u in range(len(h)) if u not in nodes)
        chance *= math.prod(h[u] * p[u][labels[u]] for u in nodes)
        inner = [k for k, (u, v) in enumerate(pairs) if u in nodes and v in nodes]
        for kinds in itertools.product(range(3), repeat=len(inner)):
            of_edges = math.prod(q[k][r] for k, r in zip(inner, kinds, strict=True))
            place = {u: k for k, u in enumerate(nodes)}
            edges = [
                (place[pairs[k][0]], place[pairs[k][1]], RELATIONS[r - 1])
                for k, r in zip(inner, kinds, strict=True)
                if r
            ]
            names = tuple(LABELS[labels[u]] for u in nodes)
            yield (names, tuple(sorted(edges))), chance * of_edges, edges


def is_valid(key: Key, constraint: str | None, *, directed: bool) -> bool:
    names, edges = key
    pairs = [(u, v) for u, v, _ in edges]
    graph: Any = nx.MultiDiGraph(pairs) if directed else nx.MultiGraph(pairs)
    graph.add_nodes_from(range(len(names)))
    if constraint is None or not names:
        return True
    acyclic = nx.is_directed_acyclic_graph(graph) if directed else nx.is_forest(graph)
    if constraint == "acyclic":
        return bool(acyclic)
    connected = len(pairs) == len(names) - 1
    if constraint == "tree":
        entered = [v for _, v in pairs]
        return bool(acyclic and connected and (not directed or len(set(entered)) == len(entered)))
    ends = [d for _, d in [*graph.in_degree, *graph.out_degree]]
    return bool(acyclic and connected and max(ends) <= 1)


def best_ways(
    said: Prediction, constraint: str | None, temperature: float = 1.0
) -> dict[Key, float]:
    """Each valid graph with the probability of the likeliest way to it, the best first."""
    found: dict[Key, float] = {}
    for key, chance, _ in every_graph(said, temperature):
        if is_valid(key, constraint, directed=said.directed):
            found[key] = max(chance, found.get(key, 0.0))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


CASES = [
    (None, "forward", True), (None, "all", True), (None, "forward", False),
    ("path", "forward", True), ("tree", "forward", True), ("tree", "all", True),
    ("tree", "forward", False), ("acyclic", "all", True), ("acyclic", "forward", False),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("constraint", "kind", "directed"), CASES)
def test_they_are_the_most_probable_of_all_graphs(
    constraint: Any, kind: str, directed: bool, seed: int
):
    n = 2 if kind == "all" else 3
    said = random_prediction(seed, n, kind=kind, directed=directed)
    answers = decode_nbest(said, LABELS, RELATIONS, 12, constraint)[0]
    best = best_ways(said, constraint)
    assert len(answers) == min(12, len(best))
    assert [a.probability for a in answers] == pytest.approx(list(best.values())[: len(answers)])
    for answer in answers:
        assert best[key_of(answer.graph)] == pytest.approx(answer.probability)
        assert answer.graph.get("directed", True) == directed


def test_all_ways_together_have_probability_one():
    said = random_prediction(0, 3, kind="forward")
    assert sum(chance for _, chance, _ in every_graph(said)) == pytest.approx(1)
    answers = decode_nbest(said, LABELS, RELATIONS, 10**6)[0]
    assert len(answers) == len(best_ways(said, None))
    assert len({key_of(answer.graph) for answer in answers}) == len(answers)


@pytest.mark.parametrize("temperature", [0.3, 4])
def test_a_temperature_divides_the_logits(temperature: float):
    said = random_prediction(1, 3, kind="forward")
    (answers,) = decode_nbest(said, LABELS, RELATIONS, 9, temperature=temperature)
    best = list(best_ways(said, None, temperature).values())
    assert [a.probability for a in answers] == pytest.approx(best[:9])


def test_nodes_and_edges_have_the_probabilities_of_their_choices():
    said = random_prediction(4, 3, kind="forward")
    h, p, q = said.existence.sigmoid(), said.label.softmax(1), said.relation.softmax(1)
    (answers,) = decode_nbest(said, LABELS, RELATIONS, 40)
    whole = [a for a in answers if a.graph.num_nodes == 3 and a.graph.num_edges]
    assert len(whole) > 3
    number = {tuple(pair): k for k, pair in enumerate(said.edge_index.T.tolist())}
    for answer in whole:
        kinds = [LABELS.index(name) for name in node_labels(answer.graph)]
        assert answer.nodes == pytest.approx([float(h[u] * p[u, c]) for u, c in enumerate(kinds)])
        edges = [(number[u, v], 1 + RELATIONS.index(r)) for u, v, r in edge_triples(answer.graph)]
        assert answer.edges == pytest.approx([float(q[k, r]) for k, r in edges])


def test_a_sure_prediction_of_many_nodes_is_ranked_at_once():
    """The first is what `decode` says, the second what is one choice away from it."""
    draw = torch.Generator().manual_seed(0)
    n = 40
    pairs = torch.tensor([(u, v) for u in range(n) for v in range(u + 1, n)]).T
    wanted = (pairs[1] - pairs[0] == 1).double()
    relation = torch.stack([8 - 16 * wanted, 16 * wanted - 8], 1)
    noise = torch.randn(n, 2, generator=draw, dtype=torch.double)
    existence = torch.full((n,), 9.0, dtype=torch.double)
    existence[7] = 0.5
    said = Prediction(existence, 6 * noise, pairs, relation)
    (answers,) = decode_nbest(said, LABELS, ["next"], 30)
    assert key_of(answers[0].graph) == key_of(decode(said, LABELS, ["next"])[0])
    chances = [answer.log_probability for answer in answers]
    assert len(chances) == 30
    assert chances == sorted(chances, reverse=True)


def test_labels_of_one_name_are_one():
    """A class for the label of the input node adds to the class of that name."""
    said = Prediction(
        torch.tensor([30.0]),
        torch.tensor([[1.0, 0.5, 0.8]]),
        torch.zeros(2, 0, dtype=torch.long),
        torch.zeros(0, 1),
    )
    p = said.label.softmax(1)[0].double()
    (answers,) = decode_nbest(said, LABELS, [], own=["b"])
    assert [node_labels(answer.graph) for answer in answers[:2]] == [["b"], ["a"]]
    assert [answer.probability for answer in answers[:2]] == pytest.approx(
        [float(p[1] + p[2]), float(p[0])], rel=1e-6
    )
    (answers,) = decode_nbest(said, LABELS, [], own=["c"])
    assert [node_labels(answer.graph) for answer in answers[:3]] == [["a"], ["c"], ["b"]]


def test_graphs_of_a_batch_are_ranked_apart():
    parts = [random_prediction(seed, 3, kind="forward") for seed in range(3)]
    empty = random_prediction(0, 0, kind="forward")
    both = decode_nbest(Prediction.cat([*parts, empty]), LABELS, RELATIONS, 4)
    alone = [decode_nbest(part, LABELS, RELATIONS, 4)[0] for part in [*parts, empty]]
    assert [[key_of(a.graph) for a in one] for one in both] == [
        [key_of(a.graph) for a in one] for one in alone
    ]
    (nothing,) = both[-1]
    assert (nothing.graph.num_nodes, nothing.probability) == (0, 1.0)


def test_an_edge_that_cannot_be_absent_stays():
    inf = math.inf
    said = Prediction(
        torch.tensor([20.0, 20.0, 20.0]),
        torch.zeros(3, 1),
        torch.tensor([[0, 0, 1], [1, 2, 2]]),
        torch.tensor([[-inf, 0.0], [1.0, 0.0], [0.5, 0.0]]),
    )
    for constraint in (None, "path", "tree"):
        for answer in decode_nbest(said, "a", ["x"], 3, constraint)[0]:
            if answer.graph.num_nodes == 3:
                assert (0, 1, "x") in edge_triples(answer.graph)


@given(st.integers(0, 4), st.integers(1, 3), st.integers(0, 10**6))
def test_independent_choices_come_in_order(rows: int, columns: int, seed: int):
    table = -np.sort(np.random.default_rng(seed).integers(0, 5, (rows, columns)).astype(float))
    table = -np.sort(-table, axis=1)
    wanted = sorted((sum(row) for row in itertools.product(*table.tolist())), reverse=True)
    found = list(independent(table))
    assert [score for score, _ in found] == pytest.approx(wanted)
    chosen = {tuple(ranks.get(row, 0) for row in range(rows)) for _, ranks in found}
    assert len(chosen) == len(found)
    for score, ranks in found:
        picked = sum(table[row, ranks.get(row, 0)] for row in range(rows))
        assert score == pytest.approx(picked)


def test_sums_of_two_rankings_come_in_order():
    first, second = [5.0, 3.0, 0.0], [4.0, 3.5, 1.0, 1.0]
    found = [
        score for score, _ in sums(iter([(x, x) for x in first]), iter([(x, x) for x in second]))
    ]
    assert found == sorted((x + y for x in first for y in second), reverse=True)


@pytest.mark.parametrize("directed", [True, False])
def test_all_spanning_trees_are_found(directed: bool):
    """Cayley: 4 nodes have 16 trees, and 4 times as many with a root."""
    draw = np.random.default_rng(0)
    pairs = [(u, v) for u in range(4) for v in range(4) if (u < v or directed) and u != v]
    source, sink = np.array(pairs).T
    gains = Gains(np.zeros(4), source, sink, draw.normal(size=len(pairs)))
    found = list(spanning_trees(gains, directed=directed))
    assert len(found) == len({tuple(tree) for _, tree in found}) == (64 if directed else 16)
    scores = [score for score, _ in found]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"nbest": 0}, r"`nbest` must be a whole number of at least 1, got 0"),
        ({"nbest": True}, r"`nbest` must be"),
        ({"temperature": 0}, r"`temperature` must be a positive number, got 0"),
        ({"temperature": math.inf}, r"`temperature` must be"),
        ({"constraint": "path"}, r"the candidate edges must lead to later nodes only"),
        ({"constraint": "ring"}, r"`constraint` must be one of path, tree, acyclic"),
    ],
)
def test_what_cannot_be_ranked_is_refused(options: dict[str, Any], match: str):
    said = random_prediction(0, 3, kind="all")
    with pytest.raises(InputError, match=match):
        unchecked(decode_nbest)(said, LABELS, RELATIONS, **options)


def test_a_logit_that_is_no_number_is_refused():
    said = random_prediction(0, 2, kind="forward")
    said.existence[1] = math.nan
    with pytest.raises(InputError, match=r"`prediction.existence` must hold numbers, got NaN"):
        decode_nbest(said, LABELS, RELATIONS)


@pytest.mark.parametrize(("limit", "complete"), [(50_000, True), (25, False)])
def test_a_search_that_is_given_up_says_so(
    monkeypatch: pytest.MonkeyPatch, limit: int, complete: bool
):
    said = random_prediction(0, 4, kind="forward")
    (whole,) = decode_nbest(said, LABELS, RELATIONS, nbest=20)
    monkeypatch.setattr("grapheme_torch.decoding._nbest.LIMIT", limit)
    (found,) = decode_nbest(said, LABELS, RELATIONS, nbest=20)
    assert (found.complete, len(found) == 20) == (complete, complete)
    chances = [answer.log_probability for answer in whole]
    assert [answer.log_probability for answer in found] == chances[: len(found)]
    assert len(found) > 0


def test_all_that_is_possible_is_complete():
    dot = Prediction(torch.zeros(1), torch.zeros(1, 2), torch.zeros(2, 0).long(), torch.zeros(0, 2))
    (found,) = decode_nbest(dot, "ab", ["next"], nbest=20)
    assert (found.complete, len(found)) == (True, 3)


def test_sets_of_edges_that_all_have_cycles_end_the_search(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("grapheme_torch.decoding._nbest.LIMIT", 20)
    said = random_prediction(0, 3, kind="all")
    (found,) = decode_nbest(said, LABELS, RELATIONS, nbest=50, constraint="acyclic")
    assert found.complete is False


def test_a_prediction_that_is_sure_of_nothing_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("grapheme_torch.decoding._nbest.LIMIT", 3)
    said = random_prediction(0, 4, kind="forward")
    with pytest.raises(InputError, match=r"sure enough to rank graphs, got no answer within 3"):
        decode_nbest(said, LABELS, RELATIONS)


def test_a_probability_too_small_for_a_double_is_zero():
    assert Answer(Data(), -1e9, [], []).probability == 0.0
