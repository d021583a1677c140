"""Pictures: written whole or not at all, of a sensible size, whatever the labels are."""

import math
import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import InputError, Prediction, Sinkhorn, StructuralLoss, text_to_graph
from grapheme_torch.data import Alphabet
from grapheme_torch.edits._report import edit_report
from grapheme_torch.graphs import make_graph
from grapheme_torch.plot import plot_alignment, plot_losses, plot_plan
from grapheme_torch.plot._letters import drawable

from .random_graphs import graphs, ring
from .unchecked import unchecked

ROWS = [
    {"epoch": k, "total": 20 / (k + 1), "node": 15 / (k + 1), "edge": 5 / (k + 1), "clique": 0.1}
    for k in range(30)
]

PAIRS = {
    "texts": (text_to_graph("kitten"), text_to_graph("sitting")),
    "right to left, emoji, controls, mathematics": (
        text_to_graph("שלום مرحبا \U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        text_to_graph("日本\r\n\x00\u200b$x_$\\"),
    ),
    "empty": (text_to_graph(""), text_to_graph("abc")),
    "both empty": (text_to_graph(""), text_to_graph("")),
    "empty labels": (make_graph(["", ""], [(0, 1, "")]), make_graph([""], [(0, 0, "$")])),
    "cycles": (ring([3, 2]), ring([1, 5])),
    "long labels": (
        make_graph(["determiner", "noun"], [(1, 0, "has a determiner")]),
        make_graph(["noun"]),
    ),
    "long text": (text_to_graph("abcdefghij" * 15), text_to_graph("x")),
}


def png_size(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def texts_in(svg: Path) -> list[str]:
    """The texts of a picture, which matplotlib notes beside the shapes of their letters."""
    ET.parse(svg)
    return [text.strip() for text in re.findall(r"<!--(.*?)-->", svg.read_text("utf-8"))]


def soft_plan(predicted: Data, target: Data) -> Tensor:
    alphabet = Alphabet.of([predicted, target])
    certain = Prediction.certain(
        alphabet.encode(predicted), num_labels=len(alphabet.labels), num_relations=1
    )
    loss = StructuralLoss(alignment=Sinkhorn(temperature=0.3, slack=0.5))
    return loss(certain, alphabet.encode(target)).plan[0]


def test_losses_are_drawn(tmp_path: Path) -> None:
    plot_losses(ROWS, tmp_path / "loss.png")
    assert png_size(tmp_path / "loss.png") == (1080, 630)
    assert list(tmp_path.iterdir()) == [tmp_path / "loss.png"]


def test_the_losses_are_named(tmp_path: Path) -> None:
    path = tmp_path / "loss.svg"
    plot_losses([{**row, "val_total": 1.0} for row in ROWS], path)
    names = {"epoch", "loss", "total", "total (validation)", "node", "edge", "clique"}
    assert names <= set(texts_in(path))


def test_a_further_term_is_drawn_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "loss.svg"
    rows = [{**row, "triangles": 0.5, "converged": 1.0} for row in ROWS]
    plot_losses(rows, path)
    names = set(texts_in(path))
    assert "triangles" in names
    assert "converged" not in names


def test_weighted_terms_add_up_to_the_total(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curves: dict[str, list[float]] = {}
    plot = Axes.plot

    def note(axes: Axes, *data: Any, **style: Any) -> Any:
        curves[style.get("label", "exact")] = list(data[1])
        return plot(axes, *data, **style)

    monkeypatch.setattr(Axes, "plot", note)
    weights = {"node": 1.0, "edge": 0.5, "clique": 2.0, "triangles": 0.0}
    rows = [
        {**row, "triangles": 9.0, "total": row["node"] + 0.5 * row["edge"] + 2 * row["clique"]}
        for row in ROWS
    ]
    plot_losses(rows, tmp_path / "loss.svg", weights)
    total = curves.pop("total")
    assert list(curves) == [
        "node",
        "0.5 \N{MULTIPLICATION SIGN} edge",
        "2 \N{MULTIPLICATION SIGN} clique",
    ]
    assert [sum(terms) for terms in zip(*curves.values(), strict=True)] == pytest.approx(total)


def test_exact_matches_have_a_panel_of_their_own(tmp_path: Path) -> None:
    share = [math.nan, 0.5, math.nan, 1.0]
    rows = [{**row, "val_exact": x} for row, x in zip(ROWS, share, strict=False)]
    plot_losses(rows, tmp_path / "loss.svg")
    assert {"exact match", "(validation)", "100%"} <= set(texts_in(tmp_path / "loss.svg"))
    plot_losses(rows, tmp_path / "loss.png")
    assert png_size(tmp_path / "loss.png") == (1080, 810)


@pytest.mark.parametrize(
    "rows",
    [
        ROWS[:1],
        [{"epoch": 0, "total": 0.0, "node": math.nan}],
        [{"epoch": 0, "total": math.inf}, {"epoch": 1, "total": 1.0, "clique": 0.0}],
        [{"epoch": 0}],
        [{"epoch": 0, "total": 1e300}, {"epoch": 1, "total": 1e-300}],
    ],
    ids=["one epoch", "nothing to draw", "gaps", "no loss", "wide"],
)
def test_any_losses_make_a_picture(tmp_path: Path, rows: list[dict[str, float]]) -> None:
    plot_losses(rows, tmp_path / "loss.png")
    assert png_size(tmp_path / "loss.png") == (1080, 630)


@pytest.mark.parametrize(
    ("values", "marker"),
    [([1.0, math.nan, 1.0], "."), ([1.0, 1.0, math.nan], ""), ([1.0], "."), ([math.nan], "")],
)
def test_values_without_a_neighbour_are_dots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: list[float], marker: str
) -> None:
    found: list[str] = []
    plot = Axes.plot

    def note(axes: Axes, *data: Any, **style: Any) -> Any:
        found.append(style["marker"])
        return plot(axes, *data, **style)

    monkeypatch.setattr(Axes, "plot", note)
    rows = [{"epoch": k, "total": 1.0, "val_total": value} for k, value in enumerate(values)]
    plot_losses(rows, tmp_path / "loss.svg")
    assert found[1:] == ([marker] if any(value == value for value in values) else [])


def test_no_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^`rows` must hold at least one epoch, got none\."):
        plot_losses([], tmp_path / "loss.png")


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_an_alignment_is_drawn(tmp_path: Path, pair: tuple[Data, Data]) -> None:
    path = tmp_path / "pair.png"
    plot_alignment(*pair, edit_report(*pair), path)
    width, height = png_size(path)
    assert 700 <= width <= 6100
    assert 300 <= height <= 6200


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=3), max_size=4), st.text(max_size=5), st.text(max_size=3))
def test_any_label_can_be_drawn(tmp_path: Path, label: list[str], text: str, relation: str) -> None:
    edges = [(u, v, relation) for u in range(len(label)) for v in range(u + 1, len(label))]
    pair = make_graph(label, edges), text_to_graph(text)
    plot_alignment(*pair, edit_report(*pair), tmp_path / "pair.svg")
    assert "edit cost" in " ".join(texts_in(tmp_path / "pair.svg"))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs(), graphs())
def test_any_graph_can_be_drawn(tmp_path: Path, predicted: Data, target: Data) -> None:
    path = tmp_path / "pair.png"
    plot_alignment(predicted, target, edit_report(predicted, target), path)
    assert png_size(path)[0] >= 700


def test_a_plan_is_drawn(tmp_path: Path) -> None:
    pair = text_to_graph("grapheme"), text_to_graph("graphs")
    plan = soft_plan(*pair).requires_grad_()
    plot_alignment(*pair, plan, tmp_path / "plan.svg")
    found = texts_in(tmp_path / "plan.svg")
    assert {"alignment", "predicted", "target", "kept", "deleted"} <= set(found)
    assert [one for one in found if len(one) == 1 and one.isalpha()] == list("graphemegraphs")


def test_the_colours_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "pair.svg"
    pair = PAIRS["texts"]
    plot_alignment(*pair, edit_report(*pair), path)
    found = set(texts_in(path))
    assert {"edit cost 4", "kept", "relabelled", "inserted"} <= found
    assert "deleted" not in found


def test_relations_are_named_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "pair.svg"
    several = make_graph("abc", [(0, 1, "one"), (0, 2, "two")])
    plot_alignment(several, several, edit_report(several, several), path)
    assert {"one", "two"} <= set(texts_in(path))
    plot_alignment(*PAIRS["texts"], edit_report(*PAIRS["texts"]), path)
    assert "next" not in texts_in(path)


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("a", "a"),
        (" ", "\N{OPEN BOX}"),
        ("", "\N{EMPTY SET}"),
        ("é", "é"),
        ("e\u0301", "e\u0301"),
        ("\n", "U+\n000A"),
        ("\u00a0", "U+\n00A0"),
        ("\U0001f468\u200d\U0001f467", "U+\n1F468\n+2"),
        ("日", "U+\n65E5"),
        ("a long label", "a long l\N{HORIZONTAL ELLIPSIS}"),
    ],
)
def test_what_the_font_cannot_draw_is_shown_by_its_code_point(label: str, shown: str) -> None:
    assert drawable(label) == shown


def test_a_plan_of_the_wrong_shape_is_refused(tmp_path: Path) -> None:
    pair = text_to_graph("ab"), text_to_graph("c")
    message = "`alignment` must have shape (3, 2), got (2, 1). Give the plan of these two graphs;"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        plot_alignment(*pair, torch.zeros(2, 1), tmp_path / "pair.png")


def test_the_report_of_other_graphs_is_refused(tmp_path: Path) -> None:
    pair = text_to_graph("ab"), text_to_graph("c")
    report = edit_report(*pair)
    with pytest.raises(InputError, match=r"^`alignment` must join 1 and 2 nodes, got \(2, 1\)\."):
        plot_alignment(pair[1], pair[0], report, tmp_path / "pair.png")


@pytest.mark.parametrize("name", ["loss", "loss.", "loss.tmp", "loss.txt"])
def test_an_unknown_format_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    message = f"{path}: the suffix must name a format of matplotlib, got"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        plot_losses(ROWS, path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "loss.png"
    with pytest.raises(InputError, match=re.escape(f"{path}: the file must be writable, got No")):
        plot_losses(ROWS, path)


def test_the_old_picture_stays_when_drawing_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_way(figure: Figure, path: Path, **_: object) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("half way")

    path = tmp_path / "loss.png"
    path.write_bytes(b"old")
    monkeypatch.setattr(Figure, "savefig", half_way)
    with pytest.raises(RuntimeError, match="half way"):
        plot_losses(ROWS, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_plan_is_drawn_with_its_names(tmp_path: Path) -> None:
    pair = text_to_graph("kit"), text_to_graph("sits")
    plan = soft_plan(*pair)
    path = tmp_path / "plan.svg"
    plot_plan(plan, path, predicted=pair[0], target=pair[1])
    names = set(texts_in(path))
    assert {"0 k", "2 t", "insertion", "0 s", "3 s", "deletion", "mass"} <= names
    kept = [f"{x:.2f}".removeprefix("0") for x in plan[:-1].flatten().tolist() if 0.005 <= x < 0.9]
    assert set(kept) <= names


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 1), (60, 200)])
def test_a_plan_of_any_size_is_a_picture(tmp_path: Path, shape: tuple[int, int]) -> None:
    plot_plan(torch.rand(*shape, generator=torch.Generator().manual_seed(0)), tmp_path / "p.png")
    width, height = png_size(tmp_path / "p.png")
    assert 500 <= width <= 2200
    assert 400 <= height <= 2200


def test_names_do_not_run_into_each_other(tmp_path: Path) -> None:
    plot_plan(torch.zeros(91, 91), tmp_path / "plan.svg")
    names = [name for name in texts_in(tmp_path / "plan.svg") if name.isdecimal()]
    assert names.count("0") == 2
    assert len(names) <= 2 * 40
    assert "90" not in names


@pytest.mark.parametrize(
    ("shape", "match"),
    [
        ((3,), r"`plan` must be a matrix, got \(3,\)"),
        ((3, 3), r"`predicted` must have 2 nodes, as the plan, got 3"),
    ],
)
@pytest.mark.untyped
def test_a_plan_that_does_not_fit_is_refused(
    tmp_path: Path, shape: tuple[int, ...], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        unchecked(plot_plan)(
            torch.zeros(*shape), tmp_path / "plan.png", predicted=text_to_graph("abc")
        )
    assert list(tmp_path.iterdir()) == []
