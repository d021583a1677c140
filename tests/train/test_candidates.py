"""Candidates as the data tell."""

from pathlib import Path
from typing import Any

import pytest

from grapheme_torch import InputError
from grapheme_torch.cli._main import main
from grapheme_torch.data import load_pairs
from grapheme_torch.edits._node_places import Places
from grapheme_torch.train import load_network
from grapheme_torch.train._candidates import choose_candidates

from .runs import SMALL, quick, write_pairs


def tree(*edges: tuple[int, int], places: Places | None = None) -> dict[str, Any]:
    """Three nodes over a text of six characters."""
    target = {
        "nodes": [{"id": k, "label": "abc"[k]} for k in range(3)],
        "edges": [{"source": s, "target": t} for s, t in edges],
    }
    return {"input": "a b cd", "target": target} | ({"alignment": places} if places else {})


BACK = tree((1, 0), (1, 2), places=[0, 2, 5])
AHEAD = tree((0, 1), (1, 2), places=[0, 2, 5])


@pytest.mark.filterwarnings("ignore::grapheme_torch._check.Notice")  # of targets without position
@pytest.mark.parametrize(
    ("pairs", "directed", "slots", "expected"),
    [
        ([AHEAD], True, 1, ("forward", 3)),
        ([AHEAD, BACK], True, 2, ("all", 7)),
        ([AHEAD, BACK], False, 1, ("forward", 3)),
        ([tree((0, 1), (1, 1), places=[0, 2, 5])], True, 1, ("forward", 2)),
        ([tree((0, 1))], True, 1, ("all", None)),
        ([tree((0, 1))], False, 1, ("forward", None)),
        ([tree((0, 1), places=[0, None, 5])], True, 1, ("all", None)),
        ([{"input": "abc", "target": "ba"}, {"input": "a", "target": ""}], True, 3,
         ("forward", None)),
        ([{"input": "abc", "target": "ba"}, BACK], True, 1, ("all", None)),
        ([tree(places=[0, 1, 2])], True, 1, ("forward", 1)),
        ([tree((0, 1), (1, 2), places=[[1, 0], 2, [4, 5]])], True, 1, ("forward", 2)),
    ],
)  # fmt: skip
def test_the_data_decide(
    tmp_path: Path, pairs: Any, directed: bool, slots: int, expected: tuple[str, int | None]
) -> None:
    loaded = load_pairs(write_pairs(tmp_path / "pairs.jsonl", pairs))
    found = choose_candidates(loaded, directed=directed, slots=slots)
    assert (found["pairs"], found["window"]) == expected


def test_training_asks_the_data(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "pairs.jsonl", [BACK, AHEAD])
    auto = {**SMALL, "candidates": {"pairs": "auto"}}
    quick(tmp_path / "auto", data=data, network=auto, epochs=1)
    found = load_network(tmp_path / "auto")
    assert (found.candidates, found.window) == ("all", 3)
    auto["candidates"] = {"pairs": "auto", "window": 5}
    quick(tmp_path / "given", data=data, network=auto, epochs=1)
    assert load_network(tmp_path / "given").window == 5


def test_what_is_no_alignment_is_refused(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "pairs.jsonl", [{**BACK, "alignment": [0, 2, 9]}])
    with pytest.raises(InputError, match=r'pairs.jsonl:1: "alignment" must hold numbers of input'):
        quick(tmp_path / "run", data=data, network={**SMALL, "candidates": {"pairs": "auto"}})
    assert not (tmp_path / "run").exists()
    data = write_pairs(tmp_path / "pairs.jsonl", [BACK])
    with pytest.raises(InputError, match="`window`"):
        quick(
            tmp_path / "run",
            data=data,
            network={**SMALL, "candidates": {"pairs": "auto", "window": 0}},
        )


def test_the_command_asks_the_data(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "pairs.jsonl", [BACK])
    words = ["train", "--data", data, "--out", str(tmp_path / "run"), "--epochs", "0"]
    assert main([*words, "--network.candidates.pairs", "auto"]) == 0
    assert load_network(tmp_path / "run").candidates == "all"
    assert main([*words, "--overwrite"]) == 0
    assert load_network(tmp_path / "run").candidates == "all"
    assert main([*words, "--overwrite", "--network.candidates.pairs", "forward"]) == 0
    assert load_network(tmp_path / "run").candidates == "forward"
