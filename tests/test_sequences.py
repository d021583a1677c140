"""The benchmark beside yoyodyne: same words for both, right answers counted; nothing is trained."""

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import _record
import pytest
import sequences
import yaml
from _sequences import ours, theirs
from _sequences.bounded import Effort, bounded
from _sequences.models import MODELS
from _sequences.words import LANGUAGES, Columns, share_exact, split, targets_of
from run import HERE, prepare, read_tasks

TASKS = read_tasks(HERE / "tasks.yaml")
FORMS = LANGUAGES["inflection-fin"].columns


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Sixty lemmas to train on, in two forms each, and one to test."""
    folder = tmp_path / "raw"
    folder.mkdir()
    rows = [f"talo{k}\tN;NOM({n})\ttalo{k}{n}" for k in range(60) for n in ("SG", "PL")]
    (folder / "fin.trn").write_text("\n".join([*rows, ""]), encoding="utf-8")
    (folder / "fin.dev").write_text("kissa\tN;NOM(PL)\tkissat\n", encoding="utf-8")
    return folder


def test_both_get_the_same_words(raw: Path, tmp_path: Path) -> None:
    task = TASKS["inflection-fin"]
    files = split(task, raw, FORMS, tmp_path / "theirs")
    sets, _ = prepare(task, raw, tmp_path / "ours")
    for name, other in (("train", "train"), ("val", "dev")):
        lines = files[name].read_text(encoding="utf-8").splitlines()
        pairs = [json.loads(line) for line in Path(sets[other]).read_text("utf-8").splitlines()]
        assert [line.split("\t")[0] for line in lines] == [pair["lemma"] for pair in pairs]
        assert lines
    assert "talo0\tN;NOM(SG)\ttalo0SG" in (raw / "fin.trn").read_text("utf-8")
    assert files["test"].read_text("utf-8") == "kissa\tN;NOM(PL)\n"
    assert targets_of(raw / "fin.dev", FORMS) == ["kissat"]


def test_sounds_are_split_as_the_recipe_splits_them(tmp_path: Path) -> None:
    task, columns = TASKS["g2p-fre"], LANGUAGES["g2p-fre"].columns
    source = replace(task.sources[0], file="train.tsv")
    task = replace(task, sources=(source,), test=(replace(source, file="dev.tsv"),), held_out=0.3)
    for name in ("train", "dev"):
        rows = [f"mo{'t' * (k + 1)}\tm o" for k in range(20)]
        (tmp_path / f"{name}.tsv").write_text("\n".join(rows), encoding="utf-8")
    files = split(task, tmp_path, columns, tmp_path / "theirs")
    _, counts = prepare(task, tmp_path, tmp_path / "ours")
    assert len(files["val"].read_text("utf-8").splitlines()) == counts["dev"] > 0
    assert files["test"].read_text("utf-8").splitlines()[0] == "mot"


def test_the_target_must_be_last(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be the last column, got column 2"):
        split(TASKS["inflection-fin"], raw, Columns(target_col=2), tmp_path / "out")


def test_an_answer_is_right_to_the_last_symbol() -> None:
    assert share_exact(["a b", "ab", "", "c"], ["a b", "a b", "", "d"]) == 0.5
    with pytest.raises(ValueError, match="an answer for each target, got 1 for 2"):
        share_exact(["a"], ["a", "b"])


@pytest.mark.parametrize("name", LANGUAGES)
def test_settings_name_the_words_and_no_target_when_asked(name: str, tmp_path: Path) -> None:
    columns, files = LANGUAGES[name].columns, {x: tmp_path / x for x in ("train", "val", "test")}
    effort = Effort(minutes=8, clock=90.5, seed=3)
    fit = theirs.fit_settings(MODELS[name], columns, files, tmp_path, effort)
    assert yaml.safe_load(yaml.safe_dump(fit)) == fit
    assert fit["trainer"]["max_time"] == "00:01:30:30"
    assert fit["data"]["train"] == str(tmp_path / "train")
    # Features are encoded where there are any; yoyodyne refuses one without the other.
    assert ("features_encoder" in fit["model"]["init_args"]) == (columns.features_col > 0)
    asked = theirs.predict_settings(MODELS[name], columns, files, tmp_path, effort)
    assert asked["model"] == fit["model"]
    assert asked["data"]["target_col"] == 0
    assert not {"train", "val"} & asked["data"].keys()


def test_what_is_missing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sequences.main([str(tmp_path), "--yoyodyne", str(tmp_path / "nothing")]) == 2
    told = capsys.readouterr().err
    assert "pip install yoyodyne" in told
    assert "nothing" in told
    with pytest.raises(SystemExit, match="Give it more --minutes"):
        theirs.checkpoint(tmp_path)


def test_a_task_again_keeps_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    same = {"yoyodyne": "1", "minutes": 8, "seed": 0}
    before = same | {"runs": [{"task": "a"}, {"task": "b"}]}
    monkeypatch.setattr(_record, "recorded", lambda name: before)
    assert sequences._kept(same, ["b"]) == [{"task": "a"}]
    assert sequences._kept(same | {"minutes": 6}, ["b"]) == []


def test_epochs_are_as_many_as_fit() -> None:
    model = MODELS["inflection-fin"]
    assert [model.epochs(minutes) for minutes in (0.1, 8)] == [1, math.floor(8 * model.pace)]
    recipe = TASKS["inflection-fin"]
    assert [ours.fitting(recipe, 1, minutes) for minutes in (0.1, 5.5, 60)] == [1, 5, 8]
    falling = model.settings(8)["init_args"]["scheduler"]["init_args"]
    assert falling == {"T_max": model.epochs(8)}


def test_the_best_checkpoint_and_its_size_are_read(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "epoch=3-val_accuracy=0.5000.ckpt").touch()
    assert theirs.checkpoint(tmp_path).stem == "epoch=3-val_accuracy=0.5000"
    log = tmp_path / "fit.log"
    log.write_text("x\nTrainable parameters: 1,865,927\n", encoding="utf-8")
    assert theirs.parameters(log) == 1_865_927
    assert theirs.version(str(tmp_path / "yoyodyne")) == "unknown"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_program_ends_when_its_seconds_are_spent(tmp_path: Path) -> None:
    busy = "import signal\nsignal.signal(2, lambda *_: exit('asked'))\nwhile True: pass"
    found = bounded([sys.executable, "-c", busy], tmp_path / "log", 0.2, poll=0.05)
    assert found.ended
    assert 0.2 <= found.processor < 5
    assert (tmp_path / "log").read_text(encoding="utf-8") == "asked\n"
    quick = bounded([sys.executable, "-c", "pass"], tmp_path / "log", 60, poll=0.05)
    assert not quick.ended
    with pytest.raises(SystemExit, match="ended with status 3"):
        bounded([sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "log", poll=0.05)
