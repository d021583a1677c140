"""SDF and MOL records to molecule graphs."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from .._check import InputError, Received, refusal, require
from ._chem import chem, quiet
from ._molecule import canonical, written
from ._pieces import Piece, Record, Skip, numbered, records
from ._smiles import molecule_record

_END = b"$$$$"


def sdf(
    lines: Iterable[bytes | str],
    *,
    source: str = "<memory>",
    skip: Skip | None = None,
    order: Literal["canonical", "random"] = "canonical",
    seed: int = 0,
    kekulize: bool = False,
    verify: bool = False,
) -> Iterator[Record]:
    """SDF records to the SMILES that RDKit writes for them and the graph of the molecule.

    Args:
        lines: Lines of an SDF file, or of one MOL file.
        source: Name of the file, for messages.
        skip: Called with each record that is refused; without it the first one is raised.
        order: Whether the SMILES is the canonical one, or begins and branches at random.
        seed: Seed of the random order.
        kekulize: Whether aromatic bonds are written as single and double ones.
        verify: Whether every target is read back and refused if the molecule is another.

    Yields:
        A record as `smiles` gives it, atoms in the order of the SMILES, with the "name" of the
        molecule and its "properties", all as text.

    Raises:
        InputError: "FILE:LINE: ..." at a record that is not of a possible molecule, or if RDKit
            is not installed.
    """
    chem()
    count = 0

    def make(piece: Piece) -> Record:
        nonlocal count
        count += 1
        mol = _read(piece.text)
        text = written(mol, seed + count if order == "random" else None)
        expected = canonical(mol) if verify else None
        record = molecule_record(text, kekulize=kekulize, expected=expected)
        with quiet():
            properties = mol.GetPropsAsDict(autoConvertStrings=False)
            name = mol.GetProp("_Name") if mol.HasProp("_Name") else ""
        return {**record, "name": name, "properties": properties}

    return records(_pieces(lines, source), make, skip)


def _pieces(lines: Iterable[bytes | str], source: str) -> Iterator[Piece]:
    block: list[bytes] = []
    start = 1
    for number, raw in numbered(lines):
        if not raw.startswith(_END):
            block.append(raw)
            continue
        yield Piece(b"\n".join(block), source, start)
        block, start = [], number + 1
    if any(raw.strip() for raw in block):
        yield Piece(b"\n".join(block), source, start)


def _read(text: str) -> Any:
    with quiet():
        mol = _record(text, sanitize=True)
        if mol is None:
            raise _refused(text)
    require(mol.GetNumAtoms() > 0, "the molecule", "have atoms", Received("none"), "Leave it out.")
    return mol


def _record(text: str, *, sanitize: bool) -> Any:
    supplier = chem().SDMolSupplier()
    supplier.SetData(text + "\n$$$$\n", sanitize=sanitize)
    return supplier[0] if len(supplier) else None


def _refused(text: str) -> InputError:
    mol = _record(text, sanitize=False)
    if mol is not None:
        try:
            chem().SanitizeMol(mol)
        except chem().MolSanitizeException as error:
            remedy = "Check charges, hydrogens and valences."
            return refusal("the molecule", "be possible", Received(str(error)), remedy)
    found = Received(f"{len(text.splitlines())} lines that RDKit does not understand")
    return refusal("the record", "be a MOL block", found, "Compare its counts line with its atoms.")
