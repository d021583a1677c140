"""What a molecule of RDKit says, to be compared with what came of it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from .._check import Received, refusal
from ._chem import calls, chem


def check_same(given: Any, again: Any, what: str) -> None:
    """Refuses a molecule that did not come out of a change of form as it went in.

    Atoms and bonds are compared with all they carry, among it what no SMILES shows: queries,
    unpaired electrons, groups of stereo, axes. How they are joined is compared by `canonical`.

    Args:
        given: The molecule as it was read.
        again: The molecule as it came back.
        what: The form it went through, for the message.

    Raises:
        InputError: If they differ.
    """
    with calls():
        before, after = Counter(_facts(given)), Counter(_facts(again))
    if before == after:
        return
    lost, made = (next(iter(x), "nothing") for x in (before - after, after - before))
    remedy = "Leave the molecule out."
    raise refusal("the molecule", f"be told by {what}", Received(f"{made} for {lost}"), remedy)


def _facts(mol: Any) -> Iterator[str]:
    yield from map(_atom, mol.GetAtoms())
    yield from map(_bond, mol.GetBonds())
    for group in mol.GetStereoGroups():
        if group.GetGroupType().name != "STEREO_ABSOLUTE":
            yield f"a group of {group.GetGroupType().name} with {len(group.GetAtoms())} atoms"
    for group in chem().GetMolSubstanceGroups(mol):
        if group.GetProp("TYPE") != "SUP":  # an abbreviation: its atoms are all there
            yield f"a substance group of type {group.GetProp('TYPE')}"


_CARRIED = {
    "isotope": "GetIsotope",
    "charge": "GetFormalCharge",
    "hydrogens": "GetTotalNumHs",
    "unpaired electrons": "GetNumRadicalElectrons",
    "map number": "GetAtomMapNum",
    "aromatic": "GetIsAromatic",
    "stereo": "GetChiralTag",
    "query": "HasQuery",
}


def _atom(atom: Any) -> str:
    values = {name: int(getattr(atom, get)()) for name, get in _CARRIED.items()}
    # The two kinds of centre are told apart by the canonical SMILES; a dummy atom is a query or
    # none, by the way it was made.
    values["stereo"] = min(values["stereo"], 1)
    values["query"] *= atom.GetAtomicNum() != 0
    said = ", ".join(f"{name} {value}" for name, value in values.items() if value)
    return f"an atom {atom.GetSymbol()} ({said or 'plain'})"


_STEREO = {"STEREOE": "E or Z", "STEREOZ": "E or Z", "STEREOCIS": "E or Z", "STEREOTRANS": "E or Z"}


def _bond(bond: Any) -> str:
    ends = sorted((bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()))
    stereo = bond.GetStereo().name
    mark = "" if stereo in ("STEREONONE", "STEREOANY") else f", {_STEREO.get(stereo, stereo)}"
    return f"a bond {'-'.join(ends)} ({bond.GetBondType().name.lower()}{mark})"
