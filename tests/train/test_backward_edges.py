"""Before training it is said that edges lead back, where the network would not look for them."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from grapheme_torch._check import Notice
from grapheme_torch.data import load_pairs
from grapheme_torch.train import PairsDataModule
from grapheme_torch.train._backward_edges import leads_back

from .runs import SMALL, quick, write_pairs


def tree(text: str, labels: str, *edges: tuple[int, int], **more: Any) -> dict[str, Any]:
    """Text to a graph whose nodes are the given letters."""
    target = {
        "nodes": [{"id": k, "label": label} for k, label in enumerate(labels)],
        "edges": [{"source": s, "target": t} for s, t in edges],
    }
    return {"input": text, "target": target, **more}


def placed(*places: float) -> dict[str, Any]:
    """Two nodes with positions, the first of which leads to the second."""
    pair = tree("xy", "ab", (0, 1))
    for node, place in zip(pair["target"]["nodes"], places, strict=True):
        node["position"] = place
    return pair


@pytest.mark.parametrize(
    ("pair", "back"),
    [
        (tree("2+3", "+23", (0, 1), (0, 2)), True),  # by labels: + stands after 2
        (tree("+23", "+23", (0, 1), (0, 2)), False),
        (tree("2+2", "+22", (0, 1), (0, 2)), False),  # which 2 is not known: by number
        (tree("2+2", "22+", (2, 0), (2, 1)), True),
        (tree("xyz", "ab", (1, 0)), True),  # no label of the input: by number
        (tree("xyz", "ab", (0, 1), alignment=[2, 0]), True),
        (tree("xyz", "ab", (1, 0), alignment=[2, 0]), False),
        (tree("xyz", "ab", (1, 0), alignment=[None, 0]), True),  # what is told tells no edge
        (placed(1.0, 0.0), True),
        (placed(0.0, 1.0), False),
        (tree("ab", "ab"), False),
        ({"input": "cat", "target": "tac"}, False),  # texts have positions
    ],
)
def test_places_tell_which_edges_lead_back(
    tmp_path: Path, pair: dict[str, Any], back: bool
) -> None:
    (read,) = load_pairs(write_pairs(tmp_path / "pairs.jsonl", [pair]))
    assert leads_back(read) is back


def test_it_is_said_before_training(tmp_path: Path) -> None:
    ahead, back = tree("ab", "ab", (0, 1)), tree("2+3", "+23", (0, 1), (0, 2))
    data = write_pairs(tmp_path / "pairs.jsonl", [ahead, back, back])
    told = r'pairs.jsonl:2: an edge of the "target" leads .* so in 2 of 3 pairs\. .*pairs all\.$'
    with pytest.warns(Notice, match=told):
        quick(tmp_path / "run", data=data, epochs=0)


@pytest.mark.parametrize("network", ["all", "auto", "undirected"])
def test_nothing_is_said_where_all_edges_are_looked_for(tmp_path: Path, network: str) -> None:
    data = write_pairs(tmp_path / "pairs.jsonl", [tree("2+3", "+23", (0, 1), (0, 2))])
    with warnings.catch_warnings():
        warnings.simplefilter("error", Notice)
        if network == "undirected":
            PairsDataModule(data, directed=False, acyclic=True)
        else:
            options = {**SMALL, "candidates": {"pairs": network}}
            quick(tmp_path / "run", data=data, epochs=0, network=options)
