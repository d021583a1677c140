"""Numbers on the nodes of a data set: one width, none on targets, and they batch."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from grapheme_torch import InputError
from grapheme_torch.data import (
    Alphabet,
    OutputRoom,
    Pair,
    PairDataset,
    Widths,
    check_sizes,
    collate,
    graph_document,
    load_pairs,
    unify_features,
)
from grapheme_torch.graphs import graph_from_node_link, make_graph, text_to_graph

from ..train.runs import write_pairs


def nodes(*rows: list[float] | None) -> dict[str, Any]:
    given = [{"id": k, "label": "a"} | ({"x": x} if x else {}) for k, x in enumerate(rows)]
    return {"nodes": given, "edges": []}


def pair(given: Any, wanted: Any = "", line: int = 1) -> Pair:
    first, second = (
        text_to_graph(one) if isinstance(one, str) else graph_from_node_link(one)
        for one in (given, wanted)
    )
    return Pair(first, second, line=line)


def test_inputs_of_one_width_batch_with_those_without_nodes(tmp_path: Path) -> None:
    records = [
        {"input": nodes(), "target": "b"},
        {"input": nodes([1.0, 2.0], [3.0, 4.0]), "target": "a"},
    ]
    pairs = load_pairs(write_pairs(tmp_path / "pairs.jsonl", records))
    data = PairDataset(pairs, Alphabet.of(one.target for one in pairs))
    inputs, _ = collate([data[0], data[1]])
    assert inputs.features.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert pairs[0].input.features.shape == (0, 2)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (nodes([1.0, 2.0]), "have 1 number each as those of <memory>:1, got 2 numbers each."),
        (nodes(None), "have 1 number each as those of <memory>:1, got no numbers each."),
        ("ab", "have 1 number each as those of <memory>:1, got no numbers each."),
    ],
)
def test_another_width_is_refused_with_its_line(second: Any, message: str) -> None:
    pairs = [pair(nodes([1.0])), pair(second, line=2)]
    wanted = '<memory>:2: the nodes of the "input" must ' + message
    with pytest.raises(InputError, match=re.escape(wanted)):
        unify_features(pairs)
    with pytest.raises(InputError, match=re.escape(wanted)):
        PairDataset(pairs, Alphabet(("a",), ()))


def test_widths_are_seen_one_at_a_time() -> None:
    widths = Widths()
    assert widths.width == 0
    widths.add(pair(nodes()))
    widths.add(pair(nodes([1.0, 2.0, 3.0])))
    assert widths.width == 3
    assert widths.unified(pair(nodes())).input.features.shape == (0, 3)


def test_numbers_on_targets_are_refused_where_they_would_be_lost() -> None:
    numbered = pair("a", nodes([1.0, 2.0]))
    assert numbered.target.features.tolist() == [[1.0, 2.0]]  # carried, for networks of your own
    message = 'the nodes of the "target" must have no numbers, as the network answers in labels'
    with pytest.raises(InputError, match=re.escape(f"<memory>:1: {message}, got 2 numbers each.")):
        PairDataset([numbered], Alphabet(("a",), ()))


def test_a_graph_with_numbers_is_no_text() -> None:
    graph = make_graph(["a"], features=[[1.0]])
    document = graph_document(graph)
    assert isinstance(document, dict)
    assert document["nodes"] == [{"id": 0, "label": "a", "x": [1.0]}]
    assert torch.equal(graph_from_node_link(document).features, graph.features)


def test_room_for_outputs() -> None:
    assert [OutputRoom().of(n) for n in (0, 3)] == [0, 3]
    assert [OutputRoom(2).of(n) for n in (0, 3)] == [0, 6]
    assert [OutputRoom(queries=5).of(n) for n in (0, 3)] == [5, 5]
    three = pair(nodes(None), "abc", line=7)
    assert OutputRoom(3).fits(three)
    assert not OutputRoom(2).fits(three)
    check_sizes([three, pair(nodes(), "abc")], OutputRoom(queries=3))
    message = (
        '<memory>:7: the "target" must have at most 2 nodes, the output nodes of every input, '
        "got 3. Give more output nodes (--network.queries.number 3), or leave"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        check_sizes([three], OutputRoom(queries=2))
