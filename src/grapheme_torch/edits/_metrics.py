"""How good predicted graphs are, as sums that add up over batches and over processes."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor
from torch_geometric.data import Data
from torchmetrics import Metric

from .._check import Received, require
from ..graphs import alike, node_labels, path_order
from ._alignment_accuracy import AlignmentAccuracy as AlignmentAccuracy
from ._report import EditReport, check_prices, edit_reports
from ._scores import (
    Matching,
    attachment,
    spell_alike,
    subtree_kernel,
    symbol_errors,
    word_errors,
)

_SUMS = (
    "pairs", "exact", "same_size", "edit_cost", "likeness",
    "nodes_right", "nodes_predicted", "nodes_wanted",
    "edges_right", "edges_predicted", "edges_wanted",
    "texts", "same_text", "symbol_errors", "symbols", "word_errors", "words",
    "trees", "heads", "heads_right", "heads_labelled",
)  # fmt: skip


class GraphMetrics(Metric):
    """Compares predicted graphs with their targets, after decoding.

    Nodes are aligned by `edit_report`. A node is right if it is kept: aligned with a node of the
    same label; an edge if it joins aligned nodes that the target joins by the same relation. If
    the edges of one graph of a pair have no direction, those of the other are read so as well,
    and each counts once.
    `compute` returns

    - `exact_match`: share of pairs that are equal but for the numbering of nodes;
    - `size_accuracy`: share of pairs with equally many nodes;
    - `edit_cost`: mean edit cost, an upper bound of the graph edit distance;
    - `wl_similarity`: mean of the normalised Weisfeiler-Lehman subtree kernel, (E37), which needs
      no alignment: 0 without a common label, 1 where neighbourhoods of radius 3 are equal
      [shervashidze11];
    - `node_precision`, `node_recall`, `node_f1`, and the same of edges: right ones as a share of
      the predicted, of the wanted, and their harmonic mean, counted over all pairs together;

    where some targets are one directed path, of these,

    - `text_exact`: the share whose prediction is a path that spells the same text;
    - `char_error_rate`, `word_error_rate`: the Levenshtein distance between what the two paths
      spell over what the target spells, in all [levenshtein66]. A symbol is a node label, a word
      what stands between white space in the text. A prediction that is no path spells nothing;

    and, where some targets are one directed tree (every node but the root has one head, from
    which its edge comes; a path is one), of their nodes,

    - `uas`, the unlabelled attachment score: the share with the right head: the aligned node
      has one head, aligned with the head of the target; or none, as the root [buchholz06]. A
      node left unaligned is wrong;
    - `las`, the labelled one: the share where the relation to that head is the same as well.

    A share of nothing is 1: there was nothing to get wrong. So two empty graphs are an exact
    match, with edit cost 0; an empty prediction has precision 1 and recall 0. The empty graph
    is a path that spells the empty text. An error rate where nothing is wanted is 0 if nothing
    was spelled, else 1.

    Args:
        node_cost, edge_cost: Prices of an edit, see `edit_report`.
        matching: Which nodes of a tree are one another. "edits": those that `edit_report` aligns,
            as no correspondence is given. "order": the k-th nodes, where both sides have equally
            many (as where both are the words of a sentence), else "edits".

    Raises:
        InputError: If `matching` is neither, or a price is negative or not finite.
    """

    higher_is_better = None
    is_differentiable = False
    full_state_update = False
    sums: Tensor

    def __init__(
        self, *, node_cost: float = 1.0, edge_cost: float = 1.0, matching: Matching = "edits"
    ) -> None:
        super().__init__()
        known, remedy = get_args(Matching), "Without it nodes are matched by their edits."
        requirement = f"be one of {', '.join(known)}"
        require(matching in known, "`matching`", requirement, matching, remedy)
        check_prices(node_cost, edge_cost)
        self.matching = matching
        self.node_cost, self.edge_cost = node_cost, edge_cost
        nothing = torch.zeros(len(_SUMS), dtype=torch.float64)
        self.add_state("sums", nothing, dist_reduce_fx="sum")

    def update(
        self,
        predicted: Sequence[Data],
        target: Sequence[Data],
        reports: Sequence[EditReport] | None = None,
    ) -> None:
        """Adds pairs of graphs with labels.

        Args:
            predicted, target: The graphs of each pair.
            reports: What `edit_reports` says of them, where it has been asked already.

        Raises:
            InputError: As `edit_reports`.
        """
        if reports is None:
            prices = {"node_cost": self.node_cost, "edge_cost": self.edge_cost}
            reports = edit_reports(predicted, target, **prices)
        sizes = len(predicted), len(target), len(reports)
        remedy = "Give one report per pair, as `edit_reports(predicted, target)` does."
        same = len(set(sizes)) == 1
        require(same, "`predicted`, `target` and `reports`", "be of one length", sizes, remedy)
        for found, wanted, report in zip(predicted, target, reports, strict=True):
            counted = _counted(*alike(found, wanted), report, self.matching)
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
            "wl_similarity": total["likeness"] / total["pairs"],
            **_agreement(total, "node"),
            **_agreement(total, "edge"),
            **(_text_rates(total) if total["texts"] else {}),
            **(_attachment_scores(total) if total["trees"] else {}),
        }


def _counted(
    predicted: Data, target: Data, report: EditReport, matching: Matching
) -> dict[str, int | float]:
    size, wanted_size = len(node_labels(predicted)), len(node_labels(target))
    exact = report.is_exact
    return {
        **dict.fromkeys(_SUMS, 0),
        "pairs": 1,
        "exact": exact,
        "same_size": size == wanted_size,
        "edit_cost": report.cost,
        "likeness": 1.0 if exact else subtree_kernel(predicted, target),
        **_right(report, "nodes"),
        **_right(report, "edges"),
        **_text_counts(predicted, target),
        **_tree_counts(predicted, target, report, matching),
    }


def _text_counts(predicted: Data, target: Data) -> dict[str, int]:
    if path_order(target) is None:
        return {}
    symbols, words = symbol_errors(predicted, target), word_errors(predicted, target)
    return {
        "texts": 1,
        "same_text": spell_alike(predicted, target),
        **dict(zip(("symbol_errors", "symbols"), symbols, strict=True)),
        **dict(zip(("word_errors", "words"), words, strict=True)),
    }


def _tree_counts(
    predicted: Data, target: Data, report: EditReport, matching: Matching
) -> dict[str, int]:
    found = attachment(predicted, target, report, matching)
    if found is None:
        return {}
    return {"trees": 1, **dict(zip(("heads", "heads_right", "heads_labelled"), found, strict=True))}


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


def _text_rates(total: Mapping[str, float]) -> dict[str, float]:
    return {
        "text_exact": total["same_text"] / total["texts"],
        "char_error_rate": _rate(total["symbol_errors"], total["symbols"]),
        "word_error_rate": _rate(total["word_errors"], total["words"]),
    }


def _attachment_scores(total: Mapping[str, float]) -> dict[str, float]:
    scores = {"uas": "heads_right", "las": "heads_labelled"}
    return {name: total[right] / total["heads"] for name, right in scores.items()}


def _rate(errors: float, wanted: float) -> float:
    return errors / wanted if wanted else float(errors > 0)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
