"""What an evaluation found, in numbers and in its worst examples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

from torch_geometric.data import Data

from .._check import shown
from ..data import Pair, graph_document
from ..edits import EdgeEdit, EditReport
from ..graphs import edge_triples, node_labels, node_words
from ._measure import Measured
from ._wrong_answers import Cause, causes_in_words, summed_up

_MOST_EDGES = 5
"""Edges of a kind that are told in text; as JSON there are all."""


@dataclass(frozen=True, eq=False)
class Example:
    """A pair, the answer of a network, and what is wrong with it.

    `str(example)` is four lines, and where a graph is no text, lines for its wrong edges.

    Args:
        pair: Input and target.
        answer: The graph the network gave.
        edits: What turns the answer into the target.
    """

    pair: Pair
    answer: Data
    edits: EditReport

    def to_dict(self) -> dict[str, Any]:
        """The example as JSON can hold it; graphs as in a data set, text where they are one.

        Of its edges it tells how many there are, and which are missing, extra and relabelled.
        Missing ones are told by the nodes of the target, the others by those of the answer.
        """
        sides = {"input": self.pair.input, "target": self.pair.target, "answer": self.answer}
        documents = {name: graph_document(graph) for name, graph in sides.items()}
        edges = {
            "expected": len(edge_triples(self.pair.target)),
            "predicted": len(edge_triples(self.answer)),
            "missing": [_edge(edit.target, edit.target_label) for edit in self._edits("inserted")],
            "extra": [
                _edge(edit.predicted, edit.predicted_label) for edit in self._edits("deleted")
            ],
            "relabelled": [
                _edge(edit.predicted, edit.predicted_label) | {"expected": edit.target_label}
                for edit in self._edits("relabelled")
            ],
        }
        head = {"place": self.pair.place, "edit_cost": self.edits.cost}
        return {**head, **documents, "edges": edges}

    def _edits(self, kind: str) -> list[EdgeEdit]:
        return [edit for edit in self.edits.edges if edit.kind == kind]

    def __str__(self) -> str:
        sides = {"input": self.pair.input, "target": self.pair.target, "answer": self.answer}
        rows = [f"  {name:7} {_in_words(graph)}" for name, graph in sides.items()]
        head = f"{self.pair.place}: edit cost {self.edits.cost:g}"
        return "\n".join([head, *rows, *self._edges_in_words()])

    def _edges_in_words(self) -> Iterator[str]:
        """Which edges are wrong; those of two texts follow from the texts."""
        target, answer = self.pair.target, self.answer
        if all(isinstance(graph_document(graph), str) for graph in (target, answer)):
            return
        arrow = "->" if self.edits.directed else "--"

        def told(graph: Data, ends: tuple[int, int] | None, label: str | None) -> str:
            assert ends is not None
            source, sink = (f"{end} {shown(node_labels(graph)[end], 20)}" for end in ends)
            return f"{source} {arrow} {sink} {shown(label, 20)}"

        missing = [told(target, e.target, e.target_label) for e in self._edits("inserted")]
        extra = [told(answer, e.predicted, e.predicted_label) for e in self._edits("deleted")]
        changed = [
            f"{told(answer, e.predicted, e.predicted_label)}, not {shown(e.target_label, 20)}"
            for e in self._edits("relabelled")
        ]
        for name, edges in (("missing", missing), ("extra", extra), ("wrong", changed)):
            yield from _listed(name, edges)


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
        residual: Largest share of mass in the wrong row or column of an alignment, over the
            covered pairs. NaN if there are none, or one has no finite loss.
        causes: Why pairs are not answered exactly, of the first hundred. Kind "network" is all that
            is known of most pairs that were not trained on.
    """

    pairs: int
    metrics: dict[str, float]
    loss: Measured
    covered: float
    worst: tuple[Example, ...] = ()
    residual: float = nan
    causes: tuple[Cause, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it; the loss is None where no pair is covered."""
        loss = self.loss if self.covered else None
        head = {"pairs": self.pairs, "covered": self.covered, **self.metrics, "loss": loss}
        head["residual"] = self.residual if isfinite(self.residual) else None
        examples = [example.to_dict() for example in self.worst]
        return {**head, "wrong_answers": summed_up(self.causes), "worst": examples}

    def __str__(self) -> str:
        """One line per number, then the worst examples."""
        rows = {"pairs": self.pairs, "covered": self.covered, **self.metrics}
        if self.covered:
            rows["residual"] = self.residual
            rows |= {f"loss: {name}": value for name, value in self.loss.items()}
        numbers = [f"{name:20} {value:.6g}" for name, value in rows.items()]
        if not self.covered:
            why = "a label that it does not know, or too many nodes"
            numbers.append(f"{'loss':20} none: the network can give no target ({why})")
        return "\n".join([*numbers, *causes_in_words(self.causes), *map(str, self.worst)])


def _edge(ends: tuple[int, int] | None, label: str | None) -> dict[str, Any]:
    """An edge as node-link data have it."""
    assert ends is not None
    return {"source": ends[0], "target": ends[1], "label": label}


def _listed(name: str, edges: Sequence[str]) -> Iterator[str]:
    """A line for each of the first edges."""
    for edge in edges[:_MOST_EDGES]:
        yield f"  {name:7} {edge}"
    if len(edges) > _MOST_EDGES:
        yield f"  {name:7} and {len(edges) - _MOST_EDGES} more"


def _in_words(graph: Data) -> str:
    """The text of a graph, or else what its nodes are and the number of its edges, in one line."""
    document = graph_document(graph)
    if isinstance(document, str):
        return shown(document)
    count = len(edge_triples(graph))
    return f"{shown(' '.join(node_words(graph)))} with {count} edge{'' if count == 1 else 's'}"
