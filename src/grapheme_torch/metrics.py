"""How good predicted graphs are, as sums that add up over batches and over processes."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch_geometric.data import Data
from torchmetrics import Metric

from ._check import Received, require
from .graph import graph_to_text, node_labels, path_order
from .report import EditReport, edit_reports

_SUMS = (
    "pairs", "exact", "same_size", "edit_cost", "texts", "same_text",
    "nodes_right", "nodes_predicted", "nodes_wanted",
    "edges_right", "edges_predicted", "edges_wanted",
)  # fmt: skip


class GraphMetrics(Metric):
    """Compares predicted graphs with their targets, after decoding.

    Nodes are aligned by `edit_report`. A node is right if it is kept: aligned with a node of the
    same label; an edge if it joins aligned nodes that the target joins by the same relation.
    `compute` returns

    - `exact_match`: share of pairs that are equal but for the numbering of nodes;
    - `size_accuracy`: share of pairs with equally many nodes;
    - `edit_cost`: mean edit cost, an upper bound of the graph edit distance;
    - `node_precision`, `node_recall`, `node_f1`, and the same of edges: right ones as a share of
      the predicted, of the wanted, and their harmonic mean, counted over all pairs together;
    - `text_exact`: among the pairs whose target is one directed path, the share whose
      prediction is a path that spells the same text; left out if there is no such pair.

    A share of nothing is 1: there was nothing to get wrong. So two empty graphs are an exact
    match, with edit cost 0; an empty prediction has precision 1 and recall 0. The empty graph
    is a path that spells the empty text.

    Args:
        node_cost, edge_cost: Prices of an edit, see `edit_report`.
    """

    higher_is_better = None
    is_differentiable = False
    full_state_update = False
    sums: Tensor

    def __init__(self, *, node_cost: float = 1.0, edge_cost: float = 1.0) -> None:
        super().__init__()
        self.node_cost, self.edge_cost = node_cost, edge_cost
        nothing = torch.zeros(len(_SUMS), dtype=torch.float64)
        self.add_state("sums", nothing, dist_reduce_fx="sum")

    def update(self, predicted: Sequence[Data], target: Sequence[Data]) -> None:
        """Adds pairs of graphs with labels.

        Raises:
            InputError: As `edit_reports`.
        """
        prices = {"node_cost": self.node_cost, "edge_cost": self.edge_cost}
        reports = edit_reports(predicted, target, **prices)
        for found, wanted, report in zip(predicted, target, reports, strict=True):
            counted = _counted(found, wanted, report)
            self.sums += self.sums.new_tensor([counted[name] for name in _SUMS])

    def compute(self) -> dict[str, float]:
        """The metrics of all pairs so far.

        Raises:
            InputError: If there was no pair.
        """
        total = dict(zip(_SUMS, self.sums.tolist(), strict=True))
        require(
            total["pairs"] > 0,
            "`GraphMetrics`",
            "have seen at least one pair of graphs",
            Received("none"),
            "Call `update` before `compute`.",
        )
        return {
            "exact_match": total["exact"] / total["pairs"],
            "size_accuracy": total["same_size"] / total["pairs"],
            "edit_cost": total["edit_cost"] / total["pairs"],
            **_agreement(total, "node"),
            **_agreement(total, "edge"),
            **({"text_exact": total["same_text"] / total["texts"]} if total["texts"] else {}),
        }


def _counted(predicted: Data, target: Data, report: EditReport) -> dict[str, int | float]:
    is_text = path_order(target) is not None
    size, wanted_size = len(node_labels(predicted)), len(node_labels(target))
    return {
        "pairs": 1,
        "exact": report.is_exact,
        "same_size": size == wanted_size,
        "edit_cost": report.cost,
        "texts": is_text,
        "same_text": is_text and _spell_alike(predicted, target),
        **_right(report, "nodes"),
        **_right(report, "edges"),
    }


def _spell_alike(predicted: Data, target: Data) -> bool:
    return path_order(predicted) is not None and graph_to_text(predicted) == graph_to_text(target)


def _right(report: EditReport, part: Literal["nodes", "edges"]) -> dict[str, int]:
    count = report.count(part)
    aligned = count["kept"] + count["relabelled"]
    return {
        f"{part}_right": count["kept"],
        f"{part}_predicted": aligned + count["deleted"],
        f"{part}_wanted": aligned + count["inserted"],
    }


def _agreement(total: Mapping[str, float], part: Literal["node", "edge"]) -> dict[str, float]:
    right, predicted, wanted = (
        total[f"{part}s_{name}"] for name in ("right", "predicted", "wanted")
    )
    return {
        f"{part}_precision": _share(right, predicted),
        f"{part}_recall": _share(right, wanted),
        f"{part}_f1": _share(2 * right, predicted + wanted),
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
