"""Graphs written back as the texts of their format: of data sets, and of answers to them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from torch_geometric.data import Data

from .._check import InputError, Received, refusal, require
from ..data import parse_document
from ..graphs import graph_from_node_link, node_labels, positions_of, text_to_graph
from ._document import clusters
from ._formats import Format, format_of, written_by
from ._meaning import Unit, word_starts, words_near
from ._output import writing
from ._pieces import Piece, Record, line_pieces, records
from ._sources import Progress, lines_of, name_of

Side: TypeAlias = str | Mapping[str, Any] | Data
"""A graph, as such or as a data set holds it."""


@dataclass(frozen=True)
class WrittenBack:
    """What was written back.

    Args:
        format: The format.
        output: The file of texts.
        records: Lines in it.
        skipped: Lines that were refused.
        seconds: How long it took.
        skipped_file: Where the refused lines stand; None for nowhere.
    """

    format: str
    output: str
    records: int
    skipped: int
    seconds: float
    skipped_file: str | None

    def to_dict(self) -> dict[str, Any]:
        """The same as a dictionary, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """The same in a line or two."""
        text = f"{self.output}: {self.records} texts in {self.seconds:.1f} s"
        if self.skipped:
            text += f"\n{self.skipped} skipped: {self.skipped_file or 'reasons above'}"
        return text


def convert_back(
    format: str | Format,
    input: str,
    output: str,
    /,
    *,
    columns: str = "sentence,logical_form,type",
    overwrite: bool = False,
    skip_bad: bool = False,
    skipped: str | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> WrittenBack:
    """Writes the graphs of a JSON Lines file back as texts, a line of columns each.

    A line is a record of a data set, whose target is written by its "alignment". Or it is an answer
    of `grapheme predict --json`, whose graph is written by the positions of its nodes.

    Args:
        format: The name of a format that has a way back, `cogs` or `slog`, or such a `Format`.
        input: The file, or "-" for the standard input.
        output: The file to write, or "-" for the standard output.
        columns: Names of the columns: the sentence, the text of the graph, and keys of the record.
        overwrite, skip_bad, skipped, progress, warn: As `convert`.

    Raises:
        InputError: "FILE:LINE: ..." at the first line that cannot be written; or if none could be,
            or a file cannot be read or written.
    """
    began = time.perf_counter()
    name, write = format_of(format)[0], written_by(format)
    names = columns.split(",")
    require(len(names) >= 2, "`columns`", "name two at least", columns, "Name the sentence first.")

    def make(piece: Piece) -> Record:
        record = _record(piece)
        sentence, text = _texts(write, record)
        further = [str(record.get(key, "")) for key in names[2:]]
        cells = [sentence, text, *further]
        plain = not any(mark in cell for cell in cells for mark in "\t\n\r")
        remedy = "A column holds no tab and no line end."
        require(plain, "what is written", "fit into columns", cells, remedy)
        return {"line": "\t".join(cells)}

    files = {"overwrite": overwrite, "skip_bad": skip_bad, "skipped": skipped}
    with writing(input, output, warn=warn, **files) as writer:  # type: ignore[arg-type]
        pieces = line_pieces(lines_of(input, progress), name_of(input))
        for record in records(pieces, make, writer.skip):
            writer.write_text(record["line"])
    counts = {key: writer.counts[key] for key in ("records", "skipped")}
    took = time.perf_counter() - began
    return WrittenBack(name, output, **counts, seconds=took, skipped_file=writer.skipped_file)


def text_of_target(write: Callable[..., str], input: Side, target: Side, alignment: Any) -> str:
    """The text of a target, whose words its "alignment" tells.

    Raises:
        InputError: If the graph cannot be written, or the alignment is not one place a node.
    """
    remedy = "Convert it from the format, which tells the words."
    listed = isinstance(alignment, Sequence) and not isinstance(alignment, str)
    require(listed, 'the "alignment"', "be a list", alignment, remedy)
    for place in alignment:
        number = isinstance(place, int | float) and not isinstance(place, bool)
        require(place is None or number, "a place", "be a number or null", place, remedy)
    sentence, unit = sentence_of(input)
    return write(sentence, _graph(target), alignment, unit=unit)


def text_of_answer(write: Callable[..., str], input: Side, answer: Side) -> str:
    """The text of an answer, whose nodes stand at the words that their positions lie in.

    Raises:
        InputError: If the graph cannot be written.
    """
    graph = _graph(answer)
    sentence, unit = sentence_of(input)
    found = positions_of(graph)
    if found is None:
        return write(sentence, graph, [None] * len(node_labels(graph)), unit=unit)
    last = len(sentence.split(" ")) - 1
    words = [min(word, last) for word in words_near(sentence, found, unit)]
    starts = word_starts(sentence, unit)
    return write(sentence, graph, [starts[word] for word in words], unit=unit)


def sentence_of(input: Side) -> tuple[str, Unit]:
    """The sentence of an input, and whether its nodes are characters or words."""
    if isinstance(input, str):
        return input, "character"
    labels = node_labels(_graph(input))
    if all(len(clusters(label)) == 1 for label in labels):
        return "".join(labels), "character"
    return " ".join(labels), "word"


def _record(piece: Piece) -> Record:
    remedy = 'Write {"input": ..., "target": ..., "alignment": [...]} on one line.'
    try:
        found: Any = parse_document(piece.text.encode())
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise refusal("the line", "be JSON", Received(str(error)), remedy) from None
    is_pair = (
        isinstance(found, dict) and "input" in found and ("target" in found or "nodes" in found)
    )
    require(is_pair, "the line", "have an input, and a target or nodes", found, remedy)
    assert isinstance(found, dict)
    return found


def _texts(write: Callable[..., str], record: Record) -> tuple[str, str]:
    sentence, _ = sentence_of(record["input"])
    if "nodes" in record:
        graph = {key: record[key] for key in ("directed", "nodes", "edges") if key in record}
        return sentence, text_of_answer(write, record["input"], graph)
    alignment = record.get("alignment")
    return sentence, text_of_target(write, record["input"], record["target"], alignment)


def _graph(side: Any) -> Data:
    if isinstance(side, Data):
        return side
    if isinstance(side, str):
        return text_to_graph(side)
    remedy = "Write the graph as node-link."
    require(isinstance(side, Mapping), "a graph", "be a text or an object", side, remedy)
    return graph_from_node_link(side)
