"""The page of an explanation: whole, well formed, and nothing in it comes from a label."""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from grapheme_torch import InputError, StructuralLoss, text_to_graph
from grapheme_torch.graphs import make_graph
from grapheme_torch.page import Explanation

from .said import explained

SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Reads a page; every element that is opened has to be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of_class(self, name: str) -> list[dict[str, str | None]]:
        return [a for _, a in self.elements if name in (a.get("class") or "").split()]


def page_of(explanation: Explanation) -> Page:
    page = Page(explanation.to_html())
    assert page.open == []
    return page


def picture_of(explanation: Explanation) -> ET.Element:
    return ET.fromstring(explanation.to_svg())


@pytest.fixture(scope="module")
def ring() -> Explanation:
    graph = nx.cycle_graph(6)
    target = make_graph("abcdef", [(u, v, "e") for u, v in graph.edges], directed=False)
    return explained(text_to_graph("ring"), target)


HOSTILE = make_graph(
    [
        "<script>alert(1)</script>",
        "\"'&]]>",
        "\x00\x1b\u202e",
        "--></svg><b>",
        "e\u0301" * 90,
    ],
    [(0, 1, "<b>"), (1, 2, "</style>"), (2, 3, '"onload="x')],
)


def test_every_node_edge_and_match_is_drawn(ring: Explanation) -> None:
    page = page_of(ring)
    assert ring.loss is not None
    nodes, edges = page.of_class("node"), page.of_class("edge")
    assert len(nodes) == 4 + 7 + 6
    assert len(edges) == 3 + len(ring.edges) + 6
    names = [node["data-node"] for node in nodes]
    assert names == [f"{graph}-{k}" for graph, n in enumerate((4, 7, 6)) for k in range(n)]
    links = page.of_class("link")
    drawn = (ring.loss.plan[:-1, :-1] > 0.02).sum()
    assert len(links) == int(drawn)
    assert all(link["data-from"] in names and link["data-to"] in names for link in links)


def test_a_line_is_as_wide_as_its_mass(ring: Explanation) -> None:
    assert ring.loss is not None
    for link in page_of(ring).of_class("link"):
        i, j = (int(str(link[end]).split("-")[1]) for end in ("data-from", "data-to"))
        mass = float(ring.loss.plan[i, j])
        assert float(str(link["stroke-width"])) == pytest.approx(3.6 * mass, abs=0.006)


def test_what_adds_most_to_the_loss_is_filled_most(ring: Explanation) -> None:
    assert ring.loss is not None
    costs = [one.cost or 0 for one in ring.nodes] + [one.cost or 0 for one in ring.edges]
    largest = max([*costs, *ring.loss.target_nodes, *ring.loss.target_edges])
    heat = [rect for rect in page_of(ring).of_class("heat") if rect["fill-opacity"] == "0.55"]
    glow = [path for path in page_of(ring).of_class("glow") if path["stroke-opacity"] == "0.55"]
    assert len(heat) + len(glow) == 1
    assert ring.heat(largest / 2) == pytest.approx(0.5)
    assert ring.heat(None) == ring.heat(-0.1) == 0


@pytest.mark.repeats
def test_nothing_is_outside_of_the_picture(ring: Explanation) -> None:
    for explanation in (ring, explained(text_to_graph("x" * 90), text_to_graph("שלום" * 30))):
        for svg in ET.fromstring(explanation.to_svg()), _svg(explanation, "row"):
            _, _, wide, high = (float(x) for x in svg.attrib["viewBox"].split())
            for graph in svg.iter(f"{SVG}g"):
                if graph.get("class") != "graph":
                    continue
                left, top = _translation(graph)
                for node in graph.iter(f"{SVG}g"):
                    if (node.get("class") or "").startswith("node"):
                        x, y = _translation(node)
                        body = node.find(f"{SVG}rect")
                        assert body is not None
                        half = float(body.attrib["width"]) / 2
                        assert left + x - half >= 0
                        assert left + x + half <= wide
                        assert 0 <= top + y <= high


def _svg(explanation: Explanation, way: str) -> ET.Element:
    """The picture of the page in an arrangement, as its script would set it."""
    text = re.search(r'<svg xmlns.*?class="scene".*</svg>\n</div>', explanation.to_html(), re.S)
    assert text is not None
    svg = ET.fromstring(text[0].removesuffix("</div>"))
    svg.set("viewBox", svg.attrib[f"data-{way}"])
    for graph in svg.iter(f"{SVG}g"):
        if graph.get("class") == "graph":
            graph.set("transform", graph.attrib[f"data-{way}"])
    return svg


def _translation(element: ET.Element) -> tuple[float, float]:
    found = re.fullmatch(r"translate\(([-\d.]+) ([-\d.]+)\)", element.attrib["transform"])
    assert found is not None
    return float(found[1]), float(found[2])


def test_edges_without_direction_have_no_arrow_heads(ring: Explanation) -> None:
    directed = [
        line.get("marker-end") is not None
        for line in picture_of(ring).iter(f"{SVG}path")
        if line.get("class") == "line"
    ]
    assert directed == [True] * 3 + [False] * (len(ring.edges) + 6)


def test_labels_do_no_harm() -> None:
    explanation = explained(text_to_graph("<script>"), HOSTILE)
    page = page_of(explanation)
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert {tag for tag, _ in page.elements} & {"b", "img", "iframe"} == set()
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    picture_of(explanation)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=4), min_size=1, max_size=4), st.text(max_size=4))
def test_any_label_makes_a_page(labels: list[str], relation: str) -> None:
    edges = [(k, k + 1, relation) for k in range(len(labels) - 1)]
    explanation = explained(make_graph(labels, edges), make_graph(labels, edges))
    page_of(explanation)
    picture_of(explanation)


@pytest.mark.parametrize(
    ("read", "target"),
    [
        (text_to_graph(""), text_to_graph("a")),
        (text_to_graph("a"), make_graph([])),
        (
            make_graph("ab", [(0, 1, "x"), (1, 0, "y")]),
            make_graph("ab", [(1, 1, "x")]),
        ),
    ],
    ids=["nothing read", "nothing wanted", "loops and both ways"],
)
def test_small_graphs_make_a_page(read: Data, target: Data) -> None:
    explanation = explained(read, target)
    page_of(explanation)
    json.dumps(explanation.to_dict(), allow_nan=False)


def test_the_page_needs_nothing_else(ring: Explanation) -> None:
    text = ring.to_html()
    links = re.findall(r"(?:https?:)?//[\w.]+", re.sub(r'xmlns="[^"]*"', "", text))
    assert links == []
    assert "default-src 'none'" in text
    assert len(text) < 200_000


@pytest.mark.repeats
def test_two_hundred_nodes_make_a_page_of_sensible_size() -> None:
    tree = nx.random_labeled_tree(200, seed=1)
    edges = [(u, v, "e") for u, v in tree.edges]
    target = make_graph([f"n{k}" for k in tree], edges, directed=False)
    explanation = explained(target, target, noise=1.0, further=0)
    assert len(explanation.to_html()) < 2_000_000


def test_the_tables_say_what_the_loss_is_made_of(ring: Explanation) -> None:
    assert ring.loss is not None
    texts = page_of(ring).texts
    for name, (weight, value) in ring.loss.terms.items():
        assert texts[texts.index(name) :][:4] == [
            name, f"{weight:g}", f"{value:.4g}", f"{weight * value:.4g}",
        ]  # fmt: skip
    assert f"{ring.loss.total:.4g}" in texts


def test_the_edits_are_listed(ring: Explanation) -> None:
    assert ring.edits is not None
    text = "".join(page_of(ring).texts)
    assert f"Edit cost {ring.edits.cost:g}." in text
    kinds = [edit.kind for edit in ring.edits.nodes] + [edit.kind for edit in ring.edits.edges]
    changed = [kind for kind in kinds if kind != "kept"]
    assert len(changed) > 1
    assert sum(text.count(f"{mark} ") for mark in "~+\N{MINUS SIGN}") >= len(changed)


@pytest.mark.parametrize("suffix", [".html", ".svg", ".png", ".pdf"])
def test_files_are_written(tmp_path: Path, ring: Explanation, suffix: str) -> None:
    path = tmp_path / f"page{suffix}"
    ring.save(path)
    begins = {".html": b"<!DOC", ".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF"}
    assert path.read_bytes().startswith(begins[suffix])


@pytest.mark.parametrize("name", ["page", "page.", "page.doc"])
def test_other_formats_are_refused(tmp_path: Path, ring: Explanation, name: str) -> None:
    with pytest.raises(InputError, match=r": the suffix must name a format"):
        ring.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_without_a_target_there_are_two_graphs() -> None:
    bare = explained(text_to_graph("abc"), text_to_graph("ab"), compared=False)
    titles = [t.text for t in picture_of(bare).iter(f"{SVG}text") if t.get("class") == "title"]
    assert titles == ["input", "predicted"]
    assert "Loss" not in page_of(bare).texts


def test_the_terms_of_an_explanation_add_up() -> None:
    loss = StructuralLoss(beta=2.0)
    found: Any = explained(text_to_graph("abcd"), text_to_graph("abdc"), loss=loss)
    nodes = sum(one.cost for one in found.nodes) + sum(found.loss.target_nodes)
    edges = sum(one.cost for one in found.edges) + sum(found.loss.target_edges)
    terms = {name: weight * value for name, (weight, value) in found.loss.terms.items()}
    assert nodes == pytest.approx(terms["node"])
    assert edges + found.loss.other_edges == pytest.approx(terms["edge"])
    assert sum(terms.values()) == pytest.approx(found.loss.total)
