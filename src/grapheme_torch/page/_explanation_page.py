"""The page of an explanation: the picture, then loss, edits and output nodes as tables."""

from collections.abc import Iterator

from ..edits import EdgeEdit, NodeEdit
from ..graphs import node_labels
from ..layout import Scene
from ._edit_tables import edit_tally, edits_table, shown_label
from ._explanation import Explanation, text_of
from ._explanation_scene import explanation_scene
from ._explanation_text import quoted, told_graph
from ._html_table import BAR, table
from ._markup import escaped
from ._page_shell import document
from ._picture_html import picture

_NUMBERS = ("weight", "value", "adds", "cost", "exists")
"""Columns that stand on the right."""

_HINT = (
    "Point at a node, an edge or a line for its label, probability and cost. Or use the keyboard: "
    "Tab goes from graph to graph, left and right go from node to node, up and down go along the "
    "thickest line to the other graph."
)


def explanation_page(explanation: Explanation) -> str:
    """The whole page as HTML."""
    name, scene = _name(explanation), explanation_scene(explanation)
    parts = [
        "<header>",
        f"<h1>{escaped(name)}</h1>",
        f'<p class="soft">{escaped(explanation.headline())}</p>',
        *_answers(explanation),
        "</header>",
        "<main>",
        *_picture(scene, name),
        *_loss(explanation),
        *_edits(explanation),
        *_outputs(explanation),
        "</main>",
    ]
    return document(name, "\n".join(parts))


def _name(explanation: Explanation) -> str:
    text = text_of(explanation.input)
    if text is None:
        return f"What a graph of {len(node_labels(explanation.input))} nodes became"
    return f"What {quoted(text)} became"


def _answers(explanation: Explanation) -> Iterator[str]:
    """Input, answer and target as texts, where they are such."""
    yield '<dl class="answers">'
    for name in ("input", "predicted", "target"):
        graph = getattr(explanation, name)
        if graph is not None:
            yield f"<dt>{name}</dt><dd>{escaped(told_graph(graph))}</dd>"
    yield "</dl>"


def _picture(scene: Scene, name: str) -> Iterator[str]:
    yield "<section><h2>Graphs</h2>"
    yield from picture(scene, name)
    yield f'<p class="soft">{_HINT}</p></section>'


def _loss(explanation: Explanation) -> Iterator[str]:
    loss = explanation.loss
    if loss is None:
        if explanation.target is not None:
            names = ", ".join(shown_label(name) for name in explanation.unknown[:20])
            yield "<section><h2>Loss</h2><p>There is none. The target has labels or relations that"
            yield f" the network has no class for: {escaped(names)}</p></section>"
        return
    largest = max([w * abs(x) for w, x in loss.terms.values()], default=0) or 1
    yield "<section><h2>Loss</h2>"
    rows: list[list[str | float]] = [
        [name, f"{w:g}", f"{x:.4g}", f"{w * x:.4g}", w * x / largest]
        for name, (w, x) in loss.terms.items()
    ]
    rows.append(["total", "", "", f"{loss.total:.4g}", ""])
    yield from table(
        "Terms of the loss", ["term", "weight", "value", "adds", BAR], rows, numbers=_NUMBERS
    )
    parts = [
        ("predicted nodes", sum(one.cost or 0 for one in explanation.nodes)),
        ("target nodes that are missing", sum(loss.target_nodes)),
        ("predicted edges", sum(one.cost or 0 for one in explanation.edges)),
        ("target edges that are missing", sum(loss.target_edges)),
        ("edges that were not predicted", loss.other_edges),
    ]
    yield "<p>Node and edge term, by where they come from:</p>"
    rows = [[name, f"{x:.4g}", x / largest] for name, x in parts]
    yield from table(
        "Where node and edge term come from", ["part", "adds", BAR], rows, numbers=_NUMBERS
    )
    if not loss.converged:
        yield "<p>The alignment has not converged: costs and lines are approximate.</p>"
    yield "</section>"


def _edits(explanation: Explanation) -> Iterator[str]:
    edits = explanation.edits
    if edits is None:
        return
    yield f"<section><h2>Edits</h2><p>Edit cost {edits.cost:g}. {edit_tally(edits)}</p>"
    every: list[NodeEdit | EdgeEdit] = [*edits.nodes, *edits.edges]
    changed = [edit for edit in every if edit.kind != "kept"]
    kept = [edit for edit in every if edit.kind == "kept"]
    if changed:
        yield from edits_table("Edits", changed)
    if kept:
        yield f"<details><summary>{len(kept)} parts kept</summary>"
        yield from edits_table("Parts that were kept", kept)
        yield "</details>"
    yield "</section>"


def _outputs(explanation: Explanation) -> Iterator[str]:
    """Where each output node came from."""
    names = node_labels(explanation.input)
    targets = [] if explanation.target is None else node_labels(explanation.target)
    rows: list[list[str]] = []
    unused: list[list[str]] = []
    for k, one in enumerate(explanation.nodes):
        match = "".join(f"{shown_label(targets[j])} {mass:.2f}" for j, mass in one.matches[:1])
        row = [
            str(k) if one.node is None else str(one.node),
            shown_label(one.label),
            "" if one.input is None else f"{one.input} {shown_label(names[one.input])}",
            one.origin,
            f"{one.existence:.3f}",
            f"{one.probability:.3f}",
            match,
            "" if one.cost is None else f"{one.cost:.4g}",
        ]
        (unused if one.node is None else rows).append(row)
    heads = ["node", "label", "at input", "label is", "exists", "label", "match, mass", "adds"]
    yield "<section><h2>Where each output node came from</h2>"
    if rows:
        yield from table("Nodes of the prediction", heads, rows, numbers=_NUMBERS)
    if unused:
        yield f"<details><summary>{len(unused)} output nodes left out</summary>"
        yield from table("Output nodes left out", ["output", *heads[1:]], unused, numbers=_NUMBERS)
        yield "</details>"
    yield "</section>"
