"""What is told of a node or an edge that is pointed at, in lines of plain text."""

from collections.abc import Iterator, Sequence

from torch_geometric.data import Data

from ..graphs import node_labels, node_words
from ..layout import shortened
from ._explanation import Explanation, OutputNode, text_of

_LETTERS = 60


def quoted(label: str) -> str:
    """A label in quotation marks, cut where it is long."""
    return (
        "\N{LEFT DOUBLE QUOTATION MARK}"
        + isolated(shortened(label, _LETTERS))
        + "\N{RIGHT DOUBLE QUOTATION MARK}"
    )


def isolated(text: str) -> str:
    """A text whose direction, such as right to left, does not turn what stands around it."""
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def told_graph(graph: Data) -> str:
    """A graph in words: its text, or its size."""
    text = text_of(graph)
    if text is None:
        return f"a graph of {len(node_labels(graph))} nodes"
    return text or "(empty)"


def input_texts(explanation: Explanation) -> Iterator[str]:
    """Of each input node: what the network put there."""
    became: dict[int, list[str]] = {}
    for one in explanation.nodes:
        if one.input is not None and one.node is not None:
            became.setdefault(one.input, []).append(quoted(one.label))
    placed = any(one.input is not None for one in explanation.nodes)
    for k, label in enumerate(node_words(explanation.input)):
        outputs = ", ".join(became.get(k, [])) or "nothing"
        yield f"input node {k}: {quoted(label)}" + f"\noutput here: {outputs}" * placed


def output_text(explanation: Explanation, one: OutputNode, kind: str) -> str:
    """Of an output node: what the network said, what became of it, what it costs."""
    head = "left out" if one.node is None else f"predicted node {one.node}"
    lines = [f"{head}: {quoted(one.label)}{_kind(kind)}"]
    lines.append(f"exists: {_share(one.existence)}; label: {_share(one.probability)}")
    if one.others:
        others = (f"{quoted(name)} {_share(share)}" for name, share in one.others)
        lines.append(f"other labels: {', '.join(others)}")
    if one.input is not None:
        label = node_labels(explanation.input)[one.input]
        lines.append(f"{one.origin}; at input node {one.input}, {quoted(label)}")
    if one.matches and explanation.target is not None:
        names = node_labels(explanation.target)
        lines.append(f"matched with {_matches(one.matches, names)}")
    return "\n".join([*lines, *_cost(one.cost)])


def target_text(explanation: Explanation, node: int, kind: str, cost: float | None) -> str:
    """Of a target node: what was matched with it, and what it costs that it is missing."""
    assert explanation.target is not None
    lines = [f"target node {node}: {quoted(node_labels(explanation.target)[node])}{_kind(kind)}"]
    if explanation.loss is not None:
        column = explanation.loss.plan[:-1, node].tolist()
        heaviest = sorted(range(len(column)), key=lambda i: -column[i])[:3]
        pairs = [(i, column[i]) for i in heaviest if column[i] >= 0.005]
        names = [one.label for one in explanation.nodes]
        lines.append(f"matched with {_matches(pairs, names)}" if pairs else "matched with no node")
    return "\n".join([*lines, *_cost(cost)])


def edge_text(
    source: int,
    target: int,
    label: str,
    kind: str = "plain",
    probability: float | None = None,
    cost: float | None = None,
) -> str:
    """Of an edge."""
    lines = [f"edge {source}\N{EN DASH}{target}: {quoted(label)}{_kind(kind)}"]
    if probability is not None:
        lines.append(f"probability: {_share(probability)}")
    return "\n".join([*lines, *_cost(cost)])


def _kind(kind: str) -> str:
    return "" if kind in ("plain", "unused") else f", {kind}"


def _matches(pairs: Sequence[tuple[int, float]], names: Sequence[str]) -> str:
    return ", ".join(f"{quoted(names[k])} (mass {mass:.2f})" for k, mass in pairs)


def _cost(cost: float | None) -> list[str]:
    return [] if cost is None else [f"adds {cost:.4g} to the loss"]


def _share(probability: float) -> str:
    """A probability; what rounds to certain but is not, says so."""
    if 0 < probability < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= probability < 1 else f"{probability:.1%}"
