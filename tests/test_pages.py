"""Every block of Python, and every command, of the pages that teach runs as it is written."""

from pathlib import Path

import pytest
import torch

from .pages import ROOT, blocks, run_page

DOCS = ROOT / "docs"
TAUGHT = [
    DOCS / "install.md",
    DOCS / "tutorial.md",
    DOCS / "troubleshooting.md",
    *sorted((DOCS / "howto").glob("*.md")),
]
"""Pages whose files are made by the page itself. README's are in tests/test_readme.py."""


@pytest.mark.repeats
@pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.`:FutureWarning")
@pytest.mark.parametrize("page", TAUGHT, ids=lambda page: page.stem)
def test_a_page_runs_as_it_is_written(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    run_page(page)


def test_there_is_something_to_run() -> None:
    assert sum(block.language == "python" for page in TAUGHT for block in blocks(page)) > 8
