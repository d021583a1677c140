"""A file converted: records written one by one, what is refused kept beside them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from .._check import Received, refusal
from ._formats import Format, format_of
from ._output import writing
from ._sources import Progress, lines_of, name_of, pairs_of, sources_of


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
    with writing(
        input, output, targets, overwrite=overwrite, skip_bad=skip_bad, skipped=skipped, warn=warn
    ) as writer:
        feed = _feed(found, input, targets, key, progress)
        if found.feed == "lines":
            options = {"source": name_of(input), **options}
        writer.write(found.read(feed, skip=writer.skip, **options))
    return Conversion(
        format=name,
        output=output,
        seconds=time.perf_counter() - began,
        skipped_file=writer.skipped_file,
        **writer.summary(),
    )


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
