"""A new run that starts from a trained network."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from grapheme_torch import GraphTransformNet, InputError
from grapheme_torch.train import load_network
from grapheme_torch.train._initial import network_like

from .runs import PAIRS, SMALL, quick, write_pairs

OTHER: list[dict[str, Any]] = [
    {"input": "xab", "target": "xb"},
    {"input": "cx", "target": "c"},
    {"input": "b", "target": "b"},
]
"""Pairs whose targets have one label of their own (x), lack two of `PAIRS`, and share b."""


def untouched(out: Path, init: Path, **options: Any) -> GraphTransformNet:
    """The network of a run before its first step."""
    quick(out, init=str(init), epochs=0, **options)
    return load_network(out)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS)
    quick(tmp_path / "trained", data=data, network={**SMALL, "num_layers": 3})
    return tmp_path / "trained"


def test_the_same_alphabet_keeps_every_weight(tmp_path: Path, trained: Path) -> None:
    data = write_pairs(tmp_path / "again.jsonl", PAIRS[::-1])
    old = load_network(trained)
    new = untouched(tmp_path / "new", trained, data=data, network={})
    assert new.config == old.config
    for name, weight in old.state_dict().items():
        assert torch.equal(new.state_dict()[name], weight), name
    assert new.config["num_layers"] == 3


def test_a_network_of_an_older_release_reads_edges_as_it_did(tmp_path: Path) -> None:
    """Those without direction, from the earlier node alone: its weights have learned no other."""
    for said in (True, False):
        GraphTransformNet("ab", ["x"], directed=False, symmetric=said).save_pretrained(tmp_path)
        assert network_like(load_network(tmp_path), {})["symmetric"] is said


@pytest.mark.repeats
def test_another_alphabet_keeps_what_is_shared_by_name(tmp_path: Path, trained: Path) -> None:
    data = write_pairs(tmp_path / "other.jsonl", OTHER)
    old, new = load_network(trained), untouched(tmp_path / "new", trained, data=data, network={})
    fresh = untouched_fresh(tmp_path / "fresh", data)
    assert set(new.labels) != set(old.labels)
    shared = sorted(set(new.labels) & set(old.labels))
    assert shared == ["b"]
    for part in ("weight", "bias"):
        kept, was, begun = (rows_of(net, part) for net in (new, old, fresh))
        for label in new.labels:
            k = new.labels.index(label)
            source = was[old.labels.index(label)] if label in old.labels else begun[k]
            assert torch.equal(kept[k], source), (part, label)
    assert torch.equal(weight(new, "layers.0"), weight(old, "layers.0"))


def untouched_fresh(out: Path, data: str) -> GraphTransformNet:
    """As `untouched`, from nothing."""
    quick(out, data=data, epochs=0, network={**SMALL, "num_layers": 3})
    return load_network(out)


def rows_of(network: GraphTransformNet, part: str) -> Tensor:
    """Weights of the labels, a row each."""
    return network.state_dict()[f"heads.label.{part}"]


def weight(network: GraphTransformNet, part: str) -> Tensor:
    """All weights of a part, in a row."""
    found = [x.flatten() for name, x in network.state_dict().items() if name.startswith(part)]
    return torch.cat(found)


@pytest.mark.repeats
def test_a_run_from_a_trained_network_begins_where_that_one_ended(
    tmp_path: Path, trained: Path
) -> None:
    data = str(tmp_path / "data.jsonl")
    before = quick(tmp_path / "further", data=data, init=str(trained), network={}, epochs=1)
    again = load_network(trained)
    assert before.initial_loss < quick(tmp_path / "anew", data=data, epochs=0).initial_loss
    assert again.config["num_layers"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"network": {"dim": 32}},
            "the network must be as large as that of .*trained, got another",
        ),
        ({"network": nn.Linear(1, 1)}, "`init` must be left out with a network of your own"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, trained: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        quick(tmp_path / "new", init=str(trained), **options)
    assert not (tmp_path / "new" / "config.json").exists()


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json must be a readable file"):
        quick(tmp_path / "new", init=str(tmp_path / "gone"))
