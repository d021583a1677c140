"""SMILES to molecule graphs."""

from collections.abc import Iterable, Iterator
from typing import Literal

from .._check import Received, require
from ._chem import chem
from ._document import node_link
from ._molecule import canonical, graph_of, molecule_to_smiles, read_smiles, written
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
            molecule that begins and branches at random: more of these teach a network more.
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
        if order != "given":
            random = seed + piece.line if order == "random" else None
            text = written(read_smiles(text)[0], random)
        expected = canonical(read_smiles(text)[0]) if verify else None
        record = molecule_record(text, kekulize=kekulize, expected=expected)
        return record | extras(row, (column,))

    return records(table.pieces(lines, source), make, skip)


def molecule_record(text: str, *, kekulize: bool, expected: str | None = None) -> Record:
    """Input, target and alignment of one SMILES.

    Raises:
        InputError: If it is not of a possible molecule, or the target is not read back as
            `expected`, a canonical SMILES.
    """
    mol, place = read_smiles(text)
    target = node_link(*graph_of(mol, kekulize=kekulize))
    if expected is not None:
        again = molecule_to_smiles(target)
        found = Received(f"{again!r} for {expected!r}")
        require(again == expected, "the target", "be read back", found, "Leave the molecule out.")
    alignment = [list(span) if len(span) > 1 else span.start for span in place]
    return {"input": text, "target": target, "alignment": alignment}
