"""The benchmark of options: every variant is one that `train` takes, and test files stay unread."""

import json
from pathlib import Path

import pytest
from _ablation.training import prepared
from _ablation.variants import VARIANTS, Variant

from grapheme_torch.cli._main import main


def test_each_of_the_three_options_is_crossed_with_the_others() -> None:
    assert len({tuple(variant.words()) for variant in VARIANTS}) == 3 * 2 * 2


@pytest.mark.repeats
@pytest.mark.parametrize("variant", VARIANTS[::3], ids=lambda variant: " ".join(variant.words()))
def test_train_takes_the_variant(variant: Variant, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "--out=unused", "--print-config", *variant.words()]
    assert main(words) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert f"rounds: {variant.rounds}" in said
    assert f"gamma: {variant.gamma}" in said


def test_pairs_are_drawn_from_the_training_file_alone(tmp_path: Path) -> None:
    rows = [f"w{k}\tV;PST\tform{k}" for k in range(40)]
    (tmp_path / "fin.trn").write_text("\n".join(rows) + "\n", encoding="utf-8")
    pairs = prepared("inflection-fin", tmp_path, tmp_path / "work", steps=600)
    sides = [
        {json.loads(line)["target"] for line in path.read_text("utf-8").splitlines()}
        for path in (pairs.train, pairs.held_out)
    ]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]
    assert pairs.epochs * len(sides[0]) > 500 * 32
