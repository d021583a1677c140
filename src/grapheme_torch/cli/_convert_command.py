"""The command `grapheme convert`: a subcommand per format, options read off the converters."""

import json
import sys
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from ._usage import Formatter
from ._values import MODE

_FED = {"source", "skip"}
"""What the command gives a converter itself."""


def add_arguments(parser: ArgumentParser) -> None:
    """Adds a subcommand for each format."""
    from ..convert import formats as known

    parser.epilog = (
        "`grapheme convert FORMAT --help` lists the options of a format; each takes --overwrite,\n"
        f"--skip-bad and --json.\n\n{parser.epilog}"
    )
    formats = parser.add_subcommands(dest="format", metavar="FORMAT")
    for name, found in known().items():
        options = ArgumentParser(
            description=found.help, formatter_class=Formatter, parser_mode=MODE
        )
        formats.add_subcommand(name, options, help=found.help)
        _add_paths(options, found.feed)
        skip: set[str | int] = {*_FED, _first(found.read)}
        options.add_function_arguments(found.read, as_positional=False, skip=skip)
        _add_common(options)
    _add_back(formats)


def _add_back(formats: Any) -> None:
    """Adds the subcommand that writes graphs back."""
    from ..convert import BACK

    what = "Graphs of a data set, or answers of `grapheme predict --json`, back to their texts."
    options = ArgumentParser(description=what, formatter_class=Formatter, parser_mode=MODE)
    formats.add_subcommand(BACK, options, help="Graphs back to the texts of a format.")
    options.add_argument("INPUT", type=str, help="JSON Lines file, or - for the standard input")
    options.add_argument("OUTPUT", type=str, help="file to write, or - for the standard output")
    to = "a format with a way back, such as cogs or slog"
    options.add_argument("--to", type=str, required=True, help=to)
    columns = "the sentence, the text of the graph, and keys of the record"
    default = "sentence,logical_form,type"
    options.add_argument("--columns", type=str, default=default, help=columns)
    _add_common(options)


def run(options: Namespace) -> int:
    """Converts, tells what was done and returns the exit status."""
    from tqdm import tqdm

    from ..convert import BACK, convert, convert_back

    given: dict[str, Any] = options.as_dict()
    name = given.pop("format")
    given = given.pop(name)
    as_json, paths = given.pop("json"), {key: given.pop(key) for key in ("INPUT", "OUTPUT")}
    if "TARGETS" in given:
        given["targets"] = given.pop("TARGETS")
    with tqdm(unit_scale=True, dynamic_ncols=True, disable=None, file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        work: Any = convert
        if name == BACK:
            name, work = given.pop("to"), convert_back
        done = work(name, paths["INPUT"], paths["OUTPUT"], progress=progress, warn=_warn, **given)
    # The standard output may hold the data set: then what is told of it goes elsewhere.
    file = sys.stderr if paths["OUTPUT"] == "-" else sys.stdout
    print(json.dumps(done.to_dict(), ensure_ascii=False, indent=2) if as_json else done, file=file)
    return 0


def _warn(message: str) -> None:
    print(f"grapheme: skipped {message}", file=sys.stderr)


def _add_paths(parser: ArgumentParser, feed: str) -> None:
    help_ = {
        "lines": "file to convert, or - for the standard input",
        "sources": "file, folder, JSON Lines file (.jsonl), or - for the standard input",
        "pairs": "file, or folder of files",
    }
    parser.add_argument("INPUT", type=str, help=help_[feed])
    if feed == "pairs":
        parser.add_argument("TARGETS", type=str, help="file or folder of targets of the same names")
    parser.add_argument("OUTPUT", type=str, help="data set to write, or - for the standard output")
    if feed == "sources":
        help_key = "key of the source in a JSON Lines file"
        parser.add_argument("--key", type=str, default="source", help=help_key)


def _add_common(parser: ArgumentParser) -> None:
    overwrite = "whether an existing output may be replaced"
    parser.add_argument("--overwrite", action="store_true", help=overwrite)
    skip_bad = "whether what is refused is skipped, counted and kept in a file"
    parser.add_argument("--skip_bad", action="store_true", help=skip_bad)
    skipped = "file of what is skipped or left out (with skip_bad: OUTPUT.skipped.jsonl)"
    parser.add_argument("--skipped", type=str, help=skipped)
    parser.add_argument("--json", action="store_true", help="print JSON")


def _first(function: Any) -> str:
    import inspect

    return next(iter(inspect.signature(function).parameters))
