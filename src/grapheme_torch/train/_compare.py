"""Two hard graphs beside each other: the loss terms, the alignment, the edits."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from .._check import Received, require
from ..data import Alphabet
from ..edits import EditReport, edit_report
from ..graphs import alike, is_directed, undirected
from ..loss import StructuralLoss
from ..prediction import Prediction
from ._measure import Measured, reported


@dataclass(frozen=True)
class Comparison:
    """How a predicted graph differs from a target graph; `str(comparison)` is a table.

    Args:
        terms: The structural loss of the predicted graph, taken as certain: "total" and its terms
            by name.
        converged: Whether the alignment met the tolerance.
        plan: The soft alignment; axes: predicted node, target node; the void is last.
        edits: The edits of a hard alignment, and their cost.
    """

    terms: Measured
    converged: bool
    plan: Float[Tensor, "n1 m1"]
    edits: EditReport

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON can hold it."""
        return {"loss": self.terms, "edits": self.edits.to_dict(), "plan": self.plan.tolist()}

    def __str__(self) -> str:
        """The loss terms, then the edits."""
        parts = [f"{name} {x:.6g}" for name, x in self.terms.items() if name != "total"]
        return f"loss {self.terms['total']:.6g}: {', '.join(parts)}\n{self.edits}"


def compare(predicted: Data, target: Data, loss: StructuralLoss | None = None) -> Comparison:
    """Compares two graphs with labels, such as `text_to_graph` makes.

    Args:
        predicted, target: The graphs. If the edges of one have no direction, those of the other
            are read so as well.
        loss: What to report. Default: `StructuralLoss(criterion="edit")`, as a log-likelihood
            means little for a graph that is certain.

    Raises:
        InputError: If a graph carries no labels or an edge twice, or is undirected where the loss
            is told `directed=True`.
    """
    loss = loss or StructuralLoss(criterion="edit")
    predicted, target = _as_compared(predicted, target, loss.directed)
    edits = edit_report(predicted, target)
    alphabet = Alphabet.of([predicted, target])
    certain = Prediction.certain(
        alphabet.encode(predicted),
        num_labels=len(alphabet.labels),
        num_relations=len(alphabet.relations),
    )
    result = loss(certain, alphabet.encode(target))
    terms = {name: float(x.double().mean()) for name, x in reported(result).items()}
    converged = terms.pop("converged") == 1
    return Comparison(terms, converged, result.plan[0], edits)


def _as_compared(predicted: Data, target: Data, directed: bool | None) -> tuple[Data, Data]:
    """Two graphs that are both directed, or both undirected."""
    if directed is False:
        return undirected(predicted), undirected(target)
    for name, graph in (("predicted", predicted), ("target", target)):
        fits = is_directed(graph) or not directed
        found, remedy = Received("an undirected graph"), "Leave `directed` out."
        require(fits, f"`{name}`", "have directed edges (directed: true)", found, remedy)
    return alike(predicted, target)
