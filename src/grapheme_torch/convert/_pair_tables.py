"""Pairs of texts, or of sequences of symbols, in the columns of a table."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .._check import Received, refusal, require
from ._document import clusters, symbols_document
from ._pieces import Normal, Piece, Record, Skip, records
from ._table import Table, extras

Split = Callable[[str], list[str]]


def pairs(
    lines: Iterable[bytes | str],
    *,
    source: str = "<memory>",
    skip: Skip | None = None,
    columns: str = "input,target",
    input: str = "input",
    target: str = "target",
    separator: str = r"\t",
    header: bool = False,
    join: str = " ",
    input_separator: str = "",
    target_separator: str = "",
    tokens: str = "",
    token: str = r"[^\s;,()]+",
    decompose: str = "",
    keep: str = "",
    quotes: bool | None = None,
    normalize: Normal | None = None,
) -> Iterator[Record]:
    r"""Lines of columns to pairs of texts or of symbol sequences.

    Args:
        lines: Lines of a table.
        source: Name of the file, for messages.
        skip: Called with each line that is refused; without it the first one is raised.
        columns: Names of the columns, separated by commas.
        input: The column, or several separated by commas, that make the input.
        target: The column or columns that make the target.
        separator: What separates columns: a tab may be written `\t`.
        header: Whether the first line names the columns.
        join: What is put between several columns of one side. Default: a space.
        input_separator: What separates the symbols of the input, a node each, such as a space.
            Default: the input is text, a node per grapheme cluster.
        target_separator: The same for the target.
        tokens: Columns, separated by commas, of which every token is a node, such as the features
            of an inflection: `V;PST` is two nodes. They stand beside the others without `join`.
        token: What a token is, a regular expression.
        decompose: Columns, separated by commas, whose characters are taken apart (NFD of Unicode
            Annex 15). Each code point is a node: a Hangul syllable becomes its letters.
        keep: Columns, separated by commas, that are kept as further keys though they are used.
        quotes: Whether a field may stand in quotes, and then hold separators and line ends.
            Default: if the separator is one character that is no space; else a line that quotes
            would change is refused.
        normalize: The normal form of Unicode in which all columns are written. Default: as they
            stand, so that the two spellings of "é" are two labels.

    Yields:
        A record per line, or per lines that quotes join. Symbols are a path of nodes, written as
        text where that is the same graph. Columns that are not used are kept as further keys.

    Raises:
        InputError: "FILE:LINE: ..." at a line without a column, or with an empty one.
    """
    table = Table(columns, separator, header, quotes, normalize)
    sides = [
        ("input", _names(input), input_separator),
        ("target", _names(target), target_separator),
    ]
    used = {name for _, names, _ in sides for name in names}
    pattern = _pattern(token)
    listed = {"tokens": tokens, "decompose": decompose, "keep": keep}
    chosen = {option: set(_names(names)) - {""} for option, names in listed.items()}
    for option, names in chosen.items():
        for name in names:
            remedy = "Name it in `input` or `target` too."
            require(name in used, f"`{option}`", "be columns that are used", name, remedy)
    twice = chosen["tokens"] & chosen["decompose"]
    remedy = "Name it in one of them."
    require(not twice, "`decompose`", "not name a column of `tokens`", sorted(twice), remedy)
    splits: dict[str, Split] = dict.fromkeys(chosen["tokens"], pattern.findall)
    splits |= dict.fromkeys(chosen["decompose"], _code_points)

    def make(piece: Piece) -> Record:
        row = table.row(piece, used)
        record = {
            side: _mixed(row, names, split, splits)
            if splits.keys() & set(names)
            else _side(row, names, join, split)
            for side, names, split in sides
        }
        return record | extras(row, used - chosen["keep"])

    return records(table.pieces(lines, source), make, skip)


def _names(columns: str) -> list[str]:
    return [name.strip() for name in columns.split(",")]


def _side(row: dict[str, str], names: list[str], join: str, split: str) -> str | dict[str, Any]:
    text = join.join(_filled(row, name) for name in names)
    return symbols_document([part for part in text.split(split) if part]) if split else text


def _mixed(
    row: dict[str, str], names: list[str], split: str, splits: dict[str, Split]
) -> str | dict[str, Any]:
    """Columns one after the other, some split as told, the rest in symbols or grapheme clusters."""
    symbols: list[str] = []
    for name in names:
        text = _filled(row, name)
        if name in splits:
            symbols += splits[name](text)
        else:
            symbols += [part for part in text.split(split) if part] if split else clusters(text)
    return symbols_document(symbols)


def _code_points(text: str) -> list[str]:
    return list(unicodedata.normalize("NFD", text))


def _filled(row: dict[str, str], name: str) -> str:
    remedy = "Fill it, or leave the line out."
    require(row[name] != "", f"the column {name!r}", "hold something", row[name], remedy)
    return row[name]


def _pattern(token: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(token)
    except re.error as error:
        cause = Received(f"{token!r} ({error})")
        remedy = "Write a dot for any character, \\S+ for what stands between spaces."
        raise refusal("`token`", "be a regular expression", cause, remedy) from None
    remedy = "Write (?:...) instead."
    require(pattern.groups == 0, "`token`", "have no groups", token, remedy)
    return pattern
