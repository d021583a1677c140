"""Alphabets: numbering and back, for any graphs."""

import json
import re
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapheme_torch._check import InputError
from grapheme_torch.data import Alphabet
from grapheme_torch.graphs import graph_from_node_link, make_graph, text_to_graph

from .strategies import documents, form, patient


@patient
@given(several=st.lists(documents(), max_size=4))
def test_what_is_encoded_is_decoded(several: list[dict[str, Any]]) -> None:
    graphs = [graph_from_node_link(document) for document in several]
    alphabet = Alphabet.of(graphs)
    for graph in graphs:
        encoded = alphabet.encode(graph)
        labels, edges, _ = form(graph)
        assert encoded.y.dtype == encoded.edge_type.dtype == torch.long
        assert [alphabet.decode_label(i) for i in encoded.y.tolist()] == labels
        relations = [alphabet.decode_relation(r) for r in encoded.edge_type.tolist()]
        assert relations == [name for _, _, name in edges]
        assert form(encoded) == form(graph)
        assert "y" not in graph
        assert alphabet.covers(graph)


@patient
@given(several=st.lists(documents(), max_size=4), seed=st.randoms())
def test_the_order_of_the_graphs_does_not_matter(several: list[Any], seed: Any) -> None:
    graphs = [graph_from_node_link(document) for document in several]
    alphabet = Alphabet.of(graphs)
    seed.shuffle(graphs)
    assert Alphabet.of(graphs + graphs) == alphabet
    assert list(alphabet.labels) == sorted(alphabet.labels)
    assert list(alphabet.relations) == sorted(alphabet.relations)


@patient
@given(text=st.text())
def test_json_holds_an_alphabet(text: str) -> None:
    alphabet = Alphabet.of([text_to_graph(text)])
    assert Alphabet.from_dict(json.loads(json.dumps(alphabet.to_dict()))) == alphabet


def test_numbers_follow_the_order_of_code_points() -> None:
    alphabet = Alphabet.of([text_to_graph("ba"), make_graph(["é", "B"], [(0, 1, "child")])])
    assert alphabet == Alphabet(("B", "a", "b", "é"), ("child", "next"))
    encoded = alphabet.encode(text_to_graph("abé"))
    assert (encoded.y.tolist(), encoded.edge_type.tolist()) == ([1, 2, 3], [2, 2])


@pytest.mark.parametrize("graphs", [[], [make_graph([])]], ids=["no graph", "an empty graph"])
def test_an_empty_alphabet_encodes_the_empty_graph(graphs: list[Any]) -> None:
    alphabet = Alphabet.of(graphs)
    assert alphabet == Alphabet((), ())
    encoded = alphabet.encode(text_to_graph(""))
    assert encoded.y.shape == encoded.edge_type.shape == (0,)
    assert encoded.y.dtype == encoded.edge_type.dtype == torch.long


def test_names_outside_the_alphabet_are_refused() -> None:
    alphabet = Alphabet.of([text_to_graph("ab")])
    label, relation = make_graph(["c"]), make_graph(["a", "b"], [(0, 1, "child")])
    assert not alphabet.covers(label)
    assert not alphabet.covers(relation)
    message = "a node label must be one of the 2 labels of the alphabet, got 'c'. Build the"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        alphabet.encode(label)
    message = "an edge label must be one of the 1 relations of the alphabet, got 'child'. Build"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        alphabet.encode(relation)


@pytest.mark.parametrize(
    ("relations", "index", "message"),
    [
        (("next",), 0, "a relation must be from 1 to 1, got 0. Use the alphabet that the network"),
        (("next",), 2, "a relation must be from 1 to 1, got 2."),
        ((), 1, "a relation must not be asked for (the alphabet has none), got 1."),
    ],
)
def test_a_relation_out_of_range_is_refused(
    relations: tuple[str, ...], index: int, message: str
) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        Alphabet((), relations).decode_relation(index)


@pytest.mark.parametrize("index", [-1, 2])
def test_a_class_out_of_range_is_refused(index: int) -> None:
    message = f"a class must be from 0 to 1, got {index}. Use the alphabet"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        Alphabet(("a", "b"), ()).decode_label(index)


@pytest.mark.parametrize("names", [("b", "a"), ("a", "a")])
def test_unsorted_and_repeated_names_are_refused(names: tuple[str, ...]) -> None:
    for key, alphabet in (("labels", (names, ())), ("relations", ((), names))):
        message = f"`Alphabet.{key}` must be a sorted tuple without repeats, got {names!r}. Build"
        with pytest.raises(InputError, match="^" + re.escape(message)):
            Alphabet(*alphabet)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"labels": []}, 'the "relations" of an alphabet must be a list of strings, got nothing.'),
        ({"labels": "ab"}, "the \"labels\" of an alphabet must be a list of strings, got 'ab'."),
        ({"labels": [1]}, 'the "labels" of an alphabet must be a list of strings, got [1]. Write'),
    ],
)
def test_a_broken_document_is_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        Alphabet.from_dict(document)


def test_direction_is_kept_and_an_undirected_edge_stands_once() -> None:
    edges = [(0, 1, "x"), (1, 0, "x")]
    both = make_graph("ab", edges)
    assert Alphabet.of([both]).encode(both).directed is True
    del both.directed  # as PyTorch Geometric has it
    for graph in (both, make_graph("ab", edges[:1], directed=False)):
        encoded = Alphabet.of([graph]).encode(graph)
        assert encoded.directed is False
        assert encoded.edge_index.tolist() == [[0], [1]]
        assert encoded.edge_type.tolist() == [1]
    assert both.num_edges == 2
