"""Fingerprints of molecules to their graphs: sets of bits, of which none is an atom."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch_geometric.data import Data

from .._check import require
from ..graphs import make_graph
from ._chem import calls, chem
from ._document import node_link
from ._molecule import check_told, molecule_of, undirected_molecule
from ._pieces import Piece, Record, Skip, records
from ._table import Table, extras

_MOST_BITS, _MOST_STEPS = 2**20, 16


def fingerprint(
    lines: Iterable[bytes | str],
    *,
    source: str = "<memory>",
    skip: Skip | None = None,
    columns: str = "smiles,name",
    column: str = "smiles",
    separator: str = r"\t",
    header: bool = False,
    radius: int = 2,
    bits: int = 2048,
    kekulize: bool = False,
    verify: bool = False,
) -> Iterator[Record]:
    r"""The bits of a molecule's Morgan fingerprint [rogers10] to its graph.

    The input is a set: a node for each bit that is on, without edges or places. The target has no
    directions, and its atoms are in the order of the canonical SMILES.

    Args:
        lines: Lines of a table with a column of SMILES, such as a `.smi` file.
        source: Name of the file, for messages.
        skip: Called with each line that is refused; without it the first one is raised.
        columns: Names of the columns, separated by commas.
        column: Which column is the SMILES; it and the others are kept as further keys.
        separator: What separates columns: a tab may be written `\t`.
        header: Whether the first line names the columns.
        radius: Bonds around an atom that a bit tells of, at most.
        bits: Length of the fingerprint; a bit is named by its number.
        kekulize: Whether aromatic bonds are written as single and double ones.
        verify: Whether every target is read back and refused if the molecule is another.

    Raises:
        InputError: "FILE:LINE: ..." at a line whose SMILES is not of a possible molecule, or
            whose bonds have a direction. Also if an option is out of range or RDKit is missing.
    """
    generator = _generator(radius, bits)
    table = Table(columns, separator, header)

    def make(piece: Piece) -> Record:
        row = table.row(piece, (column,))
        mol, target = undirected_molecule(row[column].strip(), kekulize=kekulize)
        if verify:
            check_told(mol, target)
        return {"input": node_link(_on(mol, generator), []), "target": target} | extras(row, ())

    return records(table.pieces(lines, source), make, skip)


def molecule_to_fingerprint(
    graph: Data | Mapping[str, Any], *, radius: int = 2, bits: int = 2048
) -> Data:
    """The bits of a molecule graph's fingerprint, as `fingerprint` writes its input.

    Args:
        graph: A molecule graph, or its node-link document.
        radius, bits: As for `fingerprint`.

    Raises:
        InputError: If no such molecule is possible, an option is out of range, or RDKit is missing.
    """
    return make_graph(_on(molecule_of(graph), _generator(radius, bits)))


@functools.lru_cache(maxsize=8)
def _generator(radius: int, bits: int) -> Any:
    chem()
    require(0 <= radius <= _MOST_STEPS, "`radius`", f"lie in [0, {_MOST_STEPS}]", radius, "Try 2.")
    require(1 <= bits <= _MOST_BITS, "`bits`", f"lie in [1, {_MOST_BITS}]", bits, "Try 2048.")
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)


def _on(mol: Any, generator: Any) -> list[str]:
    """The numbers of the bits that are on, in order."""
    with calls():
        return [str(bit) for bit in sorted(generator.GetFingerprint(mol).GetOnBits())]
