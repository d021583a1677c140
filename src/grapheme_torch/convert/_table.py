"""Lines of columns."""

import csv
from collections.abc import Iterable, Iterator

from .._check import InputError, Received, refusal, require
from ._pieces import RESERVED, Piece, Record, numbered


class Table:
    r"""How the lines of a file fall into named columns.

    Args:
        columns: Names of the columns, separated by commas; with `header`, those of the first
            line count instead.
        separator: What stands between two columns; `\t` may be written for a tab. Where it is
            a comma, fields may be quoted.
        header: Whether the first line names the columns.
    """

    def __init__(self, columns: str, separator: str, header: bool) -> None:
        self.names = [name.strip() for name in columns.split(",")]
        self.separator = separator.replace("\\t", "\t")
        self.header = header
        remedy = "Name a tab '\\t', a comma ',' or what else it is."
        require(bool(self.separator), "`separator`", "be given", separator, remedy)
        _check_names("`columns`", self.names)

    def pieces(self, lines: Iterable[bytes | str], source: str) -> Iterator[Piece]:
        """A piece per line that is not blank; reads the header, if there is to be one."""
        for number, raw in numbered(lines):
            if not raw.strip():
                continue
            piece = Piece(raw, source, number)
            if not self.header:
                yield piece
                continue
            self.header = False
            try:
                self.names = self._fields(piece.text)
                _check_names("the header", self.names)
            except InputError as error:
                raise InputError(f"{source}:{number}: {error}") from None

    def row(self, piece: Piece, needed: Iterable[str]) -> dict[str, str]:
        """The columns of a line by name; a column beyond those named is "column_5".

        Raises:
            InputError: If a column that is needed is not there.
        """
        fields = self._fields(piece.text)
        names = self.names + [f"column_{k + 1}" for k in range(len(self.names), len(fields))]
        row = dict(zip(names, fields, strict=False))
        for name in needed:
            if name not in row:
                raise self._missing(name, len(fields))
        return row

    def _missing(self, name: str, count: int) -> InputError:
        if name not in self.names:
            names = Received(", ".join(self.names))
            return refusal("the columns", f"include {name!r}", names, "Check the names given.")
        wanted = f"have a column {self.names.index(name) + 1} ({name})"
        remedy = f"Columns are separated by {self.separator!r}."
        return refusal("the line", wanted, Received(f"{count} columns"), remedy)

    def _fields(self, line: str) -> list[str]:
        if self.separator != ",":
            return line.split(self.separator)
        try:
            return next(csv.reader([line], strict=True))
        except csv.Error as error:
            remedy = 'Put a field that holds commas into "..." and double the quotes in it.'
            raise refusal("the line", "be CSV", Received(str(error)), remedy) from None


def extras(row: dict[str, str], used: Iterable[str]) -> Record:
    """The columns that were not used, as further keys of a record."""
    left = {name: value for name, value in row.items() if name not in set(used)}
    for name in left:
        remedy = "Give the column another name with `columns`."
        require(name not in RESERVED, "the name of a column that is kept", "be free", name, remedy)
    return left


def _check_names(what: str, names: list[str]) -> None:
    once = len(set(names)) == len(names) and all(names)
    found = Received(", ".join(names))
    remedy = "Name every column, each differently."
    require(once, what, "name every column once", found, remedy)
