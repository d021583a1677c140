"""Undirected graphs are edited, measured, decoded and drawn with each edge counted once."""

import random
from itertools import permutations
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from torch_geometric.data import Data

from grapheme_torch import (
    InputError,
    Prediction,
    decode,
    edit_report,
    graph_from_networkx,
    graph_to_networkx,
)
from grapheme_torch.edits._isomorphism import find_isomorphism
from grapheme_torch.edits._report import EdgeEdit, NodeEdit, edit_reports
from grapheme_torch.graphs import both_ways, edge_triples, make_graph, node_labels
from grapheme_torch.layout import graph_places
from grapheme_torch.metrics import GraphMetrics
from grapheme_torch.plot import plot_alignment

from .random_graphs import undirected_graphs
from .unchecked import unchecked


def alike(first: Any, second: Any) -> bool:
    return bool(first == second)


def drawn_at_random(rng: random.Random, *, loops: bool) -> "nx.Graph[int]":
    graph: nx.Graph[int] = nx.Graph()
    n = rng.randint(0, 4)
    graph.add_nodes_from((i, {"label": rng.choice("ab")}) for i in range(n))
    for u in range(n):
        for v in range(u + (not loops), n):
            if rng.random() < 0.4:
                graph.add_edge(*rng.sample((u, v), 2), label=rng.choice("xy"))
    return graph


def edge_labels(graph: "nx.Graph[int]") -> dict[frozenset[Any], str]:
    return {frozenset((u, v)): data["label"] for u, v, data in graph.edges(data=True)}


def exhaustive(first: "nx.Graph[int]", second: "nx.Graph[int]") -> int:
    """The edit distance: the least cost of all alignments."""
    edges, wanted, m = edge_labels(first), edge_labels(second), len(second)
    costs = []
    for image in set(permutations([*range(m), *[None] * len(first)], len(first))):
        kept = [j for j in image if j is not None]
        cost = len(first) - len(kept) + m - len(kept)
        for i, j in enumerate(image):
            cost += j is not None and first.nodes[i]["label"] != second.nodes[j]["label"]
        met = 0
        for ends, name in edges.items():
            other = wanted.get(frozenset(image[i] for i in ends))
            met += other is not None
            cost += other != name
        costs.append(cost + len(wanted) - met)
    return min(costs)


@pytest.mark.parametrize("loops", [False, True])
def test_the_cost_is_the_edit_distance_of_networkx(loops: bool) -> None:
    """Networkx counts loops wrongly; with them all alignments are tried instead."""
    rng, above = random.Random(0), 0
    for _ in range(60):
        first, second = (drawn_at_random(rng, loops=loops) for _ in range(2))
        least = exhaustive(first, second)
        if not loops:
            match = {"node_match": alike, "edge_match": alike}
            assert least == nx.graph_edit_distance(first, second, **match)
        pair = graph_from_networkx(first), graph_from_networkx(second)
        cost = edit_report(*pair).cost
        assert cost >= least
        assert cost == edit_report(pair[1], pair[0]).cost
        above += cost > least
    assert above <= 2


@given(undirected_graphs(), undirected_graphs())
@settings(deadline=None)
def test_a_report_counts_each_edge_once(first: Data, second: Data) -> None:
    report = edit_report(first, second)
    assert not report.directed
    predicted = [e.predicted for e in report.edges if e.predicted is not None]
    target = [e.target for e in report.edges if e.target is not None]
    assert sorted(predicted) == sorted((u, v) for u, v, _ in edge_triples(first))
    assert sorted(target) == sorted((u, v) for u, v, _ in edge_triples(second))
    edits: list[NodeEdit | EdgeEdit] = [*report.nodes, *report.edges]
    assert report.cost == sum(edit.cost for edit in edits)
    match = {"node_match": alike, "edge_match": alike}
    same = nx.is_isomorphic(graph_to_networkx(first), graph_to_networkx(second), **match)
    assert (find_isomorphism(first, second) is not None) == same == report.is_exact


def measured(predicted: Data, target: Data) -> dict[str, float]:
    metrics = GraphMetrics()
    metrics.update([predicted], [target])
    return {name: value.item() for name, value in metrics.compute().items()}


@pytest.mark.repeats
@given(undirected_graphs(), undirected_graphs(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_how_an_edge_is_stored_says_nothing(first: Data, second: Data, rng: random.Random) -> None:
    turned = [edge if rng.random() < 0.5 else (edge[1], edge[0], edge[2]) for edge in
              edge_triples(first)]  # fmt: skip
    label = node_labels(first)
    told = [make_graph(label, turned, directed=way) for way in (True, False)]
    doubled = both_ways(first)
    del doubled.directed  # as PyTorch Geometric has it
    wanted = measured(first, second)
    for graph in (*told, doubled, both_ways(first)):
        assert edit_report(graph, second).cost == edit_report(first, second).cost
        assert measured(graph, second) == pytest.approx(wanted)


def test_pairs_of_both_kinds_are_aligned_together() -> None:
    ways = [True, False, True, False]
    graphs = [make_graph("abc", [(0, 1, "x"), (1, 2, "x")], directed=way) for way in ways]
    turned = [make_graph("abd", [(1, 0, "x"), (2, 1, "x")], directed=way) for way in ways]
    assert [report.cost for report in edit_reports(graphs, turned)] == [2.0, 1.0, 2.0, 1.0]


def test_a_right_answer_is_right() -> None:
    """One direction per candidate, in another order: the target stands either way, or both."""
    bonds = [(0, 1, "single"), (1, 2, "double")]
    relation = torch.full((3, 3), -20.0, dtype=torch.float64)
    relation[0, 2] = relation[1, 0] = relation[2, 1] = 20
    label = torch.tensor([[-20.0, 20], [20, -20], [20, -20]], dtype=torch.float64)
    ends = torch.tensor([[0, 0, 1], [1, 2, 2]])
    sure = torch.full((3,), 20.0, dtype=torch.float64)
    said = Prediction(sure, label, ends, relation, directed=False)
    (answer,) = decode(said, ["C", "O"], ["single", "double"])
    assert answer.directed is False
    for target in (make_graph("CCO", bonds, directed=False), make_graph("CCO", bonds)):
        metrics = GraphMetrics()
        metrics.update([answer], [target])
        found = metrics.compute()
        assert (found["exact_match"], found["edit_cost"], found["edge_f1"]) == (1.0, 0.0, 1.0)
        assert found["wl_similarity"] == 1.0
    less = make_graph("CCO", bonds[:1], directed=False)
    assert edit_report(less, answer).cost == 1.0


def test_an_undirected_graph_has_no_heads_and_spells_nothing() -> None:
    chain = make_graph("abc", [(0, 1, "next"), (1, 2, "next")], directed=False)
    metrics = GraphMetrics()
    metrics.update([chain], [chain])
    assert not {"uas", "las", "text_exact"} & set(metrics.compute())


def test_one_line_per_edge_and_no_arrow_head(tmp_path: Path, monkeypatch: Any) -> None:
    drawn: list[str] = []
    add = Axes.add_patch

    def watched(self: Axes, patch: Any) -> Any:
        drawn.append(type(patch).__name__)
        return add(self, patch)

    monkeypatch.setattr(Axes, "add_patch", watched)
    first = make_graph("abc", [(1, 0, "x"), (1, 2, "x"), (2, 2, "x")], directed=False)
    second = make_graph("ab", [(0, 1, "x")], directed=True)
    plot_alignment(first, second, edit_report(first, second), tmp_path / "pair.png")
    links = 2
    assert (drawn.count("PathPatch") - links, drawn.count("Polygon")) == (4, 0)
    drawn.clear()
    plot_alignment(second, second, edit_report(second, second), tmp_path / "pair.png")
    assert (drawn.count("PathPatch") - links, drawn.count("Polygon")) == (2, 2)


def test_an_undirected_path_stands_in_its_order() -> None:
    chain = make_graph("abcd", [(2, 0, "x"), (3, 2, "x"), (1, 3, "x")], directed=False)
    assert graph_places(chain).xy.tolist() == [[0, 0], [3, 0], [1, 0], [2, 0]]


def test_the_report_of_other_edges_is_refused_by_a_picture(tmp_path: Path) -> None:
    first, second = make_graph("ab", [(0, 1, "x")]), make_graph("ab", [(1, 0, "x")])
    report = edit_report(first, first)
    with pytest.raises(InputError, match=r"^`alignment` must tell of the edges of both graphs"):
        plot_alignment(first, second, report, tmp_path / "pair.png")


@pytest.mark.untyped
@pytest.mark.parametrize("price", ["1", None, True, [1.0], 1j])
def test_a_price_is_a_number(price: Any) -> None:
    message = r"^`node_cost` must be finite and not negative, got "
    with pytest.raises(InputError, match=message):
        unchecked(edit_reports)([make_graph("a")], [make_graph("a")], node_cost=price)
    with pytest.raises(InputError, match=message):
        unchecked(GraphMetrics)(node_cost=price)


@given(st.one_of(st.none(), st.integers(), st.text(), st.just(make_graph("a"))))
def test_lists_of_graphs_are_lists_of_graphs(value: Any) -> None:
    with pytest.raises(InputError, match=r"^`predicted` must be a list of graphs, got "):
        unchecked(edit_reports)(value, [make_graph("a")])
    with pytest.raises(InputError, match=r"^`target` must be a list of graphs, got "):
        unchecked(edit_reports)([make_graph("a")], value)
    if not isinstance(value, Data):
        with pytest.raises(InputError, match=r"^a graph must be a PyTorch Geometric `Data`, got "):
            unchecked(edit_report)(value, make_graph("a"))


def test_reports_fit_the_pairs() -> None:
    graph = make_graph("a")
    message = r"^`predicted`, `target` and `reports` must be of one length, got \(1, 1, 0\)\."
    with pytest.raises(InputError, match=message):
        GraphMetrics().update([graph], [graph], [])
