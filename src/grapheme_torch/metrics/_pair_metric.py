"""A metric of pairs of graphs, as sums that add up over batches and over processes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch_geometric.data import Data
from torchmetrics import Metric

from .._check import require
from ..edits import EditReport
from ..prediction import Prediction
from ._comparison import Comparison

PairScore = Callable[[Data, Data, EditReport], float | None]
"""The score of one pair, from the predicted graph, the target and the edits between them.

None: the pair does not count.
"""


class PairMetric(Metric, ABC):
    """A torchmetrics `Metric` of pairs of graphs, from sums over all pairs.

    `GraphMetrics` is a collection of these. One of your own names its `sums` and has two methods::

        class LoopRecall(PairMetric):
            sums = ("kept", "wanted")

            def count(self, predicted, target, report):
                wanted = [edit for edit in report.edges if edit.target]
                loops = [edit.kind for edit in wanted if edit.target[0] == edit.target[1]]
                return {"kept": loops.count("kept"), "wanted": len(loops)}

            def score(self, total):
                return total["kept"] / total["wanted"] if total["wanted"] else 1.0

    Attributes:
        sums: Names of the numbers that are summed over pairs.
        comparison: How graphs are read and compared, where it is given no edits.

    Args:
        options: Those of every torchmetrics `Metric`, such as `dist_sync_on_step`.
    """

    sums: ClassVar[tuple[str, ...]] = ()
    comparison = Comparison()

    higher_is_better: bool | None = None
    is_differentiable = False
    full_state_update = False
    counted: Tensor

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # The number of pairs that count comes first.
        nothing = torch.zeros(1 + len(self.sums), dtype=torch.float64)
        self.add_state("counted", nothing, dist_reduce_fx="sum")

    @abstractmethod
    def count(
        self, predicted: Data, target: Data, report: EditReport
    ) -> Mapping[str, float] | None:
        """The numbers of one pair by the names in `sums`; None if the pair does not count.

        Args:
            predicted, target: The graphs, with labels; both directed, or neither.
            report: The edits between them.
        """

    @abstractmethod
    def score(self, total: Mapping[str, float]) -> Mapping[str, float] | float:
        """The score, or several by their names, from the sums over pairs.

        Args:
            total: The sums; also "pairs", the number of pairs that count, at least one.
        """

    def update(
        self,
        predicted: Sequence[Data] | Prediction,
        target: Sequence[Data] | Data,
        reports: Sequence[EditReport] | None = None,
    ) -> None:
        """Adds pairs of graphs, or a prediction and its encoded targets.

        Args:
            predicted, target: The graphs of each pair, or what `GraphMetrics.update` takes; with
                reports they are lists of graphs, of each pair both directed, or neither.
            reports: What `edit_reports(predicted, target)` returns. Default: it is asked, which
                `GraphMetrics` does once for all its metrics.

        Raises:
            InputError: If `count` does not return the numbers that `sums` names.
        """
        if reports is None or isinstance(predicted, Prediction):
            predicted, target, reports = self.comparison.pairs(predicted, target, reports)
        for pair in zip(predicted, target, reports, strict=True):
            numbers = self.count(*pair)
            if numbers is None:
                continue
            name = f"`{type(self).__name__}.count`"
            wanted = f"return {', '.join(self.sums)}"
            require(set(numbers) == set(self.sums), name, wanted, dict(numbers), _REMEDY)
            values = [1.0, *(float(numbers[name]) for name in self.sums)]
            self.counted += self.counted.new_tensor(values)

    def compute(self) -> dict[str, Tensor] | Tensor:
        """The score of all pairs so far; nothing, `{}`, if no pair counts."""
        total = dict(zip(("pairs", *self.sums), self.counted.tolist(), strict=True))
        found = self.score(total) if total["pairs"] else {}
        if isinstance(found, Mapping):
            return {name: self.counted.new_tensor(value) for name, value in found.items()}
        return self.counted.new_tensor(found)


_REMEDY = "Name them in `sums`."


class MeanScore(PairMetric):
    """The mean of a score over the pairs that have one.

    Args:
        function: The score of a pair, or None.
    """

    sums = ("score",)

    def __init__(self, function: PairScore) -> None:
        super().__init__()
        self.function = function

    def count(self, predicted: Data, target: Data, report: EditReport) -> dict[str, float] | None:
        found = self.function(predicted, target, report)
        return None if found is None else {"score": found}

    def score(self, total: Mapping[str, float]) -> float:
        return total["score"] / total["pairs"]
