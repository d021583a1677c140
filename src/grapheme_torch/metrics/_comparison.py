"""How the two graphs of a pair are read and compared, the same for every metric of a collection."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch_geometric.data import Data

from .._check import Received, refusal, require
from ..data import Alphabet
from ..decoding import Bounds, Constraint
from ..edits import EditCosts, EditReport, edit_reports
from ..graphs import alike
from ..prediction import Prediction
from ._encoded import labelled


@dataclass(frozen=True)
class Comparison:
    """How the two graphs of a pair are read and compared.

    Attributes:
        costs: Costs of the edits.
        alphabet: Names of the classes of predictions. Default: their numbers.
        constraint: What decoded predictions have to be, see `decode`. Default: anything.
    """

    costs: EditCosts = field(default_factory=EditCosts)
    alphabet: Alphabet | None = None
    constraint: Constraint | Bounds | None = None

    def reports(self, predicted: Sequence[Data], target: Sequence[Data]) -> list[EditReport]:
        """The edits between the graphs of each pair; see `edit_reports`."""
        return edit_reports(
            predicted,
            target,
            node_cost=self.costs.node,
            edge_cost=self.costs.edge,
            node_substitution=self.costs.node_substitution,
            edge_substitution=self.costs.edge_substitution,
        )

    def pairs(
        self,
        predicted: Sequence[Data] | Prediction,
        target: Sequence[Data] | Data,
        reports: Sequence[EditReport] | None,
    ) -> tuple[list[Data], list[Data], list[EditReport]]:
        """The graphs of each pair, with labels, both directed or neither, and their edits.

        Raises:
            InputError: As `edit_reports`. If the three are not of one length, or a target has a
                class that has no name.
        """
        if isinstance(predicted, Prediction):
            predicted, target = labelled(predicted, target, self.alphabet, self.constraint)
        elif isinstance(target, Data):
            got = Received("a graph beside a list")
            remedy = "Give `Batch.to_data_list()`, or a `Prediction` and its targets."
            raise refusal("`target`", "be a list of graphs with labels", got, remedy)
        if reports is None:
            reports = self.reports(predicted, target)
        sizes = len(predicted), len(target), len(reports)
        remedy = "Give one report per pair, as `edit_reports(predicted, target)` does."
        same = len(set(sizes)) == 1
        require(same, "`predicted`, `target` and `reports`", "be of one length", sizes, remedy)
        alikes = [alike(*pair) for pair in zip(predicted, target, strict=True)]
        return [pair[0] for pair in alikes], [pair[1] for pair in alikes], list(reports)
