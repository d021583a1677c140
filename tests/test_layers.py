"""The layers of the package: an import points down, and a file stays readable."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import grapheme_torch

PACKAGE = Path(grapheme_torch.__file__).parent

LAYERS: list[set[str]] = [
    {"_check", "_displayed", "_signals", "_startup"},
    {"_extras", "_safe_files", "_tensors", "_yaml"},
    {"_files", "_versions", "_reading", "_union", "ot"},
    {"graphs"},
    {"prediction", "targets"},
    {"decoding", "nn", "loss", "data", "edits"},
    {"convert"},
    {"layout", "recombination"},
    {"costs", "report", "metrics", "plot", "gradients"},
    {"page", "testing"},
    {"train"},
    {"cli"},
    {"_public"},
    {"__init__", "__main__"},
]
LEVEL = {part: level for level, layer in enumerate(LAYERS) for part in layer}

STRANGERS = {"nn", "loss", "data"}
"""Parts that meet in `train` only."""

MEETING = {"train", "cli", "_public", "__init__", "__main__"}

ASKED = {"_displayed": {"page"}}
"""Imports that look upwards: what a result shows is drawn when a notebook asks for it."""

FILES = sorted(PACKAGE.rglob("*.py"))

FOLDERS = {file.name for file in PACKAGE.iterdir() if file.is_dir()}


def part_of(file: Path) -> str:
    """The part of the package a file belongs to: the folder or module below the root."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_paths(source: str, folder: tuple[str, ...]) -> list[list[str]]:
    """What a file in `folder` (below the root) imports, at any depth of its code, in full."""
    found: list[list[str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            if node.level:
                above = ["grapheme_torch", *folder]
                module = above[: len(above) - node.level + 1] + module
            found += [[*module, alias.name] for alias in node.names]
    return found


def imported_parts(source: str, folder: tuple[str, ...]) -> set[str]:
    """The parts that a file in `folder` (below the root) imports."""
    targets = imported_paths(source, folder)
    inside = [path[1] for path in targets if path[0] == "grapheme_torch" and len(path) > 1]
    found = {part if part in LEVEL else "__init__" for part in inside}
    return found | {"__init__" for path in targets if path == ["grapheme_torch"]}


def imports_of(file: Path) -> set[str]:
    folder = file.relative_to(PACKAGE).parent.parts
    return imported_parts(file.read_text(encoding="utf-8"), folder) - {part_of(file)}


def name_of(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


def test_every_part_has_a_layer():
    assert {part_of(file) for file in FILES} <= LEVEL.keys()


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_imports_point_down(file: Path):
    level, asked = LEVEL[part_of(file)], ASKED.get(part_of(file), set())
    assert {part for part in imports_of(file) - asked if LEVEL[part] >= level} == set()


@pytest.mark.parametrize("part", sorted(LEVEL.keys() - MEETING))
def test_network_loss_and_data_meet_in_train_only(part: str):
    files = [file for file in FILES if part_of(file) == part]
    known = {part}.union(*(imports_of(file) for file in files))
    assert len(known & STRANGERS) <= 1


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_private_module_is_imported_in_its_own_part_only(file: Path):
    folder = file.relative_to(PACKAGE).parent.parts
    paths = imported_paths(file.read_text(encoding="utf-8"), folder)
    inside = [path for path in paths if len(path) > 1 and path[0] == "grapheme_torch"]
    strange = [path for path in inside if path[1] != part_of(file) and path[1] in FOLDERS]
    assert [path for path in strange if any(name[0] == "_" for name in path[2:-1])] == []


def test_no_two_files_have_the_same_name():
    names = Counter(file.name for file in FILES if not file.name.startswith("__"))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_file_has_at_most_400_lines(file: Path):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_function_has_at_most_60_lines_of_code(file: Path):
    """Its docstring, which may describe many arguments, is not counted."""
    functions = [
        node
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [
        node.name
        for node in functions
        if (node.end_lineno or 0) - node.lineno + 1 - _docstring(node) > 60
    ]
    assert long == []


def _docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    return (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0


@pytest.mark.parametrize(
    ("source", "folder", "parts"),
    [
        ("from ..graphs import x", ("loss",), {"graphs"}),
        ("from .. import graphs, nn", ("loss",), {"graphs", "nn"}),
        ("from ._pairs import x", ("loss",), {"loss"}),
        ("from . import graphs", (), {"graphs"}),
        ("from ... import graphs", ("a", "b"), {"graphs"}),
        ("from grapheme_torch.nn._heads import x", (), {"nn"}),
        ("from grapheme_torch import loss", (), {"loss"}),
        ("from .. import text_to_graph", ("loss",), {"__init__"}),
        ("import grapheme_torch", (), {"__init__"}),
        ("import grapheme_torch.ot as ot", (), {"ot"}),
        ("def f():\n    from ..nn import x", ("loss",), {"nn"}),
        ("import torch\nfrom graph import x\nfrom torch.nn import Module", ("nn",), set()),
    ],
)
def test_imports_are_read_rightly(source: str, folder: tuple[str, ...], parts: set[str]):
    assert imported_parts(source, folder) == parts
