"""A folder of a run as a page: all that it says, whatever of it is there."""

import json
import platform
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

from grapheme_torch import InputError, text_to_graph
from grapheme_torch.data import load_pairs
from grapheme_torch.page import Answers, run_page
from grapheme_torch.train import evaluate, load_network, predict, run_record, train

from .runs import PAIRS, SMALL, quick, write_pairs


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    data = write_pairs(folder / "data.jsonl", PAIRS)
    val = write_pairs(folder / "val.jsonl", [{"input": "<b>a", "target": "ab"}, PAIRS[0]])
    quick(folder / "run", data=data, val=val, epochs=3)
    return folder / "run"


def test_the_record_holds_what_the_run_left(run: Path) -> None:
    record = run_record(run)
    assert [row["epoch"] for row in record.rows] == [0, 1, 2, 3]
    for row in record.rows:
        terms = sum(weight * row[name] for name, weight in record.weights.items())
        assert terms == pytest.approx(row["total"])
    assert record.summary["epochs"] == 3
    assert record.options["epochs"] == 3
    assert str(record.data).endswith("val.jsonl")
    assert record.command == f"grapheme train --config {run}/train.yaml --out NEW"
    costs = [one.edits.cost for _, one in record.worst if one.edits is not None]
    assert costs == sorted(costs, reverse=True)
    json.dumps(record.to_dict(), allow_nan=False)


def test_the_page_tells_it(run: Path) -> None:
    record = run_record(run)
    text = run_page(record)
    HTMLParser().feed(text)
    assert "<b>" not in text
    assert "&lt;b&gt;a" in text
    curve = re.search(
        r'class="curves" role="img"[^>]*aria-label="Loss by epoch: total ([\d.]+)', text
    )
    assert curve is not None
    assert float(curve[1]) == pytest.approx(record.rows[0]["total"], rel=1e-3)
    headings = ("Loss", "Shares", "Worst answers", "Evaluation", "Summary", "Hardware")
    for heading in (*headings, "Train it again"):
        assert f"<h2>{heading}</h2>" in text
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert len(text) < 2_000_000


def test_residuals_are_told(run: Path) -> None:
    record = run_record(run)
    shares = [1 - row["converged"] for row in record.rows]
    found = record.residuals
    assert found["first_not_converged"] == shares[0]
    assert found["last_not_converged"] == shares[-1]
    assert found["most_not_converged"] == max(shares)
    assert shares[int(found["most_not_converged_epoch"])] == max(shares)
    report = evaluate(run, load_pairs(str(record.data)))
    assert 0 < found["data_residual"] == report.residual < 1e-3
    text = run_page(record)
    assert "<h2>Residuals of the alignments</h2>" in text
    assert f'<td class="number">{report.residual:.4g}</td>' in text
    assert "--alignment.max-iterations" not in text
    stopped = {**found, "data_not_converged": 0.5}
    assert "--alignment.max-iterations" in run_page(replace(record, residuals=stopped))


def test_the_hardware_is_told(run: Path, tmp_path: Path) -> None:
    record = run_record(run)
    hardware = json.loads((run / "current" / "state.json").read_text())["hardware"]
    assert record.hardware == hardware
    assert hardware["threads"] == torch.get_num_threads()
    assert hardware["torch"] == torch.__version__
    assert {"processor", "cores", "system", "python", "grapheme_torch"} <= hardware.keys()
    assert 0.1 < hardware["memory_gib"] < 1e5
    assert platform.node() not in hardware.values()
    assert json.loads(json.dumps(record.to_dict()))["hardware"] == hardware
    assert f'<td class="label">{hardware["processor"]}</td>' in run_page(record)
    quick(tmp_path / "run", data=write_pairs(tmp_path / "data.jsonl", PAIRS), epochs=1)
    (tmp_path / "run" / "current" / "state.json").resolve().write_text('{"digests": {}}')
    older = run_record(tmp_path / "run")
    assert older.hardware == {}
    assert "it is of an older release" in run_page(older)


@pytest.mark.repeats
def test_the_page_of_a_long_run_stays_small(run: Path) -> None:
    record = run_record(run, worst=1)
    (worst,) = record.worst
    rows = [{**record.rows[0], "epoch": k, "total": 1 / (1 + k)} for k in range(100_000)]
    long = text_to_graph("ab" * 39)
    epochs = list(range(200))
    answers = Answers("x", long, long, epochs, [text_to_graph("ba" * (k % 39)) for k in epochs])
    text = run_page(replace(record, rows=rows, worst=[worst] * 2000, answers=answers))
    assert len(text.encode()) < 2_000_000
    assert "more: the page would be too large with them" in text
    assert "of 100000 rows of metrics.csv" in text
    assert f"total 1 to {rows[-1]['total']:.4g}" in text


def test_data_that_are_gone_are_told(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS)
    quick(tmp_path / "run", data=data)
    (tmp_path / "data.jsonl").unlink()
    record = run_record(tmp_path / "run")
    assert record.worst == []
    assert record.note.startswith(f"There is none: {data}")
    assert "--data" in run_page(record)
    with pytest.raises(InputError, match=r"gone\.jsonl"):
        run_record(tmp_path / "run", str(tmp_path / "gone.jsonl"))


@pytest.mark.repeats
def test_a_perfect_run_has_no_worst_answers(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS[:1])
    train(tmp_path / "run", data=data, epochs=40, lr=0.02, network=SMALL)
    text = run_page(run_record(tmp_path / "run"))
    assert "Every pair was answered exactly." in text


def test_no_run_is_refused(tmp_path: Path) -> None:
    message = rf"^{re.escape(str(tmp_path))}/metrics\.csv must be a file of a run, got No such file"
    with pytest.raises(InputError, match=message):
        run_record(tmp_path)


@pytest.mark.repeats
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.csv", "epoch,total\n"),
        ("metrics.csv", "epoch,total\n0,inf\n"),
        ("metrics.csv", "epoch,total\n0,x\n"),
        ("metrics.csv", "total\n1\n"),
        ("train.yaml", "- a\n"),
        ("summary.json", "[]"),
        ("summary.json", '{"epochs": "x"}'),
        ("summary.json", "{"),
    ],
)
def test_spoilt_files_are_refused(tmp_path: Path, name: str, content: str) -> None:
    quick(tmp_path / "run", data=write_pairs(tmp_path / "data.jsonl", PAIRS), epochs=1)
    (tmp_path / "run" / name).resolve().write_text(content)
    with pytest.raises(InputError, match=re.escape(name)):
        run_record(tmp_path / "run")


def test_one_answer_is_followed_through_the_epochs(run: Path) -> None:
    answers = run_record(run).answers
    assert answers is not None
    assert answers.place.endswith("val.jsonl:1")
    assert answers.epochs == [0, 1, 2]
    assert answers.target.label == ["a", "b"]
    (last,) = predict(load_network(run), [answers.input])
    assert len(answers.answers) == 3
    assert isinstance(last.label, list)
    text = run_page(run_record(run))
    assert "<h2>One answer through the epochs</h2>" in text
    assert "<h3>Epoch 0: edit cost" in text


def test_the_answers_of_a_run_that_goes_on_are_those_of_one(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS)
    quick(tmp_path / "whole", data=data, epochs=5)
    quick(tmp_path / "parts", data=data, epochs=3)
    train(tmp_path / "parts", data=data, epochs=5, network=SMALL, resume=True)
    whole, parts = ((tmp_path / run / "answers.jsonl").read_text() for run in ("whole", "parts"))
    assert whole == parts
    assert [json.loads(line).get("epoch") for line in whole.splitlines()] == [None, 0, 1, 2, 4]


def test_an_older_run_has_no_answers(tmp_path: Path) -> None:
    quick(tmp_path / "run", data=write_pairs(tmp_path / "data.jsonl", PAIRS), epochs=1)
    (tmp_path / "run" / "answers.jsonl").resolve().unlink()
    record = run_record(tmp_path / "run")
    assert record.answers is None
    assert "One answer" not in run_page(record)
