"""The command `grapheme`: options read off typed signatures, refusals told in one line."""

import sys
from collections.abc import Sequence

from jsonargparse import ArgumentParser

from ._check import InputError
from ._commands import COMMANDS, Command

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: The arguments. Default: those of the process.

    Returns:
        The exit status: 0 done, 1 a check did not hold, 2 the input was refused, 130 interrupted.
    """
    words = [_with_underscores(word) for word in (sys.argv[1:] if argv is None else argv)]
    try:
        options = _parser(words).parse_args(words)
        return COMMANDS[options.command].run(options[options.command])
    except InputError as error:
        print(f"grapheme: {error}", file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        sys.stderr.close()  # the reader has left: `grapheme ... | head`
        return DONE
    except KeyboardInterrupt:
        print("grapheme: interrupted.", file=sys.stderr)
        return INTERRUPTED


def _parser(words: Sequence[str]) -> ArgumentParser:
    """The whole command line, with the options of only that command which is asked for.

    Reading the options of a command imports what it needs; the others can wait.
    """
    parser = ArgumentParser(prog="grapheme", description="Networks whose output is a graph.")
    commands = parser.add_subcommands(dest="command", metavar="COMMAND")
    chosen = next((word for word in words if word in COMMANDS), None)
    for name, command in COMMANDS.items():
        commands.add_subcommand(name, _subparser(command, full=name == chosen), help=command.help)
    return parser


def _subparser(command: Command, *, full: bool) -> ArgumentParser:
    parser = ArgumentParser(description=command.help)
    if full:
        command.add_arguments(parser)
    return parser


def _with_underscores(word: str) -> str:
    """`--batch-size=4` as `--batch_size=4`: options are named like the arguments in Python."""
    if not word.startswith("--") or word == "--":
        return word
    name, equals, value = word.partition("=")
    return "--" + name[2:].replace("-", "_") + equals + value


if __name__ == "__main__":
    sys.exit(main())
