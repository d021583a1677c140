"""Two hard graphs beside each other."""

import json

import pytest
import torch

from grapheme_torch import InputError, StructuralLoss, edit_report, make_graph, text_to_graph
from grapheme_torch.train import compare


def test_the_terms_the_plan_and_the_edits() -> None:
    predicted, target = text_to_graph("kitten"), text_to_graph("sitting")
    found = compare(predicted, target)
    terms = found.terms
    assert terms["total"] == pytest.approx(
        terms["node"] + 0.5 * terms["edge"] + 2 * terms["clique"], rel=1e-6
    )
    assert found.converged
    assert found.plan.shape == (7, 8)
    assert torch.allclose(found.plan[:-1].sum(1), torch.ones(6).double())
    assert torch.allclose(found.plan[:, :-1].sum(0), torch.ones(7).double())
    assert found.edits == edit_report(predicted, target)
    # two letters relabelled, one inserted with its edge
    assert found.edits.cost == 4
    assert terms["node"] + terms["edge"] == pytest.approx(4, abs=0.01)


@pytest.mark.parametrize("text", ["", "a", "What color is sky?", "🇩🇪é"])
def test_a_graph_and_itself(text: str) -> None:
    found = compare(text_to_graph(text), text_to_graph(text))
    assert found.edits.is_exact
    assert found.terms["total"] == pytest.approx(0, abs=1e-3)


def test_the_empty_graph() -> None:
    found = compare(text_to_graph(""), text_to_graph("ab"))
    assert found.edits.cost == 3
    assert found.terms["node"] == pytest.approx(2)
    assert found.terms["edge"] == pytest.approx(1)
    assert found.plan.shape == (1, 3)


def test_any_loss_may_be_given() -> None:
    sides = text_to_graph("ab"), text_to_graph("ba")
    default, same = compare(*sides), compare(*sides, StructuralLoss(criterion="edit"))
    assert default.terms == same.terms
    double = compare(*sides, StructuralLoss(2.0, 1.0, 4.0, criterion="edit", reduction="none"))
    assert double.terms["total"] == pytest.approx(2 * default.terms["total"])


def test_a_comparison_as_json_and_as_text() -> None:
    found = compare(text_to_graph("ab"), text_to_graph("b"))
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert list(document) == ["loss", "edits", "plan"]
    assert list(document["loss"]) == ["total", "node", "edge", "clique"]
    assert document["edits"]["cost"] == 2
    assert [len(row) for row in document["plan"]] == [2, 2, 2]
    lines = str(found).splitlines()
    assert lines[0].startswith(f"loss {found.terms['total']:.6g}: node ")
    assert lines[1] == "edit cost 2"


def test_an_edge_twice_is_refused() -> None:
    twice = make_graph(["a", "b"], [(0, 1, "x"), (0, 1, "y")], None)
    with pytest.raises(InputError, match="a graph must have at most one edge per ordered pair"):
        compare(twice, text_to_graph("ab"))
