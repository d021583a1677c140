"""Costs of substitution: they equal those of networkx and the alignment is chosen by them."""

import random
import re
from collections.abc import Callable
from itertools import permutations
from math import inf
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from grapheme_torch import InputError, edit_report, graph_to_networkx, text_to_graph
from grapheme_torch.edits import EdgeEdit, NodeEdit, edit_reports
from grapheme_torch.graphs import edge_triples, is_directed, make_graph, node_labels
from grapheme_torch.metrics import GraphMetrics

from ..random_graphs import graphs, undirected_graphs
from ..unchecked import unchecked

NEAR = {("a", "b"): 0.25, ("b", "c"): 0.5, ("c", "b"): 1.5, ("a", "c"): 1.75}
RELATIONS = {("x", "y"): 0.5, ("y", "x"): 0.75, ("x", "z"): 1.75}

Cost = Callable[[str, str], float]


def symmetric(first: str, second: str) -> float:
    return 0.25 * abs(ord(first) - ord(second))


def told(costs: dict[tuple[str, str], float]) -> Cost:
    """What a mapping says, as a function of any two labels."""

    def cost(first: str, second: str) -> float:
        if first == second:
            return 0.0
        return costs.get((first, second), costs.get((second, first), 1.0))

    return cost


def distance(predicted: Data, target: Data, node: Cost, edge: Cost) -> float:
    """The graph edit distance of networkx."""

    def by_label(cost: Cost) -> Callable[[dict[str, Any], dict[str, Any]], float]:
        return lambda first, second: cost(first["label"], second["label"])

    first, second = graph_to_networkx(predicted), graph_to_networkx(target)
    found = nx.graph_edit_distance(
        first, second, node_subst_cost=by_label(node), edge_subst_cost=by_label(edge)
    )
    return float(found)


def random_graph(rng: random.Random, directed: bool) -> Data:
    n = rng.randint(0, 4)
    couples = [(u, v) for u in range(n) for v in range(n) if u < v or (directed and u > v)]
    chosen = rng.sample(couples, min(len(couples), rng.randint(0, n + 1)))
    edges = [(u, v, rng.choice("xyz")) for u, v in chosen]
    return make_graph([rng.choice("abc") for _ in range(n)], edges, directed=directed)


def cost_of_every_alignment(predicted: Data, target: Data, node: Cost, edge: Cost) -> float:
    """The least cost, found by trying everything."""
    left, right = node_labels(predicted), node_labels(target)
    edges, wanted = edge_triples(predicted), {(i, j): r for i, j, r in edge_triples(target)}
    apart = len(left) + len(right) + len(edges) + len(wanted)
    if not is_directed(target):
        wanted |= {(j, i): name for (i, j), name in wanted.items()}
    # Numbers from `len(right)` on stand for no node.
    places = range(len(right) + len(left))

    def cost(became: tuple[int, ...]) -> float:
        matched = [(a, right[j]) for a, j in zip(left, became, strict=True) if j < len(right)]
        met = [(r, wanted.get((became[u], became[v]))) for u, v, r in edges]
        return (
            apart
            + sum(node(a, b) - 2 for a, b in matched)
            + sum(min(edge(q, r), 2) - 2 for q, r in met if r is not None)
        )

    return min(cost(became) for became in permutations(places, len(left)))


@pytest.mark.parametrize("directed", [True, False])
def test_the_cost_is_that_of_networkx(directed: bool) -> None:
    rng = random.Random(5)
    sides = [[random_graph(rng, directed) for _ in range(40)] for _ in range(2)]
    reports = edit_reports(*sides, node_substitution=NEAR, edge_substitution=RELATIONS)
    costs = told(NEAR), told(RELATIONS)
    least = [distance(one, other, *costs) for one, other in zip(*sides, strict=True)]
    found = [report.cost for report in reports]
    assert found == least
    assert found != [report.cost for report in edit_reports(*sides)]


@pytest.mark.parametrize("form", [graphs, undirected_graphs])
def test_the_cost_is_the_least_of_all_alignments(form: Any) -> None:
    """Of loops, and of changes that cost two edits or more, networkx finds another cost."""
    node, edge = {**NEAR, ("a", "b"): 3.0}, {("x", "y"): 5.0, ("y", "x"): 0.25}
    met = []

    @settings(max_examples=100, database=None, derandomize=True)
    @given(form(max_nodes=3), form(max_nodes=3))
    def compare(predicted: Data, target: Data) -> None:
        least = cost_of_every_alignment(predicted, target, told(node), told(edge))
        found = edit_report(predicted, target, node_substitution=node, edge_substitution=edge)
        assert found.cost >= least
        met.append(found.cost == least)

    compare()
    assert sum(met) >= 0.95 * len(met)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("cat", "bat", 0.25), ("ab", "ba", 0.5), ("aaaa", "bbbb", 1.0), ("c", "b", 1.5)],
)
def test_letters_that_are_easily_confused(first: str, second: str, expected: float) -> None:
    near = {**NEAR, ("c", "b"): 0.25} if first == "cat" else NEAR
    report = edit_report(text_to_graph(first), text_to_graph(second), node_substitution=near)
    assert report.cost == expected
    assert report.count("nodes")["relabelled"] > 0


def test_the_alignment_is_chosen_by_the_costs() -> None:
    predicted, target = make_graph("ab"), make_graph("cd")
    for far, near in (("c", "d"), ("d", "c")):
        costs = {("a", near): 0.25, ("b", far): 0.25}
        report = edit_report(predicted, target, node_substitution=costs)
        assert report.cost == 0.5
        became = {edit.predicted_label: edit.target_label for edit in report.nodes}
        assert became == {"a": near, "b": far}


@given(graphs(), graphs())
def test_the_price_of_every_change_is_no_change(predicted: Data, target: Data) -> None:
    plain = edit_report(predicted, target)
    for same in ({}, lambda *_: 1.0):
        options = {"node_substitution": same, "edge_substitution": same}
        assert edit_report(predicted, target, **options) == plain


@settings(max_examples=50)
@given(
    st.one_of(st.tuples(graphs(), graphs()), st.tuples(undirected_graphs(), undirected_graphs()))
)
def test_the_way_back_costs_what_the_reversed_costs_say(pair: tuple[Data, Data]) -> None:
    node, edge = {("a", "b"): 0.25, ("b", "a"): 0.75}, {("x", "y"): 0.5, ("y", "x"): 1.25}
    there = edit_report(*pair, node_substitution=node, edge_substitution=edge)
    back = edit_report(
        *pair[::-1],
        node_substitution={key[::-1]: cost for key, cost in node.items()},
        edge_substitution={key[::-1]: cost for key, cost in edge.items()},
    )
    assert there.cost == back.cost
    edits: list[NodeEdit | EdgeEdit] = [*there.nodes, *there.edges]
    assert there.cost == sum(edit.cost for edit in edits)
    once = {"node_substitution": symmetric, "edge_substitution": symmetric}
    assert edit_report(*pair, **once).cost == edit_report(*pair[::-1], **once).cost


def test_a_function_is_not_asked_about_equal_labels() -> None:
    def never(first: str, second: str) -> float:
        assert first != second
        return 0.5

    pair = text_to_graph("abc"), text_to_graph("abd")
    assert edit_report(*pair, node_substitution=never, edge_substitution=never).cost == 0.5


def test_an_infinite_cost_forbids_a_change() -> None:
    pair = text_to_graph("axb"), text_to_graph("ayb")
    free = edit_report(*pair)
    assert (free.cost, free.count("nodes")["relabelled"]) == (1.0, 1)
    bound = edit_report(*pair, node_substitution={("x", "y"): inf})
    changed = [(edit.predicted_label, edit.target_label) for edit in bound.nodes]
    assert bound.cost == 6.0
    assert ("x", "y") not in changed
    one = edit_report(make_graph("a"), make_graph("b"), node_substitution=lambda *_: inf)
    assert one.count("nodes") == {"kept": 0, "relabelled": 0, "inserted": 1, "deleted": 1}


def test_an_edge_whose_change_is_dear_is_replaced() -> None:
    pair = make_graph("ab", [(0, 1, "x")]), make_graph("ab", [(0, 1, "y")])
    for dear in (2.5, inf):
        report = edit_report(*pair, edge_substitution={("x", "y"): dear})
        assert (report.cost, [edit.kind for edit in report.edges]) == (2.0, ["deleted", "inserted"])
    assert edit_report(*pair, edge_substitution={("x", "y"): 2.0}).count("edges")["relabelled"] == 1


def test_substitutions_reach_the_metrics() -> None:
    metrics = GraphMetrics(node_substitution={("k", "s"): 0.25, ("e", "i"): 0.5})
    metrics.update([text_to_graph("kitten")], [text_to_graph("sitting")])
    assert metrics.compute()["edit_cost"] == 0.25 + 0.5 + 2


@pytest.mark.parametrize("name", ["node_substitution", "edge_substitution"])
@pytest.mark.parametrize(
    ("costs", "message"),
    [
        (0.5, "`NAME` must be a mapping of pairs of labels, or a function of two labels, got 0.5."),
        ({"ab": 0.5}, "a key of `NAME` must be a pair of labels, got 'ab'. A key is"),
        ({("a", 1): 0.5}, "a key of `NAME` must be a pair of labels, got ('a', 1). A key is"),
        ({("a", "b"): -1.0}, "`NAME[('a', 'b')]` must be a number, and not negative, got -1.0."),
        ({("a", "b"): float("nan")}, "`NAME[('a', 'b')]` must be a number, and not negative, got"),
        ({("a", "b"): "x"}, "`NAME[('a', 'b')]` must be a number, and not negative, got 'x'."),
        ({("a", "a"): 1.0}, "`NAME[('a', 'a')]` must be 0, as the labels are equal, got 1.0."),
        (lambda *_: -1.0, "`NAME('a', 'b')` must be a number, and not negative, got -1.0."),
        (lambda *_: None, "`NAME('a', 'b')` must be a number, and not negative, got None."),
    ],
)
def test_what_is_no_cost_is_refused(name: str, costs: Any, message: str) -> None:
    pair = make_graph("aa", [(0, 1, "a")]), make_graph("ab", [(0, 1, "b")])
    with pytest.raises(InputError, match="^" + re.escape(message.replace("NAME", name))):
        unchecked(edit_report)(*pair, **{name: costs})
