"""What a network is to answer, read one line at a time: texts, or records of JSON Lines."""

import codecs
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from .._check import InputError, Received, relocate, require
from .._reading import decoded
from ..graphs import count_clusters
from ._jsonl import parse_line
from ._records import Pair, make_pair

LineFormat = Literal["auto", "lines", "jsonl"]


def read_inputs(
    lines: Iterable[bytes], source: str, kind: LineFormat = "auto", *, max_nodes: int | None = None
) -> Iterator[Pair | None]:
    """What each line gives to answer, in order; None for a blank line.

    Args:
        lines: The lines of a file in UTF-8, with their ends.
        source: Name of the file, for messages.
        kind: "lines": each is a text. "jsonl": each is a record, as of `read_pairs`; it needs no
            "target". "auto": JSON Lines if the first line that is not blank begins with a brace.
        max_nodes: Most nodes of an input. Default: any number.

    Raises:
        InputError: "SOURCE:LINE: ..." at the first line that is not as required. What came before
            it has been given.
    """
    for number, raw in enumerate(lines, 1):
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if not line.strip():
            yield None
            continue
        if kind == "auto":
            kind = "jsonl" if line.lstrip().startswith(b"{") else "lines"
        place = f"{source}:{number}"
        record = {"input": _text(line, place)} if kind == "lines" else parse_line(line, place)
        yield input_pair(record, source, number, max_nodes=max_nodes)


def input_pair(
    record: dict[str, Any], source: str, number: int = 1, *, max_nodes: int | None = None
) -> Pair:
    """The pair of a record that needs no target.

    Raises:
        InputError: "SOURCE:NUMBER: ..." if it is not as required, or has too many nodes.
    """
    if max_nodes is not None:
        check_size(f'{source}:{number}: the "input"', record.get("input"), max_nodes)
    asked = {key: value for key, value in record.items() if key != "target"}
    return make_pair(asked, source, number, need_target=False)


def check_size(name: str, document: object, max_nodes: int) -> None:
    """Refuses a text or node-link object of too many nodes, before a graph is built of it.

    Raises:
        InputError: With the number of its nodes, and of pairs of them, that memory grows with.
    """
    nodes = 0
    if isinstance(document, str):
        nodes = count_clusters(document)
    elif isinstance(document, Mapping) and isinstance(document.get("nodes"), list):
        nodes = len(document["nodes"])
    got = Received(f"{nodes} nodes, {nodes**2 / 1e6:.3g} million pairs of them")
    remedy = (
        "Memory and time grow with the pairs: split it, or raise the bound with --max-nodes "
        "if the machine has room."
    )
    require(nodes <= max_nodes, name, f"have at most {max_nodes} nodes", got, remedy)


def _text(line: bytes, place: str) -> str:
    try:
        text = decoded(line.removesuffix(b"\n").removesuffix(b"\r"), "the line")
        remedy = "Save the file with line feeds; in JSON Lines a text can hold any character."
        require("\r" not in text, "the line", "hold no carriage return", text, remedy)
    except InputError as error:
        relocate(error, place)
    return text
