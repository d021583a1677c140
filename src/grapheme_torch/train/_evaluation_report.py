"""What an evaluation found, in numbers and in its worst examples."""

from dataclasses import dataclass
from typing import Any

from torch_geometric.data import Data

from .._check import shown
from ..data import Pair, graph_document
from ..edits import EditReport
from ..graphs import edge_triples, node_labels
from ._measure import Measured


@dataclass(frozen=True, eq=False)
class Example:
    """A pair, the answer of a network, and what is wrong with it; `str(example)` is four lines.

    Args:
        pair: Input and target.
        answer: The graph the network gave.
        edits: What turns the answer into the target.
    """

    pair: Pair
    answer: Data
    edits: EditReport

    def to_dict(self) -> dict[str, Any]:
        """The example as JSON can hold it; graphs as in a data set, text where they are one."""
        sides = {"input": self.pair.input, "target": self.pair.target, "answer": self.answer}
        documents = {name: graph_document(graph) for name, graph in sides.items()}
        return {"place": self.pair.place, "edit_cost": self.edits.cost, **documents}

    def __str__(self) -> str:
        sides = {"input": self.pair.input, "target": self.pair.target, "answer": self.answer}
        rows = [f"  {name:7} {_in_words(graph)}" for name, graph in sides.items()]
        return "\n".join([f"{self.pair.place}: edit cost {self.edits.cost:g}", *rows])


@dataclass(frozen=True)
class EvaluationReport:
    """How a network does on a data set; `str(report)` is a table.

    Args:
        pairs: Number of pairs.
        metrics: What `GraphMetrics` computes, over all pairs; and `alignment_accuracy` over the
            covered pairs that tell the places of some target node.
        loss: Means of the loss terms, over the pairs the network's alphabet covers.
        covered: Share of pairs whose target uses no label or relation unknown to the network;
            the others count as wrong in `metrics`.
        worst: The pairs that were not answered exactly and have the largest edit cost, by cost
            and then in the order of the data set.
    """

    pairs: int
    metrics: dict[str, float]
    loss: Measured
    covered: float
    worst: tuple[Example, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it; the loss is None where no pair is covered."""
        loss = self.loss if self.covered else None
        head = {"pairs": self.pairs, "covered": self.covered, **self.metrics, "loss": loss}
        return {**head, "worst": [example.to_dict() for example in self.worst]}

    def __str__(self) -> str:
        """One line per number, then the worst examples."""
        rows = {"pairs": self.pairs, "covered": self.covered, **self.metrics}
        if self.covered:
            rows |= {f"loss: {name}": value for name, value in self.loss.items()}
        numbers = [f"{name:20} {value:.6g}" for name, value in rows.items()]
        if not self.covered:
            why = "a label that it does not know, or too many nodes"
            numbers.append(f"{'loss':20} none: the network can give no target ({why})")
        return "\n".join([*numbers, *map(str, self.worst)])


def _in_words(graph: Data) -> str:
    """The text of a graph, or else its labels and the number of its edges, in one line."""
    document = graph_document(graph)
    if isinstance(document, str):
        return shown(document)
    count = len(edge_triples(graph))
    return f"{shown(' '.join(node_labels(graph)))} with {count} edge{'' if count == 1 else 's'}"
