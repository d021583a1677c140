"""The tokens of Python source, and where in it identifiers and constants stand."""

import ast
import re
import tokenize
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .._check import Received, refusal

_NAMED = {tokenize.NEWLINE: "NEWLINE", tokenize.INDENT: "INDENT", tokenize.DEDENT: "DEDENT"}
"""Tokens that layout stands for."""
_LEFT_OUT = {tokenize.NL, tokenize.COMMENT, tokenize.ENCODING, tokenize.ENDMARKER}


@dataclass(frozen=True)
class Tokens:
    """The tokens of a source in their order, without comments and empty lines.

    Args:
        labels: Their texts; NEWLINE, INDENT and DEDENT for what layout means.
        starts: The character at which each begins.
    """

    labels: list[str]
    starts: list[int]

    def at(self, offset: int | None) -> int | None:
        """The token in which a character stands."""
        return None if offset is None else max(bisect_right(self.starts, offset) - 1, 0)

    def where(self, means: Callable[[str], bool], span: range, *, last: bool = False) -> int | None:
        """The first token between two characters, or the last, of which something is true."""
        found = range(bisect_left(self.starts, span.start), bisect_left(self.starts, span.stop))
        order = reversed(found) if last else found
        return next((k for k in order if means(self.labels[k])), None)


def source_lines(text: str) -> list[str]:
    """The lines as Python counts them, with their ends; `splitlines` knows more line ends."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def tokens_of(lines: Sequence[str], starts: Sequence[int]) -> Tokens:
    """The tokens of a source.

    Args:
        lines: Its lines, with their ends.
        starts: The character at which each begins, and that behind the last.

    Raises:
        InputError: If it does not fall into tokens.
    """
    kept = [token for token in _generated(lines) if token.type not in _LEFT_OUT]
    labels = [_NAMED.get(token.type, token.string) for token in kept]
    offsets = [min(starts[min(t.start[0] - 1, len(lines))] + t.start[1], starts[-1]) for t in kept]
    return Tokens(labels, offsets)


def _generated(lines: Sequence[str]) -> Iterator[tokenize.TokenInfo]:
    ends = (re.sub(r"\r\n?$", "\n", line) for line in lines)  # as Python reads them
    try:
        yield from tokenize.generate_tokens(lambda: next(ends, ""))
    except (tokenize.TokenError, SyntaxError) as error:
        remedy = "Convert it by characters."
        raise refusal("the source", "fall into tokens", Received(str(error)), remedy) from None


UNREADABLE = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)
"""What reading a text as Python may raise; TypeError: a set of lists."""


def constant(text: str) -> Any:
    """The value of a constant as Python writes it.

    Raises:
        Exception: One of `UNREADABLE`, if it is none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape is no concern of ours
        return ast.literal_eval(text)


def is_constant(token: str, value: object) -> bool:
    """Whether a token is a constant of this type and value."""
    try:
        read = constant(token)
        return type(read) is type(value) and repr(read) == repr(value)
    except UNREADABLE:
        return False
