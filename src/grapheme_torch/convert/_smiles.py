"""SMILES to molecule graphs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from .._check import Received, refusal
from ._chem import chem
from ._document import node_link
from ._facts import check_same
from ._molecule import check_told, graph_of, read_smiles, written
from ._pieces import Piece, Record, Skip, records
from ._table import Table, extras


def smiles(
    lines: Iterable[bytes | str],
    *,
    source: str = "<memory>",
    skip: Skip | None = None,
    columns: str = "smiles,name",
    column: str = "smiles",
    separator: str = r"\t",
    header: bool = False,
    order: Literal["given", "canonical", "random"] = "given",
    seed: int = 0,
    kekulize: bool = False,
    verify: bool = False,
    quotes: bool | None = None,
) -> Iterator[Record]:
    r"""SMILES text to the graph of its molecule, atoms in the order of the text.

    Args:
        lines: Lines of a table with a column of SMILES, such as a `.smi` file.
        source: Name of the file, for messages.
        skip: Called with each line that is refused; without it the first one is raised.
        columns: Names of the columns, separated by commas.
        column: Which column is the SMILES; the others are kept as further keys.
        separator: What separates columns: a tab may be written `\t`.
        header: Whether the first line names the columns.
        order: Whether the input is the SMILES as it stands, the canonical one, or one of the same
            molecule that begins and branches at random. More random ones teach a network more.
        seed: Seed of the random order.
        kekulize: Whether aromatic bonds are written as single and double ones.
        verify: Whether every target is read back and refused if the molecule is another.
        quotes: Whether a field may stand in quotes, and then hold separators and line ends.
            Default: if the separator is one character that is no space; else a line that quotes
            would change is refused.

    Yields:
        A record per line, with "alignment": the character of the input (grapheme cluster,
        from 0) that each atom is written with, or the list of them; no network reads it.

    Raises:
        InputError: "FILE:LINE: ..." at a line whose SMILES is not of a possible molecule, or
            if RDKit is not installed.
    """
    chem()
    table = Table(columns, separator, header, quotes)

    def make(piece: Piece) -> Record:
        row = table.row(piece, (column,))
        text = row[column].strip()
        _check_plain(text, row, column)
        given = None
        if order != "given":
            given = read_smiles(text)[0]
            text = written(given, seed + piece.line if order == "random" else None)
        record = molecule_record(text, kekulize=kekulize, given=given, verify=verify)
        return record | extras(row, (column,))

    return records(table.pieces(lines, source), make, skip)


_EXTENSION = re.compile(r"\|[^|]*\|?")


def _check_plain(text: str, row: Mapping[str, str], column: str) -> None:
    """Refuses CXSMILES: its extension, in the same column or the next, is of the molecule too."""
    following = list(row.values())[list(row).index(column) + 1 :][:1]
    for after in (*text.split(maxsplit=1)[1:], *following):
        if found := _EXTENSION.match(after.strip()):
            remedy = "Take the extension away if it is for drawing only, or leave the line out."
            raise refusal("the SMILES", "be plain", Received(f"CXSMILES {found[0]!r}"), remedy)


def molecule_record(text: str, *, kekulize: bool, given: Any | None, verify: bool) -> Record:
    """Input, target and alignment of one SMILES.

    Args:
        text: The SMILES.
        kekulize: Whether aromatic bonds are written as single and double ones.
        given: The molecule it was written for, if it is not the first to tell of it.
        verify: Whether the target is read back.

    Raises:
        InputError: If it is not of a possible molecule. If the SMILES, or the target that is read
            back, does not tell all of `given`.
    """
    mol, place = read_smiles(text)
    if given is not None:
        check_same(given, mol, f"the SMILES {text!r}")
    target = node_link(*graph_of(mol, kekulize=kekulize))
    if verify:
        check_told(mol if given is None else given, target)
    alignment = [list(span) if len(span) > 1 else span.start for span in place]
    return {"input": text, "target": target, "alignment": alignment}
