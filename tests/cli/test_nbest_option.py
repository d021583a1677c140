"""`grapheme predict --nbest`: a ranking of answers with probabilities."""

import io
import json
import math
import re
from pathlib import Path

import pytest

from grapheme_torch import GraphTransformNet, text_to_graph
from grapheme_torch.cli._main import main
from grapheme_torch.graphs import graph_to_text
from grapheme_torch.train import predict, predict_nbest

from .commands import Capture, output, refused


def test_a_line_has_rank_probability_and_answer(capsys: Capture, trained: Path) -> None:
    lines = output(capsys, "predict", str(trained), "abc", "dd", "--nbest", "3").splitlines()
    ranks, chances, answers = zip(*(line.split("\t") for line in lines), strict=True)
    assert ranks == ("1", "2", "3") * 2
    assert (answers[0], answers[3]) == ("ab", "dd")
    values = [float(chance) for chance in chances]
    assert values[0] > values[1] >= values[2] > 0
    assert values[0] > 0.5
    assert len(set(answers[:3])) == 3


def test_json_has_the_probabilities_of_nodes_and_edges(capsys: Capture, trained: Path) -> None:
    words = ["predict", str(trained), "abc", "--nbest", "2", "--json"]
    document = json.loads(output(capsys, *words))
    assert document["input"] == "abc"
    first, second = document["answers"]
    assert (first["rank"], first["text"], second["rank"]) == (1, "ab", 2)
    assert first["probability"] == pytest.approx(math.exp(first["log_probability"]))
    parts = [*first["nodes"], *first["edges"]]
    assert len(parts) == 3
    assert all(0.5 < part["probability"] <= 1 for part in parts)
    assert first["probability"] <= math.prod(part["probability"] for part in parts)


def test_a_search_that_is_given_up_is_told(
    capsys: Capture, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["predict", str(trained), "dd", "abc", "--nbest", "500"]
    assert json.loads(output(capsys, *words[:3], "--nbest", "2", "--json"))["complete"] is True
    monkeypatch.setattr("grapheme_torch.decoding._nbest.LIMIT", 60)
    assert main([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line)["complete"] for line in out.splitlines()] == [True, False]
    assert re.search(r"text:2: the search for --nbest 500 .* so for 1 of 2 inputs\. Train", err)


def test_a_temperature_flattens(capsys: Capture, trained: Path) -> None:
    words = ["predict", str(trained), "abc", "--nbest=1"]
    cold, warm = (
        float(output(capsys, *words, f"--temperature={value}").split("\t")[1]) for value in (1, 3)
    )
    assert warm < cold
    assert output(capsys, *words, "--temperature=1") == output(capsys, *words)


def test_blank_lines_and_shapes(
    capsys: Capture, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"abc\n\ndd\n")))
    words = ["predict", str(trained), "-", "--nbest", "8", "--constraint", "path"]
    first, second = output(capsys, *words).split("\n\n")
    assert first.startswith("1\t")
    assert second.startswith("1\t")
    assert "{" not in first + second


def test_in_python_as_in_the_command(trained: Path) -> None:
    network = GraphTransformNet.from_pretrained(str(trained))
    placed, loose = text_to_graph("abc"), text_to_graph("dd")
    del loose.position
    graphs = [placed, loose, placed]
    ranked = predict_nbest(network, graphs, 2)
    assert [len(answers) for answers in ranked] == [2, 2, 2]
    best = [graph_to_text(answers[0].graph) for answers in ranked]
    assert best == [graph_to_text(graph) for graph in predict(network, graphs)]
    assert predict_nbest(network, []) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--nbest=0"], "`nbest` must be at least 1, got 0. Try 5."),
        (["--nbest=2", "--temperature=0"], "`temperature` must be a positive number, got 0.0."),
        (["--nbest=2", "--temperature=nan"], "`--temperature` must be a finite number, got 'nan'."),
        (["--temperature=2"], "`temperature` must come with --nbest, got 2.0. Add --nbest 1"),
        (["--nbest=2", "--others=m"], "--nbest must ask one network, got ['m']."),
        (
            ["--nbest=2", "--constraint=learned"],
            "--constraint must be no learned one beside --nbest, got 'learned'. Choose path,",
        ),
    ],
)
def test_a_ranking_that_cannot_be_had_is_refused(
    capsys: Capture, words: list[str], message: str
) -> None:
    assert refused(capsys, "predict", "m", "a", *words).startswith(message)
