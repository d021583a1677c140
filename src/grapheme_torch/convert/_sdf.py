"""SDF and MOL records to molecule graphs."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from .._check import Received, require
from ._chem import calls, chem
from ._claims import check_claims
from ._ctab import END, claims, no_block
from ._items import TERMINATOR, properties
from ._molecule import impossible, written
from ._pieces import Piece, Record, Skip, numbered, records
from ._smiles import molecule_record


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
        molecule and its "properties", all as text; a name that stands more than once has the
        list of its texts.

    Raises:
        InputError: "FILE:LINE: ..." at a record that is not of a possible molecule, or that holds
            text of no data item. Also at one that says what a SMILES cannot: queries, groups of
            stereo, polymers and others. Also if RDKit is not installed.
    """
    chem()
    count = 0

    def make(piece: Piece) -> Record:
        nonlocal count
        count += 1
        text = piece.text.split("\n")
        end = next((k for k, line in enumerate(text) if k > 3 and line.startswith(END)), len(text))
        mol = _read(text[: end + 1], end)
        further = properties(text[end + 1 :], end + 1)
        smiles = written(mol, seed + count if order == "random" else None)
        record = molecule_record(smiles, kekulize=kekulize, given=mol, verify=verify)
        return {**record, "name": text[0].strip(), "properties": further}

    return records(_pieces(lines, source), make, skip)


def _pieces(lines: Iterable[bytes | str], source: str) -> Iterator[Piece]:
    block: list[bytes] = []
    start = 1
    for number, raw in numbered(lines):
        if raw.rstrip() != TERMINATOR.encode():
            block.append(raw)
            continue
        yield Piece(b"\n".join(block), source, start)
        block, start = [], number + 1
    if any(raw.strip() for raw in block):
        yield Piece(b"\n".join(block), source, start)


def _read(block: list[str], end: int) -> Any:
    """The molecule of a MOL block, which goes up to `M  END` at line `end`, from 0."""
    if not any(line.strip() for line in block):
        raise no_block("nothing")
    found = claims(block[:end])
    if end == len(block):
        raise no_block(f"{end} lines without M  END")
    if block[end].rstrip() != END:
        raise no_block(f"text after M  END: {block[end]!r}")
    text = "\n".join(block) + "\n"
    with calls():
        mol = chem().MolFromMolBlock(text)
        if mol is None:
            raise _refused(text)
        require(
            mol.GetNumAtoms() > 0, "the molecule", "have atoms", Received("none"), "Leave it out."
        )
        if any(vars(found).values()):
            raw = chem().MolFromMolBlock(text, sanitize=False, removeHs=False)
            check_claims(found, raw, chem().MolFromMolBlock(text, removeHs=False))
    return mol


def _refused(text: str) -> Exception:
    mol = chem().MolFromMolBlock(text, sanitize=False)
    lines = f"{len(text.splitlines())} lines that RDKit does not understand"
    return (None if mol is None else impossible(mol)) or no_block(lines)
