"""Answers whose text, written back, is that of the target."""

from dataclasses import replace

import pytest

from grapheme_torch import InputError, make_graph
from grapheme_torch.data import Pair
from grapheme_torch.data._records import make_pair
from grapheme_torch.train._exact_forms import ExactForms

WORDS = ["A", "dog", "saw", "Ann"]
EDGES = [(1, 0, "agent"), (1, 2, "theme")]


def _pair() -> Pair:
    labels = ["dog", "see", "Ann"]
    target = make_graph(labels, EDGES, directed=True)
    given = make_graph(WORDS, [(k, k + 1, "next") for k in range(3)], [0, 1, 2, 3], directed=True)
    return Pair(given, target, {"alignment": [1, 2, 3]})


def _share(*answers: tuple[list[str], list[tuple[int, int, str]], list[float]]) -> float:
    pair = _pair()
    forms = ExactForms("slog", [pair])
    graphs = [make_graph(*answer, directed=True) for answer in answers]
    forms.update([pair] * len(graphs), graphs)
    return forms.compute()


def test_numbers_of_nodes_do_not_count_but_order_does() -> None:
    right = (["dog", "see", "Ann"], EDGES, [1.0, 2.0, 3.0])
    renumbered = (["Ann", "see", "dog"], [(1, 0, "theme"), (1, 2, "agent")], [3.5, 2.0, 1.0])
    assert _share(right, renumbered) == 1.0
    turned = (["dog", "see", "Ann"], EDGES, [3.0, 2.0, 1.0])
    other_role = (["dog", "see", "Ann"], [EDGES[0], (1, 2, "recipient")], [1.0, 2.0, 3.0])
    assert _share(right, turned, other_role, renumbered) == 0.5


def test_an_answer_that_cannot_be_written_is_wrong() -> None:
    assert _share((["dog", "see"], [], [0.0, 1.0]), ([], [], [])) == 0.0


def test_a_target_that_cannot_be_written_is_refused() -> None:
    pair = _pair()
    with pytest.raises(InputError, match=r'^x:7: the "alignment" must be a list, got None'):
        ExactForms("slog", [replace(pair, extra={}, source="x", line=7)])
    with pytest.raises(InputError, match="the format must have a way back, got 'pairs'"):
        ExactForms("pairs", [pair])


def test_texts_are_read_as_characters() -> None:
    edge = {"source": 1, "target": 0, "label": "agent"}
    nodes = [{"id": 0, "label": "dog"}, {"id": 1, "label": "run"}]
    record = {
        "input": "A dog ran",
        "target": {"nodes": nodes, "edges": [edge]},
        "alignment": [2, 6],
    }
    pair = make_pair(record, "x", 1)
    forms = ExactForms("cogs", [pair])
    inside = make_graph(["dog", "run"], [(1, 0, "agent")], [3.0, 8.0], directed=True)
    forms.update([pair], [inside])
    assert forms.compute() == 1.0
