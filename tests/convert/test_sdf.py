"""SDF records: what a MOL block says is in the graph, or refused by name."""

from typing import Any

import pytest
from rdkit import Chem

from grapheme_torch import InputError
from grapheme_torch.convert import _sdf as module
from grapheme_torch.convert import sdf, smiles
from grapheme_torch.convert._molecule import canonical, check_told, read_smiles

from .blocks import END, METHANE, STAR, WATER, read, reason_of, smiles_of, v2000, v3000

HALIDE = ["C", "F", "Cl", "Br"]
BOND = [(1, 2, 1)]
CO = ["C", "O"]
NITRO = v2000(["N", "O", "O", "C"], [(1, 2, 2), (1, 3, 2), (1, 4, 1)], valence=5)
HIGHLIGHT = ["BEGIN COLLECTION", "MDLV30/HILITE ATOMS=(1 1)", "END COLLECTION"]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (v2000(CO, BOND, mass=1), "[13CH3]O"),
        (v2000(CO, BOND, "M  ISO  1   1  13", mass=1), "[13CH3]O"),
        (v2000(["N", "O"], BOND, charge=3), "[NH3+]O"),
        (v2000(CO, BOND, "M  CHG  2   1   1   2  -1"), "[CH2+][O-]"),
        (v2000(CO, BOND, "M  RAD  1   1   2"), "[CH2]O"),
        (v2000(["N", "O"], BOND, "M  RAD  1   2   2", charge=4), "N[O]"),
        (v2000(CO, BOND, valence=2), "[CH]O"),
        (v2000(CO, BOND, map=7), "O[CH3:7]"),
        (NITRO, "C[N+](=O)[O-]"),
        (v2000(["D", "C"], BOND), "[2H]C"),
        (v2000(["N", "Zn"], [(1, 2, 9)]), "[NH3]->[Zn]"),
        (v2000(CO, BOND, "M  STY  1   1 SUP", "M  SAL   1  1   1", "M  SMT   1 Me"), "CO"),
        (v3000(["C", "O CHG=-1 MASS=18"], ["1 1 2"]), "C[18O-]"),
        (v3000(["C VAL=2 SUBST=0", "O RAD=2"], ["1 1 2"]), "[CH][O]"),
        (v3000(CO, ["1 1 2"], *HIGHLIGHT), "CO"),
        (v3000(CO, ["1 1 2"], "BEGIN SGROUP", "1 SUP 0 ATOMS=(1 1) LABEL=Me", "END SGROUP"), "CO"),
        (v3000(["C", "O -\nM  V30 CHG=-1"], ["1 1 2"]), "C[O-]"),
    ],
)
def test_what_a_smiles_can_say_is_told(block: str, expected: str) -> None:
    assert smiles_of(block) == canonical(read_smiles(expected)[0])


PYRROLE = v2000(
    ["N", "C", "C", "C", "C"],
    [(1, 2, 4), (2, 3, 4), (3, 4, 4), (4, 5, 4), (5, 1, 4)],
    *("M  STY  1   1 DAT", "M  SAL   1  1   1", "M  SDT   1 MRV_IMPLICIT_H"),
    *("M  SDD   1     0.0000    0.0000    DR    ALL  1       6", "M  SED   1 IMPL_H1"),
)


def test_hydrogens_told_by_a_group_are_read() -> None:
    assert smiles_of(PYRROLE) == "c1cc[nH]c1"
    assert "a group of type DAT" in reason_of(PYRROLE.replace("MRV_IMPLICIT_H", "MRV_OTHER"))


QUERY_ATOMS = ["A", "Q", "X", "M", "AH", "QH", "XH", "MH", "*", "R", "R#", "R1", "L", "LP"]
QUERY_ATOMS += ["Pol", "Mod", "Du", "ACP", "Gly"]


@pytest.mark.parametrize("symbol", QUERY_ATOMS)
def test_an_atom_that_is_no_element_is_refused(symbol: str) -> None:
    expected = f"must say no more than a SMILES can, got the atom {symbol!r}, which is no element"
    assert expected in reason_of(v2000([symbol, "C"], BOND))
    assert expected in reason_of(v3000([symbol, "C"], ["1 1 2"]))


@pytest.mark.parametrize("kind", [0, 5, 6, 7, 8, 10, 11, 14])
def test_a_bond_that_is_none_of_smiles_is_refused(kind: int) -> None:
    assert f"got a bond of type {kind}" in reason_of(v2000(CO, [(1, 2, kind)]))
    assert f"got a bond of type {kind}" in reason_of(v3000(CO, [f"{kind} 1 2"]))


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ({"hydrogens": 2}, "5: .*a number of hydrogens to search for"),
        ({"care": 1}, "5: .*a stereo care box"),
        ({"h0": 1}, "5: .*a ban of hydrogens"),
        ({"role": 1}, "5: .*a role in a reaction"),
        ({"component": 1}, "5: .*a component of a reaction"),
        ({"inversion": 1}, "5: .*a change of stereo"),
        ({"exact": 1}, "5: .*an exact change"),
        ({"charge": 4}, "5: .*a radical in the atom block; write it as M  RAD"),
        ({"valence": 15}, "1: .*got valence 0 of atom 1, which has 1"),
    ],
)
def test_a_field_of_an_atom_that_smiles_has_not_is_refused(
    first: dict[str, int], reason: str
) -> None:
    with pytest.raises(InputError, match=f"^a.sdf:{reason}"):
        list(sdf(v2000(CO, BOND, **first).splitlines(), source="a.sdf"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("M  ALS   1  2 F N   O   ", "an atom list"),
        ("M  APO  1   1   1", "an attachment point"),
        ("M  AAL   1  1   2   1", "an order of attachments"),
        ("M  HYD  1   1   3", "hydrogens of zero-order bonds"),
        ("M  LIN  1   1   2   1   2", "a link node"),
        ("M  LOG  1   1   0   0 ", "logic of R groups"),
        ("M  RBC  1   1   2", "a ring bond count"),
        ("M  RGP  1   1   1", "an R group"),
        ("M  SUB  1   1   2", "a substitution count"),
        ("M  UNS  1   1   1", "an unsaturation"),
        ("M  ZBO  1   1   0", "a zero-order bond"),
        ("M  ZCH  1   1   1", "a charge of zero-order bonds"),
        ("M  MRV SMA   1 [C,N]", "the line 'M  MRV SMA"),
        ("M  NEW  1   1   1", "the line 'M  NEW"),
        ("M  RAD  1   1   1", "a radical that is a singlet"),
        ("M  RAD  1   1   3", "a radical that is a triplet"),
        ("A    1\nOMe", "an alias of an atom"),
        ("V    1 text", "a text at an atom"),
        ("G    1  2\nOMe", "an abbreviated group"),
        ("S  SKP  1\ntext", "the line 'S  SKP  1'"),
        ("M  STY  1   1 SRU\nM  SAL   1  1   1\nM  SMT   1 n", "a group of type SRU"),
        ("M  STY  2   1 SUP   2 COP", "a group of type COP"),
        ("M  STY  1   1 DAT\nM  SDT   1 stereo", "a group of type DAT"),
    ],
)
def test_a_property_that_smiles_has_not_is_refused(line: str, reason: str) -> None:
    expected = f"8: the MOL block must say no more than a SMILES can, got {reason}"
    assert reason_of(v2000(CO, BOND, line)).startswith(expected)


def test_isotopes_of_two_kinds_are_refused() -> None:
    text = v2000(CO, BOND, "M  ISO  1   2  18", mass=1)
    assert reason_of(text).startswith(
        "5: the MOL block must say no more than a SMILES can, got an is"
    )


@pytest.mark.parametrize(("at", "name"), [(15, "a bond topology"), (18, "a reacting centre")])
def test_a_query_of_a_bond_is_refused(at: int, name: str) -> None:
    bond = (1, 2, 1, 0, 0, *((1, 0) if at == 15 else (0, 1)))
    assert f"7: the MOL block must say no more than a SMILES can, got {name}" in reason_of(
        v2000(CO, [bond])
    )


KEYS = ["HCOUNT=1", "STBOX=1", "INVRET=1", "EXACHG=1", "SUBST=1", "UNSAT=1", "RBCNT=1"]
KEYS += ["ATTCHPT=1", "ATTCHORD=(4 1 Al 2 Br)", "RGROUPS=(1 1)", "CLASS=AA", "SEQID=2", "NEW=1"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_an_atom_that_smiles_has_not_is_refused(key: str) -> None:
    assert f"8: the MOL block must say no more than a SMILES can, got {key}" in reason_of(
        v3000([f"C {key}", "O"], ["1 1 2"])
    )


@pytest.mark.parametrize("key", ["TOPO=1", "RXCTR=4", "STBOX=1", "ENDPTS=(2 1 2)", "DISP=COORD"])
def test_a_key_of_a_bond_that_smiles_has_not_is_refused(key: str) -> None:
    assert f"12: the MOL block must say no more than a SMILES can, got {key}" in reason_of(
        v3000(CO, [f"1 1 2 {key}"])
    )


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["LINKNODE 1 2 2 1 2 1 2"], "14: .*the line 'LINKNODE"),
        (["BEGIN OBJ3D", "END OBJ3D"], "14: .*a section OBJ3D"),
        (["BEGIN TEMPLATE", "END TEMPLATE"], "14: .*a section TEMPLATE"),
        (["BEGIN SGROUP", "1 SRU 0 ATOMS=(1 1)", "END SGROUP"], "15: .*a group of type SRU"),
        (["BEGIN COLLECTION", "mine/x ATOMS=(1 1)", "END COLLECTION"], "15: .*a collection .mine"),
    ],
)
def test_a_section_that_smiles_has_not_is_refused(lines: list[str], reason: str) -> None:
    with pytest.raises(InputError, match=f"^<memory>:{reason}"):
        list(sdf(v3000(CO, ["1 1 2"], *lines).splitlines()))


def _centre(kind: str) -> str:
    bonds = ["1 1 2 CFG=1", "1 1 3", "1 1 4"]
    return v3000(HALIDE, bonds, "BEGIN COLLECTION", f"{kind} ATOMS=(1 1)", "END COLLECTION")


def test_alternatives_of_stereo_are_refused() -> None:
    assert smiles_of(_centre("MDLV30/STEABS")) == "F[C@@H](Cl)Br"
    for kind in ("MDLV30/STERAC1", "MDLV30/STEREL2"):
        assert f"got alternatives of stereo ({kind})" in reason_of(_centre(kind))


UP = [(1, 2, 1, 1), (1, 3, 1), (1, 4, 1)]
TURNED = [(2, 1, 1, 1), (1, 3, 1), (1, 4, 1)]
FLAT = [(1, 2, 1), (1, 3, 1), (1, 4, 1)]
NOWHERE = [(0.0, 0.0)] * 7
ALLENE = v2000(
    ["C", "C", "C", "F", "Cl", "F", "Cl"],
    [(1, 2, 2), (2, 3, 2), (1, 4, 1, 1), (1, 5, 1, 6), (3, 6, 1), (3, 7, 1)],
    places=[(0, 0), (1.2, 0), (2.4, 0), (-0.7, 0.7), (-0.7, -0.7), (3, 0.7), (3, -0.7)],
)
COMPLEX = v2000(
    ["Co", "F", "Cl", "Br", "I", "O", "N"],
    [(1, 2, 1), (1, 3, 1), (1, 4, 1), (1, 5, 1), (1, 6, 1, 1), (1, 7, 1, 6)],
    places=[*STAR, (0.7, 0.7), (-0.7, -0.7)],
)
RINGS = v2000(
    ["C"] * 6 + ["Cl", "F"] + ["C"] * 6 + ["Cl", "F"],
    [
        *((k + 1, (k + 1) % 6 + 1, 1 + k % 2, int(k == 0)) for k in range(6)),
        *((k + 9, (k + 1) % 6 + 9, 1 + k % 2) for k in range(6)),
        *((1, 9, 1), (2, 7, 1), (6, 8, 1), (10, 15, 1), (14, 16, 1)),
    ],
    places=[
        *((0, 0), (-0.7, 1.2), (-2.1, 1.2), (-2.8, 0), (-2.1, -1.2), (-0.7, -1.2)),
        *((0, 2.4), (0, -2.4)),
        *((1.4, 0), (2.1, 1.2), (3.5, 1.2), (4.2, 0), (3.5, -1.2), (2.1, -1.2)),
        *((1.4, 2.4), (1.4, -2.4)),
    ],
)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (v2000(HALIDE, UP, places=NOWHERE), "the wedge from atom 1 to 2, which shows no centre"),
        (v2000(HALIDE, TURNED, places=STAR), "the wedge from atom 2 to 1, which shows no centre"),
        (v2000(HALIDE, FLAT, places=STAR, parity=1), "the stereo parity of atom 1, which no wedge"),
        (ALLENE, "the wedge from atom 1 to 4, which is of an axis"),
        (COMPLEX, "the wedge from atom 1 to 6, which shows no centre"),
        (RINGS, "the wedge from atom 1 to 2, which is of an axis"),
    ],
)
def test_stereo_that_is_not_taken_over_is_refused(block: str, reason: str) -> None:
    expected = f"1: what a MOL block says must be found in the molecule, got {reason}"
    assert reason_of(block).startswith(expected)


def test_a_wedge_of_a_drawing_says_nothing() -> None:
    assert smiles_of(v2000(["C", "F", "F", "Br"], UP, places=STAR)) == "FC(F)Br"
    assert smiles_of(v2000(HALIDE, UP, places=STAR, parity=1)) == "F[C@@H](Cl)Br"
    assert smiles_of(v2000(HALIDE, [(1, 2, 1, 4), *UP[1:]], places=STAR, parity=3)) == "FC(Cl)Br"


def test_a_radical_that_smiles_cannot_show_is_refused() -> None:
    reason = reason_of(v2000(["Fe"], [], "M  RAD  1   1   2"))
    assert "must be told by the SMILES '[Fe]', got an atom Fe (plain) for an atom Fe (unp" in reason


def test_verify_compares_molecules() -> None:
    (record,) = smiles(["F[C@@H](Cl)Br"])
    chiral = read_smiles(record["input"])[0]
    check_told(chiral, record["target"])
    racemate = Chem.RWMol(chiral)
    group = Chem.CreateStereoGroup(Chem.StereoGroupType.STEREO_AND, racemate, [1])
    racemate.SetStereoGroups([group])
    with pytest.raises(InputError, match="told by its graph, got nothing for a group of STEREO_A"):
        check_told(racemate, record["target"])
    with pytest.raises(InputError, match=r"the target must be read back, got 'F.*' for 'FC"):
        check_told(read_smiles("FC(Cl)I")[0], record["target"])


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("\n\n", "nothing"),
        ("x\ny\n", "2 lines without a counts line"),
        (METHANE.replace("M  END\n", ""), "5 lines without M  END"),
        (METHANE.replace("  1  0  0", "  3  1  0"), "1 lines for 3 atoms and 1 bonds"),
        (METHANE.replace("  1  0  0", " -1  0  0"), "1 lines for -1 atoms"),
        (v2000(CO, [(1, 3, 1)]), "8 lines that RDKit does not understand"),
        (METHANE.replace("C   0", "C   x"), "numbers that cannot be read"),
        (v3000(CO, ["1 1 9"]), "a bond of atoms that are not there"),
        (v3000(["C -"], []).split("M  V30 END ATOM")[0] + "M  END", "a continued line without"),
    ],
)
def test_a_record_that_is_no_mol_block_is_refused(block: str, reason: str) -> None:
    assert f"1: the record must be a MOL block, got {reason}" in reason_of(block + END)


@pytest.mark.parametrize("error", [RuntimeError("bad any_cast"), KeyError("x"), OverflowError()])
def test_whatever_rdkit_raises_is_a_skipped_record(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from rdkit.Chem import rdCIPLabeler

    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(rdCIPLabeler, "AssignCIPLabels", fail)
    chiral = v2000(HALIDE, UP, places=STAR)
    found, skipped = read(f"{METHANE}{END}{chiral}{END}{WATER}")
    assert [record["input"] for record in found] == ["C", "O"]
    expected = f"the molecule must be one that RDKit handles, got {type(error).__name__}: "
    assert skipped[0].reason.startswith(expected)
    assert capfd.readouterr().err == ""


def test_too_much_memory_is_no_fault_of_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(module, "check_claims", fail)
    with pytest.raises(MemoryError):
        read(v2000(HALIDE, UP, places=STAR))
