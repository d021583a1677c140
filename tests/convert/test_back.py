"""Graphs written back: data sets to the letter, and what a network answered."""

import json
from pathlib import Path
from typing import Any

import pytest

from grapheme_torch import InputError, text_to_graph
from grapheme_torch.cli._main import main
from grapheme_torch.convert import convert, convert_back, text_of_answer, written_by
from grapheme_torch.convert._back import sentence_of

from ..cli.commands import output, refused
from .samples import LOGICAL_FORMS, QUESTIONS, VARIABLE_FREE

TEXTS = {"cogs": LOGICAL_FORMS + QUESTIONS, "slog": VARIABLE_FREE}
Capture = pytest.CaptureFixture[str]


def _converted(folder: Path, format: str, **options: Any) -> str:
    source, data = folder / "source.tsv", folder / "data.jsonl"
    source.write_text(TEXTS[format], encoding="utf-8")
    convert(format, str(source), str(data), overwrite=True, **options)
    return str(data)


@pytest.mark.parametrize("options", [{}, {"unit": "word", "articles": True}])
@pytest.mark.parametrize("format", TEXTS)
def test_a_file_comes_back_to_the_letter(
    tmp_path: Path, format: str, options: dict[str, Any]
) -> None:
    data, back = _converted(tmp_path, format, **options), tmp_path / "back.tsv"
    done = convert_back(format, data, str(back))
    assert back.read_text(encoding="utf-8") == TEXTS[format]
    assert (done.records, done.skipped) == (TEXTS[format].count("\n"), 0)


def _answers(data: str, out: Path) -> list[dict[str, Any]]:
    """Records as `grapheme predict --json` writes them, each node a bit behind its place."""
    lines = []
    for line in Path(data).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        graph = record.pop("target")
        for node, place in zip(graph["nodes"], record["alignment"], strict=True):
            node["position"] = (place or 0) + 0.5
        lines.append({**record, "text": None, "directed": True, **graph})
    out.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return lines


@pytest.mark.parametrize("unit", ["character", "word"])
@pytest.mark.parametrize("format", TEXTS)
def test_answers_are_written_by_their_positions(tmp_path: Path, format: str, unit: str) -> None:
    answers, back = tmp_path / "answers.jsonl", tmp_path / "back.tsv"
    _answers(_converted(tmp_path, format, unit=unit), answers)
    convert_back(format, str(answers), str(back))
    assert back.read_text(encoding="utf-8") == TEXTS[format]


@pytest.mark.untyped  # what stands for the standard output in tests is of no type for files
def test_the_command(tmp_path: Path, capsys: Capture) -> None:
    data, back = _converted(tmp_path, "slog"), str(tmp_path / "back.tsv")
    printed = output(capsys, "convert", "back", data, back, "--to=slog", "--json")
    assert json.loads(printed)["records"] == VARIABLE_FREE.count("\n")
    assert main(["convert", "back", data, "-", "--to", "slog", "--columns=a,b"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0] == "\t".join(VARIABLE_FREE.split("\t")[:2])
    assert "texts in" in told.err
    assert "must not exist" in refused(capsys, "convert", "back", data, back, "--to=slog")
    reason = "the format must have a way back, got 'pairs'. Choose one of cogs, slog."
    assert reason in refused(capsys, "convert", "back", data, back, "--to=pairs")
    assert "`to` must be given" in refused(capsys, "convert", "back", data, back)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "the line must be JSON"),
        ('{"input": "a"}', "the line must have an input, and a target or nodes"),
        ('{"input": "a", "target": {}, "alignment": []}', "must"),
        ('{"input": "a b", "target": "a"}', 'the "alignment" must be a list, got None'),
        ('{"input": "a b", "target": "a", "alignment": ["a"]}', "a place must be a number or null"),
        ('{"input": "a b", "target": "a", "alignment": [0, 1]}', "must have one per node"),
        ('{"input": "a\\tb", "target": {"nodes": [{"id": 0, "label": "a"}], "edges": []}, '
         '"alignment": [0]}', "what is written must fit into columns"),
        ('{"input": "a b", "nodes": [{"id": 0, "label": "a"}, {"id": 1, "label": "b"}], '
         '"edges": []}', "the graph must have a root"),
        pytest.param(
            '{"input": 3, "nodes": [], "edges": []}', "a graph must be a text or an object, got 3",
            marks=pytest.mark.untyped,
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_named(tmp_path: Path, line: str, reason: str) -> None:
    good = '{"input": "a b", "nodes": [{"id": 0, "label": "a"}], "edges": []}'
    source, out = tmp_path / "x.jsonl", tmp_path / "x.tsv"
    source.write_text(f"{good}\n{line}\n{good}\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"x\.jsonl:2: .*{reason}"):
        convert_back("slog", str(source), str(out))
    assert not out.exists()
    done = convert_back("slog", str(source), str(out), skip_bad=True)
    assert (done.records, done.skipped) == (2, 1)
    assert "1 skipped: " in str(done)
    assert out.read_text(encoding="utf-8") == "a b\ta\t\n" * 2
    (kept,) = Path(str(done.skipped_file)).read_text(encoding="utf-8").splitlines()
    assert json.loads(kept)["line"] == 2


def test_sentences_of_inputs() -> None:
    words = {"nodes": [{"id": 0, "label": "a"}, {"id": 1, "label": "bc"}], "edges": []}
    assert sentence_of("a bc") == sentence_of(text_to_graph("a bc")) == ("a bc", "character")
    assert sentence_of(words) == ("a bc", "word")


def test_an_answer_without_positions() -> None:
    graph = {"nodes": [{"id": 0, "label": "dog"}], "edges": []}
    assert text_of_answer(written_by("slog"), "a dog", graph) == "dog"
    with pytest.raises(InputError, match="the alignment of a node must be a character, got None"):
        text_of_answer(written_by("cogs"), "a dog", graph)
