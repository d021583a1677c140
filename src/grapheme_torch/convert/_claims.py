"""What a MOL block says of its atoms, looked for in the molecule that RDKit made of it."""

from dataclasses import dataclass, field
from typing import Any

from .._check import InputError, Received, refusal
from ._chem import chem


@dataclass
class Claims:
    """What the block says of atoms (numbered from 0) and RDKit may not take over.

    Args:
        wedges: Begin and end of the bonds drawn as wedges.
        parities: Atoms of a stereo parity, odd or even.
        valences: Valences that are given.
        radicals: Atoms with one unpaired electron.
    """

    wedges: list[tuple[int, int]] = field(default_factory=list)
    parities: list[int] = field(default_factory=list)
    valences: dict[int, int] = field(default_factory=dict)
    radicals: list[int] = field(default_factory=list)


def check_claims(found: Claims, read: Any, sanitized: Any) -> None:
    """Looks in the molecule for what its MOL block says.

    Args:
        found: What the block says.
        read: The molecule with all its hydrogens, as RDKit read it, not sanitized.
        sanitized: The same, sanitized.

    Raises:
        InputError: If it is not there.
    """
    read.UpdatePropertyCache(strict=False)
    for atom, valence in found.valences.items():
        got = read.GetAtomWithIdx(atom).GetTotalValence()
        if got != valence:
            raise _lost(f"valence {valence} of atom {atom + 1}, which has {got}")
    for atom in found.radicals:
        if sanitized.GetAtomWithIdx(atom).GetNumRadicalElectrons() != 1:
            raise _lost(f"one unpaired electron of atom {atom + 1}")
    if not (found.wedges or found.parities):
        return
    open_centres = {
        place.centeredOn
        for place in chem().FindPotentialStereo(sanitized)
        if place.type.name.startswith("Atom") and place.specified.name != "Specified"
    }
    for atom in found.parities:
        if atom in open_centres:
            raise _lost(f"the stereo parity of atom {atom + 1}, which no wedge shows")
    for begin, end in found.wedges:
        atom = sanitized.GetAtomWithIdx(begin)
        if atom.GetChiralTag().name != "CHI_UNSPECIFIED":
            continue
        if begin in open_centres or end in open_centres or _flat(atom):
            why = "is of an axis (atropisomer or allene)" if _flat(atom) else "shows no centre"
            raise _lost(f"the wedge from atom {begin + 1} to {end + 1}, which {why}")


def _flat(atom: Any) -> bool:
    """Whether a wedge here can only tell the stereo of an axis: an allene, two rings."""
    double = any(bond.GetBondTypeAsDouble() in (1.5, 2) for bond in atom.GetBonds())
    return double and atom.GetSymbol() in ("C", "N")


def _lost(what: str) -> InputError:
    remedy = "Check it, or leave the molecule out."
    return refusal("what a MOL block says", "be found in the molecule", Received(what), remedy)
