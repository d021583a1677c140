"""Lines of columns."""

from collections.abc import Iterable, Iterator

from .._check import InputError, Received, refusal, require
from ._pieces import RESERVED, Normal, Piece, Record, normal, numbered
from ._quoted import BadQuotes, Quoted

_SEPARATORS = ("\t", ",", ";", "|", " ")
"""What often separates columns."""


class Table:
    r"""How the lines of a file fall into named columns.

    Args:
        columns: Names of the columns, separated by commas; with `header`, those of the first
            line count instead.
        separator: What stands between two columns; `\t` may be written for a tab.
        header: Whether the first line names the columns.
        quotes: Whether fields may stand in quotes. Default: if the separator is one character
            that is no space; else a line that would be read otherwise with quotes is refused.
        normalize: The normal form of Unicode of the columns. Default: as they stand.
    """

    def __init__(
        self,
        columns: str,
        separator: str,
        header: bool,
        quotes: bool | None = None,
        normalize: Normal | None = None,
    ) -> None:
        self.names = [name.strip() for name in columns.split(",")]
        self.separator = separator.replace("\\t", "\t")
        self.header = header
        remedy = "Name a tab '\\t', a comma ',' or what else it is."
        require(bool(self.separator), "`separator`", "be given", separator, remedy)
        _check_names("`columns`", self.names)
        if quotes is None and len(self.separator) == 1 and not self.separator.isspace():
            quotes = True
        self.quotes, self._quoted = quotes, Quoted(self.separator)
        self.normalize = normalize

    def pieces(self, lines: Iterable[bytes | str], source: str) -> Iterator[Piece]:
        """A piece per record that is not blank; reads the header, if there is to be one."""
        rows = numbered(lines)
        for number, raw in self._quoted.joined(rows) if self.quotes else rows:
            if not raw.strip():
                continue
            piece = Piece(raw, source, number)
            if not self.header:
                yield piece
                continue
            self.header = False
            try:
                self.names = [normal(name, self.normalize) for name in self._fields(piece.text)]
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
        row = dict(zip(names, (normal(field, self.normalize) for field in fields), strict=False))
        for name in needed:
            if name not in row:
                raise self._missing(name, len(fields), piece.text)
        return row

    def _missing(self, name: str, count: int, line: str) -> InputError:
        if name not in self.names:
            names = Received(", ".join(self.names))
            remedy = "Name those that count: --input and --target of pairs, --column of smiles."
            return refusal("the columns", f"include {name!r}", names, remedy)
        place = self.names.index(name) + 1
        fitting = (mark for mark in _SEPARATORS if line.count(mark) >= place - 1)
        wanted = f"have a column {place} ({name})"
        other = next(fitting, "...").replace("\t", "\\t")
        remedy = f"Columns are separated by {self.separator!r}; if not: `--separator '{other}'`."
        return refusal("the line", wanted, Received(f"{count} columns"), remedy)

    def _fields(self, line: str) -> list[str]:
        plain = line.split(self.separator)
        if self.quotes is False:
            return plain
        try:
            fields = self._quoted.fields(line)
        except BadQuotes as error:
            if not self.quotes:
                return plain
            remedy = 'Put a field that holds quotes into "..." and double them, or: --quotes false.'
            raise refusal("the line", "be CSV", Received(str(error)), remedy) from None
        if not self.quotes:
            remedy = "Say `--quotes true` if they only enclose fields, `--quotes false` if not."
            require(fields == plain, "quotes", "have one meaning", line, remedy)
        return fields


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
