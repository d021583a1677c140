"""Text to a graph and back; what a graph holds, its hashes, and batches of graphs."""

import re
import unicodedata

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from grapheme_torch import InputError
from grapheme_torch.graphs import (
    edge_triples,
    graph_to_text,
    hash_labels,
    is_acyclic,
    make_graph,
    membership,
    node_labels,
    path_order,
    text_to_graph,
)

from ..unchecked import unchecked

CLUSTERS = {
    "latin": ("Cat", ["C", "a", "t"]),
    "combining mark": ("e\u0301a", ["e\u0301", "a"]),
    "composed": ("\u00e9a", ["\u00e9", "a"]),
    "many marks": ("Z\u0351\u036b\u0343a", ["Z\u0351\u036b\u0343", "a"]),
    "leading mark": ("\u0301a", ["\u0301", "a"]),
    "family": (
        "\U0001f469\u200d\U0001f469\u200d\U0001f467!",
        ["\U0001f469\u200d\U0001f469\u200d\U0001f467", "!"],
    ),
    "skin": ("\U0001f44d\U0001f3fd\U0001f44d", ["\U0001f44d\U0001f3fd", "\U0001f44d"]),
    "flags": (
        "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7",
        ["\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"],
    ),
    "half a flag": ("\U0001f1e9x", ["\U0001f1e9", "x"]),
    "keycap": ("1\ufe0f\u20e3", ["1\ufe0f\u20e3"]),
    "hebrew": ("שָׁלוֹם", ["שָׁ", "ל", "וֹ", "ם"]),
    "arabic": ("مَرحبا", ["مَ", "ر", "ح", "ب", "ا"]),
    "hangul": ("\u1112\u1161\u11ab\uae00", ["\u1112\u1161\u11ab", "\uae00"]),
    "line ends": ("a\r\nb\nc\rd", ["a", "\r\n", "b", "\n", "c", "\r", "d"]),
    "controls": ("\x00\u200b\ufeff", ["\x00", "\u200b", "\ufeff"]),
    "outside the basic plane": ("𝒜𐍈", ["𝒜", "𐍈"]),
}

texts = st.text()  # hypothesis draws no surrogates here, as no encoding can store one


# Text.


@given(texts)
@example("")
@example("\r\n")
@example("\x00")
def test_every_text_comes_back(text: str):
    assert graph_to_text(text_to_graph(text)) == text


@given(
    st.lists(st.sampled_from([*"a\r\n\u0301\u200d\u20e3\U0001f1e9\U0001f469\u1100\u1161\u0600"]))
)
def test_every_text_of_joining_characters_comes_back(parts: list[str]):
    text = "".join(parts)
    assert graph_to_text(text_to_graph(text)) == text


@pytest.mark.parametrize(("text", "clusters"), CLUSTERS.values(), ids=CLUSTERS)
def test_a_node_is_a_grapheme_cluster(text: str, clusters: list[str]):
    graph = text_to_graph(text)
    assert graph.label == clusters
    assert graph_to_text(graph) == text


def test_a_text_is_a_path_in_reading_order():
    graph = text_to_graph("cat")
    assert graph.num_nodes == 3
    assert graph.edge_index.tolist() == [[0, 1], [1, 2]]
    assert graph.edge_label == ["next", "next"]
    assert graph.position.tolist() == [0.0, 1.0, 2.0]
    assert torch.equal(graph.x, hash_labels(["c", "a", "t"]))
    assert torch.equal(graph.edge_attr, hash_labels(["next", "next"]))
    assert is_acyclic(graph)


@pytest.mark.parametrize("graph", [text_to_graph(""), make_graph([])], ids=["text", "graph"])
def test_the_empty_graph(graph: Data):
    assert graph.num_nodes == 0
    assert graph.x.shape == (0, 12)
    assert graph.edge_index.shape == (2, 0)
    assert graph.edge_index.dtype == torch.long
    assert graph.edge_attr.shape == (0, 12)
    assert graph_to_text(graph) == ""
    assert is_acyclic(graph)


def test_one_cluster_has_no_edge():
    graph = text_to_graph("a")
    assert graph.edge_index.shape == (2, 0)
    assert graph_to_text(graph) == "a"


def test_text_is_read_along_the_edges_not_along_the_numbers():
    graph = make_graph(["c", "a", "b"], [(1, 2, "next"), (2, 0, "next")])
    assert path_order(graph) == [1, 2, 0]
    assert graph_to_text(graph) == "abc"


@pytest.mark.parametrize(
    "text", ["\ud800", "x\udfff", "ab\ud83d", "\udc69\ud83d"], ids=["high", "low", "end", "swapped"]
)
def test_a_lone_surrogate_is_refused(text: str):
    start = min(k for k, character in enumerate(text) if "\ud800" <= character <= "\udfff")
    message = (
        "`text` must hold no lone surrogate (no encoding can store one), "
        f"got U+{ord(text[start]):04X} at index {start}. Decode the text properly, or replace it"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        text_to_graph(text)


def test_what_a_refusal_of_a_surrogate_advises_works():
    text = "a\ud800".encode(errors="replace").decode()
    assert graph_to_text(text_to_graph(text)) == "a?"


def test_what_is_no_text_is_refused():
    with pytest.raises(InputError, match=r"^`text` must be a string, got 5\. Put text in quotes\."):
        unchecked(text_to_graph)(5)


@pytest.mark.parametrize(
    ("size", "ends"),
    [
        (2, []),
        (3, [(0, 1)]),
        (1, [(0, 0)]),
        (2, [(0, 1), (1, 0)]),
        (3, [(0, 1), (0, 2)]),
        (3, [(0, 2), (1, 2)]),
        (3, [(0, 1), (1, 2), (0, 2)]),
        (4, [(0, 1), (2, 3), (3, 2)]),
        (5, [(0, 1), (2, 3), (3, 4), (4, 2)]),
    ],
)
def test_a_graph_that_is_no_path_is_no_text(size: int, ends: list[tuple[int, int]]):
    graph = make_graph(["a"] * size, [(u, v, "next") for u, v in ends])
    assert path_order(graph) is None
    message = (
        "`graph` must be one directed path through all its nodes to be read as text, "
        f"got a graph of {size} nodes and {len(ends)} edges. "
        "Read it as node-link JSON instead: `graph_to_node_link(graph)`."
    )
    with pytest.raises(InputError, match=re.escape(message)):
        graph_to_text(graph)


# Building a graph, and asking about it.


@pytest.mark.parametrize("ends", [(0, 2), (2, 0), (-1, 0)])
def test_an_edge_to_no_node_is_refused(ends: tuple[int, int]):
    message = (
        f"an edge must join two of the nodes 0 to 1, got {ends}. "
        "Number the nodes from 0, in the order of their labels."
    )
    with pytest.raises(InputError, match=re.escape(message)):
        make_graph(["a", "b"], [(*ends, "next")])


def test_an_edge_without_nodes_is_refused():
    with pytest.raises(InputError, match=r"^an edge must be left out, got \(0, 0\)\."):
        make_graph([], [(0, 0, "next")])


def test_positions_are_for_all_nodes():
    message = r"^`position` must have one number per node \(2\), got 1\. Give every node its place"
    with pytest.raises(InputError, match=message):
        make_graph(["a", "b"], position=[0.0])


@pytest.mark.parametrize(
    ("graph", "shown"),
    [
        (Data(x=torch.zeros(1, 8)), "None"),
        (Data(x=torch.zeros(2, 8), label=["a"]), "['a']"),
        (Data(x=torch.zeros(1, 8), label="a"), "'a'"),
        (Data(x=torch.zeros(1, 8), label=[1]), "[1]"),
    ],
    ids=["none", "too few", "a string", "a number"],
)
def test_a_graph_without_labels_is_refused(graph: Data, shown: str):
    message = (
        f"`graph.label` must be a list with one string per node ({graph.num_nodes}), got {shown}. "
        "Build the graph with `text_to_graph`, `graph_from_node_link` or `make_graph`."
    )
    with pytest.raises(InputError, match=re.escape(message)):
        node_labels(graph)


@pytest.mark.parametrize("texts", [["a"], ["a", "b"], ["ab", "c"]])
def test_a_batch_has_no_labels_of_its_own(texts: list[str]):
    batch = Batch.from_data_list([text_to_graph(text) for text in texts])
    message = r"Take the graphs of the batch one by one: `batch\.to_data_list\(\)`\.$"
    with pytest.raises(InputError, match=message):
        node_labels(batch)


def test_an_edge_without_a_label_reads_next():
    graph = Data(x=torch.zeros(2, 8), edge_index=torch.tensor([[0], [1]]), label=["a", "b"])
    assert edge_triples(graph) == [(0, 1, "next")]


def test_too_few_edge_labels_are_refused():
    graph = make_graph(["a", "b"], [(0, 1, "next"), (1, 0, "next")])
    graph.edge_label = ["next"]
    message = (
        r"^`graph\.edge_label` must be a list with one string per edge \(2\), got \['next'\]\."
    )
    with pytest.raises(InputError, match=message):
        edge_triples(graph)


@pytest.mark.parametrize(
    ("ends", "acyclic"),
    [
        ([], True),
        ([(0, 1), (1, 2), (0, 2)], True),
        ([(0, 0)], False),
        ([(0, 1), (1, 0)], False),
        ([(0, 1), (1, 2), (2, 0)], False),
    ],
)
def test_acyclic(ends: list[tuple[int, int]], acyclic: bool):
    assert is_acyclic(make_graph(["a"] * 3, [(u, v, "") for u, v in ends])) is acyclic


# Hashes.


def test_hashes_are_the_same_in_every_process():
    whole, points = hash_labels(["a", "שלום"]).split([8, 4], dim=1)
    assert whole.tolist() == [
        [
            1934955588,
            1064059422,
            648760400,
            1087799695,
            1857882143,
            1462445859,
            615617646,
            1377788000,
        ],
        [
            628168600,
            918440013,
            1348154762,
            927269847,
            679953921,
            1977229543,
            2029046738,
            228852625,
        ],
    ]
    assert points.tolist() == [
        [392548603, -1, -1, -1],
        [281802025, 903032999, 2021655818, 1664220059],
    ]


@given(st.lists(st.text(), max_size=5))
def test_hashes_are_in_range_and_one_row_per_label(label: list[str]):
    hashes = hash_labels(label)
    assert hashes.shape == (len(label), 12)
    assert hashes.dtype == torch.long
    assert ((hashes[:, :8] >= 0) & (hashes < 2**31)[:, :8]).all()
    for row, name in zip(hashes[:, 8:].tolist(), label, strict=True):
        count = min(len(unicodedata.normalize("NFD", name)), 4)
        assert all(0 <= value < 2**31 for value in row[:count])
        assert row[count:] == [-1] * (4 - count)


def test_hashes_of_canonically_equal_labels_differ_and_those_of_their_code_points_do_not():
    composed, decomposed = hash_labels(["\u00e9", "e\u0301"])
    assert (composed[:8] != decomposed[:8]).all()
    assert torch.equal(composed[8:], decomposed[8:])


def test_labels_share_the_code_points_they_share():
    han, hat, gan = hash_labels(["한", "핟", "간"])[:, 8:]
    assert (han == hat).tolist() == [True, True, False, True]
    assert (han == gan).tolist() == [False, True, True, True]
    assert han[3] == -1


def test_a_code_point_is_hashed_with_its_place():
    one, two = hash_labels(["ab", "ba"])[:, 8:10]
    assert not set(one.tolist()) & set(two.tolist())
    assert len(set(hash_labels(["aaaa"])[0, 8:].tolist())) == 4


# Batches.


@given(st.lists(texts, min_size=1, max_size=5))
@example(["", "a", "", "cat", ""])
def test_a_batch_gives_its_graphs_back(texts: list[str]):
    batch = Batch.from_data_list([text_to_graph(text) for text in texts])
    assert [graph_to_text(graph) for graph in batch.to_data_list()] == texts


def test_a_batch_is_a_disjoint_union():
    batch = Batch.from_data_list([text_to_graph(text) for text in ["ab", "", "cde"]])
    assert batch.x.shape == (5, 12)
    assert batch.edge_index.tolist() == [[0, 2, 3], [1, 3, 4]]
    assert batch.position.tolist() == [0, 1, 0, 1, 2]
    owner, count = membership(batch)
    assert owner.tolist() == [0, 0, 2, 2, 2]
    assert count == 3


def test_empty_graphs_at_the_end_of_a_batch_count():
    owner, count = membership(Batch.from_data_list([text_to_graph(text) for text in ["a", "", ""]]))
    assert owner.tolist() == [0]
    assert count == 3


@pytest.mark.parametrize("text", ["", "abc"])
def test_a_single_graph_is_a_batch_of_one(text: str):
    owner, count = membership(text_to_graph(text))
    assert owner.tolist() == [0] * len(text)
    assert count == 1


def test_membership_can_be_given_by_a_vector():
    graph = text_to_graph("abc")
    graph.batch = torch.tensor([0, 1, 1])
    owner, count = membership(graph)
    assert owner.tolist() == [0, 1, 1]
    assert count == 2
