"""The site lists every public name and every page, and its pages are easy to read."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import grapheme_torch as gt

from .pages import ROOT
from .test_pages import TAUGHT

DOCS = ROOT / "docs"
API = DOCS / "api"
MODULES = sorted(path.stem for path in API.glob("*.md") if path.stem != "index")
WORDS = 25
"""The most words of a sentence, on every page but those that programs write and the log."""
PROSE = sorted({*DOCS.glob("*.md"), *(DOCS / "math").glob("*.md")} - set(TAUGHT))
PROSE = [page for page in PROSE if page.name not in ("log.md", "results.md", "reliability.md")]


def listed(page: Path) -> list[str]:
    """The names in the tables of a page of the reference."""
    return re.findall(r"^   (\w+)$", page.read_text(encoding="utf-8"), re.MULTILINE)


def names_of(module: ModuleType) -> set[str]:
    """Its public classes and functions, but for what it shares with the top level."""
    inside = {
        name: thing
        for name, thing in vars(module).items()
        if name[0] != "_" and (inspect.isclass(thing) or inspect.isfunction(thing))
    }
    # A package exports what it imports; a single file only what it defines or re-exports as ours.
    home = "grapheme_torch" if hasattr(module, "__path__") else module.__name__
    if module.__name__ in ("grapheme_torch.costs", "grapheme_torch.report"):
        home = "grapheme_torch"
    return {
        name
        for name, thing in inside.items()
        if thing.__module__.startswith(home) and getattr(gt, name, None) is not thing
    }


def test_every_top_level_name_is_in_the_reference() -> None:
    public = {name for name in dir(gt) if name[0] != "_"}
    public = {name for name in public if not isinstance(getattr(gt, name), ModuleType)}
    assert sorted(listed(API / "index.md")) == sorted(public)


@pytest.mark.parametrize("name", MODULES)
def test_every_name_of_a_module_is_in_the_reference(name: str) -> None:
    module = importlib.import_module(f"grapheme_torch.{name}")
    assert set(listed(API / f"{name}.md")) == names_of(module)


def test_every_page_can_be_reached() -> None:
    """From a list of pages (`toctree`); a glob of Sphinx is one of `Path` as well."""
    named = set()
    for page in DOCS.rglob("*.md"):
        for block in re.findall(r"```\{toctree\}(.*?)```", page.read_text("utf-8"), re.DOTALL):
            for line in filter(None, map(str.strip, block.splitlines())):
                target = re.sub(r".*<(.*)>", r"\1", line)
                named |= set(page.parent.glob(f"{target}.md")) if line[0] != ":" else set()
    pages = {page for page in DOCS.rglob("*.md") if "gallery" not in page.parts}
    assert pages - named == {DOCS / "index.md"}


def sentences(text: str) -> Iterator[str]:
    """The sentences of a page of Markdown; code and formulas are a word each."""
    text = re.sub(r"```.*?```|<!--.*?-->|\$\$.*?\$\$", "\n\n", text, flags=re.DOTALL)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"`[^`]*`|\$[^$]*\$", "X", text))
    for part in re.split(r"\n\s*\n|\n(?=\s*(?:[-*#|]|\d+\.))|\|", text):
        yield from re.split(r"(?<=[.!?])[*_]*\s+", " ".join(part.split()))


DESIGN_WORDS = 40
"""The same of the notes on design, which are for those who change the code."""


@pytest.mark.parametrize("page", sorted((DOCS / "design").glob("*.md")), ids=lambda page: page.stem)
def test_sentences_of_design_notes_are_not_long(page: Path) -> None:
    found = sentences(page.read_text(encoding="utf-8"))
    assert [one for one in found if len(re.findall(r"\w[\w'-]*", one)) > DESIGN_WORDS] == []


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *TAUGHT, *PROSE],
    ids=lambda page: page.stem,
)  # fmt: skip
def test_sentences_are_short(page: Path) -> None:
    found = sentences(page.read_text(encoding="utf-8"))
    assert [one for one in found if len(re.findall(r"\w[\w'-]*", one)) > WORDS] == []


def described() -> Iterator[tuple[str, str]]:
    """Every file, class and function without a leading underscore, and its docstring."""
    for file in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                name = getattr(node, "name", "")
                if not name.startswith("_"):
                    yield f"{file.stem}.{name}", ast.get_docstring(node) or ""


def test_sentences_of_docstrings_are_short() -> None:
    long: dict[str, list[str]] = {}
    for name, text in described():
        text = re.sub(r"::\n(?:\n| {4}.*\n?)+", ":\n\n", text)  # a program
        # Each entry of a section ("Args:", "    name: What it is.") is a paragraph.
        parts = re.sub(r"^( {4})(?=\S)|^(?=\w+:$)", r"\n\1", text, flags=re.MULTILINE)
        for one in sentences(re.sub(r"``", "`", parts)):
            if len(re.findall(r"\w[\w'-]*", one)) > WORDS:
                long.setdefault(name, []).append(one)
    assert long == {}
