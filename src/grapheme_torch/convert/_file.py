"""A file converted: records written one by one, what is refused kept beside them."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from .._check import Received, refusal, require
from .._files import check_free, replacing
from ._document import num_nodes
from ._formats import Format, format_of
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
        left_out: Pieces that an option left out, and pairs of which no network can learn: those
            whose input is empty and whose target is not.
        first_left_out: Which was the first of them and why; None if there is none.
        larger: Pairs whose target has more nodes than their input.
        max_input, max_target: Most nodes of an input and of a target.
        seconds: How long it took.
        skipped_file: Where the refused pieces and those left out stand, with line and reason; None
            for nowhere.
    """

    format: str
    output: str
    records: int
    skipped: int
    left_out: int
    first_left_out: str | None
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
            text += f"; {self.left_out} left out, the first: {self.first_left_out}"
        if self.skipped:
            text += f"\n{self.skipped} skipped: {self.skipped_file or 'reasons above'}"
        return text


def convert(
    format: str | Format,
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

    The output appears when all is done, or not at all; on the standard output, records appear
    as they are made.

    Args:
        format: The name of one of `formats()`, or a `Format` of your own.
        input: The file, a folder of files where the format has one file per record, or "-" for
            the standard input. A file of gzip, bzip2 or xz is unpacked.
        output: The data set to write, or "-" for the standard output.
        targets: File or folder of the targets, for formats of pairs of files.
        overwrite: Whether an existing output may be replaced.
        skip_bad: Whether refused pieces are skipped; otherwise the first one ends it.
        skipped: Where the pieces that were skipped or left out are written: line, reason and text
            of each, as JSON Lines. Default with `skip_bad`: the output with ".skipped.jsonl" as
            its ending; if that is the standard output, what is skipped is told to `warn`.
        key: The key that holds the source, where sources are read from JSON Lines.
        progress: Called with how much has been read, and how much there is (0: unknown).
        warn: Called with each skipped piece, "FILE:LINE: ...", that goes into no file.
        options: Those of the format.

    Raises:
        InputError: "FILE:LINE: ..." at the first refused piece; or if nothing could be
            converted, or a file cannot be read or written.
    """
    began = time.perf_counter()
    name, found = format_of(format)
    path = _skipped_path(output) if skipped is None and skip_bad else skipped
    for file in (output, path):
        _check_free(file, overwrite, (input, targets))
    found_names = Received(f"{output} for both")
    remedy = "Give each its own name."
    require(output != path, "output and `skipped`", "be two files", found_names, remedy)
    with ExitStack() as stack:
        out = _opened(stack, output)
        bad = None if path is None else _opened(stack, path)
        writer = _Writer(name_of(input), out, bad, skip_bad, warn)
        feed = _feed(found, input, targets, key, progress)
        if found.feed == "lines":
            options = {"source": name_of(input), **options}
        writer.write(found.read(feed, skip=writer.skip, **options))
        writer.check_any()
    return Conversion(
        format=name,
        output=output,
        seconds=time.perf_counter() - began,
        skipped_file=path,
        **writer.summary(),
    )


class _Writer:
    """Writes records and what was skipped, and counts."""

    def __init__(
        self,
        source: str,
        out: BinaryIO,
        bad: BinaryIO | None,
        skip_bad: bool,
        warn: Callable[[str], None] | None,
    ) -> None:
        self.source, self.out, self.bad = source, out, bad
        self.skip_bad, self.warn = skip_bad, warn
        self.first: dict[bool, Skipped] = {}  # the first that was refused, and that was left out
        names = ("records", "skipped", "left_out", "larger", "max_input", "max_target")
        self.counts = dict.fromkeys(names, 0)

    def write(self, records: Iterator[Record]) -> None:
        for record in records:
            given, wanted = num_nodes(record["input"]), num_nodes(record["target"])
            if wanted > given == 0:
                self.skip(self._without_input(record, wanted))
                continue
            self.out.write(_line(record))
            self.counts["records"] += 1
            self.counts["larger"] += wanted > given
            self.counts["max_input"] = max(self.counts["max_input"], given)
            self.counts["max_target"] = max(self.counts["max_target"], wanted)

    def skip(self, skipped: Skipped) -> None:
        if skipped.bad and not self.skip_bad:
            raise skipped.error
        self.first.setdefault(skipped.bad, skipped)
        self.counts["skipped" if skipped.bad else "left_out"] += 1
        if self.bad is not None:
            kept = asdict(skipped)
            left_out = not kept.pop("bad")
            self.bad.write(_line({**kept, "left_out": left_out}))
        elif skipped.bad and self.warn is not None:
            self.warn(str(skipped.error))

    def check_any(self) -> None:
        """Refuses a file that gave no pair, which no data set may be."""
        counts = f"none, {self.counts['skipped']} refused, {self.counts['left_out']} left out"
        which = self.first.get(True) or self.first.get(False)
        first = f" The first: {which.error}" if which else ""
        require(
            self.counts["records"] > 0,
            f"{self.source}: the input",
            "give at least one pair",
            Received(counts),
            f"Check the format and its options.{first}",
        )

    def summary(self) -> dict[str, Any]:
        """The fields of `Conversion` that were counted."""
        left_out = self.first.get(False)
        return {**self.counts, "first_left_out": str(left_out.error) if left_out else None}

    def _without_input(self, record: Record, wanted: int) -> Skipped:
        """What is told of a pair whose input is empty, which no network could answer."""
        path, line = record.get("path"), record.get("line")
        source = self.source if path is None else os.path.join(self.source, str(path))
        name = f" of {record['name']!r}" if "name" in record else ""
        reason = f"the input{name} is empty, and the target has {wanted} nodes"
        return Skipped(source, line if isinstance(line, int) else 1, reason, None, bad=False)


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


def _skipped_path(output: str) -> str | None:
    return None if output == STDIN else output.removesuffix(".jsonl") + ".skipped.jsonl"


def _check_free(path: str | None, overwrite: bool, inputs: tuple[str | None, ...]) -> None:
    if path is None or path == STDIN:
        return
    check_free(path, overwrite=overwrite, inputs=inputs)


def _opened(stack: ExitStack, path: str) -> BinaryIO:
    if path == STDIN:
        return sys.stdout.buffer
    return stack.enter_context(stack.enter_context(replacing(path)).open("wb"))


def _line(document: Record) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode() + b"\n"
