"""Lines to answer: texts or records, one at a time, blank ones told, large ones not built."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapheme_torch._check import InputError
from grapheme_torch.data import Pair, input_pair, read_inputs
from grapheme_torch.graphs import count_clusters, graph_to_text, text_to_graph


def _texts(content: bytes, **options: Any) -> list[str | None]:
    pairs = read_inputs(io.BytesIO(content), "f", **options)
    return [None if pair is None else graph_to_text(pair.input) for pair in pairs]


def test_a_line_is_a_text() -> None:
    content = b"\xef\xbb\xbfab\r\n\n \t\n c \n\xc3\xa9"
    assert _texts(content) == ["ab", None, None, " c ", "é"]


def test_a_first_brace_makes_json_lines() -> None:
    content = b'\n{"input": "ab", "id": 3, "target": 9}\n\n{"input": "{", "sent_id": "s"}'
    pairs = list(read_inputs(io.BytesIO(content), "f"))
    assert [pair if pair is None else pair.extra for pair in pairs] == [
        None, {"id": 3}, None, {"sent_id": "s"}
    ]  # fmt: skip
    kept = [pair for pair in pairs if isinstance(pair, Pair)]
    assert [pair.place for pair in kept] == ["f:2", "f:4"]
    assert not any(pair.has_target for pair in kept)
    assert _texts(b'{"input": "ab"}', kind="lines") == ['{"input": "ab"}']


def test_lines_are_read_as_they_are_asked_for() -> None:
    def lines() -> Iterator[bytes]:
        yield b"a\n"
        raise AssertionError

    pair = next(read_inputs(lines(), "f"))
    assert pair is not None
    assert pair.place == "f:1"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            b"a\n\xff\n",
            {},
            "f:2: the line must be valid UTF-8, got byte 0xff at byte 1 of the line.",
        ),
        (b"a\rb\rc\n", {}, "f:1: the line must hold no carriage return, got 'a\\rb\\rc'. Save the"),
        (
            b"a\n",
            {"kind": "jsonl"},
            'f:1: the line must be valid JSON, got "Expecting value" at co',
        ),
        (b'{"input": "a"}\nb\n', {}, 'f:2: the line must be valid JSON, got "Expecting value" at'),
        (
            b'{"text": "a"}\n',
            {},
            "f:1: the line must have the key \"input\", got the keys ['text']",
        ),
        (b'{"input": 3}\n', {"max_nodes": 1}, 'f:1: the "input" must be a string or a node-link'),
        (
            b"ab\nabc\n",
            {"max_nodes": 2},
            'f:2: the "input" must have at most 2 nodes, got 3 nodes, 9e-06 million pairs of them. '
            "Memory and time grow with the pairs: split it, or raise the bound with --max-nodes if",
        ),
        (
            b'{"input": {"nodes": [1, 2, 3], "edges": 0}}',
            {"max_nodes": 2},
            'f:1: the "input" must have at most 2 nodes, got 3 nodes',
        ),
    ],
)
def test_refused_lines(content: bytes, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        _texts(content, **options)


@given(st.text())
def test_nodes_are_counted_without_a_graph(text: str) -> None:
    assert count_clusters(text) == text_to_graph(text).num_nodes
    count = count_clusters(text)
    assert input_pair({"input": text}, "f", max_nodes=count).input.num_nodes == count
