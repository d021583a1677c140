"""The command `grapheme`: options read off typed signatures, refusals told in one line."""

import gc
import os
import re
import sys
from argparse import ArgumentError
from collections.abc import Callable, Sequence
from typing import NoReturn

from jsonargparse import ArgumentParser

from ._check import InputError, refusal, require
from ._commands import COMMANDS
from ._startup import without_collector
from ._usage import in_our_words

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130


def run() -> NoReturn:
    """The command `grapheme`: `main` in a process that is for nothing else.

    The half million objects of what was imported are neither looked through for garbage nor taken
    apart at the end, which would take a second and a half.
    """
    status = _told(sys.argv[1:], gc.freeze)
    sys.stderr.flush()
    os._exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: The arguments. Default: those of the process.

    Returns:
        The exit status: 0 done, 1 a check did not hold, 2 the input was refused, 130 interrupted.
    """
    return _told(sys.argv[1:] if argv is None else argv)


def _told(argv: Sequence[str], when_imported: Callable[[], None] = lambda: None) -> int:
    try:
        status = _run(argv, when_imported)
        sys.stdout.flush()  # here, where a reader that has left can still be told from a fault
    except InputError as error:
        print(f"grapheme: {error}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        # What is still to be written goes nowhere, or Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # the reader has left: `grapheme ... | head`
            return DONE
        print(f"grapheme: the output must be writable, got {error}.", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("grapheme: interrupted.", file=sys.stderr)
        return INTERRUPTED
    return status


def _run(argv: Sequence[str], when_imported: Callable[[], None]) -> int:
    words = _words(argv)
    command = words[0] if words else ""
    with without_collector():
        parser = _parser(command)
    when_imported()
    if not words:
        parser.print_help(sys.stderr)
        return REFUSED
    known = command in COMMANDS or command in ("-h", "--help")
    remedy = f"Choose one of {', '.join(COMMANDS)}; `grapheme --help` says what they do."
    require(known, "the first word", "be a command", command, remedy)
    try:
        options = parser.parse_args(words)
    except ArgumentError as error:
        raise in_our_words(str(error), command) from None
    except SystemExit:  # `--help`: all is printed
        return DONE
    try:
        return COMMANDS[command].run(options[command])
    except RuntimeError as error:  # PyTorch has no other name for it on a processor
        if "memory" not in str(error):
            raise
        remedy = "Make --dim, --num_buckets or --batch_size smaller."
        raise refusal("the network and a batch", "fit into memory", str(error), remedy) from None
    except UnicodeEncodeError as error:
        name, character = f"the output ({error.encoding})", error.object[error.start]
        requirement, remedy = "be able to hold every character", "Set PYTHONUTF8=1."
        raise refusal(name, requirement, character, remedy) from None


def _parser(chosen: str) -> ArgumentParser:
    """The whole command line, with the options of only that command which is asked for.

    Reading the options of a command imports what it needs; the others can wait.
    """
    parser = ArgumentParser(
        prog="grapheme", description="Networks whose output is a graph.",
        exit_on_error=False, allow_abbrev=False,
    )  # fmt: skip
    commands = parser.add_subcommands(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        options = ArgumentParser(description=command.help)
        commands.add_subcommand(name, options, help=command.help)
        if name == chosen:  # now that it stands below, as it may have commands of its own
            command.add_arguments(options)
    return parser


def _words(argv: Sequence[str]) -> list[str]:
    """The arguments, every option before a bare `--` with underscores.

    Raises:
        InputError: If an argument is no text: bytes that are no UTF-8 arrive as lone surrogates.
    """
    words = list(argv)
    for k, word in enumerate(words, 1):
        torn = any("\ud800" <= character <= "\udfff" for character in word)
        remedy = "Write it in UTF-8, without lone surrogates."
        require(not torn, f"argument {k}", "be valid text", word, remedy)
    end = words.index("--") if "--" in words else len(words)
    return [_with_underscores(word) for word in words[:end]] + words[end:]


def _with_underscores(word: str) -> str:
    """`--batch-size=4` as `--batch_size=4`: options are named like the arguments in Python."""
    option = re.match(r"--[\w-]+(?==|$)", word)
    return (
        "--" + word[2 : option.end()].replace("-", "_") + word[option.end() :] if option else word
    )


if __name__ == "__main__":
    run()
