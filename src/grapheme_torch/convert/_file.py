"""A file converted: records written one by one, what is refused kept beside them."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .._check import Received, refusal, require
from .._files import check_free, replacing
from ._document import num_nodes
from ._formats import FORMATS, Format
from ._pieces import Record, Skipped
from ._sources import STDIN, Progress, lines_of, name_of, pairs_of, sources_of


@dataclass(frozen=True)
class Conversion:
    """What a conversion did.

    Args:
        format: The format.
        output: The data set that was written.
        records: Pairs in it.
        skipped: Pieces that were refused.
        left_out: Pieces that an option left out.
        larger: Pairs whose target has more nodes than their input.
        max_input, max_target: Most nodes of an input and of a target.
        seconds: How long it took.
        skipped_file: Where the refused pieces stand, with line and reason; None for nowhere.
    """

    format: str
    output: str
    records: int
    skipped: int
    left_out: int
    larger: int
    max_input: int
    max_target: int
    seconds: float
    skipped_file: str | None

    def to_dict(self) -> dict[str, Any]:
        """The same as a dictionary, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """The same in a line or two."""
        text = (
            f"{self.output}: {self.records} pairs in {self.seconds:.1f} s, inputs up to "
            f"{self.max_input} nodes, targets up to {self.max_target}"
        )
        if self.larger:
            text += f"; {self.larger} targets are larger than their input"
        if self.left_out:
            text += f"; {self.left_out} left out"
        if self.skipped:
            text += f"\n{self.skipped} skipped: {self.skipped_file or 'reasons above'}"
        return text


def convert(
    format: str,
    input: str,
    output: str,
    /,
    *,
    targets: str | None = None,
    overwrite: bool = False,
    skip_bad: bool = False,
    skipped: str | None = None,
    key: str = "source",
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
    **options: Any,
) -> Conversion:
    """Converts a file into a JSON Lines data set, record by record.

    The output appears when all is done, or not at all.

    Args:
        format: One of `FORMATS`.
        input: The file, a folder of files where the format has one file per record, or "-" for
            the standard input.
        output: The data set to write, or "-" for the standard output.
        targets: File or folder of the targets, for formats of pairs of files.
        overwrite: Whether an existing output may be replaced.
        skip_bad: Whether refused pieces are skipped; otherwise the first one ends it.
        skipped: Where skipped pieces are written: line, reason and text of each, as JSON
            Lines. Default: the output with ".skipped.jsonl" as its ending; if that is the
            standard output, they are told to `warn`.
        key: The key that holds the source, where sources are read from JSON Lines.
        progress: Called with how much has been read, and how much there is (0: unknown).
        warn: Called with each skipped piece, "FILE:LINE: ...", that goes into no file.
        options: Those of the format.

    Raises:
        InputError: "FILE:LINE: ..." at the first refused piece; or if nothing could be
            converted, or a file cannot be read or written.
    """
    began = time.perf_counter()
    found = _format(format)
    path = _skipped_path(output, skipped) if skip_bad else None
    for file in (output, path):
        _check_free(file, overwrite, (input, targets))
    found_names = Received(f"{output} for both")
    remedy = "Give each its own name."
    require(output != path, "output and `skipped`", "be two files", found_names, remedy)
    with ExitStack() as stack:
        out = _opened(stack, output)
        bad = None if path is None else _opened(stack, path)
        writer = _Writer(out, bad, skip_bad, warn)
        feed = _feed(found, input, targets, key, progress)
        if found.feed == "lines":
            options = {"source": name_of(input), **options}
        writer.write(found.read(feed, skip=writer.skip, **options))
        writer.check_any(name_of(input))
    return Conversion(
        format=format,
        output=output,
        seconds=time.perf_counter() - began,
        skipped_file=path,
        **writer.counts,
    )


class _Writer:
    """Writes records and what was skipped, and counts."""

    def __init__(
        self,
        out: BinaryIO,
        bad: BinaryIO | None,
        skip_bad: bool,
        warn: Callable[[str], None] | None,
    ) -> None:
        self.out, self.bad, self.skip_bad, self.warn = out, bad, skip_bad, warn
        self.first: Skipped | None = None
        names = ("records", "skipped", "left_out", "larger", "max_input", "max_target")
        self.counts = dict.fromkeys(names, 0)

    def write(self, records: Iterator[Record]) -> None:
        for record in records:
            self.out.write(_line(record))
            given, wanted = num_nodes(record["input"]), num_nodes(record["target"])
            self.counts["records"] += 1
            self.counts["larger"] += wanted > given
            self.counts["max_input"] = max(self.counts["max_input"], given)
            self.counts["max_target"] = max(self.counts["max_target"], wanted)

    def skip(self, skipped: Skipped) -> None:
        if not skipped.bad:
            self.counts["left_out"] += 1
            return
        if not self.skip_bad:
            raise skipped.error
        self.first = self.first or skipped
        self.counts["skipped"] += 1
        if self.bad is not None:
            kept = {name: value for name, value in asdict(skipped).items() if name != "bad"}
            self.bad.write(_line(kept))
        elif self.warn is not None:
            self.warn(str(skipped.error))

    def check_any(self, source: str) -> None:
        """Refuses a file that gave no pair, which no data set may be."""
        counts = f"none, {self.counts['skipped']} refused, {self.counts['left_out']} left out"
        first = f" The first: {self.first.error}" if self.first else ""
        require(
            self.counts["records"] > 0,
            f"{source}: the input",
            "give at least one pair",
            Received(counts),
            f"Check the format and its options.{first}",
        )


def _format(name: str) -> Format:
    remedy = f"Choose one of {', '.join(FORMATS)}."
    require(name in FORMATS, "the format", "be known", name, remedy)
    return FORMATS[name]


def _feed(
    found: Format, input: str, targets: str | None, key: str, progress: Progress | None
) -> Iterator[Any]:
    if found.feed == "lines":
        return lines_of(input, progress)
    if found.feed == "sources":
        return sources_of(input, found.suffix, key, progress)
    if targets is None:
        remedy = "Name the file or folder of the targets."
        raise refusal("`targets`", "be given", Received("nothing"), remedy)
    return pairs_of(input, targets, found.suffix, progress)


def _skipped_path(output: str, skipped: str | None) -> str | None:
    if skipped is not None or output == STDIN:
        return skipped
    return output.removesuffix(".jsonl") + ".skipped.jsonl"


def _check_free(path: str | None, overwrite: bool, inputs: tuple[str | None, ...]) -> None:
    if path is None or path == STDIN:
        return
    file = Path(path)
    for read in inputs:
        same = read is not None and file.is_file() and os.path.exists(read) and file.samefile(read)
        remedy = "Name another file; the input would be lost."
        require(not same, f"{path}: the output", "not be the input", Received("the same"), remedy)
    check_free(path, overwrite=overwrite)


def _opened(stack: ExitStack, path: str) -> BinaryIO:
    if path == STDIN:
        return sys.stdout.buffer
    return stack.enter_context(stack.enter_context(replacing(path)).open("wb"))


def _line(document: Record) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode() + b"\n"
