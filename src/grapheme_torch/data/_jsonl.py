"""JSON Lines, read strictly: what two readers could understand differently is refused."""

import codecs
import json
import math
from typing import Any, NoReturn

from .._check import InputError, Received, refusal, relocate, require
from .._reading import decoded


def parse_lines(content: bytes, source: str) -> list[tuple[int, dict[str, Any]]]:
    """The object on each line, with its line number (from 1).

    Blank lines are passed over, and so is a byte order mark at the start.

    Args:
        content: The bytes of the file.
        source: Name of the file, for messages.

    Raises:
        InputError: "SOURCE:LINE: ..." for invalid UTF-8, broken JSON, or anything but an object.
            Also for a key twice in one object, NaN, Infinity, or a number too large for a float.
    """
    lines = content.removeprefix(codecs.BOM_UTF8).split(b"\n")
    return [(k, parse_line(raw, f"{source}:{k}")) for k, raw in enumerate(lines, 1) if raw.strip()]


def parse_document(content: bytes) -> object:
    """The value of a JSON file, read as strictly as a line; a byte order mark is passed over.

    Raises:
        InputError: For a key twice in one object, NaN, Infinity or a number too large for a float.
        ValueError: For invalid UTF-8 or broken JSON.
        RecursionError: For brackets nested too deeply.
    """
    return _DECODER.decode(content.removeprefix(codecs.BOM_UTF8).decode())


def parse_line(raw: bytes, place: str) -> dict[str, Any]:
    """The object on one line; `place` begins every message.

    Raises:
        InputError: As `parse_lines`.
    """
    try:
        value = _parsed(decoded(raw, "the line"))
        require(
            isinstance(value, dict),
            "the line",
            "be a JSON object",
            value,
            'Write {"input": "...", "target": "..."} on one line.',
        )
    except InputError as error:
        relocate(error, place)
    assert isinstance(value, dict)
    return value


def _parsed(text: str) -> object:
    try:
        return _DECODER.decode(text)
    except InputError:
        raise
    except json.JSONDecodeError as error:
        reason = Received(f'"{error.msg}" at column {error.colno}')
        remedy = "Write one JSON object per line, without line breaks inside it."
        if text.lstrip()[:1] not in ("{", "["):
            remedy += " `grapheme convert pairs` makes it of a table."
    except RecursionError:
        reason = Received("brackets nested too deeply")
        remedy = "Write the graph flat, as lists of nodes and edges."
    except ValueError as error:  # an integer of more digits than Python converts
        reason = Received(str(error))
        remedy = "Write a long number as a string."
    raise refusal("the line", "be valid JSON", reason, remedy)


def _unique(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) < len(items):
        keys = [key for key, _ in items]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise refusal("the keys of an object", "be unique", twice, "Keep one of the two.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise _not_finite(name)


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _not_finite(digits)
    return value


def _not_finite(found: str) -> InputError:
    return refusal("a number", "be finite", Received(found), "Leave the key out, or write null.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
)
