"""What a notebook shows: small, whole, its own, and never an error."""

import math
import pickle
import re
import time
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from grapheme_torch import (
    GradientReport,
    Prediction,
    StructuralLoss,
    Window,
    check_gradients,
    edit_report,
    text_to_graph,
)
from grapheme_torch.gradients import TensorCheck
from grapheme_torch.graphs import LabelledGraph, make_graph
from grapheme_torch.page import notebook_html

from .said import explained
from .test_explanation_page import HOSTILE, Page

SMALL = 30_000
"""Bytes of what is shown of small things; 6,000 are the style sheet."""


def prediction_of(graphs: int = 3, slots: int = 5, **options: Any) -> Prediction:
    rng = torch.Generator().manual_seed(0)
    nodes = torch.randn(graphs, slots, 4, generator=rng)
    edges = torch.randn(graphs, slots, slots, 3, generator=rng)
    return Prediction.from_dense(nodes, edges, **options)


def targets_of(graphs: int = 3) -> list[Data]:
    edges = torch.tensor([[0, 1, 2], [1, 2, 3]])
    y = torch.tensor([0, 1, 2, 1])
    place = torch.arange(4.0)
    return [Data(y=y, edge_index=edges, position=place, num_nodes=4) for _ in range(graphs)]


def gradients() -> GradientReport:
    torch.manual_seed(0)
    inputs = torch.ones(2, 3)
    return check_gradients(torch.nn.Linear(3, 4), lambda out, _: out.square().mean(), inputs, None)


def _ring() -> Data:
    ring = nx.cycle_graph(6)
    return make_graph("abcdef", [(u, v, "e") for u, v in ring.edges], directed=False)


TEXTS = [text_to_graph(text) for text in ("abc", "שלום", "", "日本語の", "e", "f")]
THINGS: dict[str, tuple[Any, str]] = {
    "text": (text_to_graph("sky?"), "Graph</strong>: 4 nodes, 3 edges"),
    "ring": (_ring(), "Graph</strong>: 6 nodes, 6 edges, undirected"),
    "batch": (Batch.from_data_list(TEXTS), "Batch</strong>: 6 graphs, 13 nodes"),
    "prediction": (
        prediction_of(),
        "3 graphs, 15 output nodes, 3 classes, 60 candidate edges, 2 relations",
    ),
    "loss": (
        StructuralLoss()(prediction_of(), targets_of()),
        "3 of 3 alignments converged; largest residual",
    ),
    "loss of each pair": (
        StructuralLoss(reduction="none")(prediction_of(), targets_of()),
        "(mean of the pairs); 3 pairs",
    ),
    "loss of some matches": (
        StructuralLoss(matches=Window(1))(
            prediction_of(position=torch.arange(5.0).expand(3, 5)), targets_of()
        ),
        "3 pairs",
    ),
    "edits": (
        edit_report(text_to_graph("kitten"), text_to_graph("sitting")),
        "edit cost 4. Nodes: 4 kept, 2 relabelled, 1 inserted.",
    ),
    "gradients": (gradients(), "Gradients</strong>: passed; max relative error"),
    "explanation": (explained(text_to_graph("walk PST"), text_to_graph("walked")), "edit cost"),
}  # fmt: skip


@pytest.mark.parametrize("name", THINGS)
def test_results_are_shown(name: str) -> None:
    thing, told = THINGS[name]
    text = thing._repr_html_()
    assert told in text
    assert text == notebook_html(thing)
    page = Page(text)
    assert page.open == []
    assert len(text.encode()) < SMALL
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe"}
    assert re.findall(r"(?:https?:)?//[\w.]+", re.sub(r'xmlns="[^"]*"', "", text)) == []


def test_identifiers_are_those_of_one_output() -> None:
    texts = [thing._repr_html_() for thing, _ in THINGS.values()]
    ids = [name for text in texts for name in re.findall(r' id="([^"]*)"', text)]
    assert len(ids) == len(set(ids))
    named = {name for text in texts for name in re.findall(r"url\(#([^)]*)\)", text)}
    assert named
    assert named <= set(ids)


def test_labels_do_no_harm() -> None:
    for thing in (HOSTILE, edit_report(HOSTILE, text_to_graph("<b>"))):
        text = thing._repr_html_()
        page = Page(text)
        assert page.open == []
        assert not {tag for tag, _ in page.elements} & {"script", "b", "img", "iframe"}
        assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]


@settings(max_examples=25)
@given(st.lists(st.text(max_size=4), max_size=4), st.text(max_size=4))
def test_any_label_is_shown(labels: list[str], relation: str) -> None:
    graph = make_graph(labels, [(k, k + 1, relation) for k in range(len(labels) - 1)])
    assert Page(notebook_html(graph) or "").open == []


@pytest.mark.repeats
def test_what_is_large_is_summarised() -> None:
    tree = nx.random_labeled_tree(20_000, seed=1)
    graph = make_graph([f"n{k % 13}" for k in tree], [(u, v, "e") for u, v in tree.edges])
    torch.manual_seed(0)
    wide = Prediction.from_dense(torch.zeros(2, 200, 9), torch.zeros(2, 200, 200, 2))
    many = prediction_of(graphs=500, slots=3)
    long = text_to_graph("ab" * 400)
    start = time.perf_counter()
    texts = [notebook_html(one) or "" for one in (graph, Batch.from_data_list([graph]), wide, many)]
    texts.append(notebook_html(edit_report(long, text_to_graph("ab" * 380))) or "")
    assert all(0 < len(text) < SMALL for text in texts)
    assert "20,000 nodes, 19,999 edges, too large to be drawn here" in texts[0]
    assert "5 others" in texts[0]
    assert "and 496 more" in texts[3]
    assert time.perf_counter() - start < 20


def test_what_failed_is_told_first() -> None:
    rows = [TensorCheck(f"t{k}", (2,), 3, 1e-9 * k, 1.0, "ok") for k in range(20)]
    rows[3] = TensorCheck("bad", (2, 2), 3, math.nan, math.nan, "not finite")
    text = notebook_html(GradientReport(tuple(rows), 1e-6, 1.0, 1e-6)) or ""
    told = re.findall(r'<td class="label">(t\d+|bad)</td>', text)
    assert told == ["bad", *(f"t{k}" for k in range(19, 8, -1))]
    assert "FAILED" in text
    assert "and 8 more" in text


def test_a_large_plan_is_left_out() -> None:
    soft = Prediction.from_dense(torch.zeros(1, 50, 4), torch.zeros(1, 50, 50, 2))
    text = notebook_html(StructuralLoss()(soft, targets_of(1))) or ""
    assert "Structural loss" in text
    assert 'class="plan"' not in text


def test_a_plan_shows_its_mass() -> None:
    result = StructuralLoss()(prediction_of(1), targets_of(1))
    text = notebook_html(result) or ""
    plan = result.plan[0].clone()
    plan[-1, -1] = 0
    shown = [float(x) for x in re.findall(r'class="cell"[^>]*fill-opacity="([\d.]+)"', text)]
    assert shown == pytest.approx([float(x) for x in plan[plan >= 0.02]], abs=0.006)


ODD: dict[str, Any] = {
    "no node": make_graph([]),
    "no graph": prediction_of()[[]],
    "no slot": prediction_of(slots=0),
    "no class": Prediction(
        torch.zeros(2), torch.zeros(2, 0), torch.zeros(2, 0).long(), torch.zeros(0, 2)
    ),
    "no relation": Prediction(
        torch.ones(2), torch.zeros(2, 1), torch.tensor([[0], [1]]), torch.zeros(1, 0)
    ),
    "not finite": prediction_of().apply(lambda x: x / 0 if x.is_floating_point() else x),
    "a graph whose labels are gone": LabelledGraph(num_nodes=3),
    "an edge that ends nowhere": LabelledGraph(
        label=["a"], edge_index=torch.tensor([[0], [7]]), num_nodes=1
    ),
    "no tensor checked": GradientReport((), 1e-6, 0.0, 1e-6),
    "a loss that is no number": StructuralLoss()(
        prediction_of().apply(lambda x: x * torch.nan if x.is_floating_point() else x), targets_of()
    ),
}  # fmt: skip


@pytest.mark.untyped
@pytest.mark.parametrize("name", ODD)
def test_odd_content_never_raises(name: str) -> None:
    text = ODD[name]._repr_html_()
    if text is not None:
        assert Page(text).open == []
        assert len(text) < SMALL
    spoilt = name in ("a graph whose labels are gone", "an edge that ends nowhere")
    assert (text is None) == spoilt


def test_other_things_are_not_ours() -> None:
    assert notebook_html("text") is None


def test_a_labelled_graph_travels() -> None:
    graph = text_to_graph("ab")
    batch = pickle.loads(pickle.dumps(Batch.from_data_list([graph, graph])))
    assert isinstance(batch[1], LabelledGraph)
    assert batch.label == [["a", "b"]] * 2
    assert isinstance(graph.clone().to("cpu"), LabelledGraph)
