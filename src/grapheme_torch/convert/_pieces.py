"""The pieces a file falls into, one record each, and what happens to a piece that is refused."""

import codecs
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from .._check import InputError, Received, refusal, require
from .._reading import decoded

Record = dict[str, Any]
"""`{"input": ..., "target": ...}` and further keys, ready for `json.dumps`."""


Normal = Literal["nfc", "nfd", "nfkc", "nfkd"]
"""The normal forms of Unicode Annex 15."""

_FORMS: dict[str, Literal["NFC", "NFD", "NFKC", "NFKD"]] = {
    "nfc": "NFC", "nfd": "NFD", "nfkc": "NFKC", "nfkd": "NFKD",
}  # fmt: skip

RESERVED = frozenset({"input", "target", "alignment"})
"""The keys that a record fills itself."""


@dataclass(frozen=True)
class Piece:
    """A part of a file that gives one record: a line, a sentence, a molecule, a file.

    Args:
        content: The piece as it stands; bytes are read as UTF-8.
        source: The file, for messages.
        line: Line of the file at which the piece begins, from 1.
        extra: Further keys for the record.
        whole: Whether the piece is all of its file.
        problem: Why the piece cannot be read, if that is known already.
    """

    content: bytes | str
    source: str = "<memory>"
    line: int = 1
    extra: Record | None = None
    whole: bool = False
    problem: str = ""

    @property
    def text(self) -> str:
        """The piece as text.

        Raises:
            InputError: If the bytes are no UTF-8, or there is another problem. If lines hold a
                carriage return, which some programs take for a line end and others do not.
        """
        if self.problem:
            raise InputError(self.problem)
        if isinstance(self.content, str):
            # Of a line of JSON, or of a program: it need not have been a line of a file.
            return valid(self.content)
        lines = []
        for offset, line in enumerate(self.content.split(b"\n")):
            try:
                lines.append(decoded(line, "the text") if self.whole else _line(line))
            except InputError as error:
                raise located(error, offset) from None
        return "\n".join(lines)

    @property
    def as_it_stands(self) -> str:
        """The piece for a person to read: bytes that are no UTF-8 are written in hexadecimal."""
        raw = self.content
        raw = raw.encode(errors="backslashreplace") if isinstance(raw, str) else raw
        return raw.decode(errors="backslashreplace")


@dataclass(frozen=True)
class Skipped:
    """A piece that gave no record.

    Args:
        source: The file.
        line: The line of the file, from 1.
        reason: Why, without file and line.
        text: The piece, or None where it is a whole file.
        bad: Whether it was refused; otherwise an option left it out.
    """

    source: str
    line: int
    reason: str
    text: str | None
    bad: bool = True

    @property
    def error(self) -> InputError:
        """The refusal, "FILE:LINE: ..."."""
        return InputError(f"{self.source}:{self.line}: {self.reason}")


def normal(text: str, form: Normal | None) -> str:
    """`text` in a normal form; None: as it stands."""
    return text if form is None else unicodedata.normalize(_FORMS[form], text)


def valid(text: str) -> str:
    """`text`, refused if it holds a lone surrogate, which no encoding can store."""
    torn = next((character for character in text if "\ud800" <= character <= "\udfff"), None)
    remedy = "Write it in UTF-8, without lone surrogates."
    require(torn is None, "the text", "be valid UTF-8", torn, remedy)
    return text


def parsed(text: str, remedy: str) -> Any:
    """The value of a line of JSON.

    Raises:
        InputError: If it is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refusal("the line", "be JSON", Received(str(error)), remedy) from None


def _line(raw: bytes) -> str:
    found = Received("a carriage return within it, as files of old Macs have")
    remedy = r"Type `tr '\r' '\n' < OLD > NEW`, or take it out."
    require(b"\r" not in raw, "the line", r"end in \n or \r\n", found, remedy)
    return decoded(raw, "the text")


Skip = Callable[[Skipped], None]


class LeftOut(Exception):
    """An option of the conversion leaves this piece out."""


class _Located(InputError):
    """A refusal that knows its line within the piece, from 0."""

    offset = 0


def located(error: InputError, offset: int) -> InputError:
    """`error`, said of the line `offset` lines below the first of its piece."""
    found = _Located(str(error))
    found.offset = offset
    return found


def records(
    pieces: Iterable[Piece], make: Callable[[Piece], Record], skip: Skip | None
) -> Iterator[Record]:
    """The record of each piece; those refused or left out are given to `skip`.

    Raises:
        InputError: "FILE:LINE: ..." at the first refused piece, if there is no `skip`.
    """
    for piece in pieces:
        made = _made(piece, make)
        if not isinstance(made, Skipped):
            yield made
        elif skip is not None:
            skip(made)
        elif made.bad:
            raise made.error


def numbered(lines: Iterable[bytes | str]) -> Iterator[tuple[int, bytes]]:
    """Each line with its number, from 1, without its line end and a byte order mark."""
    for number, line in enumerate(lines, 1):
        raw = line.encode(errors="surrogatepass") if isinstance(line, str) else line
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        yield number, raw.removesuffix(b"\n").removesuffix(b"\r")


def line_pieces(lines: Iterable[bytes | str], source: str) -> Iterator[Piece]:
    """A piece per line that is not blank."""
    for number, raw in numbered(lines):
        if raw.strip():
            yield Piece(raw, source, number)


def _made(piece: Piece, make: Callable[[Piece], Record]) -> Record | Skipped:
    try:
        return make(piece)
    except (InputError, LeftOut) as error:
        return _skipped(piece, error)


def _skipped(piece: Piece, error: Exception) -> Skipped:
    return Skipped(
        source=piece.source,
        line=piece.line + getattr(error, "offset", 0),
        reason=str(error),
        text=None if piece.whole else piece.as_it_stands,
        bad=not isinstance(error, LeftOut),
    )
