"""Recipes: the files say what exists, held-out pairs are apart, and a run leaves a result."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import _record
import pytest
import run

from grapheme_torch import InputError
from grapheme_torch.cli._main import main
from grapheme_torch.convert import FORMATS
from grapheme_torch.data import load_pairs
from grapheme_torch.graphs import node_labels

from .cli.commands import FLAGS

TASKS = run.read_tasks(run.HERE / "tasks.yaml")
# Languages share their options: one of those tasks is enough.
DISTINCT = {(task.train, str(task.options)): name for name, task in TASKS.items()}.values()
OPTIONS = sorted(path for path in run.HERE.glob("*.yaml") if path.stem != "tasks")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a recipe would record, by name."""
    findings: dict[str, Any] = {}
    monkeypatch.setattr(run, "record", lambda name, result: findings.update({name: result}))
    return findings


def _table(path: Path, lemmas: int) -> Path:
    rows = [f"w{k}\tV;{tag}\tw{k}" for k in range(lemmas) for tag in ("PST", "PRS")]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def _values(path: str, key: str) -> list[str]:
    return [json.loads(line)[key] for line in Path(path).read_text("utf-8").splitlines()]


@pytest.mark.repeats
@pytest.mark.parametrize("name", DISTINCT)
def test_training_takes_the_options_of_a_task(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sets = {"train": "kindergarten", "dev": "kindergarten"}
    # The built-in pairs are of letters, which make no new pairs.
    small = ["--epochs=0", "--network.num-layers=0", "--network.dim=16", "--recombination.number=0"]
    words = run._train_words(TASKS[name], sets, tmp_path / "out", 0, small)
    assert main(words) == 0, capsys.readouterr().err


def test_options_of_the_user_go_before_those_of_the_task_and_these_before_the_file() -> None:
    task = replace(TASKS["inflection-tur"], options={"network.dim": 7, "epochs": 5})
    words = run._train_words(task, {"train": "a", "dev": "b"}, Path("out"), 3, ["--epochs=4"])
    assert words[:2] == ["train", "--config"]
    assert words.index("--epochs=5") < words.index("--epochs=4")
    assert "--network.dim=7" in words


def test_every_recipe_has_a_task_and_every_task_a_recipe_or_none() -> None:
    named = {task.train for task in TASKS.values()} - {None}
    assert named == {path.name for path in OPTIONS}
    for task in TASKS.values():
        sources = [*task.sources, *task.more, *task.test]
        assert {source.format for source in sources} <= FORMATS.keys()
        assert re.compile(task.group).groups == 1


def test_a_lemma_is_held_out_as_a_whole(tmp_path: Path) -> None:
    _table(tmp_path / "tur.trn", 60)
    task = replace(TASKS["inflection-tur"], test=())
    sets, counts = run.prepare(task, tmp_path, tmp_path / "a")
    lemmas = {name: set(_values(path, "lemma")) for name, path in sets.items()}
    assert lemmas["train"].isdisjoint(lemmas["dev"])
    assert lemmas["test"] == lemmas["dev"]
    assert 2 <= counts["dev"] <= 30
    assert counts["train"] + counts["dev"] == 120
    # The same pairs are held out of another file.
    _table(tmp_path / "tur.trn", 30)
    fewer = set(_values(run.prepare(task, tmp_path, tmp_path / "b")[0]["dev"], "lemma"))
    assert fewer == {lemma for lemma in lemmas["dev"] if int(lemma[1:]) < 30}


def test_other_forms_of_what_is_held_out_are_not_trained_on(tmp_path: Path) -> None:
    lines = [f"{'C' * (k + 1)}O\tmolecule {k}" for k in range(40)]
    (tmp_path / "a.smi").write_text("\n".join(lines) + "\n", encoding="utf-8")
    plain = run.Source(format="smiles", file="a.smi")
    drawn = run.Source(format="smiles", file="a.smi", options={"order": "random"})
    task = run.Task(train="smiles.yaml", sources=(plain,), more=(drawn, drawn), split_by="name")
    sets, counts = run.prepare(task, tmp_path, tmp_path / "out")
    names = {name: set(_values(path, "name")) for name, path in sets.items()}
    assert names["train"].isdisjoint(names["dev"])
    assert counts["train"] == 3 * len(names["train"])
    assert counts["dev"] == len(names["dev"]) > 0


def test_pairs_that_do_not_fit_are_left_out_of_training_only(tmp_path: Path) -> None:
    raw = tmp_path / "medium" / "kor_train.tsv"
    raw.parent.mkdir()
    raw.write_text("abc\ta b\n" * 30 + "a\ta b a b a b\n", encoding="utf-8")
    sets, counts = run.prepare(TASKS["g2p-kor"], tmp_path, tmp_path / "out", str(raw))
    assert (counts["train"] + counts["dev"], counts["test"], counts["too_large"]) == (30, 31, 1)
    assert "a" not in _values(sets["train"], "input")
    assert "a" in _values(sets["test"], "input")


def test_inputs_know_training_pairs_of_other_molecules_only(tmp_path: Path) -> None:
    """Each compound has a target of its own and the same peaks: all others vote alike."""
    lines = [
        {"compound": f"c{k}", "scaffold": "C" * (k + 1), "precursor_mz": 90.0, "peaks": [[50, 1]]}
        for k in range(20)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "a.jsonl").write_text(text, encoding="utf-8")
    source = run.Source(
        format="spectra", file="a.jsonl", options={"target": "scaffold", "nearest": 20}
    )
    task = run.Task(
        train=None, sources=(source,), more=(source,), test=(source,), split_by="compound",
        room=100, known=True,
    )  # fmt: skip
    sets, counts = run.prepare(task, tmp_path, tmp_path / "out")
    known = set(_values(str(tmp_path / "out" / "known.jsonl"), "scaffold"))
    assert known == set(_values(sets["train"], "scaffold"))
    assert known.isdisjoint(_values(sets["dev"], "scaffold"))
    assert (counts["train"], counts["dev"] > 0) == (2 * len(known), True)
    for name in ("train", "dev", "test"):
        for line in Path(sets[name]).read_text("utf-8").splitlines():
            pair = json.loads(line)
            atoms = sum(node["x"][3] > 0 for node in pair["input"]["nodes"])
            assert atoms == sum(len(each) for each in known - {pair["scaffold"]})


def test_languages_of_few_words_differ_in_their_files_only(tmp_path: Path) -> None:
    few = {name: task for name, task in TASKS.items() if name.startswith("g2p-low-")}
    assert len(few) == 10
    for name, task in few.items():
        assert task.sources[0].file == f"low/{name[8:].replace('-', '_')}_train.tsv"
        assert task.test[0].file == task.sources[0].file.replace("train", "dev")
    bare = [replace(task, sources=(), test=(), reference={}) for task in few.values()]
    assert all(task == bare[0] for task in bare)
    mean = sum(next(iter(task.reference.values())) for task in few.values()) / 10
    assert mean == pytest.approx(1 - 0.251)
    for part in ("train", "dev"):  # one cluster: two letters and three signs
        (tmp_path / "low").mkdir(exist_ok=True)
        (tmp_path / "low" / f"khm_{part}.tsv").write_text("ខ្ញុំ\tk ɲ o m\n", encoding="utf-8")
    sets, counts = run.prepare(few["g2p-low-khm"], tmp_path, tmp_path / "out")
    assert counts["too_large"] == 0
    (given,) = load_pairs(sets["test"])
    assert node_labels(given.input) == list("ខ្ញុំ")
    assert node_labels(given.target) == ["k", "ɲ", "o", "m"]


def test_what_is_too_large_or_comes_again_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("ab\tx\nabc\ty\nab\tx\nb\tx\n", encoding="utf-8")
    source = run.Source(format="pairs", file="a.tsv")
    task = run.Task(train="g2p.yaml", sources=(source,), test=(source,), largest=2, once=True)
    sets, _ = run.prepare(task, tmp_path, tmp_path / "out")
    assert _values(sets["test"], "input") == ["ab", "b"]
    both = _values(sets["train"], "input") + _values(sets["dev"], "input")
    assert sorted(both) == ["ab", "b"]


@pytest.mark.repeats
def test_a_recipe_runs_to_its_result(
    tmp_path: Path, found: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    _table(tmp_path / "tur.trn", 20)
    _table(tmp_path / "tur.dev", 3)
    words = ["inflection-tur", str(tmp_path), "--out", str(tmp_path / "out"), "--seeds", "1", "2"]
    assert run.main([*words, "--epochs=1", *FLAGS]) == 0
    capsys.readouterr()
    result = found["tasks/inflection-tur"]
    assert result["counts"]["test"] == 6
    assert [(one["seed"], one["epochs"]) for one in result["runs"]] == [(1, 1), (2, 1)]
    assert {one["metrics"]["pairs"] for one in result["runs"]} == {6}
    assert json.loads(json.dumps(result)) == result
    assert "worst" not in json.dumps(result)
    kept = json.loads((tmp_path / "out" / "seed-1" / "evaluation.json").read_text("utf-8"))
    assert len(kept["worst"]) == 6
    assert run.main([*words, "--trained"]) == 0
    capsys.readouterr()
    again = found["tasks/inflection-tur"]
    assert (again["runs"], again["trained_before"]) == (result["runs"], True)
    assert run.main([*words[:-2], "3", "--trained"]) == 2
    assert "seed-3 must be the folder of a run, got none. Call the rec" in capsys.readouterr().err
    assert run.main([*words, "--nope=1"]) == 2
    assert "--nope=1" in capsys.readouterr().err
    nowhere = ["inflection-tur", str(tmp_path / "nowhere"), "--out", str(tmp_path / "none")]
    assert run.main(nowhere) == 2
    assert capsys.readouterr().err.startswith("recipes/run.py: ")


@pytest.mark.repeats
def test_several_networks_make_one_result(
    tmp_path: Path,
    found: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    task = replace(TASKS["inflection-tur"], members=2)
    monkeypatch.setattr(run, "read_tasks", lambda _: {"inflection-tur": task})
    _table(tmp_path / "tur.trn", 20)
    _table(tmp_path / "tur.dev", 3)
    out = tmp_path / "out"
    words = ["inflection-tur", str(tmp_path), "--out", str(out), "--seeds", "3"]
    assert run.main([*words, "--epochs=1", *FLAGS]) == 0
    capsys.readouterr()
    (result,) = found["tasks/inflection-tur"]["runs"]
    seconds = [json.loads((out / f"seed-{k}/summary.json").read_text())["seconds"] for k in (6, 7)]
    assert (result["seed"], result["members"]) == (3, 2)
    assert result["seconds"] == pytest.approx(sum(seconds))


def test_an_unknown_key_of_a_task_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tasks.yaml"
    path.write_text("x: {train: y.yaml, sources: [], epochs: 3}", encoding="utf-8")
    first = "constraint, form, group, held_out, known, largest, members, more, "
    message = f"{path}: the keys of 'x' must be among {first}"
    with pytest.raises(InputError, match="^" + re.escape(message) + ".*got 'epochs'"):
        run.read_tasks(path)
    path.write_text("x: {train: y.yaml, sources: [{fail: a.smi}]}", encoding="utf-8")
    message = f"{path}: the keys of 'x.sources' must be among file, format, options, got 'fail'"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        run.read_tasks(path)


def test_findings_are_not_lost_for_want_of_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = _record.commit()
    monkeypatch.chdir(tmp_path)
    assert _record.commit() == here
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _record.commit() == "unknown"
    monkeypatch.setattr(_record, "RESULTS", tmp_path / "results")
    _record.record("tasks/one", {"task": "one"})
    assert _record.recorded("tasks/one") == {"task": "one"}


def test_a_task_without_options_leaves_all_to_the_data() -> None:
    task = replace(TASKS["cogs"], train=None, options={})
    words = run._train_words(task, {"train": "a", "dev": "b"}, Path("out"), 0, [])
    own = ["--data", "a", "--val", "b", "--out", "out", "--seed", "0", "--overwrite"]
    assert words == ["train", *own]


@pytest.mark.repeats
def test_a_task_whose_targets_tell_their_inputs_is_evaluated_twice(
    tmp_path: Path, found: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    smiles = ["CO", "CC", "CCO", "COC", "C=O", "CN", "CCN", "CNC", "C#N", "CC=O"]
    (tmp_path / "qm9.train.smi").write_text("\n".join(smiles), encoding="utf-8")
    words = ["fingerprint", str(tmp_path), "--test", str(tmp_path / "qm9.train.smi")]
    small = ["--network.dim=32", "--network.num-buckets=64", "--epochs=20"]
    assert run.main([*words, "--out", str(tmp_path / "out"), *small]) == 0
    capsys.readouterr()
    (one,) = found["tasks/fingerprint"]["runs"]
    assert one["round_trip"]["exact_match"] == one["round_trip"]["round_trip"]
    assert one["round_trip"]["exact_match"] > one["metrics"]["exact_match"]
