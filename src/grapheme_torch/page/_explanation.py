"""Why a network answered what it did, as data: what was said, where it came from, what it cost."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from .._check import require
from .._displayed import Displayed
from .._files import write_text
from ..edits import EditReport
from ..graphs import graph_to_node_link, graph_to_text, node_labels, path_order

Origin = Literal["copied", "generated"]


@dataclass(frozen=True)
class OutputNode:
    """What a network said of one output node.

    Args:
        node: The node of the predicted graph that it is; None if it was left out.
        label: Its most probable label.
        probability: Of that label, if the node exists.
        existence: Probability that the node exists.
        others: The next most probable labels, with their probabilities.
        input: The input node that it stands at; None if the network does not say.
        origin: "copied" if the label is rather that of the input node, "generated" if it is
            rather chosen among the labels of the training targets.
        matches: The target nodes that most of its mass goes to, with that mass.
        cost: What it adds to the loss; None without a target.
    """

    node: int | None
    label: str
    probability: float
    existence: float
    others: tuple[tuple[str, float], ...]
    input: int | None
    origin: Origin
    matches: tuple[tuple[int, float], ...] = ()
    cost: float | None = None


@dataclass(frozen=True)
class OutputEdge:
    """An edge of the predicted graph.

    Args:
        source, target: The nodes of the predicted graph that it joins.
        label: Its relation.
        probability: Of that relation.
        cost: What it adds to the loss; None without a target.
    """

    source: int
    target: int
    label: str
    probability: float
    cost: float | None = None


@dataclass(frozen=True)
class LossParts:
    """The loss of a pair, told by its terms, nodes and edges.

    Args:
        total: The loss.
        terms: Each term by its name: its weight and its value.
        converged: Whether the alignment met its tolerance.
        plan: The alignment; axes: output node, target node; the void is last.
        target_nodes, target_edges: What each node and edge of the target adds by being inserted.
        other_edges: What all candidate edges add that are no edges of the predicted graph.
    """

    total: float
    terms: Mapping[str, tuple[float, float]]
    converged: bool
    plan: Float[Tensor, "n1 m1"]
    target_nodes: tuple[float, ...]
    target_edges: tuple[float, ...]
    other_edges: float


@dataclass(frozen=True)
class Explanation(Displayed):
    """What a network made of an input, and how that differs from a target.

    Args:
        input, predicted, target: The graphs; the target may be None.
        nodes: Every output node, those that were left out as well.
        edges: The edges of the predicted graph, in its order.
        loss: The loss of the pair. None without a target, or where the target has a label or a
            relation that the network has no class for.
        edits: The edits from the predicted graph to the target; None without a target.
        unknown: Labels and relations of the target that the network has no class for.
    """

    input: Data
    predicted: Data
    target: Data | None
    nodes: tuple[OutputNode, ...]
    edges: tuple[OutputEdge, ...]
    loss: LossParts | None
    edits: EditReport | None
    unknown: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The explanation as a document that JSON can hold."""
        graphs = {"input": self.input, "predicted": self.predicted, "target": self.target}
        loss = None
        if self.loss is not None:
            # Read field by field: a tensor has no JSON form.
            loss = {**vars(self.loss), "plan": self.loss.plan.tolist()}
            terms = self.loss.terms.items()
            loss["terms"] = {name: {"weight": w, "value": x} for name, (w, x) in terms}
        return {
            **{name: graph and graph_to_node_link(graph) for name, graph in graphs.items()},
            "text": text_of(self.predicted),
            "nodes": [asdict(node) for node in self.nodes],
            "edges": [asdict(edge) for edge in self.edges],
            "loss": loss,
            "edits": self.edits and self.edits.to_dict(),
            "unknown": list(self.unknown),
        }

    def to_html(self) -> str:
        """A page that needs nothing else: the graphs, the plan, the loss and the edits."""
        from ._explanation_page import explanation_page

        return explanation_page(self)

    def to_svg(self) -> str:
        """The picture of the page, as a file for a browser or a drawing program."""
        from ._explanation_scene import explanation_scene
        from ._scene_svg import scene_svg

        return scene_svg(explanation_scene(self), self.headline(), form="file")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a page (.html) or its picture (.svg, .png, .pdf and whatever matplotlib knows).

        Raises:
            InputError: If the suffix names none of these, or the file cannot be written.
        """
        from ._explanation_scene import explanation_scene

        suffix = Path(path).suffix.lower()
        remedy = "Name a file that ends in .html, .svg or .png."
        require(suffix not in ("", "."), f"{path}: the suffix", "name a format", suffix, remedy)
        if suffix in (".html", ".htm"):
            write_text(path, self.to_html())
        elif suffix == ".svg":
            write_text(path, self.to_svg())
        else:
            from ..plot import draw_scene

            draw_scene(explanation_scene(self), path, self.headline())

    def heat(self, cost: float | None) -> float:
        """A cost in [0, 1] of the largest of all nodes and edges."""
        if self.loss is None or cost is None:
            return 0.0
        costs = [one.cost or 0.0 for one in self.nodes] + [one.cost or 0.0 for one in self.edges]
        largest = max([*costs, *self.loss.target_nodes, *self.loss.target_edges], default=0.0)
        return min(max(cost / largest, 0.0), 1.0) if largest > 1e-9 else 0.0

    def headline(self) -> str:
        """What came of it, in a line."""
        if self.edits is None:
            return f"{len(node_labels(self.predicted))} nodes predicted"
        equal = "equal to the target" if self.edits.is_exact else f"edit cost {self.edits.cost:g}"
        return equal if self.loss is None else f"{equal}, loss {self.loss.total:.4g}"

    def __str__(self) -> str:
        """The answer, and with a target the terms of the loss and the edits."""
        text = text_of(self.predicted)
        lines = [f"predicted: {_described(self.predicted) if text is None else text}"]
        if self.loss is not None:
            parts = [f"{name} {w:g} x {x:.6g}" for name, (w, x) in self.loss.terms.items()]
            lines.append(f"loss {self.loss.total:.6g}: {', '.join(parts)}")
        return "\n".join(lines if self.edits is None else [*lines, str(self.edits)])


def text_of(graph: Data) -> str | None:
    """The text of a graph; None if it is no text."""
    return None if path_order(graph) is None else graph_to_text(graph)


def _described(graph: Data) -> str:
    labels: Sequence[str] = node_labels(graph)
    return f"a graph of {len(labels)} nodes"
