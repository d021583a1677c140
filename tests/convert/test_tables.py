"""Tables of pairs: columns, separators, symbols."""

from typing import Any

import pytest

from grapheme_torch import InputError
from grapheme_torch.convert import pairs


def _pair(line: str, **options: Any) -> dict[str, Any]:
    (record,) = pairs([line], **options)
    return record


def test_each_data_set_of_the_manual() -> None:
    features = {"columns": "lemma,features,form", "input": "lemma,features", "target": "form"}
    assert _pair("go\tV;PST\twent", **features) == {"input": "go V;PST", "target": "went"}
    joined = _pair("go\tV;PST\twent", **features, join="|")
    assert joined["input"] == "go|V;PST"
    assert _pair("teh->the", separator="->") == {"input": "teh", "target": "the"}
    name = _pair("dan\tד ן\t3", columns="input,target,count", target_separator=" ")
    assert name == {"input": "dan", "target": "דן", "count": "3"}


def test_symbols_are_nodes() -> None:
    record = _pair("chat\tʃ at ɑ", target_separator=" ")
    assert record["target"] == {
        "nodes": [
            {"id": 0, "label": "ʃ", "position": 0},
            {"id": 1, "label": "at", "position": 1},
            {"id": 2, "label": "ɑ", "position": 2},
        ],
        "edges": [
            {"source": 0, "target": 1, "label": "next"},
            {"source": 1, "target": 2, "label": "next"},
        ],
    }
    assert _pair("k a̠\tb", input_separator=" ")["input"] == "ka̠"
    apart = _pair("e \u0301\tb", input_separator=" ")["input"]
    assert [node["label"] for node in apart["nodes"]] == ["e", "\u0301"]


def test_line_ends_byte_order_marks_and_blank_lines_are_no_data() -> None:
    lines = [b"\xef\xbb\xbfa\tb\r\n", b"\n", b"c\td\n"]
    assert [record["target"] for record in pairs(lines)] == ["b", "d"]


def test_a_quoted_field() -> None:
    record = _pair('"a, ""b""",c', separator=",")
    assert record == {"input": 'a, "b"', "target": "c"}
    with pytest.raises(InputError, match="<memory>:1: the line must be CSV"):
        _pair('"a,b', separator=",")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"columns": "a,a"}, "`columns` must name every column once, got a, a"),
        ({"columns": "a,"}, "`columns` must name every column once"),
        ({"separator": ""}, "`separator` must be given"),
        ({"target": "x"}, "<memory>:1: the columns must include 'x', got input, target"),
        ({"header": True}, "<memory>:1: the header must name every column once, got a, a"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        _pair("a\ta", **options)


def test_an_empty_column_is_refused() -> None:
    with pytest.raises(InputError, match="<memory>:1: the column 'target' must hold something"):
        _pair("a\t")


def test_tokens_of_a_column_are_nodes() -> None:
    line = "go\tV;PST(2,PL)\twent"
    features = {"columns": "lemma,features,form", "input": "lemma,features", "target": "form"}
    record = _pair(line, **features, tokens="features")
    labels = [node["label"] for node in record["input"]["nodes"]]
    assert labels == ["g", "o", "V", "PST", "2", "PL"]
    assert record["target"] == "went"
    first = _pair(
        line, **{**features, "input": "features,lemma"}, tokens="features", token="[A-Z]+"
    )
    assert [node["label"] for node in first["input"]["nodes"]] == ["V", "PST", "PL", "g", "o"]
    assert "lemma" not in record
    assert _pair(line, **features, keep="lemma")["lemma"] == "go"
    spaced = _pair("g o\tV;PST\twent", **features, tokens="features", input_separator=" ")
    assert [node["label"] for node in spaced["input"]["nodes"]] == ["g", "o", "V", "PST"]


def test_characters_of_a_column_are_taken_apart() -> None:
    record = _pair("각é\tk a k e", decompose="input", target_separator=" ")
    labels = [node["label"] for node in record["input"]["nodes"]]
    assert labels == ["\u1100", "\u1161", "\u11a8", "e", "\u0301"]
    assert record["target"] == "kake"
    features = {"columns": "lemma,features,form", "input": "lemma,features", "target": "form"}
    mixed = _pair("é\tV;PST\tx", **features, tokens="features", decompose="lemma")
    assert [node["label"] for node in mixed["input"]["nodes"]] == ["e", "\u0301", "V", "PST"]
    assert _pair("ab\tx", decompose="input")["input"] == "ab"  # the same graph


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decompose": "form"}, "`decompose` must be columns that are used, got 'form'"),
        (
            {"tokens": "input", "decompose": "input"},
            "`decompose` must not name a column of `tokens`, got ",
        ),
        ({"tokens": "form"}, "`tokens` must be columns that are used, got 'form'"),
        ({"keep": "lemma"}, "`keep` must be columns that are used, got 'lemma'"),
        ({"token": "("}, "`token` must be a regular expression, got '\\(' "),
        ({"token": "(a)"}, "`token` must have no groups, got "),
    ],
)
def test_token_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _pair("go\twent", **options)
