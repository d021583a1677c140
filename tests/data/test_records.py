"""Reading pairs: what is written comes back, and every refusal says where."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapheme_torch._check import InputError
from grapheme_torch.data import Pair, graph_document, read_pairs
from grapheme_torch.graphs import graph_from_node_link, make_graph, text_to_graph

from .strategies import RECORDS, SIDES, documents, form, patient


def _write(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def _graph(side: Any) -> Any:
    return text_to_graph(side) if isinstance(side, str) else graph_from_node_link(side)


@patient
@given(records=RECORDS, ascii_only=st.booleans())
def test_pairs_come_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], ascii_only: bool
) -> None:
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    lines = [json.dumps(record, ensure_ascii=ascii_only) for record in records]
    path.write_bytes("\n".join(lines).encode())
    pairs = read_pairs(path)
    assert len(pairs) == len(records)
    for line, (pair, record) in enumerate(zip(pairs, records, strict=True), 1):
        assert form(pair.input) == form(_graph(record.pop("input")))
        assert form(pair.target) == form(_graph(record.pop("target")))
        assert (pair.extra, pair.line, pair.source) == (record, line, str(path))


@patient
@given(side=SIDES)
def test_a_document_reads_back_as_its_graph(side: Any) -> None:
    graph = _graph(side)
    document = graph_document(graph)
    again = _graph(json.loads(json.dumps(document)))
    assert form(again)[:2] == form(graph)[:2]
    if "position" in graph:
        assert form(again) == form(graph)


@patient
@given(text=st.text())
def test_the_document_of_a_text_is_the_text(text: str) -> None:
    graph = text_to_graph(text)
    assert graph_document(graph) == text
    del graph.position
    assert graph_document(graph) == text


@patient
@given(document=documents())
def test_the_document_of_a_graph_that_is_no_text_is_node_link(document: dict[str, Any]) -> None:
    nodes = [*document["nodes"], {"id": "apart", "label": "two clusters"}]
    graph = graph_from_node_link({**document, "nodes": [{**node, "position": 7} for node in nodes]})
    assert isinstance(graph_document(graph), dict)


@pytest.mark.parametrize(
    "graph",
    [
        make_graph(["a", "b"], [(1, 0, "next")]),
        make_graph(["a", "b"], [(0, 1, "child")]),
        make_graph(["a", "b"], [(0, 1, "next")], [1.0, 0.0]),
        make_graph(["e", "\u0301"], [(0, 1, "next")]),
        make_graph(["ab"]),
        make_graph([""]),
    ],
    ids=["turned", "relation", "position", "one cluster", "two clusters", "no cluster"],
)
def test_a_graph_that_no_text_gives_is_node_link(graph: Any) -> None:
    assert isinstance(graph_document(graph), dict)


def test_a_missing_target_can_be_allowed(tmp_path: Path) -> None:
    path = _write(tmp_path / "f.jsonl", {"input": "ab", "id": 7}, {"input": "c", "target": "d"})
    first, second = read_pairs(path, need_target=False)
    assert (first.has_target, second.has_target) == (False, True)
    assert form(first.target) == form(text_to_graph(""))
    assert first.extra == {"id": 7}


def test_a_pair_in_memory_has_a_place() -> None:
    pair = Pair(text_to_graph("a"), text_to_graph("b"))
    assert (pair.place, pair.extra) == ("<memory>:1", {})


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"input": "a"}, "the line must have the key \"target\", got the keys ['input']. Write {"),
        ({"target": "a"}, "the line must have the key \"input\", got the keys ['target']."),
        ({}, 'the line must have the key "input", got the keys []. Write {"input": "...", "'),
        (
            {"input": 5, "target": "a"},
            'the "input" must be a string or a node-link object, got 5. Put text in quotes, or',
        ),
        (
            {"input": "a", "target": None},
            'the "target" must be a string or a node-link object, got None.',
        ),
        (
            {"input": "a\udc80", "target": "a"},
            'in "input": `text` must hold no lone surrogate (no encoding can store one), '
            "got U+DC80 at index 1. Decode the text properly",
        ),
        (
            {"input": "a", "target": {"nodes": []}},
            'in "target": the "edges" of a graph must be a list, got nothing. Write "edges": []',
        ),
        (
            {"input": "a", "target": {"nodes": [{"id": 0, "label": 5}], "edges": []}},
            'in "target": the "label" of node 0 must be a string, got 5. Put text in quotes.',
        ),
        (
            {"input": "a", "target": {"nodes": [{"id": 0, "label": "\ud800"}], "edges": []}},
            'in "target": the "label" of node 0 must hold no lone surrogate',
        ),
        (
            {"input": {"nodes": [{"id": 0, "label": "a"}] * 2, "edges": []}, "target": "a"},
            'in "input": the "id" of node 1 must be unique, got 0. Number the nodes.',
        ),
        (
            {
                "input": "a",
                "target": {
                    "nodes": [{"id": 0, "label": "a"}],
                    "edges": [{"source": 0, "target": 3}],
                },
            },
            'in "target": the "target" of edge 0 must be the id of a node of the graph, got 3. Add',
        ),
    ],
)
def test_a_refusal_names_file_and_line(tmp_path: Path, record: object, message: str) -> None:
    path = _write(tmp_path / "f.jsonl", {"input": "a", "target": "b"}, record)
    with pytest.raises(InputError, match="^" + re.escape(f"{path}:2: {message}")):
        read_pairs(path)


def test_broken_json_names_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text('{"input": "a", "target": "b"}\n\n{"input": "a", "target" "b"}\n')
    message = re.escape(f"{path}:3: the line must be valid JSON, got ") + ".* at column 25. Write"
    with pytest.raises(InputError, match="^" + message):
        read_pairs(path)


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_a_file_without_pairs_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(content)
    message = f"{path}: the data set must hold at least one pair, got none. Write one"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        read_pairs(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    gone = tmp_path / "gone.jsonl"
    message = f"{gone}: the data set must be a readable file, got no such file. Check the path"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        read_pairs(gone)
    message = f"{tmp_path}: the data set must be a readable file, got a folder. Name one JSON"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        read_pairs(str(tmp_path))


@pytest.mark.parametrize(
    ("path", "reason"),
    [("a\0b", "embedded null byte"), ("x" * 5000, "File name too long")],
)
def test_a_path_that_no_file_can_have_is_refused(path: str, reason: str) -> None:
    message = f"the data set must be a readable file, got {reason}. Check its path"
    with pytest.raises(InputError, match=re.escape(message)):
        read_pairs(path)
