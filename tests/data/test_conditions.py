"""What a network asks of its pairs: no cycles, targets that fit, positions on all or none."""

import re

import pytest
from torch_geometric.data import Batch, Data

from grapheme_torch._check import InputError, Notice
from grapheme_torch.data import Pair, check_acyclic, check_sizes, unify_positions
from grapheme_torch.graphs import make_graph, text_to_graph

from .strategies import form


def _pair(given: Data, wanted: Data) -> Pair:
    return Pair(given, wanted, line=4, source="f.jsonl")


def _ring(n: int) -> Data:
    return make_graph(["a"] * n, [(i, (i + 1) % n, "next") for i in range(n)])


def test_texts_and_empty_graphs_are_acyclic() -> None:
    check_acyclic([_pair(_ring(3), text_to_graph("abc")), _pair(_ring(2), make_graph([]))])


@pytest.mark.parametrize(
    ("target", "cycle"),
    [
        (make_graph(["a", "b"], [(0, 1, "next"), (1, 0, "next")]), "0 'a' -> 1 'b' -> 0 'a'"),
        (make_graph(["a", "b"], [(0, 1, "next"), (1, 1, "next")]), "1 'b' -> 1 'b'"),
        (_ring(20), "0 'a' -> 1 'a' -> 2 'a' -> 3 'a' -> 4 'a' -> 5 'a' -> 6 'a' -> ... -> 0 'a'"),
    ],
    ids=["two", "loop", "long"],
)
def test_a_cyclic_target_is_refused_with_its_cycle(target: Data, cycle: str) -> None:
    message = f'f.jsonl:4: the "target" must have no directed cycle, got the cycle {cycle}. Drop'
    pairs = [_pair(text_to_graph("ab"), text_to_graph("")), _pair(text_to_graph("ab"), target)]
    with pytest.raises(InputError, match="^" + re.escape(message)):
        check_acyclic(pairs)


def test_a_target_larger_than_its_input_is_refused() -> None:
    check_sizes([_pair(text_to_graph("ab"), text_to_graph("cd")), _pair(_ring(1), make_graph([]))])
    message = (
        'f.jsonl:4: the "target" must have at most as many nodes as the "input", '
        "got 3 nodes for 2. Give more output nodes per input node (--network.slots.per-node 2), "
        "or leave such pairs "
        "out (--skip-larger true)."
    )
    with pytest.raises(InputError, match="^" + re.escape(message)):
        check_sizes([_pair(text_to_graph("ab"), text_to_graph("cde"))])


def test_one_graph_without_position_takes_those_of_its_side_only() -> None:
    placed, bare = text_to_graph("ab"), make_graph(["a"])
    pairs = [_pair(placed, placed), _pair(bare, placed)]
    message = (
        'f.jsonl:4: no position in the "input" (1 of 2 lack it), so all inputs lose theirs. Give '
        "one to every node, or to none in all the data."
    )
    with pytest.warns(Notice, match="^" + re.escape(message) + "$") as told:
        first, second = unify_positions(pairs)
    assert len(told) == 1
    assert "position" not in first.input
    assert form(first.input)[:2] == form(placed)[:2]
    assert form(first.target) == form(second.target) == form(placed)
    assert form(pairs[0].input) == form(placed)
    assert (second.line, second.source) == (4, "f.jsonl")
    batch = Batch.from_data_list([first.input, second.input])
    assert batch.num_nodes == 3


def test_positions_that_all_graphs_have_stay() -> None:
    pairs = [_pair(text_to_graph(text), text_to_graph("")) for text in ("ab", "")]
    assert [form(pair.input) for pair in unify_positions(pairs)] == [
        form(pair.input) for pair in pairs
    ]
    assert unify_positions([]) == []


def test_a_graph_without_nodes_takes_no_positions() -> None:
    pairs = [_pair(text_to_graph("ab"), text_to_graph("")), _pair(make_graph([]), make_graph([]))]
    unified = unify_positions(pairs)
    assert unified[0].input.position.tolist() == [0, 1]
    assert all(pair.input.position.shape == (pair.input.num_nodes,) for pair in unified)
    assert Batch.from_data_list([pair.input for pair in unified]).num_nodes == 2
    assert "position" not in pairs[1].input
