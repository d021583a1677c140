"""A molecule as a graph of atoms and bonds, and back.

A node is the SMILES symbol of an atom. It is bare (`C`, `n`) where the number of hydrogens follows
from the bonds by the rule of SMILES. Where it does not, it stands in brackets (`[NH4+]`, `[nH]`,
`[13CH3]`). An edge is a bond (`single`, `double`, `triple`, `aromatic`, ...), from the atom that
comes first to the one that comes later. A dative bond runs from donor to acceptor. Stereo is told
by CIP descriptors, which do not depend on the order of the atoms: `C(R)`, `double(E)`. The graph
determines the molecule.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch_geometric.data import Data

from .._check import Received, refusal, require
from ._chem import calls, chem
from ._document import Triple, node_link, read_graph
from ._facts import check_same
from ._stereo import descriptors, set_descriptors

_ORGANIC = {"B", "C", "N", "O", "P", "S", "F", "Cl", "Br", "I", "*"}
_ATOM = re.compile(r"\[[^\]]*\]|Cl|Br|[BCNOPSFI*]|[bcnops]")
_LABEL = re.compile(r"(.*?)(?:\(([RSrsEZMPmp])\))?", re.DOTALL)


def read_smiles(text: str) -> tuple[Any, list[range]]:
    """The RDKit molecule of a SMILES, and the characters that each of its atoms is written with.

    Atoms come in the order of the text. Explicit hydrogens (`[H]`) become part of their
    neighbours, as RDKit does it, and have no place.

    Raises:
        InputError: If `text` is no SMILES, or of no possible molecule.
    """
    require(text != "", "the SMILES", "hold at least one atom", text, "Leave the line out.")
    with calls():
        mol = chem().MolFromSmiles(text, _parameters())
        if mol is None:
            raise _no_molecule(text)
        place = [range(*found.span()) for found in _ATOM.finditer(text)]
        if len(place) == mol.GetNumAtoms():
            return mol, place
        return _without_hydrogens(text, place)


def graph_of(mol: Any, *, kekulize: bool = False) -> tuple[list[str], list[Triple]]:
    """Labels and edges of an RDKit molecule, atoms in their order.

    Args:
        mol: A sanitized molecule; it stays as it is.
        kekulize: Whether aromatic bonds are written as alternating single and double ones.

    Raises:
        InputError: If its stereo cannot be told by CIP descriptors.
    """
    with calls():
        atoms, bonds = descriptors(mol)
        if kekulize:
            mol = chem().Mol(mol)
            chem().Kekulize(mol, clearAromaticFlags=True)
        bare = _bare_atoms(mol)
    labels = [
        _symbol(atom, plain) + (f"({atoms[k]})" if k in atoms else "")
        for k, (atom, plain) in enumerate(zip(mol.GetAtoms(), bare, strict=True))
    ]
    edges = [_edge(bond, bonds.get(bond.GetIdx())) for bond in mol.GetBonds()]
    return labels, edges


def undirected_molecule(text: str, *, kekulize: bool = False) -> tuple[Any, dict[str, Any]]:
    """A molecule in its canonical order, and its graph without directions.

    Raises:
        InputError: If it is not a possible molecule, or has a bond with a direction.
    """
    given = read_smiles(text)[0]
    mol, _ = read_smiles(written(given, None))
    labels, edges = graph_of(mol, kekulize=kekulize)
    if any(label.startswith("dative") for _, _, label in edges):
        got, remedy = Received(text), "Leave the line out."
        raise refusal("the bonds", "have no direction, as dative ones have", got, remedy)
    return mol, node_link(labels, edges) | {"directed": False}


def molecule_to_smiles(graph: Data | Mapping[str, Any]) -> str:
    """The canonical SMILES of a molecule graph; the inverse of what `smiles` and `sdf` write.

    Args:
        graph: A graph, or its node-link document, in any order of nodes and edges.

    Raises:
        InputError: If a label is no atom or bond, or no such molecule is possible.
    """
    with calls():
        return _written(molecule_of(graph))


def molecule_of(graph: Data | Mapping[str, Any]) -> Any:
    """The RDKit molecule of a molecule graph, sanitized, atoms in the order of the nodes.

    Raises:
        InputError: As `molecule_to_smiles`.
    """
    labels, edges = read_graph(graph)
    with calls():
        return _assembled(labels, edges)


def check_told(mol: Any, target: Mapping[str, Any]) -> None:
    """Refuses a target from which another molecule than `mol` is read back.

    Raises:
        InputError: If atoms, bonds, stereo or how they are joined differ.
    """
    with calls():
        again = _assembled(*read_graph(target))
        texts = _written(again), _written(mol)
    found = Received(f"{texts[0]!r} for {texts[1]!r}")
    require(texts[0] == texts[1], "the target", "be read back", found, "Leave the molecule out.")
    check_same(mol, again, "its graph")


def canonical(mol: Any) -> str:
    """The canonical SMILES of an RDKit molecule."""
    with calls():
        return _written(mol)


@functools.cache
def _parameters(*, sanitize: bool = True, hydrogens: bool = False) -> Any:
    parameters = chem().SmilesParserParams()
    parameters.sanitize, parameters.removeHs = sanitize, not hydrogens
    parameters.parseName = parameters.allowCXSMILES = False
    return parameters


def _no_molecule(text: str) -> Exception:
    raw = chem().MolFromSmiles(text, _parameters(sanitize=False))
    if raw is None:
        return refusal("the SMILES", "be readable", text, _remedy(text))
    return impossible(raw) or refusal("the SMILES", "be of a molecule", text, "Check it.")


def _remedy(text: str) -> str:
    if text.replace("->", "").count(">") == 2:
        return "A reaction is no molecule: write its molecules, each on a line."
    if (other := re.search(r"[\s;,]", text)) is not None:
        return f"Check `separator`: `--separator {other[0]!r}` if that ends the column."
    return "Check the brackets and ring bonds, and which column holds it."


def impossible(mol: Any) -> Exception | None:
    """Why an RDKit molecule that is not sanitized cannot be, if that is so."""
    try:
        chem().SanitizeMol(mol)
    except chem().MolSanitizeException as error:
        remedy = "Check charges, hydrogens and aromatic atoms."
        return refusal("the molecule", "be possible", Received(str(error)), remedy)
    return None


def _without_hydrogens(text: str, place: Sequence[range]) -> tuple[Any, list[range]]:
    """The same molecule, atoms counted before explicit hydrogens are taken away."""
    mol = chem().MolFromSmiles(text, _parameters(hydrogens=True))
    counts = Received(f"{mol.GetNumAtoms()} atoms, of which {len(place)} were found")
    remedy = "Write every atom in brackets or by its symbol."
    require(mol.GetNumAtoms() == len(place), "the SMILES", "show its atoms", counts, remedy)
    for atom in mol.GetAtoms():
        atom.SetIntProp("_number", atom.GetIdx())
    mol = chem().RemoveHs(mol)
    return mol, [place[atom.GetIntProp("_number")] for atom in mol.GetAtoms()]


def _bare_atoms(mol: Any) -> list[bool]:
    """Which atoms the rule of SMILES gives the hydrogens they have."""
    plain = chem().RWMol(mol)
    for atom in plain.GetAtoms():
        atom.SetNumExplicitHs(0)
        atom.SetNoImplicit(False)
        atom.SetNumRadicalElectrons(0)
    plain.UpdatePropertyCache(strict=False)
    return [
        atom.GetSymbol() in _ORGANIC
        and not (atom.GetFormalCharge() or atom.GetIsotope() or atom.GetAtomMapNum())
        and atom.GetTotalNumHs() == bare.GetTotalNumHs()
        for atom, bare in zip(mol.GetAtoms(), plain.GetAtoms(), strict=True)
    ]


def _symbol(atom: Any, bare: bool) -> str:
    symbol = atom.GetSymbol()
    if atom.GetIsAromatic():
        symbol = symbol.lower()
    if bare:
        return str(symbol)
    charge, hydrogens = atom.GetFormalCharge(), atom.GetTotalNumHs()
    sign = ("+" if charge > 0 else "-") + (str(abs(charge)) if abs(charge) > 1 else "")
    parts = [
        str(atom.GetIsotope() or ""),
        symbol,
        ("H" if hydrogens else "") + (str(hydrogens) if hydrogens > 1 else ""),
        sign if charge else "",
        f":{atom.GetAtomMapNum()}" if atom.GetAtomMapNum() else "",
    ]
    return f"[{''.join(parts)}]"


def _edge(bond: Any, descriptor: str | None) -> Triple:
    name = bond.GetBondType().name.lower()
    ends = (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
    if not name.startswith("dative"):
        ends = (min(ends), max(ends))
    return *ends, name if descriptor is None else f"{name}({descriptor})"


def bare_molecule(labels: Sequence[str], edges: Sequence[Triple]) -> Any:
    """The atoms and bonds of a graph as an RDKit molecule, possible or not, without its stereo.

    Raises:
        InputError: If a label is no atom or bond, or two atoms are joined twice.
    """
    mol = chem().RWMol()
    for label in labels:
        mol.AddAtom(_atom(_parted(label)[0]))
    for source, target, label in edges:
        _check_bond(mol, source, target, label)
        mol.AddBond(source, target, _bond_type(_parted(label)[0]))
    return mol


def _assembled(labels: Sequence[str], edges: Sequence[Triple]) -> Any:
    mol = bare_molecule(labels, edges)
    # Atoms and bonds are numbered as they were added.
    atoms, bonds = (_told(parts) for parts in (labels, [label for _, _, label in edges]))
    if (error := impossible(mol)) is not None:
        raise error
    # Or it would be done while the SMILES is written, and take away what is set here.
    chem().AssignStereochemistry(mol, cleanIt=True, force=True)
    set_descriptors(mol, atoms, bonds)
    return mol


def _told(labels: Sequence[str]) -> dict[int, str]:
    """The stereo descriptors in labels, by number."""
    return {k: told for k, label in enumerate(labels) if (told := _parted(label)[1])}


def _parted(label: str) -> tuple[str, str | None]:
    found = _LABEL.fullmatch(label)
    assert found is not None
    return found[1], found[2]


@functools.lru_cache(maxsize=4096)
def _atom(symbol: str) -> Any:
    mol = chem().MolFromSmiles(symbol, _parameters(sanitize=False, hydrogens=True))
    remedy = "Use symbols of SMILES such as C, n, [nH] or [O-]."
    ok = mol is not None and mol.GetNumAtoms() == 1 and _ATOM.fullmatch(symbol) is not None
    require(ok, "the label of a node", "be an atom", symbol, remedy)
    return mol.GetAtomWithIdx(0)


@functools.lru_cache(maxsize=256)
def _bond_type(name: str) -> Any:
    types = chem().BondType.names
    remedy = "Use single, double, triple or aromatic."
    require(name.upper() in types, "the label of an edge", "be a bond", name, remedy)
    return types[name.upper()]


def _check_bond(mol: Any, source: int, target: int, label: str) -> None:
    free = source != target and mol.GetBondBetweenAtoms(source, target) is None
    found = Received(f"{label!r} from {source} to {target}")
    remedy = "Keep one edge per bond, in either direction."
    require(free, "a bond", "join two atoms that no other bond joins", found, remedy)


def _written(mol: Any) -> str:
    """Read and written once more, so that what is equal is written equally."""
    text = chem().MolToSmiles(mol)
    again = chem().MolFromSmiles(text, _parameters())
    return str(text if again is None else chem().MolToSmiles(again))


def written(mol: Any, seed: int | None) -> str:
    """A SMILES of the molecule: the canonical one, or one drawn by the seed."""
    with calls():
        if seed is None:
            return str(chem().MolToSmiles(mol))
        return str(chem().MolToRandomSmilesVect(mol, 1, randomSeed=seed)[0])
