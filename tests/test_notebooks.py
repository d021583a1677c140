"""The notebooks of the site run from beginning to end; they are stored without what they print."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .pages import ROOT

FOLDER = ROOT / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
WORDS = 25


def cells_of(notebook: Path, kind: str) -> list[dict[str, Any]]:
    document = json.loads(notebook.read_text(encoding="utf-8"))
    return [cell for cell in document["cells"] if cell["cell_type"] == kind]


def test_there_are_two() -> None:
    names = [path.stem for path in NOTEBOOKS]
    assert names == ["loss_in_your_own_model", "train_and_explain"]


@pytest.mark.repeats
@pytest.mark.filterwarnings("ignore:::jupyter_client")
@pytest.mark.filterwarnings("ignore:::zmq")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path) -> None:
    pytest.importorskip("nbclient")
    from run_notebook import executed

    before = sorted(FOLDER.iterdir())
    outputs = [
        output
        for cell in executed(path).cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert {output.output_type for output in outputs} <= {"execute_result", "stream"}
    assert [one.text for one in outputs if one.get("name") == "stderr"] == []
    shown = [one.data["text/html"] for one in outputs if "text/html" in one.get("data", {})]
    assert len(shown) >= 2
    assert all(text.startswith('<div class="grapheme">') for text in shown)
    assert sum(map(len, shown)) < 200_000
    assert sorted(FOLDER.iterdir()) == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    for cell in cells_of(path, "code"):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_on_the_site_and_its_links_lead_somewhere(path: Path) -> None:
    assert f"notebooks/{path.stem}\n" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    text = "\n".join("".join(cell["source"]) for cell in cells_of(path, "markdown"))
    links = re.findall(r"\]\(([^)#]+)", text)
    assert [link for link in links if not (FOLDER / link).exists()] == []
    sentences = re.split(r"(?<=[.!?:])\s+", re.sub(r"`[^`]*`", "X", text))
    assert [one for one in sentences if len(re.findall(r"\w[\w'-]*", one)) > WORDS] == []
