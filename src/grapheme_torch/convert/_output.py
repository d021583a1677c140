"""What a conversion writes: its lines, and beside them what was skipped or left out."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any, BinaryIO

from .._check import Received, require
from .._files import check_free, replacing
from ._document import num_nodes
from ._pieces import Record, Skipped
from ._sources import STDIN, name_of


class Writer:
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
        self.skipped_file: str | None = None
        self.first: dict[bool, Skipped] = {}  # the first that was refused, and that was left out
        names = ("records", "skipped", "left_out", "larger", "max_input", "max_target")
        self.counts = dict.fromkeys(names, 0)

    def write(self, records: Iterator[Record]) -> None:
        """Writes the records of a data set but for those that no network could learn."""
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

    def write_text(self, line: str) -> None:
        """Writes a line of text."""
        self.out.write(line.encode() + b"\n")
        self.counts["records"] += 1

    def skip(self, skipped: Skipped) -> None:
        """Counts and keeps a piece that gave nothing, or raises its refusal."""
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


@contextmanager
def writing(
    input: str,
    output: str,
    targets: str | None = None,
    *,
    overwrite: bool,
    skip_bad: bool,
    skipped: str | None,
    warn: Callable[[str], None] | None,
) -> Iterator[Writer]:
    """A writer whose files appear when the body has ended, if it wrote something; see `convert`.

    Raises:
        InputError: If a file cannot be written, or nothing was.
    """
    path = _skipped_path(output) if skipped is None and skip_bad else skipped
    for file in (output, path):
        if file is not None and file != STDIN:
            check_free(file, overwrite=overwrite, inputs=(input, targets))
    found = Received(f"{output} for both")
    remedy = "Give each its own name."
    require(output != path, "output and `skipped`", "be two files", found, remedy)
    with ExitStack() as stack:
        out = _opened(stack, output)
        bad = None if path is None else _opened(stack, path)
        writer = Writer(name_of(input), out, bad, skip_bad, warn)
        writer.skipped_file = path
        yield writer
        writer.check_any()


def _skipped_path(output: str) -> str | None:
    return None if output == STDIN else output.removesuffix(".jsonl") + ".skipped.jsonl"


def _opened(stack: ExitStack, path: str) -> BinaryIO:
    if path == STDIN:
        return sys.stdout.buffer
    return stack.enter_context(stack.enter_context(replacing(path)).open("wb"))


def _line(document: Record) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode() + b"\n"
