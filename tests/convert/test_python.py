"""Python: every construct comes back from its graph."""

import ast
import itertools
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

import grapheme_torch
from grapheme_torch import InputError
from grapheme_torch.convert import Piece, Skipped, graph_to_python, python

from .samples import SOURCE

FILES = sorted(Path(grapheme_torch.__file__).parent.glob("*.py"))


def _labels(record: dict[str, Any]) -> list[str]:
    return [node["label"] for node in record["target"]["nodes"]]


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("text", ["", "x", SOURCE, *SOURCE.split("\n\n")])
def test_a_tree_comes_back(text: str, tokens: bool) -> None:
    (record,) = python([text], tokens=tokens)
    expected = ast.dump(ast.parse(text))
    assert ast.dump(graph_to_python(record["target"])) == expected
    nodes, edges = record["target"]["nodes"], record["target"]["edges"]
    random.Random(0).shuffle(nodes)
    random.Random(1).shuffle(edges)
    tree = graph_to_python(record["target"])
    assert ast.dump(tree) == expected
    assert ast.dump(ast.parse(ast.unparse(tree))) == expected


@pytest.mark.repeats
@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_our_own_source_comes_back(path: Path, tokens: bool) -> None:
    (record,) = python([Piece(path.read_bytes(), str(path))], tokens=tokens)
    assert ast.dump(graph_to_python(record["target"])) == ast.dump(ast.parse(path.read_bytes()))


def test_nodes_edges_and_places() -> None:
    (record,) = python(["é = f(1, b)\n"])
    assert _labels(record) == [
        "Module", "Assign", "Name(id='é')", "Call", "Name(id='f')", "Constant(value=1)",
        "Name(id='b')",
    ]  # fmt: skip
    edges = [(e["source"], e["target"], e["label"]) for e in record["target"]["edges"]]
    assert edges == [(0, 1, "body"), (1, 2, "targets"), (1, 3, "value"), (3, 4, "func"),
                     (3, 5, "args"), (3, 6, "args"), (5, 6, "next")]  # fmt: skip
    assert record["alignment"] == [None, 0, 0, 4, 4, 6, 9]


def test_tokens_and_leaves() -> None:
    (record,) = python(["é.b = f(0x10, 'a' \"b\")  # c\n"], tokens=True)
    tokens = ["é", ".", "b", "=", "f", "(", "0x10", ",", "'a'", '"b"', ")", "NEWLINE"]
    assert [node["label"] for node in record["input"]["nodes"]] == tokens
    assert [node["position"] for node in record["input"]["nodes"]] == list(range(12))
    assert list(zip(_labels(record), record["alignment"], strict=True)) == [
        ("Module", None), ("Assign", 0), ("Attribute", 0), ("Name", 0), ("é", 0), ("b", 2),
        ("Call", 4), ("Name", 4), ("f", 4), ("Constant", 6), ("0x10", 6),
        ("Constant", 8), ("'ab'", 8),
    ]  # fmt: skip
    edges = {(e["source"], e["target"]): e["label"] for e in record["target"]["edges"]}
    assert (edges[2, 3], edges[2, 5], edges[3, 4], edges[9, 10]) == ("value", "attr", "id", "value")


def test_leaves_of_a_list_are_in_order() -> None:
    (record,) = python(["global a, b"], tokens=True)
    assert list(zip(_labels(record), record["alignment"], strict=True)) == [
        ("Module", None), ("Global", 0), ("a", 1), ("b", 3),
    ]  # fmt: skip
    assert (2, 3, "next") in [
        (e["source"], e["target"], e["label"]) for e in record["target"]["edges"]
    ]


def test_an_invalid_escape_is_no_concern_of_ours() -> None:
    (record,) = python([r"x = '\d'"], tokens=True)
    assert _labels(record)[-1] == r"'\d'"
    tree = graph_to_python(record["target"])
    assert ast.unparse(ast.fix_missing_locations(tree)) == r"x = '\\d'"


def test_blocks_are_tokens() -> None:
    (record,) = python(["if a:\n  b\n\n  # c\nd"], tokens=True)
    labels = [node["label"] for node in record["input"]["nodes"]]
    assert labels == ["if", "a", ":", "NEWLINE", "INDENT", "b", "NEWLINE", "DEDENT", "d", "NEWLINE"]
    (record,) = python(["a\rb\r\n"], tokens=True)
    assert [node["label"] for node in record["input"]["nodes"]] == ["a", "NEWLINE", "b", "NEWLINE"]


def test_a_long_sum_is_no_problem() -> None:
    (record,) = python(["+".join(["x"] * 300)])
    assert len(_labels(record)) == 2 + 3 * 300 - 2


def test_functions_are_outdented() -> None:
    piece = Piece(SOURCE, "m.py", extra={"path": "m.py"})
    first, second = python([piece], unit="function")
    assert (first["name"], first["line"], second["name"], second["line"]) == ("f", 6, "g", 18)
    assert second["input"].startswith("def g(self):\n    ")
    assert second["path"] == "m.py"


def test_what_stands_left_of_a_function_may_stay_there() -> None:
    text = (
        'class A:\n  # c\n  @d(1,\n2)\n  def f(self):\n# margin\n      x = """a\n   b\nc"""\n'
        '      y = 1 + \\\n2\n\n      return f"""\n{x}"""\n  def g(self): return (1,\n2)\n'
    )
    first, second = python([text], unit="function")
    assert first["input"] == (
        '@d(1,\n2)\ndef f(self):\n# margin\n    x = """a\n   b\nc"""\n'
        '    y = 1 + \\\n2\n\n    return f"""\n{x}"""\n'
    )
    assert second["input"] == "def g(self): return (1,\n2)\n"
    functions = ast.parse(text).body[0].body  # type: ignore[attr-defined]
    for record, function in zip((first, second), functions, strict=True):
        tree = ast.Module([function], [])
        assert ast.dump(graph_to_python(record["target"])) == ast.dump(tree)


@pytest.mark.parametrize("unit", ["module", "function", "statement"])
@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("sign", ["0x", "0o", "0b", "-0X"])
def test_a_number_too_long_to_write_is_refused(unit: Any, tokens: bool, sign: str) -> None:
    number = sign + "1" * 20_000
    text = f"def f(a):\n    return {{\n  1: {number}}}\n"
    for source in (text, text.replace("1: ", "1: 1, 2: ")):
        found: list[Skipped] = []
        pieces = [Piece(source, "m.py"), Piece("def g(): return 1", "n.py")]
        assert len(list(python(pieces, unit=unit, tokens=tokens, skip=found.append))) == 1
        (skipped,) = found
        assert skipped.bad
        message = r"m\.py:3: a constant must be writable, got Exceeds the limit \(4300"
        assert re.match(message, str(skipped.error))


def test_a_notebook_is_no_source() -> None:
    text = json.dumps({"cells": [], "metadata": {}, "nbformat": 4})
    for piece in (Piece(text), Piece(b" " + text.encode()), Piece("x = 1", "a.ipynb")):
        with pytest.raises(InputError, match="the source must be Python, got a notebook"):
            list(python([piece]))


def test_deep_source_is_refused_or_read() -> None:
    for text in ("-" * 5000 + "1", "x" + ".a" * 5000, "x" + "[0]" * 5000, "1" + "+1" * 5000):
        for unit, tokens in itertools.product(("module", "statement"), (False, True)):
            found: list[Skipped] = []
            made = list(python([text], unit=unit, tokens=tokens, skip=found.append))
            assert len(made) + len(found) == 1
            assert all(skipped.bad for skipped in found)


def test_statements_stand_by_themselves() -> None:
    text = "import os\nif a:\n  é = f(1,\n    2); return é\ntry: pass\nexcept E: raise\n"
    found = list(python([Piece(text, "m.py", line=3)], unit="statement"))
    assert [record["input"] for record in found] == [
        "import os", "é = f(1,\n    2)", "return é", "pass", "raise",
    ]  # fmt: skip
    assert [record["line"] for record in found] == [3, 5, 6, 7, 8]
    assert _labels(found[4]) == ["Module", "Raise"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\nif x:\npass", "m.py:3: the source must be Python, got expected an indented block"),
        ("x = 1\0", "m.py:1: the source must be Python"),
        ("(" * 1000, "m.py:1: the source must be Python"),
        (b"\xff", "m.py:1: the source must be readable text"),
        (b"# coding: nonsense\n", "m.py:1: the source must be readable text"),
        (b"# coding: rot13\n", "m.py:1: the source must be readable text"),
        (b"# coding: undefined\n", "m.py:1: the source must be readable text"),
        (b"# coding: raw_unicode_escape\n'\\ud800'", "m.py:1: the text must be valid UTF-8"),
    ],
)
def test_what_is_no_python_is_named(text: str | bytes, reason: str) -> None:
    for unit, tokens in itertools.product(("module", "function", "statement"), (False, True)):
        with pytest.raises(InputError, match=reason):
            list(python([Piece(text, "m.py")], unit=unit, tokens=tokens))


def test_an_encoding_may_be_declared() -> None:
    (record,) = python([Piece("# coding: latin-1\nx = 'é'".encode("latin-1"))])
    assert record["input"].endswith("'é'")


@pytest.mark.parametrize(
    ("labels", "edges", "reason"),
    [
        (["Nonsense"], [], "the label of a node must be a class of `ast`"),
        (["Name(x='y')"], [], "the label of a node must be a class of `ast`"),
        (["Name(id=f())"], [], "the label of a node must be a class of `ast`"),
        (["Constant(value={[]})"], [], "the label of a node must be a class of `ast`"),
        (["a b"], [], "the label of a node must be a class of `ast`"),
        (["parse"], [], "the label of a node must be a class of `ast`"),
        (["Pass", "Pass"], [], "the graph must be a tree"),
        (["Expr", "Pass"], [(0, 1, "body")], "the children of a node must be its fields"),
        (["Module", "Pass", "Pass"], [(0, 1, "body"), (0, 2, "body")], "be in one order"),
        (["None"], [], "the root must be a class"),
        (["Name", "a-b"], [(0, 1, "id")], "the label of a leaf must be an identifier"),
        (["Constant", "f()"], [(0, 1, "value")], "the label of a leaf must be a constant"),
        (["Constant", "{[]}"], [(0, 1, "value")], "the label of a leaf must be a constant"),
        (["Name", "a", "b"], [(0, 1, "id"), (1, 2, "id")], "the label of a node must be a class"),
        (["Name", "a", "Name"], [(0, 1, "id"), (1, 2, "x")], "must be its fields"),
        ([], [], "the graph must be a tree"),
    ],
)
def test_a_graph_that_is_no_tree_is_refused(
    labels: list[str], edges: list[tuple[int, int, str]], reason: str
) -> None:
    nodes = [{"id": k, "label": label} for k, label in enumerate(labels)]
    joined = [{"source": s, "target": t, "label": label} for s, t, label in edges]
    with pytest.raises(InputError, match=reason):
        graph_to_python({"nodes": nodes, "edges": joined})
