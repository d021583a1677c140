"""The built-in data set is the published one, byte for byte, with its licence."""

import hashlib
from importlib.resources import files

from grapheme_torch.data import check_acyclic, check_sizes, kindergarten
from grapheme_torch.graphs import graph_to_text


def test_ten_pairs_of_question_and_answer() -> None:
    pairs = kindergarten()
    assert [pair.extra["id"] for pair in pairs] == [f"kg_{k}" for k in range(1, 11)]
    texts = [(graph_to_text(pair.input), graph_to_text(pair.target)) for pair in pairs]
    assert texts[1] == ("What color is sky?", "Sky is blue")
    assert pairs[1].place == "kindergarten/level_1.jsonl:2"


def test_a_network_can_be_trained_on_them() -> None:
    check_acyclic(kindergarten())
    check_sizes(kindergarten())


def test_the_files_are_those_of_the_source() -> None:
    folder = files("grapheme_torch.data").joinpath("kindergarten")
    content = folder.joinpath("level_1.jsonl").read_bytes()
    assert (
        hashlib.sha256(content).hexdigest()
        == "5f3a47e41d868a5f6900e6c66e64c34491fc8a88f416f9ae6470345133e6b39e"
    )
    assert "Copyright (c) 2025 Eliran Sabag" in folder.joinpath("LICENSE").read_text("utf-8")
    readme = folder.joinpath("README.md").read_text("utf-8")
    assert "commit f6cdd5124c37bba8e574eb479aa4bdc637a7d896" in readme
    assert "Licence: MIT" in readme
