"""What a folder of a run says, as data: curves, answers, residuals, hardware, options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch_geometric.data import Data

from ..graphs import graph_to_node_link
from ._explanation import Explanation


@dataclass(frozen=True)
class Answers:
    """How the answer to one pair changed while a network was trained.

    Args:
        place: Of the pair in its data.
        input, target: The pair.
        epochs: When it was answered.
        answers: What was answered then.
    """

    place: str
    input: Data
    target: Data
    epochs: Sequence[int]
    answers: Sequence[Data]

    def to_dict(self) -> dict[str, Any]:
        """The answers as a document that JSON can hold."""
        graphs = [graph_to_node_link(graph) for graph in self.answers]
        told = [{"epoch": k, "answer": g} for k, g in zip(self.epochs, graphs, strict=True)]
        sides = {"input": self.input, "target": self.target}
        return {
            "place": self.place,
            **{name: graph_to_node_link(graph) for name, graph in sides.items()},
            "answers": told,
        }


@dataclass(frozen=True)
class RunRecord:
    """What a folder of a run says, ready to be told.

    Args:
        name: The folder.
        summary: `summary.json`; empty if the run did not come to its end.
        rows: `metrics.csv`, a row an epoch; what is missing in a row is no key of it.
        weights: The weight of each term of the loss in its total.
        options: `train.yaml`, nested.
        command: What trains it again.
        data: What `metrics` and `worst` were measured on; None if nothing was.
        metrics: What an evaluation found.
        worst: The worst answers, each with its place in the data.
        answers: How the answer to one pair changed: its place, and answers by epoch.
        note: Why there is no evaluation; "" if there is one.
        residuals: How far the alignments were from their end. "first_not_converged",
            "last_not_converged" and "most_not_converged" are shares of the measured pairs by
            epoch, the last at "most_not_converged_epoch". "data_not_converged" is that of `data`,
            "data_residual" its largest share of mass in the wrong row or column.
        hardware: What it was trained on; empty if the run does not say.
    """

    name: str
    summary: Mapping[str, Any]
    rows: Sequence[Mapping[str, float]]
    weights: Mapping[str, float]
    options: Mapping[str, Any]
    command: str
    data: str | None
    metrics: Mapping[str, float]
    worst: Sequence[tuple[str, Explanation]]
    note: str = ""
    answers: Answers | None = None
    residuals: Mapping[str, float] = field(default_factory=dict)
    hardware: Mapping[str, Any] = field(default_factory=dict)

    def headline(self) -> str:
        """What came of the run, in a line."""
        said = self.summary
        if not said:
            return f"{max(len(self.rows) - 1, 0)} epochs; it has not come to its end"
        fell = f"loss {said['initial_loss']:.4g} to {said['final_loss']:.4g}"
        parts = [f"{fell} in {said['epochs']} epochs, {said['seconds']:.0f} s"]
        for name, key in (("training", "exact_match"), ("validation", "val_exact_match")):
            if said.get(key) is not None:
                parts.append(f"{said[key]:.1%} of the {name} pairs exact")
        return "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """The record as a document that JSON can hold."""
        worst = [{"place": place, **one.to_dict()} for place, one in self.worst]
        answers = self.answers and self.answers.to_dict()
        rows = [dict(row) for row in self.rows]
        return {**vars(self), "rows": rows, "worst": worst, "answers": answers}
