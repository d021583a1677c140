"""A metric of your own
=======================

It is counted and reported with the others.
"""

from collections.abc import Mapping

from torch_geometric.data import Data

import grapheme_torch as gt
from grapheme_torch.metrics import GraphMetrics, PairMetric


class LeafRecall(PairMetric):
    """Of all leaves of the targets (nodes that no edge leaves), the share with the right label."""

    sums = ("kept", "wanted")

    def count(self, predicted: Data, target: Data, report: gt.EditReport) -> dict[str, float]:
        inner = set(target.edge_index[0].tolist())
        leaves = [e for e in report.nodes if e.target is not None and e.target not in inner]
        return {"kept": sum(e.kind == "kept" for e in leaves), "wanted": len(leaves)}

    def score(self, total: Mapping[str, float]) -> float:
        return total["kept"] / total["wanted"] if total["wanted"] else 1.0


def edge_count_error(predicted: Data, target: Data, report: gt.EditReport) -> float:
    """A function is enough for a mean over pairs."""
    return abs(predicted.num_edges - target.num_edges)


metrics = GraphMetrics(
    extra={"leaf_recall": LeafRecall(), "edge_count_error": edge_count_error},
    node_substitution={("c", "k"): 0.5},  # letters that are easily confused
)
predicted = [gt.text_to_graph("cat"), gt.text_to_graph("cats")]
target = [gt.text_to_graph("kat"), gt.text_to_graph("kate")]
metrics.update(predicted, target)
found = metrics.compute()
for name, value in found.items():
    print(f"{name:20s} {value:.3f}")
assert found["leaf_recall"] == 0.5
assert found["edit_cost"] == (0.5 + 1.5) / 2
# After training: `gt.train.evaluate(folder, pairs, metrics=metrics)` reports them too.
