"""Training on pairs that are made of parts of others."""

from pathlib import Path

import pytest

from grapheme_torch import InputError
from grapheme_torch.graphs import node_labels
from grapheme_torch.train import PairsDataModule, Recombination

from ..recombination.expressions import expression_record
from .runs import contents, quick, write_pairs

SENTENCES = ["neg one", "not two", "sum one two", "mul two neg one", "sum not one two"]


def data_of(folder: Path) -> str:
    return write_pairs(folder / "data.jsonl", [expression_record(each) for each in SENTENCES])


@pytest.mark.repeats
def test_new_pairs_are_trained_on_beside_those_given(tmp_path: Path) -> None:
    asked = Recombination(number=40, max_nodes=9)
    data = PairsDataModule(data_of(tmp_path), recombination=asked, seed=3)
    pairs = data.split.train
    assert len(pairs) == 45
    assert [" ".join(node_labels(pair.input)) for pair in pairs[:5]] == SENTENCES
    assert 4 < max(pair.input.num_nodes or 0 for pair in pairs[5:]) <= 9
    assert data.split.edges == sum(pair.target.num_edges for pair in pairs)
    again = PairsDataModule(data_of(tmp_path), recombination=asked, seed=3).split.train
    other = PairsDataModule(data_of(tmp_path), recombination=asked, seed=4).split.train
    texts = [[node_labels(pair.input) for pair in each] for each in (pairs, again, other)]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.repeats
def test_a_run_that_goes_on_makes_the_same_pairs(tmp_path: Path) -> None:
    options = {"data": data_of(tmp_path), "recombination": Recombination(number=20)}
    summary = quick(tmp_path / "whole", epochs=3, **options)
    assert summary.pairs == 25
    quick(tmp_path / "parts", epochs=2, **options)
    quick(tmp_path / "parts", epochs=3, resume=True, **options)
    whole, parts = (contents(tmp_path / name) for name in ("whole", "parts"))
    for name in ("model.safetensors", "metrics.csv"):
        assert whole[name] == parts[name]


def test_refusals(tmp_path: Path) -> None:
    text = write_pairs(tmp_path / "text.jsonl", [{"input": "ab", "target": "b"}])
    with pytest.raises(InputError, match=r"text\.jsonl must hold pairs of a sequence of words"):
        quick(tmp_path / "out", data=text, recombination=Recombination(number=1))
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="`number` must not be negative, got -1"):
        Recombination(number=-1)
    with pytest.raises(InputError, match="`max_nodes` must be at least 1, got 0"):
        Recombination(max_nodes=0)
