"""The page of an explanation: the picture, then loss, edits and output nodes as tables."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from ..edits import EdgeEdit, NodeEdit
from ..graphs import node_labels
from ..layout import KIND_STYLES, Scene, shortened
from ._document import document
from ._explanation import Explanation, text_of
from ._explanation_scene import explanation_scene
from ._explanation_text import isolated, quoted
from ._markup import escaped, number
from ._scene_svg import scene_svg

_LETTERS = 200
"""Of a label in a table."""

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
            text = text_of(graph)
            told = f"a graph of {len(node_labels(graph))} nodes" if text is None else text
            yield f"<dt>{name}</dt><dd>{escaped(told) or '(empty)'}</dd>"
    yield "</dl>"


def _picture(scene: Scene, name: str) -> Iterator[str]:
    yield "<section><h2>Graphs</h2>"
    yield from _legend(scene)
    yield '<div class="wide" role="region" tabindex="0" aria-label="Graphs, may scroll sideways">'
    yield scene_svg(scene, name)
    yield f'</div><div class="tip" role="status"></div><p class="soft">{_HINT}</p></section>'


def _legend(scene: Scene) -> Iterator[str]:
    """The kinds that there are, each with its line and its mark."""
    used = {note.kind for notes in (*scene.nodes, *scene.edges) for note in notes}
    used |= {link.kind for link in scene.links}
    yield '<ul class="legend">'
    for kind, style in KIND_STYLES.items():
        if kind in used and kind != "plain":
            dash = f' stroke-dasharray="{" ".join(map(str, style.dash))}"' if style.dash else ""
            yield (
                '<li><svg width="30" height="12" aria-hidden="true"><line x1="1" y1="6" x2="29"'
                f' y2="6" stroke="{style.colour}" stroke-width="3"{dash}/></svg>'
                f"{style.mark} {style.name}</li>"
            )
    if any(note.heat for notes in (*scene.nodes, *scene.edges) for note in notes):
        box = '<rect x="1" y="1" width="28" height="10" rx="5" fill="#0072b2" fill-opacity=".55"/>'
        yield f'<li><svg width="30" height="12" aria-hidden="true">{box}</svg>'
        yield "the deeper, the more it adds to the loss</li>"
    yield "</ul>"


def _loss(explanation: Explanation) -> Iterator[str]:
    loss = explanation.loss
    if loss is None:
        if explanation.target is not None:
            names = ", ".join(_shown(name) for name in explanation.unknown[:20])
            yield "<section><h2>Loss</h2><p>There is none. The target has labels or relations that"
            yield f" the network has no class for: {escaped(names)}</p></section>"
        return
    largest = max([w * abs(x) for w, x in loss.terms.values()], default=0) or 1
    yield "<section><h2>Loss</h2>"
    rows = [
        [name, f"{w:g}", f"{x:.4g}", f"{w * x:.4g}", _bar(w * x / largest)]
        for name, (w, x) in loss.terms.items()
    ]
    rows.append(["total", "", "", f"{loss.total:.4g}", ""])
    yield from _table("Terms of the loss", ["term", "weight", "value", "adds", "share"], rows)
    parts = [
        ("predicted nodes", sum(one.cost or 0 for one in explanation.nodes)),
        ("target nodes that are missing", sum(loss.target_nodes)),
        ("predicted edges", sum(one.cost or 0 for one in explanation.edges)),
        ("target edges that are missing", sum(loss.target_edges)),
        ("edges that were not predicted", loss.other_edges),
    ]
    yield "<p>Node and edge term, by where they come from:</p>"
    rows = [[name, f"{x:.4g}", _bar(x / largest)] for name, x in parts]
    yield from _table("Where node and edge term come from", ["part", "adds", "share"], rows)
    if not loss.converged:
        yield "<p>The alignment has not converged: costs and lines are approximate.</p>"
    yield "</section>"


def _edits(explanation: Explanation) -> Iterator[str]:
    edits = explanation.edits
    if edits is None:
        return
    yield f"<section><h2>Edits</h2><p>Edit cost {edits.cost:g}."
    parts: tuple[Literal["nodes", "edges"], ...] = ("nodes", "edges")
    for part in parts:
        found = [f"{count} {kind}" for kind, count in edits.count(part).items() if count]
        yield f" {part.capitalize()}: {', '.join(found) or 'none'}."
    yield "</p>"
    every: list[NodeEdit | EdgeEdit] = [*edits.nodes, *edits.edges]
    changed = [_edit_row(edit) for edit in every if edit.kind != "kept"]
    kept = [_edit_row(edit) for edit in every if edit.kind == "kept"]
    heads = ["edit", "part", "predicted", "target", "cost"]
    if changed:
        yield from _table("Edits", heads, changed)
    if kept:
        yield f"<details><summary>{len(kept)} parts kept</summary>"
        yield from _table("Parts that were kept", heads, kept)
        yield "</details>"
    yield "</section>"


def _edit_row(edit: NodeEdit | EdgeEdit) -> list[str]:
    part = "node" if isinstance(edit, NodeEdit) else "edge"
    mark = KIND_STYLES[edit.kind].mark
    sides = [
        _side(edit.predicted, edit.predicted_label),
        _side(edit.target, edit.target_label),
    ]
    return [f"{mark} {edit.kind}".strip(), part, *sides, f"{edit.cost:g}"]


def _side(place: int | tuple[int, int] | None, label: str | None) -> str:
    if place is None or label is None:
        return ""
    where = str(place) if isinstance(place, int) else f"{place[0]}\N{EN DASH}{place[1]}"
    return f"{where} {_shown(label)}"


def _outputs(explanation: Explanation) -> Iterator[str]:
    """Where each output node came from."""
    names = node_labels(explanation.input)
    targets = [] if explanation.target is None else node_labels(explanation.target)
    rows: list[list[str]] = []
    unused: list[list[str]] = []
    for k, one in enumerate(explanation.nodes):
        match = "".join(f"{_shown(targets[j])} {mass:.2f}" for j, mass in one.matches[:1])
        row = [
            str(k) if one.node is None else str(one.node),
            _shown(one.label),
            "" if one.input is None else f"{one.input} {_shown(names[one.input])}",
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
        yield from _table("Nodes of the prediction", heads, rows)
    if unused:
        yield f"<details><summary>{len(unused)} output nodes left out</summary>"
        yield from _table("Output nodes left out", ["output", *heads[1:]], unused)
        yield "</details>"
    yield "</section>"


_NUMBERS = {"weight", "value", "adds", "cost", "exists"}
"""Columns whose cells stand on the right."""


def _table(name: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f'<div class="wide" role="region" tabindex="0" aria-label="{name}"><table><thead><tr>'
    for head in heads:
        kind = ' class="number"' if head in _NUMBERS else ""
        kind = ' class="bars"' if head == "share" else kind
        yield f'<th scope="col"{kind}>{head}</th>'
    yield "</tr></thead><tbody>"
    for row in rows:
        cells = zip(heads, row, strict=True)
        yield "<tr>" + "".join(_cell(head, cell) for head, cell in cells) + "</tr>"
    yield "</tbody></table></div>"


def _cell(head: str, text: str) -> str:
    if head == "share":
        return f'<td class="bars">{text}</td>'
    return f'<td class="{"number" if head in _NUMBERS else "label"}">{escaped(text)}</td>'


def _bar(share: float) -> str:
    return f'<span class="bar" style="width:{number(100 * max(share, 0))}%"></span>'


def _shown(label: str) -> str:
    return isolated(shortened(label, _LETTERS))
