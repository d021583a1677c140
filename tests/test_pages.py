"""Every block of Python, and every command, of the pages that teach runs as it is written."""

from pathlib import Path

import pytest
import torch

from grapheme_torch.cli._main import _parser, _words
from grapheme_torch.train import train

from .nn.fake_hub import reached_hub
from .pages import ROOT, blocks, commands, run_page, split_redirections

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
    if page.stem != "hub":
        return run_page(page)
    pytest.importorskip("huggingface_hub")
    with reached_hub(monkeypatch, tmp_path / "cache") as hub:
        run_page(page)
    assert "model.safetensors" in hub.repositories["somebody/kindergarten"]
    return None


PREPARED = [DOCS / "command.md", DOCS / "evaluation.md", DOCS / "monitoring.md"]
"""Pages that begin with networks and files of the reader's: here networks after one epoch."""
DEAR = [DOCS / "processes.md"]
"""Pages whose commands start several processes: they are read, not run."""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what those pages take for granted."""
    folder = tmp_path_factory.mktemp("workshop")
    tutorial = next(block for block in blocks(DOCS / "tutorial.md") if block.language == "json")
    for name in ("pairs", "dev", "test"):
        (folder / f"{name}.jsonl").write_text(tutorial.text, encoding="utf-8")
    (folder / "lines.txt").write_text("2+3\n4*5\n", encoding="utf-8")
    small: dict[str, object] = {"dim": 8, "num_layers": 1, "num_heads": 1, "num_buckets": 64}
    small["candidates"] = {"pairs": "all"}  # for the trees of the tutorial
    for seed, name in enumerate(("x", "seed-0", "seed-1", "seed-2")):
        run = folder / "runs" / name
        train(run, data=str(folder / "pairs.jsonl"), epochs=1, network=small, seed=seed)
    return folder


@pytest.mark.repeats
@pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.`:FutureWarning")
@pytest.mark.filterwarnings("ignore:::lightning")  # a trainer's advice on loaders and intervals
@pytest.mark.parametrize("page", PREPARED, ids=lambda page: page.stem)
def test_a_page_runs_beside_the_files_that_it_names(
    page: Path, workshop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workshop)
    torch.manual_seed(0)
    run_page(page)


@pytest.mark.parametrize("page", DEAR, ids=lambda page: page.stem)
def test_the_commands_of_a_page_are_understood(page: Path) -> None:
    shown = [words for block in blocks(page) if block.language == "sh" for words in commands(block)]
    shown = [split_redirections(words)[0] for words in shown if words[:1] == ["grapheme"]]
    assert shown
    for words in shown:
        assert _parser(words[1]).parse_args(_words(words[1:])).command == words[1]


def test_every_page_with_commands_is_tried() -> None:
    elsewhere = {"convert.md"}  # tests/convert/test_manual.py
    pages = [
        page for page in DOCS.rglob("*.md") if page.parent.name not in ("gallery", "generated")
    ]
    shown = {
        page
        for page in pages
        for block in blocks(page)
        if block.language == "python" or (block.language == "sh" and "grapheme " in block.text)
    }
    assert shown - {*TAUGHT, *PREPARED, *DEAR} == {DOCS / name for name in elsewhere}


def test_there_is_something_to_run() -> None:
    assert sum(block.language == "python" for page in TAUGHT for block in blocks(page)) > 8
