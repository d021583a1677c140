"""The one form every refusal takes: what was asked of what, what came, what to do."""

import warnings
from typing import NoReturn


class InputError(ValueError):
    """An input was refused; the message names it, the requirement, the value and the remedy."""


class Notice(UserWarning):
    """Something of the input is left aside; the message says what of which file, and the remedy."""


def notice(message: str) -> None:
    """Gives a `Notice`: a warning in Python, a line on the standard error of the command."""
    warnings.warn(message, Notice, stacklevel=2)


def shown(value: object, limit: int = 60) -> str:
    """`value` as it is printed in a message: its `repr`, cut to `limit` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def refusal(name: str, requirement: str, value: object, remedy: str) -> InputError:
    """The error "`name` must `requirement`, got `value`. `remedy`"; the caller raises it.

    `name` is printed as it is, so that a caller can put a file and line before it. `value` is
    printed by its `repr`, unless it is text already prepared as `Received`.
    """
    received = value if isinstance(value, Received) else shown(value)
    return InputError(f"{name} must {requirement}, got {received}. {remedy}")


class Received(str):
    """A received value already put in words, such as "a graph of 12 nodes"."""

    __slots__ = ()


def require(ok: bool, name: str, requirement: str, value: object, remedy: str) -> None:
    """Raises `refusal(...)` unless `ok`."""
    if not ok:
        raise refusal(name, requirement, value, remedy)


def relocate(error: InputError, place: str) -> NoReturn:
    """Raises `error` again with the place it happened at (a file and line) before its text."""
    raise InputError(f"{place}: {error}") from None
