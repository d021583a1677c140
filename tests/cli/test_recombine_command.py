"""`grapheme recombine`: pairs made of parts of others."""

import json
from pathlib import Path

import pytest

from grapheme_torch.cli._main import main

from ..recombination.expressions import expression_record, meaning
from ..train.runs import write_pairs
from .commands import Capture, refused

SENTENCES = ["neg one", "not two", "sum one two", "mul two neg one"]


def test_new_pairs_as_a_data_set(capsys: Capture, tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", [expression_record(each) for each in SENTENCES])
    out = tmp_path / "more.jsonl"
    assert main(["recombine", data, str(out), "--number", "15", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    records = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert told["pairs"] == len(records) == 15
    for record in records:
        words = [node["label"] for node in record["input"]["nodes"]]
        assert [node["label"] for node in record["target"]["nodes"]] == meaning(words)[0]
    sizes = [len(record["input"]["nodes"]) for record in records]
    assert told["max_input"] == told["max_target"] == max(sizes)
    message = refused(capsys, "recombine", data, str(out), "--number", "5")
    assert message.startswith(f"{out}: the output must not exist")


@pytest.mark.repeats
def test_no_more_than_can_be_found(capsys: Capture, tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", [expression_record("neg one")])
    out = tmp_path / "more.jsonl"
    assert main(["recombine", data, str(out), "--number", "5"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}: 0 pairs, inputs up to 0 nodes, targets up to 0\n"
    assert said.err.endswith("grapheme: 5 were asked for; no more were found.\n")


def test_what_holds_no_parts_is_refused_and_nothing_is_written(
    capsys: Capture, tmp_path: Path
) -> None:
    out = tmp_path / "more.jsonl"
    message = refused(capsys, "recombine", "kindergarten", str(out), "--number", "5")
    assert message.startswith("kindergarten must hold pairs of a sequence of words")
    assert not out.exists()
