"""JSON Lines: line numbers, and a refusal for everything that is not one object per line."""

import re

import pytest

from grapheme_torch._check import InputError
from grapheme_torch.data._jsonl import parse_lines


def test_lines_are_counted_from_one_and_blank_ones_too() -> None:
    content = b'\n{"a": 1}\r\n  \t\n{"a": "\xe2\x80\xa8"}'
    assert parse_lines(content, "f") == [(2, {"a": 1}), (4, {"a": "\u2028"})]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse_lines(b'\xef\xbb\xbf{"a": 1}\n', "f") == [(1, {"a": 1})]


def test_numbers_keep_their_kind() -> None:
    [(_, value)] = parse_lines(b'{"a": [1, 1.0, -2.5e3, null]}', "f")
    assert [(part, type(part)) for part in value["a"]] == [
        (1, int),
        (1.0, float),
        (-2500.0, float),
        (None, type(None)),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": }', 'the line must be valid JSON, got "Expecting value" at column 7. Write one'),
        (b'{"a": 1} {}', 'the line must be valid JSON, got "Extra data" at column 10. Write one'),
        (b"cat\tcats", "inside it. `grapheme convert pairs` makes it of a table."),
        (b'{"a": "', 'must be valid JSON, got "Unterminated string starting at" at column 7.'),
        (
            b"[" * 200_000,
            "must be valid JSON, got brackets nested too deeply. Write the graph flat",
        ),
        (b'{"a": ' + b"9" * 5000 + b"}", "must be valid JSON, got Exceeds the limit"),
        (b"\xffabc", "the line must be valid UTF-8, got byte 0xff at byte 1 of the line. Save the"),
        (b'{"a": "\xc3"}', "the line must be valid UTF-8, got byte 0xc3 at byte 8 of the line."),
        (b"[1]", 'the line must be a JSON object, got [1]. Write {"input": "...", "target"'),
        (b'"a"', "the line must be a JSON object, got 'a'."),
        (b'{"a": NaN}', "a number must be finite, got NaN. Leave the key out, or write null."),
        (b'{"a": -Infinity}', "a number must be finite, got -Infinity."),
        (b'{"a": 1e999}', "a number must be finite, got 1e999."),
        (b'{"a": 1, "a": 2}', "the keys of an object must be unique, got 'a'. Keep one of the"),
        (b'{"b": [{"a": 1, "a": 1}]}', "the keys of an object must be unique, got 'a'."),
    ],
)
def test_a_refusal_names_file_and_line(line: bytes, message: str) -> None:
    with pytest.raises(InputError, match=r"^some/f\.jsonl:3: .*" + re.escape(message)):
        parse_lines(b'{"a": 0}\n\n' + line + b"\n", "some/f.jsonl")
