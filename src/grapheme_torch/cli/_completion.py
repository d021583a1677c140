"""Shell completion: commands, options and their choices, as a script for a shell."""

import argparse
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from .._check import require
from .._extras import needed
from ._commands import COMMANDS

FILES = (
    "model",
    "data",
    "val",
    "out",
    "init",
    "resume",
    "config",
    "others",
    "plot",
    "input",
    "source",
)
"""Options and arguments whose values are files or folders."""


def completion(shell: str, parser_of: Callable[[str], Any]) -> str:
    """The script that completes `grapheme` in a shell.

    Args:
        shell: "bash", "zsh" or "tcsh".
        parser_of: The whole command line with the options of the command that it is given.

    Raises:
        InputError: If the shell is none of these. A `MissingExtra` if `shtab` is not installed.
    """
    with needed("`grapheme --completion`", "train"):
        import shtab
    shells = shtab.SUPPORTED_SHELLS
    remedy = 'Try: eval "$(grapheme --completion bash)"'
    require(shell in shells, "--completion", f"name one of {', '.join(shells)}", shell, remedy)
    # A plain parser: shtab reads choices off actions, where jsonargparse keeps types.
    plain = argparse.ArgumentParser(prog="grapheme", allow_abbrev=False)
    commands = plain.add_subparsers(dest="command")
    for name, command in COMMANDS.items():
        options = commands.add_parser(name, help=command.help, add_help=False)
        for action in _choices(parser_of(name))[name]._actions:
            _add(options, action, shtab.FILE)
    script: str = shtab.complete(plain, shell=shell)
    return script


def _choices(parser: Any) -> dict[str, Any]:
    """The parsers of the commands below one."""
    (found,) = (action.choices for action in parser._actions if isinstance(action.choices, dict))
    return dict(found)


def _add(parser: argparse.ArgumentParser, action: Any, file: Any) -> None:
    """Adds an option as a user writes it, with hyphens; a command with what is below it."""
    if isinstance(action.choices, dict):
        below = parser.add_subparsers(dest=action.dest)
        for name, options in action.choices.items():
            inner = below.add_parser(name, help=options.description or "", add_help=False)
            for one in options._actions:
                _add(inner, one, file)
        return
    kind = getattr(action, "_typehint", None)
    named = [word.replace("_", "-") for word in action.option_strings]
    settings: dict[str, Any] = {"help": _help(action)}
    if get_origin(kind) is Literal:
        settings["choices"] = get_args(kind)
    if action.nargs == 0:
        settings["action"] = "store_true"
    elif action.nargs is not None:
        settings["nargs"] = action.nargs
    try:
        added = parser.add_argument(*(named or [action.dest]), **settings)
    except argparse.ArgumentError:  # a group and its option are called alike
        return
    if action.dest in FILES:
        added.complete = file  # type: ignore[attr-defined]


def _help(action: Any) -> str:
    """What an option is for, without references to its default."""
    told = str(action.help)
    return "" if told in ("None", argparse.SUPPRESS) else told.replace("%", "%%")
