"""Fields of a table that may stand in quotes, as CSV has them."""

import re
from collections import deque
from collections.abc import Iterable, Iterator

Numbered = tuple[int, bytes]
"""A line and its number, from 1."""

_OPEN = "a quote that is not closed"


class BadQuotes(ValueError):
    """What is wrong with the quotes of a record."""


class Quoted:
    r"""Records of fields, of which some may stand in double quotes.

    Within quotes a separator or a line end is part of the field, and `""` is a quote. A line end is
    `\n`, whatever the file has.

    Args:
        separator: What stands between two fields.
    """

    def __init__(self, separator: str) -> None:
        self.separator = separator
        mark = re.escape(separator)
        self._quoted = re.compile(rf'"((?:[^"]|"")*+)("(?:{mark}|\Z))?')
        self._bare = re.compile(rf"((?:(?!{mark}).)*+)(?:{mark}|\Z)", re.DOTALL)

    def fields(self, text: str) -> list[str]:
        """The fields of a record.

        Raises:
            BadQuotes: If a quote is not closed, or stands beside other text.
        """
        if '"' not in text:
            return text.split(self.separator)
        fields, at, more = [], 0, True
        while more:
            quoted = text.startswith('"', at)
            found = (self._quoted if quoted else self._bare).match(text, at)
            assert found is not None  # each matches the empty text
            field, end = found[1], found.end()
            if quoted and found[2] is None:
                raise BadQuotes(_OPEN if end == len(text) else "text behind a closing quote")
            if not quoted and field.lstrip().startswith('"'):
                raise BadQuotes("a space before an opening quote")
            fields.append(field.replace('""', '"') if quoted else field)
            at, more = end, end < len(text) or text.endswith(self.separator, found.end(1))
        return fields

    def joined(self, lines: Iterable[Numbered]) -> Iterator[Numbered]:
        """Records: lines of which the last closes what quotes the first opened.

        Where none closes them, the first line is a record by itself, and the others are read as
        if it were not there.
        """
        source, again = iter(lines), deque[Numbered]()
        while (first := again.popleft() if again else next(source, None)) is not None:
            number, raw = first
            held: list[Numbered] = []
            problem = self._problem(raw)
            while problem == _OPEN:
                line = again.popleft() if again else next(source, None)
                if line is None:
                    break
                held.append(line)
                if b'"' in line[1]:
                    raw = b"\n".join([first[1], *(content for _, content in held)])
                    problem = self._problem(raw)
            if problem:
                again.extendleft(reversed(held))
            yield number, first[1] if problem else raw

    def _problem(self, raw: bytes) -> str:
        try:
            self.fields(raw.decode(errors="replace"))
        except BadQuotes as error:
            return str(error)
        return ""
