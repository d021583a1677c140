"""The public names: those promised are there, each says what it is, and how they are exported."""

import ast
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import grapheme_torch

ROOT = Path(grapheme_torch.__file__).parent
PUBLIC_NAMES = ROOT / "_public.py"
INITS = sorted([PUBLIC_NAMES, *ROOT.glob("*/**/__init__.py")])
PROMISED = [
    "GraphTransformNet",
    "StructuralLoss",
    "StructuralLossResult",
    "check_gradients",
    "graph_to_text",
    "text_to_graph",
]


def exports(init: Path) -> list[tuple[int, str | None, ast.alias]]:
    """What an `__init__` imports from its own package, in its order: level, module, name."""
    tree = ast.parse(init.read_text(encoding="utf-8"))
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return [(node.level, node.module, alias) for node in statements for alias in node.names]


NAMES = (alias.name for _, _, alias in exports(PUBLIC_NAMES))
PUBLIC = sorted(name for name in NAMES if name[0] != "_")


def kind(name: str) -> int:
    """Constants come first, then classes, then functions, as ruff sorts them."""
    return 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2


def name_of(init: Path) -> str:
    return str(init.parent.relative_to(ROOT.parent))


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_name_is_there(name: str):
    assert name in PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_says_what_it_is(name: str):
    thing = getattr(grapheme_torch, name)
    if not isinstance(thing, type | ModuleType) and not callable(thing):
        return  # a constant is documented where it is defined
    text = vars(thing).get("__doc__") if isinstance(thing, type) else inspect.getdoc(thing)
    assert text
    assert not text.startswith(f"{name}("), "the docstring that dataclass makes up"
    assert text.strip().splitlines()[0].endswith((".", ":"))


@pytest.mark.parametrize("init", INITS, ids=name_of)
def test_a_package_says_what_it_is(init: Path):
    assert ast.get_docstring(ast.parse(init.read_text(encoding="utf-8")))


@pytest.mark.parametrize("init", INITS, ids=name_of)
def test_names_are_exported_as_themselves(init: Path):
    for level, _, alias in exports(init):
        assert level == 1 or alias.name == "_extras"
        assert alias.asname == alias.name


@pytest.mark.parametrize("init", INITS, ids=name_of)
def test_names_are_exported_once_and_sorted(init: Path):
    keys = [(module or "", kind(alias.name), alias.name) for _, module, alias in exports(init)]
    assert keys == sorted(keys)
    names = [alias.name for _, _, alias in exports(init)]
    assert len(set(names)) == len(names)


def test_public_names_are_listed_and_others_refused():
    assert set(PUBLIC) <= set(dir(grapheme_torch))
    with pytest.raises(AttributeError, match="module 'grapheme_torch' has no attribute 'nope'"):
        grapheme_torch.nope  # noqa: B018


def test_nothing_else_is_public():
    found = {name: thing for name, thing in vars(grapheme_torch).items() if name[0] != "_"}
    extra = {name for name, thing in found.items() if not isinstance(thing, ModuleType)}
    assert extra <= set(PUBLIC)
