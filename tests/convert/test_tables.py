"""Tables of pairs: columns, separators, symbols."""

import csv
import io
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapheme_torch import InputError
from grapheme_torch.convert import Skipped, pairs
from grapheme_torch.convert._table import Table


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


@pytest.mark.parametrize("mark", [",", ";", "|", ":"])
def test_fields_may_be_quoted_with_any_one_character(mark: str) -> None:
    assert _pair(f'"a{mark}b"{mark}c', separator=mark) == {"input": f"a{mark}b", "target": "c"}
    assert _pair(f'5"{mark}""""', separator=mark) == {"input": '5"', "target": '"'}
    assert _pair(f'a{mark}"b"{mark}', separator=mark)["column_3"] == ""
    for bad in ('"a"b', '"a', ' "a"'):
        with pytest.raises(InputError, match=r"the line must be CSV, got .*--quotes false"):
            _pair(f"{bad}{mark}c", separator=mark)
        assert _pair(f"{bad}{mark}c", separator=mark, quotes=False)["input"] == bad


def test_quotes_of_a_table_of_tabs_are_text_unless_they_can_be_both() -> None:
    assert _pair('"the\tx') == {"input": '"the', "target": "x"}
    assert _pair('"a," he\tx')["input"] == '"a," he'
    for line in ('"a"\tb', '"a\tb"\tc', 'a\t""'):
        with pytest.raises(InputError, match=r"quotes must have one meaning, got .*--quotes true"):
            _pair(line)
    assert _pair('"a\tb"\tc', quotes=True) == {"input": "a\tb", "target": "c"}
    assert _pair('"a"\tb', quotes=False)["input"] == '"a"'
    assert _pair('"a" -> "b"', separator=" -> ", quotes=True) == {"input": "a", "target": "b"}


def test_a_quoted_field_may_hold_line_ends() -> None:
    lines = [b'"a\r\n', b"\r\n", b'""b""",c\r\n', b"d,e\n"]
    first, second = pairs(lines, separator=",")
    assert first == {"input": 'a\n\n"b"', "target": "c"}
    assert second == {"input": "d", "target": "e"}
    header = ['"in\n', 'put",target\n', "a,b\n"]
    (record,) = pairs(header, separator=",", header=True, input="in\nput")
    assert record == {"input": "a", "target": "b"}


def test_a_quote_that_is_never_closed_costs_one_line() -> None:
    found: list[Skipped] = []
    lines = ['"a,b\n', "c,d\n", 'e,"f\n', "g,h\n", 'i,"j"\n', '"k\n', "l,m\n"]
    read = list(pairs(lines, separator=",", source="t", skip=found.append))
    assert [record["input"] for record in read] == ["c", "g", "i", "l"]
    assert [(skipped.line, skipped.text) for skipped in found] == [(1, '"a,b'), (3, 'e,"f'),
                                                                   (6, '"k')]  # fmt: skip


def test_a_field_may_be_of_any_size() -> None:
    big = "x" * 300_000
    assert _pair(f'"{big}",c', separator=",")["input"] == big


@given(st.lists(st.lists(st.text('ab", \n;', max_size=4), min_size=2, max_size=3), max_size=4))
def test_what_csv_writes_is_read(rows: list[list[str]]) -> None:
    """Against the module `csv`, which quotes all here, as unquoted ones may be blank lines."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(rows)
    lines = written.getvalue().encode().splitlines(keepends=True)
    table = Table("a,b", ",", header=False)
    read = [list(table.row(piece, ()).values()) for piece in table.pieces(lines, "")]
    assert read == [[field.replace("\r\n", "\n") for field in row] for row in rows]


def test_another_separator_is_named() -> None:
    for mark in (";", "|", " "):
        with pytest.raises(InputError, match=rf"if not: `--separator '\{mark}'`"):
            _pair(f"a{mark}b")
    with pytest.raises(InputError, match=r"if not: `--separator '\\t'`"):
        _pair("a\tb", separator=",")


def test_a_carriage_return_within_a_line_is_refused() -> None:
    with pytest.raises(InputError, match=r"<memory>:1: the line must end in .*got a carriage"):
        list(pairs([b"a\tb\rc\td\r"]))
    found: list[Skipped] = []
    assert len(list(pairs([b"a\tb\r\r\n", b"c\td\r\n"], skip=found.append))) == 1
    assert [skipped.line for skipped in found] == [1]
    for end in "\x0b\x0c\x1c\x85\u2028\u2029":
        assert _pair(f"a\tb{end}c")["target"] == f"b{end}c"


@pytest.mark.parametrize("form", ["nfc", "nfd"])
def test_columns_may_be_normalized(form: Any) -> None:
    line = "e\u0301;\u00e9;\u037e"
    record = _pair(line, separator=";", normalize=form)
    assert record["input"] == record["target"] == unicodedata.normalize(form.upper(), "\u00e9")
    assert record["column_3"] == ";"  # which separates no columns
    assert _pair(line, separator=";")["input"] == "e\u0301"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"columns": "a,a"}, "`columns` must name every column once, got a, a"),
        ({"columns": "a,"}, "`columns` must name every column once"),
        ({"separator": ""}, "`separator` must be given"),
        ({"target": "x"}, "<memory>:1: the columns must include 'x', got input, target. Name"),
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
