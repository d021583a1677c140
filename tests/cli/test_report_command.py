"""`grapheme report`: a page about a run."""

import json
from pathlib import Path

from .commands import Capture, output, refused


def test_report_writes_a_page(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    page = tmp_path / "run.html"
    said = output(capsys, "report", str(trained), "--out", str(page))
    assert said.startswith(f"{page}: loss ")
    assert "; 100.0% of the training pairs exact\n" in said
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert refused(capsys, "report", str(trained), "--out", str(page)).startswith(
        f"{page}: the output must not exist"
    )


def test_report_as_json(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    words = ["report", str(trained), "--json", "--out", str(tmp_path / "run.html")]
    found = json.loads(output(capsys, *words))
    assert found["summary"]["exact_match"] == 1
    assert found["rows"][0]["epoch"] == 0


def test_report_refuses(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    message = refused(capsys, "report", str(trained), "--out", "run.png")
    assert message.startswith("run.png: the suffix must be .html, got '.png'.")
    message = refused(capsys, "report", str(trained), "--worst", "-1")
    assert message.startswith("`worst` must not be negative, got -1.")
    message = refused(capsys, "report", str(tmp_path))
    assert message.startswith(f"{tmp_path}/metrics.csv must be a file of a run")
