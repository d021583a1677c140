"""The command `grapheme`: options read off typed signatures, refusals told in one line."""

import gc
import os
import re
import signal
import sys
import traceback
import warnings
from argparse import ArgumentError
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from .._check import InputError, Notice, Received, refusal, require
from .._extras import needed
from .._signals import handled, stop
from .._startup import installed_version, without_collector

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

DONE, FAILED, REFUSED, CRASHED = 0, 1, 2, 70
SIGNALLED = 128
"""To this the number of a signal is added: 130 for Ctrl-C."""


def run() -> NoReturn:
    """The command `grapheme`: `main` in a process that is for nothing else.

    The half million objects of what was imported are neither looked through for garbage nor taken
    apart at the end. That would take a second and a half, and tell of "leaks" that are none.
    """
    status = CRASHED
    try:
        with handled(_leave):
            status = _told(sys.argv[1:], gc.freeze)
    except BaseException:  # noqa: BLE001 (a fault of ours: told as Python does)
        traceback.print_exc()
    finally:
        with suppress(OSError, AttributeError):  # closed, or never open
            sys.stderr.flush()
        os._exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: The arguments. Default: those of the process.

    Returns:
        The exit status: 0 done, 1 a check did not hold, 2 the input was refused, 128 and the
        number of the signal that stopped it: 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.
    """
    return _told(sys.argv[1:] if argv is None else argv)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """Ends the process while it is importing: nothing is open, and PyTorch would not hear of it."""
    del frame
    with suppress(OSError):
        os.write(2, f"grapheme: {_stopped_by(number)}\n".encode())
    os._exit(SIGNALLED + number)


def _stopped_by(number: int) -> str:
    return "interrupted." if number == signal.SIGINT else f"stopped by {_name(number)}."


def _name(number: int) -> str:
    return signal.Signals(number).name


def _told(argv: Sequence[str], when_imported: Callable[[], None] = lambda: None) -> int:
    try:
        with _notices_as_lines():
            status = _run(argv, when_imported)
        if sys.stdout is not None:  # closed from the start: then nothing was to be read
            sys.stdout.flush()  # here, where a reader that has left can be told from a fault
    except InputError as error:
        _say(str(error))
        return REFUSED
    except OSError as error:
        # What is still to be written goes nowhere, or Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # the reader has left: `grapheme ... | head`
            return DONE
        _say(f"the output must be writable, got {error}.")
        return REFUSED
    except KeyboardInterrupt as stopped:
        number = getattr(stopped, "number", signal.SIGINT)
        _say(_stopped_by(number))
        return SIGNALLED + number
    return status


def _say(message: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError):
            print(f"grapheme: {message}", file=sys.stderr)


@contextmanager
def _notices_as_lines() -> Iterator[None]:
    """Every warning is one line, told once, without the place in the source that gave it."""
    told = set[str]()
    with warnings.catch_warnings():
        warnings.simplefilter("always", Notice)

        def show(message: Warning | str, *_: Any, **__: Any) -> None:
            line = " ".join(str(message).split())
            if line not in told:
                told.add(line)
                _say(line)

        warnings.showwarning = show
        yield


def _run(argv: Sequence[str], when_imported: Callable[[], None]) -> int:
    words = _words(argv)
    command = words[0] if words else ""
    if command == "--version":
        print(f"grapheme {installed_version()}")
        return DONE
    with needed("The command `grapheme`", "train"):
        from ._commands import COMMANDS
        from ._option_groups import asked_group, group_help
        from ._usage import in_our_words, nearest, options_of
        from ._values import check_values, check_words
    if command == "--completion":
        from ._completion import completion

        print(completion(words[1] if len(words) > 1 else "", _parser))
        return DONE
    with without_collector(), needed(f"`grapheme {command}`", "train"):
        parser = _parser(command)
    when_imported()
    if not words:
        parser.print_help(sys.stderr)
        return REFUSED
    known = command in COMMANDS or command in ("-h", "--help")
    remedy = f"Choose one of {', '.join(COMMANDS)}; `grapheme --help` says what they do."
    remedy = nearest(command, COMMANDS) + remedy
    require(known, "the first word", "be a command", command, remedy)
    group = asked_group(words)
    if group is not None and command in COMMANDS:
        (options,) = (a.choices[command] for a in parser._actions if isinstance(a.choices, dict))
        print(group_help(options, command, group), end="")
        return DONE
    check_words(words)
    if command in COMMANDS:
        words = COMMANDS[command].words(words)
    try:
        chosen = COMMANDS.get(command)
        with_defaults = chosen is None or not chosen.given_only
        options = parser.parse_args(words, defaults=with_defaults)
    except ArgumentError as error:
        raise in_our_words(str(error), command, options_of(parser)) from None
    except RecursionError:  # brackets in brackets, which jsonargparse cannot print
        got, remedy = Received("brackets in brackets, too deep"), "Write numbers and words."
        raise refusal("the options", "have values of one kind each", got, remedy) from None
    except SystemExit:  # `--help`: all is printed
        return DONE
    check_values(options[command])
    with handled(stop), _faults_as_refusals():
        return COMMANDS[command].run(options[command])


@contextmanager
def _faults_as_refusals() -> Iterator[None]:
    """Refuses what only the work itself could show to be too large, or not printable."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # PyTorch has no other name for it
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        cause = Received(str(error)) if str(error) else Received("no more of it")
        remedy = "Make --network.dim, --network.num-buckets or --batch-size smaller."
        raise refusal("the network and a batch", "fit into memory", cause, remedy) from None
    except UnicodeEncodeError as error:
        name, character = f"the output ({error.encoding})", error.object[error.start]
        requirement, remedy = "be able to hold every character", "Set PYTHONUTF8=1."
        raise refusal(name, requirement, character, remedy) from None


def _parser(chosen: str) -> "ArgumentParser":
    """The whole command line, with the options of only that command which is asked for.

    Reading the options of a command imports what it needs; the others can wait.
    """
    from jsonargparse import ArgumentParser

    from ._commands import COMMANDS
    from ._usage import Formatter
    from ._values import MODE

    parser = ArgumentParser(
        prog="grapheme", description="Networks whose output is a graph.",
        epilog="`grapheme --version` prints the version.", formatter_class=Formatter,
        exit_on_error=False, allow_abbrev=False, parser_mode=MODE,
    )  # fmt: skip
    commands = parser.add_subcommands(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        options = ArgumentParser(
            description=command.help,
            epilog=_examples(command.examples),
            formatter_class=Formatter,
            parser_mode=MODE,
        )
        commands.add_subcommand(name, options, help=command.help)
        if name == chosen:  # now that it stands below, as it may have commands of its own
            command.add_arguments(options)
    return parser


def _examples(lines: Sequence[str]) -> str:
    return "\n".join(["examples:", *(f"  grapheme {line}" for line in lines)])


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
    option = re.match(r"--[\w.-]+(?==|$)", word)
    return (
        "--" + word[2 : option.end()].replace("-", "_") + word[option.end() :] if option else word
    )
