"""The folder of a run: claimed, written, read again, and refused where it was spoilt."""

import re
from pathlib import Path

import pytest
import yaml

from grapheme_torch import InputError, StructuralLoss
from grapheme_torch.train import load_network, saved_loss
from grapheme_torch.train._folder import claim, loss_options, save_options

from .runs import contents, quick


def test_an_empty_or_new_folder_is_claimed(tmp_path: Path) -> None:
    for _ in range(2):
        claim(tmp_path / "a" / "b", overwrite=False)
    assert (tmp_path / "a" / "b").is_dir()


def test_what_a_refused_run_left_does_not_hinder(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    claim(tmp_path, overwrite=False)
    assert len(contents(tmp_path)) == 2


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "summary.json", "train.yaml"])
def test_a_folder_that_holds_a_run_is_claimed_only_to_overwrite_it(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("x", encoding="utf-8")
    message = f"--out {tmp_path} must hold no run yet, got {name}. Choose another --out, or allow"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        claim(tmp_path, overwrite=False)
    claim(tmp_path, overwrite=True)
    assert contents(tmp_path) == {name: b"x"}


def test_a_loss_comes_back(tmp_path: Path) -> None:
    loss = StructuralLoss(3.0, 0.25, 0.0, temperature=0.3, slack=1.0, rounds=2, tolerance=1e-7)
    save_options(tmp_path, {"data": "é", "lr": 1e-3, **loss_options(loss)})
    assert loss_options(saved_loss(tmp_path)) == loss_options(loss)
    assert loss_options(saved_loss(str(tmp_path), rounds=0)) == loss_options(loss) | {"rounds": 0}
    assert "reduction" not in loss_options(loss)
    assert yaml.safe_load((tmp_path / "train.yaml").read_text(encoding="utf-8"))["data"] == "é"


def test_without_a_run_the_loss_is_the_default(tmp_path: Path) -> None:
    assert loss_options(saved_loss(tmp_path)) == loss_options(StructuralLoss())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha: [", "must hold the options of a run, got while parsing"),
        ("just words", ": it must hold options by name, got 'just words'. Train again."),
        ("alpha: big", "must hold the options of a run, got "),
        ("alpha: -1.0", ": `alpha` must be positive"),
        ("slack: 2.0", ": `slack` must lie in [0, 1], got 2.0. 1 is the edit distance."),
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
