"""Stereo as CIP descriptors: read off a molecule, and set so that they are read off again."""

import itertools
from collections.abc import Mapping
from typing import Any

from .._check import Received, refusal, require
from ._chem import chem

Descriptors = dict[int, str]

_MOST_TRIED = 12
"""Elements of stereo for which all combinations are tried, if correcting one by one fails."""

_MOST_COMPARED = 1_250_000
"""Comparisons of the CIP labeller, about a second: without a bound a cage such as dodecahedrane
takes for ever. Most molecules need fewer than 10,000."""


def descriptors(mol: Any) -> tuple[Descriptors, Descriptors]:
    """The CIP descriptors (R, S, r, s, E, Z) of atoms and of double bonds, by index.

    Raises:
        InputError: If there is stereo of another kind, or CIP has no descriptor for it.
    """
    atoms = [atom for atom in mol.GetAtoms() if atom.GetChiralTag().name != "CHI_UNSPECIFIED"]
    bonds = [
        bond for bond in mol.GetBonds() if bond.GetStereo().name not in ("STEREONONE", "STEREOANY")
    ]
    if not atoms and not bonds:
        return {}, {}
    for atom in atoms:
        name = atom.GetChiralTag().name
        found = Received(f"{name} at atom {atom.GetIdx()}")
        remedy = "Remove the stereo of this atom."
        require(name in _TURNED, "chirality", "be tetrahedral", found, remedy)
    _label(mol)
    codes = _codes(mol, [a.GetIdx() for a in atoms], [b.GetIdx() for b in bonds])
    for (kind, index), code in codes.items():
        found, remedy = Received(f"none for {kind} {index}"), "Remove its stereo."
        require(code is not None, "stereo", "have a CIP descriptor", found, remedy)
    return (
        {index: code for (kind, index), code in codes.items() if kind == "atom" and code},
        {index: code for (kind, index), code in codes.items() if kind == "bond" and code},
    )


def set_descriptors(mol: Any, atoms: Mapping[int, str], bonds: Mapping[int, str]) -> None:
    """Gives atoms and double bonds the stereo that has these descriptors.

    Each element is given some stereo first and turned where its descriptor is the other. What
    depends on its neighbours is turned again, and in the end all combinations are tried.

    Raises:
        InputError: If the molecule cannot have them.
    """
    if not atoms and not bonds:
        return
    for index in atoms:
        mol.GetAtomWithIdx(index).SetChiralTag(chem().ChiralType.CHI_TETRAHEDRAL_CW)
    for index in bonds:
        _set_cis(mol, mol.GetBondWithIdx(index))
    wanted = {("atom", k): code for k, code in atoms.items()}
    wanted |= {("bond", k): code for k, code in bonds.items()}
    if not _corrected(mol, wanted) and not _tried(mol, wanted):
        found = Received(", ".join(f"{kind} {k}: {code}" for (kind, k), code in wanted.items()))
        remedy = "Remove the descriptors that the molecule cannot have."
        raise refusal("the stereo", "be possible", found, remedy)


def _corrected(mol: Any, wanted: Mapping[tuple[str, int], str]) -> bool:
    for _ in range(len(wanted) + 2):
        wrong = _wrong(mol, wanted)
        if not wrong:
            return True
        defined = [key for key, code in wrong.items() if code is not None]
        if not defined:
            return False
        for key in defined:
            _turn(mol, key)
    return False


def _tried(mol: Any, wanted: Mapping[tuple[str, int], str]) -> bool:
    if len(wanted) > _MOST_TRIED:
        return False
    keys, turned = list(wanted), [False] * len(wanted)
    for choice in itertools.product((False, True), repeat=len(keys)):
        for key, now, then in zip(keys, turned, choice, strict=True):
            if now != then:
                _turn(mol, key)
        turned = list(choice)
        if not _wrong(mol, wanted):
            return True
    return False


def _wrong(mol: Any, wanted: Mapping[tuple[str, int], str]) -> dict[tuple[str, int], str | None]:
    _label(mol)
    codes = _codes(
        mol,
        [k for kind, k in wanted if kind == "atom"],
        [k for kind, k in wanted if kind == "bond"],
    )
    return {key: code for key, code in codes.items() if code != wanted[key]}


def _label(mol: Any) -> None:
    from rdkit.Chem import rdCIPLabeler

    for part in itertools.chain(mol.GetAtoms(), mol.GetBonds()):
        part.ClearProp("_CIPCode")
    rdCIPLabeler.AssignCIPLabels(mol, maxRecursiveIterations=_MOST_COMPARED)


def _codes(mol: Any, atoms: list[int], bonds: list[int]) -> dict[tuple[str, int], str | None]:
    parts = [("atom", k, mol.GetAtomWithIdx(k)) for k in atoms]
    parts += [("bond", k, mol.GetBondWithIdx(k)) for k in bonds]
    return {
        (kind, k): part.GetProp("_CIPCode") if part.HasProp("_CIPCode") else None
        for kind, k, part in parts
    }


_TURNED = {
    "CHI_TETRAHEDRAL_CW": "CHI_TETRAHEDRAL_CCW",
    "CHI_TETRAHEDRAL_CCW": "CHI_TETRAHEDRAL_CW",
}


def _turn(mol: Any, key: tuple[str, int]) -> None:
    kind, index = key
    if kind == "atom":
        atom = mol.GetAtomWithIdx(index)
        atom.SetChiralTag(getattr(chem().ChiralType, _TURNED[atom.GetChiralTag().name]))
        return
    bond, stereo = mol.GetBondWithIdx(index), chem().BondStereo
    cis = bond.GetStereo() == stereo.STEREOCIS
    bond.SetStereo(stereo.STEREOTRANS if cis else stereo.STEREOCIS)


def _set_cis(mol: Any, bond: Any) -> None:
    ends = (bond.GetBeginAtom(), bond.GetEndAtom())
    near = [
        [a.GetIdx() for a in end.GetNeighbors() if a.GetIdx() != other.GetIdx()]
        for end, other in (ends, ends[::-1])
    ]
    found = Received(f"bond {bond.GetIdx()}, which has none at one end")
    remedy = "Remove the descriptor."
    require(all(near), "a double bond with E or Z", "have neighbours at both ends", found, remedy)
    bond.SetStereoAtoms(near[0][0], near[1][0])
    bond.SetStereo(chem().BondStereo.STEREOCIS)
