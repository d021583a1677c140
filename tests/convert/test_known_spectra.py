"""Spectra whose inputs hold the targets of similar known ones: what is written, and refused."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grapheme_torch import InputError
from grapheme_torch.cli._main import main
from grapheme_torch.convert import convert, molecule_to_smiles, spectra
from grapheme_torch.data import load_pairs
from grapheme_torch.graphs import make_graph

Write = Callable[..., str]


def line(compound: str | None, scaffold: str, peaks: list[list[float]], **more: Any) -> str:
    told = {"precursor_mz": 90.0, "adduct": "[M+H]+", "scaffold": scaffold, "peaks": peaks}
    return json.dumps(told | ({} if compound is None else {"compound": compound}) | more)


KNOWN = [
    line("one", "C1CC1", [[50.0, 10], [60.0, 10]]),
    line("two", "C1CCC1", [[50.0, 10], [70.0, 1]]),
    line("three", "C1CC1", [[50.0, 10], [80.0, 10]]),
    line("four", "c1ccccc1", [[20.0, 10]]),
]
ASKED = line("five", "CCO", [[50.01, 10], [60.0, 10], [30.0, 1]])


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a data set of known spectra, converted from raw lines, and gives its path."""

    def written(lines: list[str], name: str = "known", **options: Any) -> str:
        raw, made = tmp_path / f"{name}.raw.jsonl", tmp_path / f"{name}.jsonl"
        raw.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
        convert("spectra", str(raw), str(made), **{"target": "scaffold", **options})
        return str(made)

    return written


def asked(known: str, text: str = ASKED, **options: Any) -> dict[str, Any]:
    (record,) = spectra([text], **{"target": "scaffold", "known": known, **options})
    return record


def near(record: dict[str, Any]) -> list[str]:
    """The targets in an input, as SMILES."""
    found, given = [], record["input"]
    scores = dict.fromkeys((n["x"][3], n["x"][4]) for n in given["nodes"] if n["x"][3] > 0)
    for score in scores:
        atoms = [n for n in given["nodes"] if (n["x"][3], n["x"][4]) == score]
        place = {node["id"]: k for k, node in enumerate(atoms)}
        edges = [
            (place[edge["source"]], place[edge["target"]], edge["label"])
            for edge in given["edges"]
            if edge["source"] in place
        ]
        found.append(molecule_to_smiles(make_graph([n["label"] for n in atoms], edges)))
    return found


def test_an_input_begins_with_the_targets_of_the_nearest_known_spectra(write: Write) -> None:
    given = asked(write(KNOWN))["input"]
    first, second = given["nodes"][0]["x"][3:], given["nodes"][3]["x"][3:]
    assert 1 > first[0] > second[0] > 0
    assert 1 > first[1] > second[1] > 0
    assert first[1] + second[1] == pytest.approx(1)
    assert [(node["label"], node["x"]) for node in given["nodes"]] == [
        *[("C", [0.0, 0.0, 0.0, *first])] * 3,
        *[("C", [0.0, 0.0, 0.0, *second])] * 4,
        ("[M+H]+", [90.0, 0.0, 0.0, 0.0, 0.0]),
        ("peak", [30.0, 60.0, 0.1, 0.0, 0.0]),
        ("peak", [50.01, 39.99, 1.0, 0.0, 0.0]),
        ("peak", [60.0, 30.0, 1.0, 0.0, 0.0]),
    ]
    assert [(node["id"], node["position"]) for node in given["nodes"]] == [
        (k, k) for k in range(11)
    ]
    bonds = {(edge["source"], edge["target"], edge["label"]) for edge in given["edges"]}
    ring = {(0, 1), (1, 2), (0, 2)} | {(3, 4), (4, 5), (5, 6), (3, 6)}
    assert bonds == {(*ends, "single") for ends in ring}
    assert given["directed"] is False


def test_the_nearest_are_different_targets_in_their_order(write: Write) -> None:
    known = write(KNOWN)
    assert near(asked(known)) == ["C1CC1", "C1CCC1"]  # twice the same, and one without a peak
    assert near(asked(known, nearest=1)) == ["C1CC1"]
    assert near(asked(known, tolerance=0.005)) == ["C1CC1"]  # by the peak at 60
    assert near(asked(known, line("five", "CCO", [[99.0, 1]]))) == []


def test_known_spectra_of_the_same_compound_are_left_out(write: Write) -> None:
    known = write(KNOWN)
    own = json.loads(KNOWN[1])
    assert near(asked(known, json.dumps(own)))[0] == "C1CC1"
    assert near(asked(known, json.dumps(own | {"compound": None})))[0] == "C1CCC1"
    assert near(asked(known, json.dumps(own), apart="id"))[0] == "C1CCC1"
    # The molecule is left out, its scaffold is not: another molecule has it, too.
    assert "C1CC1" in near(asked(known, KNOWN[0]))


def test_the_strongest_peaks_are_what_is_compared(write: Write) -> None:
    known = write(KNOWN)
    text = line("five", "CCO", [[20.0, 10], [50.0, 1], [60.0, 1]])
    assert len(near(asked(known, text))) == 3
    assert near(asked(known, text, most=1)) == ["c1ccccc1"]


def test_targets_are_of_the_same_bonds(write: Write) -> None:
    known = write(KNOWN, kekulize=True)
    record = asked(known, line("five", "CCO", [[20.0, 1]]), kekulize=True)
    assert {edge["label"] for edge in record["input"]["edges"]} == {"single", "double"}


def test_the_command_writes_what_can_be_trained_on(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known, raw, out = write(KNOWN), tmp_path / "raw.jsonl", tmp_path / "out.jsonl"
    raw.write_text(ASKED + "\n", encoding="utf-8")
    words = ["convert", "spectra", str(raw), str(out), "--target", "scaffold", "--known", known]
    assert main([*words, "--nearest", "1", "--tolerance", "0.03", "--apart", "id"]) == 0
    (pair,) = load_pairs(str(out))
    assert pair.input.features.shape == (7, 5)
    assert pair.input.num_edges == 3
    capsys.readouterr()
    assert main(["convert", "spectra", "--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"--{name}" in told for name in ("known", "nearest", "apart", "tolerance"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nearest": 0}, "`nearest` must be at least 1, got 0. Try 3."),
        ({"tolerance": 0.0}, "`tolerance` must be finite and above 0, got 0.0. Try 0.02."),
        ({"tolerance": float("nan")}, "`tolerance` must be finite and above 0, got nan. Try 0."),
    ],
)
def test_options_out_of_range_are_refused(options: Any, message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        spectra([ASKED], **options)


def test_the_standard_input_is_not_both_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "spectra", "-", "-", "--known", "-"]) == 2
    told = capsys.readouterr().err
    assert "`known` must be a file where spectra come from the standard input, got '-'." in told


def test_a_file_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "known.jsonl"
    message = f"{path}: the input must be a readable file, got No such file or directory. "
    with pytest.raises(InputError, match="^" + re.escape(message)):
        spectra([ASKED], known=str(path))
    path.write_text("\n", encoding="utf-8")
    message = f"{path}: the known spectra must be at least one pair, got none. "
    with pytest.raises(InputError, match="^" + re.escape(message)):
        spectra([ASKED], known=str(path))


INPUT = "the input of a known pair"


def nodes(*rows: Any) -> dict[str, Any]:
    return {"nodes": [{"id": k, "label": "", "x": row} for k, row in enumerate(rows)], "edges": []}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scaffold": None}, 'the "scaffold" of a known pair must be a SMILES, got None. Convert '),
        ({"scaffold": "C1"}, "the SMILES must be readable, got 'C1'. "),
        ({"scaffold": "CC"}, 'the target of a known pair must be that of its "scaffold", got {'),
        ({"target": None}, 'the target of a known pair must be that of its "scaffold", got None. '),
        ({"input": "CC"}, f"{INPUT} must be a graph of peaks, got 'CC'. "),
        ({"input": {"nodes": [1]}}, f"the nodes of {INPUT} must have three numbers each, got None"),
        ({"input": nodes([9, 0, 0])}, f"{INPUT} must be a precursor and peaks, without edges, got"),
        (
            {"input": nodes([9, 0, 0], [8, 1, 1]) | {"edges": [{"source": 0, "target": 1}]}},
            f"{INPUT} must be a precursor and peaks, without edges, got {{",
        ),
        (
            {"input": nodes([9, 0, 0], ["a", 1, 1])},
            "an m/z must be a finite number that is not negative, got 'a'. ",
        ),
        (
            {"input": nodes([9, 0, 0], [8, 1, -1])},
            "an intensity must be a finite number that is not negative, got -1. ",
        ),
        (
            {"input": nodes([9, 0, 0], [8, 1, 0])},
            f"the intensities of {INPUT} must be above 0, got 0.0. Name a data set that ",
        ),
    ],
)
def test_a_line_that_is_no_known_pair_is_refused(
    write: Write, changes: dict[str, Any], message: str
) -> None:
    path = Path(write(KNOWN[1:2]))
    pair = json.loads(path.read_text(encoding="utf-8"))
    changed = json.dumps({**pair, **changes})
    path.write_text(f"{json.dumps(pair)}\n{changed}\n", encoding="utf-8")
    with pytest.raises(InputError, match="^" + re.escape(f"{path}:2: {message}")):
        spectra([ASKED], target="scaffold", known=str(path))


def test_other_files_are_refused_by_their_first_line(write: Write) -> None:
    known = write(KNOWN)
    again = write(KNOWN, "again", known=known)
    message = f"{again}:1: the nodes of {INPUT} must have three numbers each, got [0.0, 0.0, 0.0, "
    with pytest.raises(InputError, match="^" + re.escape(message) + ".*made without --known"):
        asked(again)
    with pytest.raises(InputError, match="same --target and --kekulize"):
        asked(write(KNOWN[3:], "bonds", kekulize=True))
    other = Path(known).with_name("other.jsonl")
    other.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"other.jsonl:1: the line must be JSON, got "):
        asked(str(other))
