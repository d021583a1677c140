"""What the documents name exists: tests, files, symbols, equations; and a word means one thing."""

import ast
import io
import operator
import re
import runpy
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import grapheme_torch as gt

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "grapheme_torch"
MATH = "\n".join(
    (ROOT / "docs" / "math" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("index", "loss", "large", "decoding")
)
PYTHON = {path: path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}
CPP = {
    path: path.read_text(encoding="utf-8")
    for path in (ROOT / "cpp").rglob("*")
    if path.suffix in (".cpp", ".hpp", ".inc")
}
QUOTED = re.findall(r"`([^`\n]+)`", MATH)

OLD = [
    "Likeness", "Said", "Found", "Placed", "Meetings", "Lists", "Charges", "Reach", "told_places",
    "padded_plan", "SparseStructuralLoss", "TiledStructuralLoss", "neighbour_weight",
    "tie_noise", "node_scale", "_likeness", "_fused",
]  # fmt: skip
"""Names of version 0.1.0 that no code has any more."""

OLD_IN_CPP = ["Coupling", "Found", "Placed", "Charges", "Said"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TODAY = [page for page in PAGES if page.name != "log.md" and page.parent.name != "design"]
"""Pages that tell what is; the log and the design notes tell of their day."""


def keys(text: str) -> set[str]:
    """The equations that a text names, ranges spelt out."""
    found = set(re.findall(r"\(E(\d+)\)", text))
    for first, last in re.findall(r"\(E(\d+)\)\s*-\s*\(E(\d+)\)", text):
        found |= {str(k) for k in range(int(first), int(last) + 1)}
    return found


def tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a file of Python."""
    return tokenize.generate_tokens(io.StringIO(text).readline)


def defined() -> list[str]:
    """The equations that have a heading, in their order."""
    found: list[str] = []
    for heading in re.findall(r"^### (\(E.*)$", MATH, re.MULTILINE):
        span = re.match(r"\(E(\d+)\)-\(E(\d+)\)", heading)
        if span:
            found += [str(k) for k in range(int(span[1]), int(span[2]) + 1)]
        else:
            found += re.findall(r"\(E(\d+)\)", heading)
    return found


def names_of(sources: dict[Path, str]) -> set[str]:
    """Every word that is an identifier somewhere."""
    return {word for text in sources.values() for word in re.findall(r"[A-Za-z_]\w*", text)}


def test_every_equation_is_defined_once() -> None:
    assert [key for key, count in Counter(defined()).items() if count > 1] == []


@pytest.mark.parametrize("path", [*PYTHON, *CPP], ids=lambda path: str(path.relative_to(ROOT)))
def test_an_equation_that_is_cited_exists(path: Path) -> None:
    text = PYTHON.get(path, CPP.get(path, ""))
    assert keys(text) - set(defined()) - {"26"} == set()  # (E26) is inside of (E18)


def test_equation_26_stands_where_it_is_said_to() -> None:
    assert MATH.index("\n### (E18)") < MATH.index("\\tag{E26}") < MATH.index("\n### (E19)")


def test_files_that_are_named_exist() -> None:
    files = [name.split("::")[0] for name in QUOTED]
    files = [name for name in files if re.fullmatch(r"[\w/.]+\.(py|hpp|cpp|inc|svg)", name)]
    known = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    lost = [
        name
        for name in files
        if not (ROOT / name).exists() and not (SOURCE / name).exists() and name not in known
    ]
    assert lost == []


def test_tests_that_are_named_exist() -> None:
    there = {
        node.name
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    there |= {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    named = set(re.findall(r"\b(test_\w+)\b(?!\.py)", MATH))
    assert named - there == set()


def test_symbols_that_are_named_exist() -> None:
    """In a line of *Code*, every dotted name is one of Python or C++."""
    known = names_of(PYTHON) | names_of(CPP)
    lines = re.findall(r"\*Code:\*(.*?)(?=\*Test:\*|\n\n)", MATH, re.DOTALL)
    assert len(lines) > 20
    named = [name for line in lines for name in re.findall(r"`([^`\n]+)`", line)]
    dotted = [name for name in named if re.fullmatch(r"[A-Za-z_][\w.]*(\(\))?", name)]
    words = {word for name in dotted for word in name.strip("()").split(".")}
    assert words - known - {"py", "hpp", "cpp"} == set()


def test_the_table_of_symbols_names_what_there_is() -> None:
    table = MATH[MATH.index("## Symbols") : MATH.index("## Conventions")]
    known = names_of(PYTHON)
    rows = [row.split("|")[2] for row in table.splitlines() if row.startswith("| $")]
    words = {word for row in rows for name in re.findall(r"`([^`]+)`", row)
             for word in re.findall(r"[A-Za-z_]\w*", name)}  # fmt: skip
    assert words - known == set()


def test_a_word_has_one_meaning() -> None:
    table = MATH[MATH.index("## Glossary") :].split("\n# ")[0]
    words = [word.strip() for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
             for word in row.split(",")]  # fmt: skip
    words = [word for word in words if word not in ("word", "---")]
    assert len(words) > 20
    assert [word for word, count in Counter(words).items() if count > 1] == []


@pytest.mark.parametrize("word", OLD_IN_CPP)
def test_old_words_are_gone_from_the_kernel(word: str) -> None:
    codes = {path: re.sub(r"//.*|/\*.*?\*/", "", text) for path, text in CPP.items()}
    where = [
        str(path.relative_to(ROOT)) for path in codes if re.search(rf"\b{word}\b", codes[path])
    ]
    assert where == []


def test_no_way_to_differentiate_is_called_cut() -> None:
    where = [
        str(path.relative_to(ROOT))
        for path, text in PYTHON.items()
        if any(one.type == tokenize.STRING and one.string == '"cut"' for one in tokens(text))
    ]
    assert where == []
    assert '`"cut"`' not in MATH


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(((?!http|#)[^)#\s]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", TODAY, ids=lambda page: str(page.relative_to(ROOT)))
def test_public_names_exist(page: Path) -> None:
    """`gt.costs.Vectors` and the like."""
    named = set(re.findall(r"\bgt((?:\.[A-Za-z_]\w*)+)", page.read_text(encoding="utf-8")))
    lost = []
    for name in named:
        try:
            operator.attrgetter(name[1:])(gt)
        except AttributeError:
            lost.append(name)
    assert lost == []


@pytest.mark.repeats
@pytest.mark.parametrize("word", OLD)
def test_old_words_are_gone(word: str) -> None:
    where = [
        str(path.relative_to(ROOT))
        for path, text in PYTHON.items()
        if any(one.type == tokenize.NAME and one.string == word for one in tokens(text))
    ]
    assert where == []


def test_operators_that_a_device_may_serve_exist() -> None:
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    named = re.findall(r"`grapheme_torch::(\w+)`", page)
    assert "alignment" in named
    gt.StructuralLoss()  # imports what defines the operators
    assert [name for name in named if not hasattr(torch.ops.grapheme_torch, name)] == []


def test_every_example_of_extending_is_on_its_page() -> None:
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    folder = ROOT / "examples" / "extending"
    assert [path.name for path in folder.glob("*.py") if path.name not in page] == []


def test_the_worked_pair_has_the_numbers_that_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = ROOT / "docs" / "scripts"
    monkeypatch.syspath_prepend(str(scripts))
    made = runpy.run_path(str(scripts / "worked_pair.py"))
    result = gt.StructuralLoss(directed=False)(*made["pair"]())
    shown = MATH[MATH.index(made["BEGIN"]) : MATH.index(made["END"])]
    cells = [float(cell) for cell in re.findall(r"(?<=\| )\d+\.\d+(?= \|)", shown)]
    plan = result.plan[0][:3].round(decimals=2).flatten().tolist()
    terms = [round(float(x), 3) for x in (result.total, *result.terms.values())]
    assert cells == pytest.approx([*plan, *terms], abs=1e-9)
