"""The folder of a run: claimed, written, read again, and refused where it was spoilt."""

import errno
import fcntl
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from grapheme_torch import InputError, Sinkhorn, StructuralLoss
from grapheme_torch.train import load_network, saved_loss
from grapheme_torch.train._folder import check_unclaimed, claim, save_options
from grapheme_torch.train._loss_options import loss_options

from .runs import contents, quick


def test_an_empty_or_new_folder_is_claimed(tmp_path: Path) -> None:
    for _ in range(2):
        with claim(tmp_path / "a" / "b", overwrite=False) as beside_a_run:
            assert not beside_a_run
    assert (tmp_path / "a" / "b").is_dir()
    assert contents(tmp_path) == {}


def test_what_a_refused_run_left_does_not_hinder(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with claim(tmp_path, overwrite=False):
        pass
    assert len(contents(tmp_path)) == 2


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "summary.json", "train.yaml"])
def test_a_folder_that_holds_a_run_is_claimed_only_to_overwrite_it(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("x", encoding="utf-8")
    message = f"--out {tmp_path} must hold no run yet, got {name}"
    for refuse in (check_unclaimed, _claimed):
        with pytest.raises(InputError, match="^" + re.escape(message)):
            refuse(tmp_path, overwrite=False)
    check_unclaimed(tmp_path, overwrite=True)
    with claim(tmp_path, overwrite=True) as beside_a_run:
        assert beside_a_run
    assert contents(tmp_path) == {name: b"x"}


def _claimed(folder: Path, *, overwrite: bool) -> None:
    with claim(folder, overwrite=overwrite):
        pass


@pytest.mark.parametrize(
    ("summary", "state"),
    [
        (None, "train.yaml of a run that was killed. Choose another --out, or train anew with"),
        ('{"interrupted": true, "epochs": 7}', "summary.json of a run that was stopped in epoch 7"),
        ('{"interrupted": false, "epochs": 7}', "summary.json. Choose another --out, or train"),
        ("spoilt", "summary.json. Choose another --out"),
    ],
)
def test_a_run_that_ended_early_is_told(tmp_path: Path, summary: str | None, state: str) -> None:
    (tmp_path / "train.yaml").write_text("", encoding="utf-8")
    if summary is not None:
        (tmp_path / "summary.json").write_text(summary, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(f"hold no run yet, got {state}")):
        check_unclaimed(tmp_path, overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_has_one_training_at_a_time(tmp_path: Path, overwrite: bool) -> None:
    message = (
        f"--out {tmp_path} must have no training under way, got one in process {os.getpid()}. "
        "Wait for it or stop it, or choose another --out."
    )
    with claim(tmp_path, overwrite=overwrite):
        for refuse in (check_unclaimed, _claimed):
            with pytest.raises(InputError, match="^" + re.escape(message)):
                refuse(tmp_path, overwrite=overwrite)
    _claimed(tmp_path, overwrite=overwrite)
    assert contents(tmp_path) == {}


def test_the_lock_of_a_process_that_was_killed_hinders_nobody(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("1\n", encoding="utf-8")  # there is a process 1
    _claimed(tmp_path, overwrite=False)
    assert contents(tmp_path) == {}


def test_a_lock_that_is_removed_while_one_waits_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, flock, calls = tmp_path / ".lock", fcntl.flock, []

    def late(file: int, how: int) -> None:
        flock(file, how)
        calls.append(file)
        if len(calls) == 1:
            lock.unlink()

    monkeypatch.setattr(fcntl, "flock", late)
    with claim(tmp_path, overwrite=False):
        assert len(calls) == 2
        with pytest.raises(InputError, match="under way"):
            _claimed(tmp_path, overwrite=False)


def test_a_file_system_without_locks_hinders_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unknown)
    _claimed(tmp_path, overwrite=False)
    assert contents(tmp_path) == {}


def test_a_loss_comes_back(tmp_path: Path) -> None:
    loss = StructuralLoss(
        3.0, 0.25, 0.0, alignment=Sinkhorn(temperature=0.3, slack=1.0, rounds=2, tolerance=1e-7)
    )
    save_options(tmp_path, {"data": "é", "lr": 1e-3, **loss_options(loss)})
    assert loss_options(saved_loss(tmp_path)) == loss_options(loss)
    other = saved_loss(str(tmp_path), alignment=Sinkhorn(rounds=0))
    assert loss_options(other) == loss_options(loss.replace(alignment=Sinkhorn(rounds=0)))
    assert "reduction" not in loss_options(loss)
    assert yaml.safe_load((tmp_path / "train.yaml").read_text(encoding="utf-8"))["data"] == "é"


def test_without_a_run_the_loss_is_the_default(tmp_path: Path) -> None:
    assert loss_options(saved_loss(tmp_path)) == loss_options(StructuralLoss())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha: [", "must hold the options of a run, got while parsing"),
        ("just words", ": it must hold options by name, got 'just words'. Train again."),
        pytest.param(
            "alpha: big",
            ": `alpha` must be positive and finite, got 'big'.",
            marks=pytest.mark.untyped,
        ),
        ("alpha: -1.0", ": `alpha` must be positive"),
        (
            "alignment: {slack: 2.0}",
            ": `slack` must lie in [0, 1], got 2.0. 1 is the edit distance.",
        ),
        ("hints: {nope: 1}", ": `hints` must hold only the options "),
        ("hints: {nope: 1, 2: 3}", ", got nope, 2. Remove or restore it."),
        ("hints: 3", ": `hints` must hold options by name, got 3. Remove or restore it."),
        ("- 1", ": it must hold options by name, got [1]. Train again."),
    ],
)
def test_spoilt_options_are_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "train.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        saved_loss(tmp_path)
    assert str(caught.value).startswith(str(tmp_path / "train.yaml"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"alpha: \0"])
def test_options_that_are_no_text_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train.yaml").write_bytes(content)
    with pytest.raises(InputError, match="^" + re.escape(str(tmp_path / "train.yaml"))):
        saved_loss(tmp_path)


def test_options_that_are_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train.yaml").mkdir()
    with pytest.raises(InputError, match=r"train\.yaml must hold the options of a run, got .* dir"):
        saved_loss(tmp_path)


def test_a_loaded_network_is_ready_to_predict(tmp_path: Path) -> None:
    quick(tmp_path, epochs=0)
    assert not load_network(tmp_path).training
    assert not load_network(str(tmp_path)).training
