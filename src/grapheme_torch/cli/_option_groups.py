"""Groups of options: a line each in the help of a command, in full by `--help.GROUP`."""

import inspect
import textwrap
from argparse import SUPPRESS
from collections.abc import Iterable, Mapping
from typing import Any

from .._check import Received, refusal
from ._usage import nearest

_ASKED = "--help."


class Groups:
    """The groups of options of a command.

    Args:
        parser: Parser of the command; its own help tells only the names of what is in a group.
    """

    def __init__(self, parser: Any) -> None:
        self._parser, self._epilog = parser, parser.epilog or ""
        self._lines = ["groups of options, in full by --help.GROUP (such as --help.{first}):"]
        parser.option_groups = {}

    def add(
        self,
        name: str,
        kind: type,
        *,
        skip: Iterable[str] = (),
        parts: Mapping[str, type] | None = None,
    ) -> None:
        """Adds the arguments of a class as options `--NAME.ARGUMENT`.

        Args:
            name: Name of the group.
            kind: The class.
            skip: Arguments of the class to leave out.
            parts: Groups within the group, `--NAME.PART.ARGUMENT`.
        """
        groups, options = self._parser._action_groups, []
        visible = list(groups)
        kinds = {name: kind} | {f"{name}.{part}": one for part, one in (parts or {}).items()}
        for nested, one in kinds.items():
            known = inspect.signature(one).parameters
            names = [argument for argument in skip if argument in known and nested == name]
            left_out: set[str | int] = {*names}
            options += self._parser.add_class_arguments(
                one, nested, as_positional=False, skip=left_out
            )
        for action in self._parser._actions:
            if action.dest in kinds:  # --NAME itself, a file of the group: --config does that
                action.help = SUPPRESS
        self._parser.option_groups[name] = [group for group in groups if group not in visible]
        groups[:] = visible
        self._tell(name, options)

    def _tell(self, name: str, options: list[str]) -> None:
        words = ", ".join(one.removeprefix(f"{name}.").replace("_", "-") for one in options)
        head = f"  --{name}."
        self._lines += textwrap.wrap(
            words, 98, initial_indent=f"{head:19}", subsequent_indent=" " * 19,
            break_on_hyphens=False,
        )  # fmt: skip
        text = "\n".join(self._lines).replace("{first}", next(iter(self._parser.option_groups)))
        self._parser.epilog = f"{text}\n\n{self._epilog}"


def asked_group(words: Iterable[str]) -> str | None:
    """The group whose help is asked for, by `--help.GROUP`; None if none is."""
    asked = [word for word in words if word.startswith(_ASKED)]
    return asked[0].removeprefix(_ASKED) if asked else None


def group_help(parser: Any, command: str, name: str) -> str:
    """The options of a group in full.

    Raises:
        InputError: If the command has no such group.
    """
    groups = getattr(parser, "option_groups", {})
    if name not in groups:
        has = f"It has {', '.join(groups)}." if groups else "It has none."
        where = f"`{_ASKED}{name}`"
        got, near = Received(repr(name)), nearest(name, groups)
        raise refusal(where, f"name a group of `grapheme {command}`", got, near + has)
    kept = parser._action_groups, parser.epilog, parser.usage, parser.description
    parser._action_groups, parser.epilog = groups[name], None
    parser.usage, parser.description = f"grapheme {command} --{name}.OPTION VALUE ...", None
    try:
        return str(parser.format_help())
    finally:
        parser._action_groups, parser.epilog, parser.usage, parser.description = kept
