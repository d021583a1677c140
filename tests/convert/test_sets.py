"""Fingerprints and spectra: sets of nodes, of which none is an atom."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from grapheme_torch import InputError
from grapheme_torch.convert import (
    convert,
    fingerprint,
    molecule_to_fingerprint,
    molecule_to_smiles,
    spectra,
)
from grapheme_torch.data import load_pairs
from grapheme_torch.graphs import edge_triples, graph_from_node_link, make_graph, node_labels

SPECTRUM: dict[str, Any] = {
    "id": "one", "smiles": "OCC", "precursor_mz": 47.05, "adduct": "[M+H]+",
    "peaks": [[29.04, 50], [47.05, 100], [31.02, 20]],
}  # fmt: skip


def spectrum(**changes: Any) -> str:
    kept = {key: value for key, value in (SPECTRUM | changes).items() if value is not ...}
    return json.dumps(kept)


def test_bits_of_a_fingerprint_are_those_of_rdkit() -> None:
    (record,) = fingerprint(["OC(=O)c1ccccc1\tbenzoic acid"], bits=512)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=512)
    wanted = generator.GetFingerprint(Chem.MolFromSmiles("OC(=O)c1ccccc1")).GetOnBits()
    assert [node["label"] for node in record["input"]["nodes"]] == [str(bit) for bit in wanted]
    assert record["input"]["edges"] == []
    assert (record["smiles"], record["name"]) == ("OC(=O)c1ccccc1", "benzoic acid")


def test_the_target_is_the_molecule_without_directions_in_canonical_order() -> None:
    first, second = fingerprint(["OCC", "C(O)C"], verify=True)
    assert first["target"] == second["target"]
    assert first["target"]["directed"] is False
    assert [node["label"] for node in first["target"]["nodes"]] == ["C", "C", "O"]
    assert molecule_to_smiles(first["target"]) == "CCO"


@pytest.mark.parametrize("options", [{}, {"radius": 1, "bits": 64}])
def test_a_molecule_tells_its_fingerprint(options: Any) -> None:
    """Whatever the order of its atoms, and with aromatic, charged and bracketed ones among them."""
    texts = ["c1ccccc1O", "C[N+](C)(C)CC(=O)[O-]", "Cc1c[nH]c2ccccc12", "N#CC1CC1", "[13CH3]C"]
    for record in fingerprint(texts, **options):
        target = graph_from_node_link(record["target"])
        names, n = node_labels(target), target.num_nodes or 0
        turned = make_graph(
            names[::-1], [(n - 1 - v, n - 1 - u, r) for u, v, r in edge_triples(target)],
            directed=False,
        )  # fmt: skip
        wanted = [node["label"] for node in record["input"]["nodes"]]
        for graph in (target, turned, record["target"]):
            assert node_labels(molecule_to_fingerprint(graph, **options)) == wanted
    with pytest.raises(InputError, match="the label of a node must be an atom, got 'Q'"):
        molecule_to_fingerprint(make_graph(["Q"]))


def test_radius_bounds_what_a_bit_tells_of() -> None:
    (near,), (far,) = (list(fingerprint(["CCCCO"], radius=k)) for k in (0, 2))
    assert len(near["input"]["nodes"]) == 3  # an end, a middle, an oxygen
    assert len(far["input"]["nodes"]) > 3


def test_kekulized_targets_have_no_aromatic_bonds() -> None:
    (record,) = fingerprint(["c1ccccc1"], kekulize=True)
    assert {edge["label"] for edge in record["target"]["edges"]} == {"single", "double"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radius": -1}, "`radius` must lie in [0, 16], got -1. Try 2."),
        ({"bits": 0}, "`bits` must lie in [1, 1048576], got 0. Try 2048."),
    ],
)
def test_options_out_of_range_are_refused(options: Any, message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
        list(fingerprint(["C"], **options))


def test_a_bond_with_a_direction_is_refused() -> None:
    message = "a.smi:1: the bonds must have no direction, as dative ones have, got N->[Cu]. "
    with pytest.raises(InputError, match="^" + re.escape(message)):
        list(fingerprint(["N->[Cu]"], source="a.smi"))


def test_peaks_and_the_precursor_are_nodes_with_numbers() -> None:
    (record,) = spectra([spectrum()])
    assert record["input"]["nodes"] == [
        {"id": 0, "label": "[M+H]+", "x": [47.05, 0.0, 0.0]},
        {"id": 1, "label": "peak", "x": [29.04, 18.01, 0.5]},
        {"id": 2, "label": "peak", "x": [31.02, 16.03, 0.2]},
        {"id": 3, "label": "peak", "x": [47.05, 0.0, 1.0]},
    ]
    assert record["input"]["edges"] == []
    assert molecule_to_smiles(record["target"]) == "CCO"
    assert {key: record[key] for key in ("id", "smiles", "adduct")} == {
        "id": "one", "smiles": "OCC", "adduct": "[M+H]+",
    }  # fmt: skip


def test_the_strongest_peaks_are_kept_and_the_target_may_be_a_part() -> None:
    line = spectrum(scaffold="c1ccccc1", adduct=None)
    (record,) = spectra([line], target="scaffold", most=1)
    assert [node["x"][0] for node in record["input"]["nodes"]] == [47.05, 47.05]
    assert record["input"]["nodes"][0]["label"] == ""
    assert molecule_to_smiles(record["target"]) == "c1ccccc1"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1]", "the line must be a JSON object, got [1]. "),
        ("{", "the line must be JSON, got "),
        (spectrum(peaks=...), 'the "peaks" must be a list of peaks, got None. '),
        (spectrum(peaks=[]), 'the "peaks" must be a list of peaks, got []. '),
        (spectrum(peaks=[[1]]), 'peak 0 of the "peaks" must be [m/z, intensity], got [1]. '),
        (spectrum(peaks=[[1, "a"]]), 'peak 0 of the "peaks" must be a finite number that is not '),
        (spectrum(peaks=[[1, 0]]), 'the intensities of the "peaks" must be above 0, got 0.0. '),
        (spectrum(precursor_mz="x"), 'the "precursor_mz" must be a finite number that is not '),
        (spectrum(adduct=1), 'the "adduct" must be a text or null, got 1. '),
        (spectrum(smiles=...), 'the "smiles" must be a SMILES, got None. '),
        (spectrum(smiles="C1"), "the SMILES must be readable, got 'C1'. "),
        (spectrum(alignment=[]), "a key that is kept must be free, got 'alignment'. "),
    ],
)
def test_a_line_that_is_no_spectrum_is_refused_by_its_number(line: str, message: str) -> None:
    message = "s.jsonl:2: " + message
    with pytest.raises(InputError, match="^" + re.escape(message)):
        list(spectra([spectrum(), line], source="s.jsonl"))


def test_what_is_written_can_be_trained_on(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(spectrum() + "\n", encoding="utf-8")
    (tmp_path / "a.smi").write_text("CCO\nc1ccccc1O\n", encoding="utf-8")
    for name, file in (("spectra", "a.jsonl"), ("fingerprint", "a.smi")):
        out = tmp_path / f"{name}.out.jsonl"
        convert(name, str(tmp_path / file), str(out))
        for pair in load_pairs(str(out)):
            assert pair.input.num_edges == 0
            assert pair.target.directed is False
