"""Scores of trees and texts, and the kernel of neighbourhoods: known values and laws."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data

from grapheme_torch import InputError, text_to_graph
from grapheme_torch.edits._colours import refinements, stable_colours
from grapheme_torch.graphs import edge_triples, make_graph, node_labels
from grapheme_torch.metrics import GraphMetrics
from grapheme_torch.metrics._scores import subtree_kernel

from ..random_graphs import graphs, ring, shuffled, untouched_random
from ..unchecked import unchecked

KNOWS = [(1, 0, "nsubj"), (1, 2, "obj")]
"""The edges of "she knows him", from head to dependent."""


def sentence(words: str, edges: list[tuple[int, int, str]]) -> Data:
    return make_graph(words.split(), edges)


def measured(predicted: Data, target: Data, **options: Any) -> dict[str, float]:
    metrics = GraphMetrics(**options)
    metrics.update([predicted], [target])
    return metrics.compute()


def attached(predicted: Data, target: Data, **options: Any) -> tuple[float, float]:
    found = measured(predicted, target, **options)
    return found["uas"], found["las"]


@st.composite
def trees(draw: st.DrawFn) -> Data:
    n = draw(st.integers(1, 6))
    label = draw(st.lists(st.sampled_from("ab"), min_size=n, max_size=n))
    edges = [(draw(st.integers(0, k - 1)), k, draw(st.sampled_from("xy"))) for k in range(1, n)]
    with untouched_random():
        return make_graph(label, edges)


# Attachment.


@pytest.mark.parametrize(
    ("edges", "uas", "las"),
    [
        (KNOWS, 1.0, 1.0),
        ([(1, 0, "obj"), (1, 2, "obj")], 1.0, 2 / 3),
        ([(1, 0, "nsubj"), (0, 2, "obj")], 2 / 3, 2 / 3),
        ([(1, 0, "nsubj")], 2 / 3, 2 / 3),
        ([*KNOWS, (0, 2, "obj")], 2 / 3, 2 / 3),  # two heads are not the right one
        ([*KNOWS, (0, 1, "root")], 2 / 3, 2 / 3),  # and a root has none
    ],
)
def test_attachment(edges: list[tuple[int, int, str]], uas: float, las: float) -> None:
    target = sentence("she knows him", KNOWS)
    assert attached(sentence("she knows him", edges), target) == (uas, las)


def test_a_missing_node_is_wrong() -> None:
    target = sentence("a b c", [(0, 1, "x"), (1, 2, "x")])
    assert attached(sentence("a b", [(0, 1, "x")]), target) == (2 / 3, 2 / 3)
    assert attached(make_graph([]), target) == (0.0, 0.0)


def test_a_label_is_no_matter_of_attachment() -> None:
    target = sentence("she knows him", KNOWS)
    assert attached(sentence("she sees him", KNOWS), target) == (1.0, 1.0)


def test_nodes_can_be_matched_in_order() -> None:
    target = sentence("a b a", [(0, 1, "x"), (1, 2, "x")])
    other = sentence("a b a", [(2, 1, "x"), (1, 0, "x")])
    assert attached(other, target) == (1.0, 1.0)
    assert attached(other, target, matching="order") == (0.0, 0.0)
    shorter = sentence("a b", [(0, 1, "x")])
    assert attached(shorter, target, matching="order") == attached(shorter, target) == (2 / 3,) * 2


@pytest.mark.parametrize(
    "target",
    [
        make_graph([]),
        make_graph("ab"),
        make_graph("ab", [(0, 1, "x"), (1, 0, "x")]),
        make_graph("abc", [(1, 2, "x"), (2, 1, "x")]),
        make_graph("abc", [(0, 2, "x"), (1, 2, "x")]),
        make_graph("a", [(0, 0, "x")]),
    ],
)
def test_only_trees_have_attachment_scores(target: Data) -> None:
    assert not {"uas", "las"} & set(measured(make_graph("a"), target))


def test_scores_are_shares_of_all_nodes_of_trees() -> None:
    metrics = GraphMetrics()
    single, four = make_graph("a"), text_to_graph("bcde")
    metrics.update([single, make_graph([]), single], [single, four, make_graph("ab")])
    assert metrics.compute()["uas"] == 1 / 5


def test_an_unknown_matching_is_refused() -> None:
    message = r"^`matching` must be one of edits, order, got 'greedy'\. Without it"
    with pytest.raises(InputError, match=message):
        unchecked(GraphMetrics)(matching="greedy")


@given(st.data())
def test_a_tree_is_attached_as_itself(data: st.DataObject) -> None:
    tree = data.draw(trees())
    assert attached(data.draw(shuffled(tree)), tree) == (1.0, 1.0)
    assert attached(tree, tree, matching="order") == (1.0, 1.0)


@given(graphs(), trees(), st.sampled_from(["edits", "order"]))
def test_labels_make_attachment_no_easier(predicted: Data, tree: Data, matching: str) -> None:
    uas, las = attached(predicted, tree, matching=matching)
    assert 0 <= las <= uas <= 1


# Texts.


@pytest.mark.parametrize(
    ("predicted", "target", "chars", "words"),
    [
        ("kitten", "sitting", 3 / 7, 1.0),
        ("the cat", "the cat", 0.0, 0.0),
        ("cat", "the cat", 4 / 7, 1 / 2),
        ("", "ab cd", 1.0, 1.0),
        ("a b c", "a", 4.0, 2.0),
        ("", "", 0.0, 0.0),
        ("x", "", 1.0, 1.0),
        ("🇩🇪é", "🇩🇪e", 1 / 2, 1.0),  # a symbol is a grapheme cluster
    ],
)
def test_error_rates(predicted: str, target: str, chars: float, words: float) -> None:
    found = measured(text_to_graph(predicted), text_to_graph(target))
    assert (found["char_error_rate"], found["word_error_rate"]) == (chars, words)


def test_a_symbol_is_a_node_label() -> None:
    phones = [make_graph(word.split(), [(0, 1, "next")]) for word in ("tʃʰ o", "tʃʰ u")]
    assert measured(*phones)["char_error_rate"] == 1 / 2


def test_what_is_no_path_spells_nothing() -> None:
    assert measured(make_graph("ab"), text_to_graph("ab"))["char_error_rate"] == 1.0


@given(st.text("ab ", max_size=8), st.text("ab ", max_size=8))
def test_errors_are_at_most_the_longer_text(first: str, second: str) -> None:
    there, back = (
        measured(text_to_graph(one), text_to_graph(other))["char_error_rate"] * max(len(other), 1)
        for one, other in ((first, second), (second, first))
    )
    assert (there == 0) == (first == second)
    if first and second:
        assert there == pytest.approx(back)
        assert abs(len(first) - len(second)) <= round(float(there)) <= max(len(first), len(second))


# The kernel.


def _neighbourhood(graph: Data, node: int, radius: int) -> Any:
    """All that is seen from a node within a radius, as one nested value."""
    if radius == 0:
        return node_labels(graph)[node]
    edges = edge_triples(graph)
    out = sorted((r, str(_neighbourhood(graph, v, radius - 1))) for u, v, r in edges if u == node)
    into = sorted((r, str(_neighbourhood(graph, u, radius - 1))) for u, v, r in edges if v == node)
    return _neighbourhood(graph, node, radius - 1), out, into


def _plain_kernel(first: Data, second: Data) -> float:
    def features(graph: Data) -> Counter[str]:
        places = [(node, radius) for node in range(len(graph.label)) for radius in range(4)]
        return Counter(f"{r}: {_neighbourhood(graph, node, r)}" for node, r in places)

    def product(left: Counter[str], right: Counter[str]) -> int:
        return sum(count * right[name] for name, count in left.items())

    left, right = features(first), features(second)
    norm = (product(left, left) * product(right, right)) ** 0.5
    return product(left, right) / norm if norm else float(not left and not right)


@given(graphs(max_nodes=4), graphs(max_nodes=4))
def test_the_kernel_counts_equal_neighbourhoods(first: Data, second: Data) -> None:
    value = subtree_kernel(first, second)
    assert value == pytest.approx(_plain_kernel(first, second))
    assert value == subtree_kernel(second, first)
    assert 0 <= value <= 1


@given(st.data())
def test_the_kernel_does_not_see_the_numbering(data: st.DataObject) -> None:
    graph, other = data.draw(graphs()), data.draw(graphs())
    again = data.draw(shuffled(graph))
    assert subtree_kernel(graph, again) == 1.0
    assert subtree_kernel(again, other) == subtree_kernel(graph, other)


def test_relations_and_directions_make_a_neighbourhood() -> None:
    plain = make_graph("ab", [(0, 1, "x")])
    for edges in ([], [(1, 0, "x")], [(0, 1, "y")]):
        assert subtree_kernel(make_graph("ab", edges), plain) == 1 / 4
    assert subtree_kernel(make_graph("cd", [(0, 1, "x")]), plain) == 0.0


def test_the_kernel_grows_as_a_graph_comes_nearer() -> None:
    target = text_to_graph("abcdefgh")
    label, edges = node_labels(target), edge_triples(target)
    values = [subtree_kernel(make_graph(label, edges[:k]), target) for k in range(len(edges) + 1)]
    assert all(before < after for before, after in pairwise(values))
    assert values[-1] == 1.0


def test_what_refinement_cannot_tell_apart() -> None:
    assert subtree_kernel(ring([6]), ring([3, 3])) == 1.0
    assert measured(ring([6]), ring([3, 3]))["exact_match"] == 0.0


def test_colours_are_stable_once_no_round_splits_them() -> None:
    (path,) = stable_colours([text_to_graph("aaaaa")])
    assert len(set(path)) == 5
    (star,) = stable_colours([make_graph("caaa", [(0, 1, "x"), (0, 2, "x"), (0, 3, "y")])])
    assert star[1] == star[2] != star[3]
    assert stable_colours([make_graph([])]) == [[]]
    assert next(refinements([make_graph("aba")])) == [[0, 1, 0]]
