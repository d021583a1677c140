"""The tokens of Python source, and where in it identifiers and constants stand."""

import ast
import io
import tokenize
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .._check import Received, refusal
from ._pieces import located

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


def tokens_of(text: str, lines: Sequence[str]) -> Tokens:
    """The tokens of a source.

    Args:
        text: The source.
        lines: Its lines, with their ends.

    Raises:
        InputError: If it cannot be told apart into tokens; the error knows the line.
    """
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    kept = [token for token in _generated(text) if token.type not in _LEFT_OUT]
    labels = [_NAMED.get(token.type, token.string) for token in kept]
    offsets = [min(starts[min(t.start[0] - 1, len(lines))] + t.start[1], len(text)) for t in kept]
    return Tokens(labels, offsets)


def _generated(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, SyntaxError) as error:
        message, (line, _) = error.args[0], error.args[1][:2] if error.args[1:] else (1, 0)
        remedy = "Convert it by characters."
        bad = refusal("the source", "be readable token by token", Received(message), remedy)
        raise located(bad, max(int(line) - 1, 0)) from None


def is_literal(token: str, value: object) -> bool:
    """Whether a token is a constant of this type and value."""
    try:
        read = ast.literal_eval(token)
    except (ValueError, SyntaxError):
        return False
    return type(read) is type(value) and repr(read) == repr(value)
