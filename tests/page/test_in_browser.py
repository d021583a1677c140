"""The page of an explanation in a real browser: `make browser`; left out where there is none."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from torch_geometric.data import Data

from grapheme_torch import text_to_graph
from grapheme_torch.graphs import make_graph

from .browser import CHROMIUM
from .said import explained

pytestmark = [
    pytest.mark.browser,
    pytest.mark.repeats,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]


def graph_of(graph: Any, labels: list[str] | None = None) -> Data:
    names = labels or [f"n{k}" for k in graph]
    return make_graph(names, [(u, v, "e") for u, v in graph.edges], directed=False)


LABELS = ["<script>document.title='caught'</script>", "日本語のとても長いラベル", "שלום", *"abc"]
CASES: dict[str, tuple[Data, Data]] = {
    "text": (text_to_graph("walk PST"), text_to_graph("walked")),
    "right to left": (text_to_graph("مرحبا بالعالم"), text_to_graph("שלום עולם")),
    "long text": (text_to_graph("abcdefgh" * 20), text_to_graph("x" * 90)),
    "ring": (text_to_graph("six"), graph_of(nx.cycle_graph(6), LABELS)),
    "tree": (text_to_graph("tree"), graph_of(nx.random_labeled_tree(20, seed=1))),
    "200 nodes": (
        graph_of(nx.random_labeled_tree(200, seed=3)),
        graph_of(nx.random_geometric_graph(200, 0.09, seed=4)),
    ),
    "two nodes": (make_graph(["a"]), make_graph("xy", [(0, 1, "e")])),
}

CLIPPED = """() => [...document.querySelectorAll("svg.scene")].flatMap((svg) => {
  const whole = svg.getBoundingClientRect();
  return [...svg.querySelectorAll(".node, .title, .line, .name")].filter((part) => {
    const one = part.getBoundingClientRect();
    return one.left < whole.left - 1 || one.right > whole.right + 1
      || one.top < whole.top - 1 || one.bottom > whole.bottom + 1;
  }).map((part) => part.outerHTML);
})"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, found = tmp_path_factory.mktemp("pages"), {}
    for name, (read, target) in CASES.items():
        found[name] = folder / f"{name}.html"
        large = {"noise": 1.0, "further": 0} if name == "200 nodes" else {}
        explained(read, target, **large).save(found[name])
    return found


@pytest.fixture
def opened(chromium: Any, pages: dict[str, Path]) -> Iterator[Any]:
    """Opens a page at a width, in a colour scheme; nothing may be complained of or be loaded."""
    contexts, complaints = [], []

    def open_page(name: str, width: int = 1440, scheme: str = "light") -> Any:
        size = {"width": width, "height": 900}
        context = chromium.new_context(viewport=size, color_scheme=scheme, bypass_csp=False)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(pages[name].as_uri())
        complaints.remove(pages[name].as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("name", CASES)
def test_nothing_is_cut_off(opened: Any, name: str, width: int) -> None:
    page = opened(name, width)
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", sorted(CASES.keys() - {"long text", "200 nodes"}))  # a minute each
def test_axe_finds_no_serious_fault(
    chromium: Any, pages: dict[str, Path], name: str, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    context = chromium.new_context(color_scheme=scheme, bypass_csp=True)  # axe is no part of it
    page = context.new_page()
    page.goto(pages[name].as_uri())
    found = axe.Axe().run(page).response["violations"]
    context.close()
    assert [(one["impact"], one["id"]) for one in found] == []


@pytest.mark.parametrize("name", ["text", "200 nodes"])
def test_it_answers_within_two_seconds(opened: Any, name: str) -> None:
    start = time.perf_counter()
    page = opened(name)
    page.locator(".node").nth(1).hover()
    assert page.locator(".tip").inner_text().startswith("input node 1")
    assert time.perf_counter() - start < 2


def test_what_is_pointed_at_is_told(opened: Any) -> None:
    page = opened("text")
    page.locator('[data-node="1-0"]').hover()
    told = page.locator(".tip").inner_text()
    assert "predicted node 0" in told
    assert "exists: " in told
    assert "to the loss" in told
    assert page.locator(".link.lit").count() > 0
    page.mouse.move(1, 1)
    assert page.locator(".tip").inner_text() == ""
    assert page.locator(".link.lit").count() == 0


def test_the_keyboard_goes_everywhere(opened: Any) -> None:
    page = opened("text")

    def pressed(key: str) -> str:
        page.keyboard.press(key)
        return str(page.evaluate("document.activeElement.dataset.node"))

    page.locator(".wide").first.focus()
    assert pressed("Tab") == "0-0"
    assert pressed("ArrowRight") == "0-1"
    assert pressed("End") == "0-7"
    assert pressed("ArrowRight") == "0-7"
    assert pressed("Home") == "0-0"
    assert pressed("Tab") == "1-0"
    assert page.locator(".tip").inner_text().startswith("predicted node 0")
    below = pressed("ArrowDown")
    assert below.startswith("2-")
    assert pressed("ArrowUp").startswith("1-")
    page.keyboard.press("Escape")
    assert page.locator(".tip").inner_text() == ""


def test_a_label_runs_no_script(opened: Any) -> None:
    page = opened("ring")
    assert "caught" not in page.title()
    assert page.locator("script").count() == 1


def test_the_narrow_page_puts_graphs_below_each_other(opened: Any) -> None:
    for width in (1440, 360):
        page = opened("ring", width)
        box = page.locator("svg.scene").get_attribute("viewBox").split()
        wide = page.locator("svg.scene").evaluate("svg => svg.parentElement.clientWidth")
        assert float(box[2]) * 0.6 <= wide


THEMES = {
    "none": "",
    "jupyter, light": 'data-jp-theme-light="true"',
    "jupyter, dark": 'data-jp-theme-light="false"',
    "code, dark": 'class="vscode-dark"',
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("theme", THEMES)
def test_an_output_follows_the_theme_of_its_notebook(
    chromium: Any, tmp_path: Path, theme: str, scheme: str
) -> None:
    """Light and dark by the notebook where it says so, else by the browser; nothing sticks out."""
    outputs = [thing._repr_html_() for thing in (*CASES["ring"], *CASES["text"])]
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><body {THEMES[theme]}>{''.join(outputs)}", encoding="utf-8")
    context = chromium.new_context(viewport={"width": 360, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(path.as_uri())
    papers = page.evaluate(
        """() => [...document.querySelectorAll(".grapheme, .scene .body")].map((one) => {
          const style = getComputedStyle(one);
          return one.matches(".body") ? style.fill : style.backgroundColor;
        })"""
    )
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    context.close()
    expected = scheme if theme == "none" else theme.split()[-1]
    paper = {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 26, 32)"}[expected]
    assert set(papers) == {paper}
    assert wide <= 0
