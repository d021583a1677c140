"""Molecules: the graph says all of the molecule, and which character each atom is."""

import random
import sys
from typing import Any

import pytest

from grapheme_torch import InputError, graph_from_node_link
from grapheme_torch.convert import Skipped, molecule_to_graph, molecule_to_smiles, sdf, smiles
from grapheme_torch.convert._molecule import canonical, read_smiles
from grapheme_torch.edits._node_places import input_nodes

from .samples import BENZENE, BUTANOL, MOLECULES


def _graph(text: str, **options: Any) -> dict[str, Any]:
    (record,) = smiles([text], **options)
    return record["target"]


def _labels(graph: dict[str, Any]) -> list[str]:
    return [node["label"] for node in graph["nodes"]]


def _bonds(graph: dict[str, Any]) -> list[tuple[int, int, str]]:
    return [(edge["source"], edge["target"], edge["label"]) for edge in graph["edges"]]


def _shuffled(graph: dict[str, Any]) -> dict[str, Any]:
    draw = random.Random(0)
    nodes, edges = list(graph["nodes"]), list(graph["edges"])
    draw.shuffle(nodes)
    draw.shuffle(edges)
    return {"nodes": nodes, "edges": edges}


@pytest.mark.parametrize("kekulize", [False, True])
@pytest.mark.parametrize("text", MOLECULES)
def test_a_molecule_comes_back(text: str, kekulize: bool) -> None:
    expected = canonical(read_smiles(text)[0])
    graph = _graph(text, kekulize=kekulize, verify=True)
    assert molecule_to_smiles(graph) == expected
    assert molecule_to_smiles(_shuffled(graph)) == expected
    assert molecule_to_smiles(graph_from_node_link(graph)) == expected


def test_stereo_is_not_lost_on_the_way() -> None:
    for one, other in (("F/C=C/F", "F/C=C\\F"), ("C[C@H](N)O", "C[C@@H](N)O")):
        assert molecule_to_smiles(_graph(one)) != molecule_to_smiles(_graph(other))


def test_atoms_and_bonds_are_named_as_in_smiles() -> None:
    graph = _graph("C[C@H](N)c1cc[nH]c1/C=C/C#[N+][O-]")
    labels = ["C", "C(S)", "N", "c", "c", "c", "[nH]", "c", "C", "C", "C", "[N+]", "[O-]"]
    assert [label.replace("(R)", "(S)") for label in _labels(graph)] == labels
    names = {name for _, _, name in _bonds(graph)}
    assert names == {"single", "aromatic", "double(E)", "triple"}
    assert all(source < target for source, target, _ in _bonds(graph))


def test_brackets_that_say_nothing_are_left_out() -> None:
    assert _labels(_graph("[CH3][CH2][OH]")) == ["C", "C", "O"]
    assert _labels(_graph("c1ccccc1", kekulize=True)) == ["C"] * 6


def test_every_atom_knows_its_characters() -> None:
    text = "[13CH3]C(Cl)(Br)c1c[nH]cc1[N+](=O)[O-]"
    (record,) = smiles([text])
    atoms = ["[13CH3]", "C", "Cl", "Br", "c", "c", "[nH]", "c", "c", "[N+]", "O", "[O-]"]
    places = record["alignment"]
    assert ["".join(text[at] for at in input_nodes(place)) for place in places] == atoms
    assert places[1:3] == [7, [9, 10]]
    assert next(smiles(["[H]OC([H])[H]"]))["alignment"] == [3, 4]
    assert next(smiles(["[H][NH2+]C"]))["alignment"] == [[3, 4, 5, 6, 7, 8], 9]


def test_columns_are_kept() -> None:
    assert next(smiles(["C\tmethane\t16"])).items() >= {"name": "methane", "column_3": "16"}.items()
    table = ["id,smiles", '7,"C"']
    record = next(smiles(table, separator=",", header=True))
    assert (record["input"], record["id"]) == ("C", "7")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("C1CC", "the SMILES must be readable, got 'C1CC'"),
        ("C(C)(C)(C)(C)C", "the molecule must be possible, got .*valence"),
        ("c1cccc1", "the molecule must be possible, got .*kekulize"),
        (
            "C methane",
            "the SMILES must be readable, got 'C methane'.*--separator ' '` if that ends",
        ),
        ("C;methane", "the SMILES must be readable, got 'C;methane'.*--separator ';'` if that"),
        ("C,methane", "the SMILES must be readable, got 'C,methane'.*--separator ','` if that"),
        ("CC>>C->N", "the SMILES must be readable, got 'CC>>C->N'. A reaction is no molecule"),
        ("CC>O>CO", "the SMILES must be readable, got 'CC>O>CO'. A reaction is no molecule"),
        ("C[C@H](F)Cl |&1:1|", "the SMILES must be plain, got CXSMILES '.&1:1.'.*drawing only"),
        ("C[C@H](F)Cl\t|o1:1|", "the SMILES must be plain, got CXSMILES '.o1:1.'"),
        ("*C |$R1;$|\tname", "the SMILES must be plain, got CXSMILES '.\\$R1;\\$.'"),
        ("\tmethane", "the SMILES must hold at least one atom"),
        ("Cl[Pt@SP1](Br)(I)F", "chirality must be tetrahedral, got CHI_SQUAREPLANAR at atom 1"),
        (b"C\t\xe9", "the text must be valid UTF-8, got byte 0xe9 at byte 3"),
    ],
)
def test_a_bad_line_is_named(line: str, reason: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=f"^a.smi:2: {reason}"):
        list(smiles(["C", line], source="a.smi"))
    assert capfd.readouterr().err == ""


def test_bad_lines_are_passed_to_skip() -> None:
    found: list[Skipped] = []
    records = list(smiles(["C", "C1", "", "CC"], skip=found.append))
    assert [record["input"] for record in records] == ["C", "CC"]
    assert [(skipped.line, skipped.text, skipped.bad) for skipped in found] == [(2, "C1", True)]


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(InputError, match=r"1: the line must have a column 2 \(smiles\), got 1 col"):
        list(smiles(["C"], columns="name,smiles"))
    with pytest.raises(InputError, match="the columns must include 'SMILES', got smiles, name"):
        list(smiles(["C"], column="SMILES"))
    with pytest.raises(InputError, match="column that is kept must be free, got 'target'"):
        list(smiles(["C\tx"], columns="smiles,target"))


@pytest.mark.parametrize(
    ("labels", "edges", "reason"),
    [
        (["X"], [], "the label of a node must be an atom, got 'X'"),
        (["CC"], [], "the label of a node must be an atom, got 'CC'"),
        (["C", "C"], [(0, 1, "next")], "the label of an edge must be a bond, got 'next'"),
        (["C", "C"], [(0, 1, "single"), (1, 0, "single")], "must join two atoms that no other"),
        (["O", "C", "C"], [(0, 1, "triple"), (0, 2, "single")], "the molecule must be possible"),
        (["C(R)", "C"], [(0, 1, "single")], "the stereo must be possible, got atom 0: R"),
        (["C", "C"], [(0, 1, "double(E)")], "must have neighbours at both ends"),
    ],
)
def test_a_graph_that_is_no_molecule_is_refused(
    labels: list[str], edges: list[tuple[int, int, str]], reason: str
) -> None:
    nodes = [{"id": k, "label": label} for k, label in enumerate(labels)]
    joined = [{"source": s, "target": t, "label": label} for s, t, label in edges]
    with pytest.raises(InputError, match=reason):
        molecule_to_smiles({"nodes": nodes, "edges": joined})


def test_sdf_records_become_smiles() -> None:
    first, second = sdf((BUTANOL + BENZENE).splitlines(), verify=True)
    assert first["input"] == "CC[C@@H](C)O"
    assert (first["name"], first["properties"]) == ("butan-2-ol", {"smell": "of wine"})
    assert molecule_to_smiles(first["target"]) == first["input"]
    assert (second["input"], second["alignment"]) == ("c1ccccc1", [0, 2, 3, 4, 5, 6])


def test_a_cxsmiles_between_spaces_is_refused() -> None:
    with pytest.raises(InputError, match=r"must be plain, got CXSMILES '\|r\|'"):
        list(smiles(["C[C@H](F)Cl |r| racemate"], separator=" "))
    record = next(smiles(["7 C a|b|c"], columns="id,smiles,name", separator=" "))
    assert (record["id"], record["name"]) == ("7", "a|b|c")


def test_sdf_in_random_order_is_repeatable() -> None:
    lines = (BUTANOL * 20).splitlines()
    texts = [record["input"] for record in sdf(lines, order="random", seed=1, verify=True)]
    assert texts == [record["input"] for record in sdf(lines, order="random", seed=1)]
    assert len(set(texts)) > 2


def test_a_bad_sdf_record_is_named_by_its_first_line() -> None:
    five = BENZENE.replace("  6  1  1  0", "  6  1  3  0")
    for text, reason in ((five, "the molecule must be possible"), ("x\n$$$$", "be a MOL block")):
        with pytest.raises(InputError, match=f"^a.sdf:19: .*{reason}"):
            list(sdf((BENZENE + text).splitlines(), source="a.sdf"))


def test_without_rdkit_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdkit", None)
    for converter in (smiles, sdf):
        with pytest.raises(InputError, match=r"pip install 'grapheme-torch\[chem\]'"):
            converter(["C"])


def test_a_smiles_can_be_written_anew() -> None:
    lines = ["C(C)O\tethanol", "OCC\tagain"]
    given = [record["input"] for record in smiles(lines)]
    assert given == ["C(C)O", "OCC"]
    assert [record["input"] for record in smiles(lines, order="canonical")] == ["CCO", "CCO"]
    drawn = [next(smiles(lines, order="random", seed=seed)) for seed in range(20)]
    assert len({record["input"] for record in drawn}) > 2
    assert {molecule_to_smiles(record["target"]) for record in drawn} == {"CCO"}
    assert drawn[0] == next(smiles(lines, order="random", seed=0))


@pytest.mark.parametrize("text", ["CCO", "C[C@H](F)Cl", "c1ccccc1", "C[NH3+]", "F/C=C/F"])
def test_a_molecule_of_rdkit_is_a_graph(text: str) -> None:
    chem = pytest.importorskip("rdkit.Chem")
    molecule = chem.MolFromSmiles(text)
    graph = molecule_to_graph(molecule)
    assert graph.directed is False
    assert graph.num_nodes == molecule.GetNumAtoms()
    assert graph.edge_index.shape[1] == molecule.GetNumBonds()
    assert molecule_to_smiles(graph) == chem.MolToSmiles(molecule)
    (record,) = smiles([text])
    assert graph.label == _labels(record["target"])


def test_what_is_no_molecule_of_rdkit_is_refused() -> None:
    with pytest.raises(InputError, match="`molecule` must be a molecule of RDKit, got 'CCO'"):
        molecule_to_graph("CCO")
