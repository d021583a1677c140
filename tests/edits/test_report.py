"""The edits between two graphs: they lead from the one to the other, and are few."""

import json
import random
import re
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from grapheme_torch import (
    Exact,
    Given,
    Hints,
    InputError,
    Prediction,
    StructuralLoss,
    graph_to_networkx,
    text_to_graph,
)
from grapheme_torch.data import Alphabet
from grapheme_torch.edits._report import EdgeEdit, EditReport, NodeEdit, edit_report, edit_reports
from grapheme_torch.graphs import make_graph

from ..random_graphs import Form, form, graphs, renumbered, ring, shuffled


def sides(report: EditReport) -> tuple[Form, Form]:
    """The two graphs that a report speaks of."""
    predicted = [(e.predicted, e.predicted_label) for e in report.nodes if e.predicted is not None]
    target = [(e.target, e.target_label) for e in report.nodes if e.target is not None]
    edges = [(*e.predicted, e.predicted_label) for e in report.edges if e.predicted is not None]
    wanted = [(*e.target, e.target_label) for e in report.edges if e.target is not None]
    for nodes in (predicted, target):
        assert sorted(place for place, _ in nodes) == list(range(len(nodes)))
    return (
        (
            [str(label) for _, label in sorted(predicted)],
            sorted((u, v, str(r)) for u, v, r in edges),
        ),
        ([str(label) for _, label in sorted(target)], sorted((u, v, str(r)) for u, v, r in wanted)),
    )


def edits_of(report: EditReport) -> list[NodeEdit | EdgeEdit]:
    return [*report.nodes, *report.edges]


def certain_pairs(predicted: list[Data], target: list[Data]) -> tuple[Prediction, Batch]:
    alphabet = Alphabet.of(predicted + target)
    prediction = Prediction.certain(
        Batch.from_data_list([alphabet.encode(graph) for graph in predicted]),
        num_labels=len(alphabet.labels),
        num_relations=max(len(alphabet.relations), 1),
    )
    batch = Batch.from_data_list([alphabet.encode(graph) for graph in target])
    return prediction, batch


def cost_by_loss(predicted: Data, target: Data, report: EditReport) -> float:
    """The edit cost that the loss gives the alignment of the report."""
    prediction, batch = certain_pairs([predicted], [target])
    n, m = len(predicted.label), len(target.label)
    plan = torch.zeros(1, n + 1, m + 1, dtype=torch.float64)
    for edit in report.nodes:
        i = n if edit.predicted is None else edit.predicted
        plan[0, i, m if edit.target is None else edit.target] += 1
    loss = StructuralLoss(criterion="edit", beta=1.0, gamma=0.0, alignment=Given(plan))
    return float(loss(prediction, batch).total)


def alike(left: dict[str, Any], right: dict[str, Any]) -> bool:
    return bool(left["label"] == right["label"])


def exact_distance(predicted: Data, target: Data) -> float:
    first, second = graph_to_networkx(predicted), graph_to_networkx(target)
    return float(nx.graph_edit_distance(first, second, node_match=alike, edge_match=alike))


def random_text(rng: random.Random, length: int) -> Data:
    return text_to_graph("".join(rng.choice("abcdefgh") for _ in range(length)))


@given(graphs(), graphs())
def test_the_edits_lead_from_one_graph_to_the_other(predicted: Data, target: Data) -> None:
    report = edit_report(predicted, target)
    assert sides(report) == (form(predicted), form(target))
    for edit in edits_of(report):
        labels = edit.predicted_label, edit.target_label
        expected = "kept" if labels[0] == labels[1] else "relabelled"
        expected = {(True, False): "inserted", (False, True): "deleted"}.get(
            (labels[0] is None, labels[1] is None), expected
        )
        assert (edit.kind, edit.cost) == (expected, float(expected != "kept"))


@given(graphs(), graphs())
def test_an_edge_goes_where_its_nodes_go(predicted: Data, target: Data) -> None:
    report = edit_report(predicted, target)
    became = {edit.predicted: edit.target for edit in report.nodes}
    for edit in report.edges:
        if edit.predicted is not None and edit.target is not None:
            assert tuple(became[node] for node in edit.predicted) == edit.target


@given(graphs(), graphs())
def test_the_cost_is_that_of_the_loss(predicted: Data, target: Data) -> None:
    report = edit_report(predicted, target)
    assert report.cost == pytest.approx(cost_by_loss(predicted, target, report), abs=1e-9)


@given(graphs(), graphs(), st.sampled_from([(1.0, 1.0), (2.0, 0.5), (0.0, 1.0), (1.0, 0.0)]))
def test_the_cost_is_symmetric_and_at_least_the_difference_in_size(
    predicted: Data, target: Data, prices: tuple[float, float]
) -> None:
    priced = {"node_cost": prices[0], "edge_cost": prices[1]}
    report = edit_report(predicted, target, **priced)
    assert report.cost == edit_report(target, predicted, **priced).cost
    assert report.cost >= prices[0] * abs(len(predicted.label) - len(target.label))
    assert report.cost == sum(edit.cost for edit in edits_of(report))


@given(st.data())
def test_a_graph_costs_nothing_however_its_nodes_are_numbered(data: st.DataObject) -> None:
    graph = data.draw(graphs())
    for other in (graph, data.draw(shuffled(graph))):
        report = edit_report(graph, other)
        assert (report.cost, report.is_exact, report.start) == (0.0, True, "isomorphism")


@given(graphs(), graphs())
def test_only_equal_graphs_are_exact(predicted: Data, target: Data) -> None:
    first, second = graph_to_networkx(predicted), graph_to_networkx(target)
    same = nx.is_isomorphic(first, second, node_match=alike, edge_match=alike)
    report = edit_report(predicted, target)
    assert report.is_exact == (report.cost == 0) == same


@settings(max_examples=60)
@given(graphs(max_nodes=4), graphs(max_nodes=4))
def test_the_cost_is_an_upper_bound_of_the_edit_distance(predicted: Data, target: Data) -> None:
    assert edit_report(predicted, target).cost >= exact_distance(predicted, target)


def test_the_bound_is_met_by_most_short_texts() -> None:
    rng = random.Random(1)
    texts = [random_text(rng, rng.randint(0, 5)) for _ in range(60)]
    reports = edit_reports(texts[:30], texts[30:])
    exact = [exact_distance(*pair) for pair in zip(texts[:30], texts[30:], strict=True)]
    met = sum(report.cost == least for report, least in zip(reports, exact, strict=True))
    assert met >= 27


def test_the_line_search_halves_the_cost_of_the_rounds_of_the_loss() -> None:
    rng = random.Random(2)
    predicted, target = ([random_text(rng, 20) for _ in range(40)] for _ in range(2))
    cost = sum(report.cost for report in edit_reports(predicted, target)) / 40
    prediction, batch = certain_pairs(predicted, target)
    rounds = StructuralLoss(
        criterion="edit",
        beta=1.0,
        gamma=0.0,
        alignment=Exact(slack=1.0, rounds=5),
    )
    assert cost < 0.95 * float(rounds(prediction, batch).total)
    unplaced = StructuralLoss(
        criterion="edit",
        beta=1.0,
        gamma=0.0,
        alignment=Exact(slack=1.0, rounds=5),
        hints=Hints(position=0.0),
    )
    assert cost < 0.5 * float(unplaced(prediction, batch).total)


def test_many_pairs_are_reported_as_one_by_one() -> None:
    rng = random.Random(3)
    texts = [random_text(rng, rng.randint(0, 12)) for _ in range(40)]
    mixed = [
        renumbered(text, range(len(text.label))) if k % 3 else text for k, text in enumerate(texts)
    ]
    assert edit_reports(texts, mixed[::-1]) == [
        edit_report(*pair) for pair in zip(texts, mixed[::-1], strict=True)
    ]
    assert edit_reports([], []) == []


def test_graphs_that_refinement_cannot_tell_apart() -> None:
    assert edit_report(ring([6]), ring([3, 3])).cost >= 2
    assert edit_report(ring([3, 4]), renumbered(ring([4, 3]), [3, 1, 0, 6, 5, 2, 4])).is_exact


def test_a_long_chain_of_like_nodes_is_recognised() -> None:
    graph = ring([300])
    turned = renumbered(graph, [*range(100, 300), *range(100)])
    assert edit_report(graph, turned).is_exact


def test_shifted_text_is_matched_by_letter_and_not_by_place() -> None:
    report = edit_report(text_to_graph("the sky"), text_to_graph("oh, the sky"))
    assert report.cost == 8
    assert report.count("nodes") == {"kept": 7, "relabelled": 0, "inserted": 4, "deleted": 0}
    assert report.count("edges") == {"kept": 6, "relabelled": 0, "inserted": 4, "deleted": 0}


def test_the_report_reads_as_a_list_of_edits() -> None:
    predicted = make_graph(["k", "i", "\n"], [(0, 1, "next"), (1, 2, "far")])
    report = edit_report(predicted, make_graph(["s", "i"], [(0, 1, "next")]))
    assert str(report).splitlines() == [
        "edit cost 3",
        "nodes: 1 kept, 1 relabelled, 1 deleted",
        "edges: 1 kept, 1 deleted",
        "~ node 0 'k'      -> 0 's'",
        "  node 1 'i'      -> 1 'i'",
        "- node 2 '\\n'",
        "- edge 1-2 'far'",
    ]


def test_the_report_of_nothing() -> None:
    report = edit_report(text_to_graph(""), text_to_graph(""))
    assert str(report) == "edit cost 0\nnodes: none\nedges: none"
    assert report.is_exact


def test_inserted_nodes_stand_at_the_right() -> None:
    rows = str(edit_report(text_to_graph(""), text_to_graph("ab"))).splitlines()
    assert rows[3:] == ["+ node  -> 0 'a'", "+ node  -> 1 'b'", "+ edge  -> 0-1 'next'"]


@given(graphs(), graphs())
def test_the_document_survives_json(predicted: Data, target: Data) -> None:
    report = edit_report(predicted, target)
    document = report.to_dict()
    assert json.loads(json.dumps(document)) == document
    assert document["cost"] == report.cost
    assert [len(document["nodes"]), len(document["edges"])] == [
        len(report.nodes),
        len(report.edges),
    ]
    assert sum(document["edge_counts"].values()) == len(report.edges)


def test_prices_decide_what_is_edited() -> None:
    predicted = make_graph(["a", "b"], [(0, 1, "x")])
    target = make_graph(["b", "a"], [(0, 1, "x")])
    assert edit_report(predicted, target, edge_cost=0.25).count("nodes")["kept"] == 2
    assert edit_report(predicted, target, node_cost=0.25).count("edges")["kept"] == 1


@pytest.mark.parametrize("price", [-1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("name", ["node_cost", "edge_cost"])
def test_a_price_out_of_range_is_refused(name: str, price: float) -> None:
    message = f"`{name}` must be finite and not negative, got {price}. An edit costs 1 unless"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        edit_report(text_to_graph("a"), text_to_graph("b"), **{name: price})


def test_pairs_that_do_not_pair_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"^`target` must hold one graph per predicted graph \(1\)"
    ):
        edit_reports([text_to_graph("a")], [])


def test_a_double_edge_is_refused() -> None:
    double = make_graph(["a", "b"], [(0, 1, "x"), (0, 1, "y")])
    message = r"^a graph must have at most one edge per ordered pair of nodes, got \[\(0, 1\)\]\."
    with pytest.raises(InputError, match=message):
        edit_report(text_to_graph("ab"), double)


def test_a_graph_without_labels_is_refused() -> None:
    bare = Data(edge_index=torch.zeros(2, 0, dtype=torch.long), num_nodes=1)
    with pytest.raises(InputError, match=r"^`graph.label` must be a list with one string per node"):
        edit_report(text_to_graph("a"), bare)
