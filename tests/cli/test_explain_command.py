"""`grapheme explain`: a page or a picture of an answer, or why there is none."""

import json
from pathlib import Path

import pytest

from .commands import Capture, output, refused


def test_explain_writes_a_page(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    words = ["explain", str(trained), "abc", "--target", "ab", "--out", str(page)]
    said = output(capsys, *words)
    assert said.startswith("predicted: ab\nloss ")
    assert said.endswith(f"{page}: equal to the target, loss {_loss(said):.4g}\n")
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    message = f"{page}: the output must not exist, got an existing one."
    assert refused(capsys, *words).startswith(message)
    output(capsys, *words, "--overwrite")


def _loss(said: str) -> float:
    return float(said.splitlines()[1].split(":")[0].removeprefix("loss "))


def test_explain_as_json(capsys: Capture, trained: Path) -> None:
    found = json.loads(output(capsys, "explain", str(trained), "abc", "--target", "ab", "--json"))
    assert found["text"] == "ab"
    assert found["edits"]["cost"] == 0
    assert set(found["loss"]["terms"]) == {"node", "edge", "clique"}
    assert found["target"]["nodes"][0]["label"] == "a"


def test_explain_without_a_target(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    picture = tmp_path / "answer.svg"
    said = output(capsys, "explain", str(trained), "abc", "--out", str(picture))
    assert said == f"predicted: ab\n{picture}: 2 nodes predicted\n"
    assert picture.read_text("utf-8").startswith("<svg")


def test_explain_reads_node_link_files(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "input.json"
    nodes = [{"id": k, "label": label, "position": k} for k, label in enumerate("abc")]
    edges = [{"source": k, "target": k + 1, "label": "next"} for k in range(2)]
    path.write_text(json.dumps({"nodes": nodes, "edges": edges}))
    assert output(capsys, "explain", str(trained), str(path)) == "predicted: ab\n"
    message = f"{path}: the output must not be the input"
    words = ["explain", str(trained), str(path), "--out", str(path), "--overwrite"]
    assert refused(capsys, *words).startswith(message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "page"], "page: the suffix must name a format, got 'page'."),
        (["--max-nodes", "2"], "`input` must have at most 2 nodes"),
        (["--max-nodes", "0"], "`max_nodes` must be at least 1, got 0."),
        (["--target", "gone.json"], "gone.json must be a readable file, got No such file"),
        (["--out", "gone/page.html"], "gone/page.html: the file must be writable, got No such"),
    ],
)
def test_explain_refuses(capsys: Capture, trained: Path, words: list[str], message: str) -> None:
    assert refused(capsys, "explain", str(trained), "abc", *words).startswith(message)
