"""The metrics that `GraphMetrics` always has."""

from collections.abc import Mapping
from typing import Literal

from torch_geometric.data import Data

from ..edits import EditReport
from ..graphs import node_labels, path_order
from ._pair_metric import MeanScore, PairMetric
from ._scores import (
    Matching,
    attachment,
    spell_alike,
    subtree_kernel,
    symbol_errors,
    word_errors,
)


def builtin_metrics(matching: Matching) -> dict[str, PairMetric]:
    """All of them; the order is that of their results."""
    return {
        "exact_match": MeanGain(_exact),
        "size_accuracy": MeanGain(_same_size),
        "edit_cost": MeanCost(_edit_cost),
        "wl_similarity": MeanGain(_similarity),
        "nodes": Agreement("node"),
        "edges": Agreement("edge"),
        "texts": TextRates(),
        "trees": Attachment(matching),
    }


class MeanGain(MeanScore):
    """A mean that is best where it is high."""

    higher_is_better = True


class MeanCost(MeanScore):
    """A mean that is best where it is low."""

    higher_is_better = False


def _exact(predicted: Data, target: Data, report: EditReport) -> float:
    return float(report.is_exact)


def _same_size(predicted: Data, target: Data, report: EditReport) -> float:
    return float(len(node_labels(predicted)) == len(node_labels(target)))


def _edit_cost(predicted: Data, target: Data, report: EditReport) -> float:
    return report.cost


def _similarity(predicted: Data, target: Data, report: EditReport) -> float:
    return 1.0 if report.is_exact else subtree_kernel(predicted, target)


class Agreement(PairMetric):
    """Precision, recall and their harmonic mean, of nodes or of edges, over all pairs together."""

    sums = ("right", "predicted", "wanted")
    higher_is_better = True

    def __init__(self, part: Literal["node", "edge"]) -> None:
        super().__init__()
        self.part = part

    def count(self, predicted: Data, target: Data, report: EditReport) -> dict[str, float]:
        count = report.count("nodes" if self.part == "node" else "edges")
        aligned = count["kept"] + count["relabelled"]
        return {
            "right": count["kept"],
            "predicted": aligned + count["deleted"],
            "wanted": aligned + count["inserted"],
        }

    def score(self, total: Mapping[str, float]) -> dict[str, float]:
        right, predicted, wanted = (total[name] for name in self.sums)
        return {
            f"{self.part}_precision": _share(right, predicted),
            f"{self.part}_recall": _share(right, wanted),
            f"{self.part}_f1": _share(2 * right, predicted + wanted),
        }


class TextRates(PairMetric):
    """Exact texts, and errors per symbol and per word, where the target is a text."""

    sums = ("exact", "symbol_errors", "symbols", "word_errors", "words")

    def count(self, predicted: Data, target: Data, report: EditReport) -> dict[str, float] | None:
        if path_order(target) is None:
            return None
        exact = spell_alike(predicted, target)
        numbers = exact, *symbol_errors(predicted, target), *word_errors(predicted, target)
        return dict(zip(self.sums, numbers, strict=True))

    def score(self, total: Mapping[str, float]) -> dict[str, float]:
        return {
            "text_exact": total["exact"] / total["pairs"],
            "char_error_rate": _rate(total["symbol_errors"], total["symbols"]),
            "word_error_rate": _rate(total["word_errors"], total["words"]),
        }


class Attachment(PairMetric):
    """Right heads, with the right relation or any, where the target is a tree."""

    sums = ("heads", "right", "labelled")
    higher_is_better = True

    def __init__(self, matching: Matching) -> None:
        super().__init__()
        self.matching: Matching = matching

    def count(self, predicted: Data, target: Data, report: EditReport) -> dict[str, float] | None:
        found = attachment(predicted, target, report, self.matching)
        return None if found is None else dict(zip(self.sums, found, strict=True))

    def score(self, total: Mapping[str, float]) -> dict[str, float]:
        heads = total["heads"]
        return {"uas": total["right"] / heads, "las": total["labelled"] / heads}


def _rate(errors: float, wanted: float) -> float:
    return errors / wanted if wanted else float(errors > 0)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
