"""The data items of an SDF record: what stands between `M  END` and `$$$$`."""

import re
from collections.abc import Sequence

from .._check import InputError, Received, refusal
from ._ctab import COUNTS, END
from ._pieces import located

Properties = dict[str, str | list[str]]
"""The text of each property; a list of them where a name stands more than once."""

TERMINATOR = "$$$$"

_HEADER = re.compile(r">[^<]*<(.*)>[^>]*")


def properties(lines: Sequence[str], offset: int) -> Properties:
    """The properties of a record, every line of them.

    A blank line ends a value, unless text follows that begins no other item: then both belong
    to the value. The blank line before the end of the record may be missing.

    Args:
        lines: What stands after `M  END`.
        offset: Line of the record at which this begins, from 0.

    Raises:
        InputError: At a line that belongs to no data item, or that may begin one or belong to
            the one before. Joined MOL files are such lines: the first of them has a free text,
            so that no rule finds it for certain.
    """
    found: Properties = {}
    name: str | None = None
    value: list[str] = []
    blank = True
    for number, line in enumerate(lines, offset):
        _check(line, number)
        header = _HEADER.fullmatch(line.rstrip()) if line.startswith(">") else None
        if header is not None and not blank:
            remedy = "Put a blank line before it, or a space if it belongs to the value."
            raise _misplaced("a data item", "follow a blank line", line, remedy, number)
        if header is not None or (line.startswith(">") and blank):
            _add(found, name, value)
            name, value = _name(line, number), []
        elif name is None and line.strip():
            raise _misplaced("text after M  END", "be a data item", line, _JOINED, number)
        elif name is not None:
            value.append(line)
        blank = not line.strip()
    if name is not None and not value:
        remedy = "Write the value, or a blank line, between them."
        text = f"`> <{name}>` and then `$$$$`"
        raise _misplaced("a data item", "have a value", text, remedy, offset + len(lines) - 1)
    _add(found, name, value)
    return found


_JOINED = "End each molecule with a line `$$$$`; a data item begins with `> <name>`."


def _check(line: str, number: int) -> None:
    """Refuses what must not stand in any value: another record, or the end of this one."""
    if line.strip() == TERMINATOR:
        remedy = "Remove the space before it."
        raise _misplaced("`$$$$`", "begin its line", line, remedy, number)
    if line.startswith(END) or COUNTS.fullmatch(line):
        raise _misplaced("text after M  END", "be a data item", line, _JOINED, number)


def _name(line: str, number: int) -> str:
    found = _HEADER.fullmatch(line.rstrip())
    if found is not None:
        return found[1]
    field = re.search(r"\bDT\d+\b", line)
    if field is None:
        remedy = "Write `> <name>`."
        raise _misplaced("the first line of a data item", "name it", line, remedy, number)
    return field[0]


def _add(found: Properties, name: str | None, value: list[str]) -> None:
    if name is None:
        return
    while value and not value[-1].strip():
        value.pop()
    text = "\n".join(value)
    if name not in found:
        found[name] = text
        return
    before = found[name]
    found[name] = [*before, text] if isinstance(before, list) else [before, text]


def _misplaced(what: str, requirement: str, line: str, remedy: str, number: int) -> InputError:
    return located(refusal(what, requirement, Received(repr(line[:60])), remedy), number)
