"""What a trained network answers, and how good that is."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch_geometric.data import Batch, Data

from .._check import refusal, require
from .._isomorphism import find_isomorphism
from ..data import Alphabet, Pair
from ..graph import node_labels
from ..metrics import GraphMetrics
from ..nn import GraphTransformNet
from ..prediction import decode
from ._data import batches
from ._folder import load_network, saved_loss
from ._module import Terms, measure


@dataclass(frozen=True)
class EvaluationReport:
    """How a network does on a data set; `str(report)` is a table.

    Args:
        pairs: Number of pairs.
        metrics: What `GraphMetrics` computes, over all pairs.
        loss: Means of the loss terms, over the pairs the network's alphabet covers.
        covered: Share of pairs whose target uses no label or relation unknown to the network;
            the others count as wrong in `metrics`.
    """

    pairs: int
    metrics: dict[str, float]
    loss: Terms
    covered: float

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it; the loss is None where no pair is covered."""
        loss = asdict(self.loss) if self.covered else None
        return {"pairs": self.pairs, "covered": self.covered, **self.metrics, "loss": loss}

    def __str__(self) -> str:
        """One line per number."""
        rows = {"pairs": self.pairs, "covered": self.covered, **self.metrics}
        rows |= {f"loss: {name}": value for name, value in asdict(self.loss).items()}
        return "\n".join(f"{name:20} {value:.6g}" for name, value in rows.items())


def evaluate(
    folder: str | Path, pairs: Sequence[Pair], *, batch_size: int = 32
) -> EvaluationReport:
    """Compares the answers of a trained network with the targets of a data set.

    Args:
        folder: What `train` wrote.
        pairs: Pairs with targets, of `load_pairs`.
        batch_size: Pairs at a time.

    Raises:
        InputError: If the folder holds no model, no pair is given, or `batch_size` is below 1.
    """
    require(batch_size >= 1, "`batch_size`", "be at least 1", batch_size, "Try 32.")
    if not pairs:
        raise refusal("`pairs`", "hold at least one pair", pairs, "Read them with `load_pairs`.")
    network, loss = load_network(folder), saved_loss(folder)
    metrics = GraphMetrics()
    alphabet = Alphabet(network.labels, network.relations)
    for chunk in _chunks(pairs, batch_size):
        metrics.update(predict(network, [pair.input for pair in chunk]), [p.target for p in chunk])
    covered = sum(alphabet.covers(pair.target) and fits(pair) for pair in pairs) / len(pairs)
    fitting = [pair for pair in pairs if fits(pair)]
    terms = measure(network, loss, batches(fitting, alphabet, batch_size))
    return EvaluationReport(len(pairs), metrics.compute(), terms, covered)


@torch.no_grad()
def predict(network: GraphTransformNet, graphs: Sequence[Data]) -> list[Data]:
    """The most probable output graph for each input graph, computed as one batch."""
    if not graphs:
        return []
    inputs = Batch.from_data_list([_tensors(graph) for graph in graphs])
    inputs = inputs.to(next(network.parameters()).device)
    own = None
    if network.own is not None:
        own = [name for g in graphs for name in node_labels(g) for _ in range(network.num_slots)]
    return decode(network(inputs), network.labels, network.relations, own)


def share_exact(network: GraphTransformNet, pairs: Sequence[Pair], batch_size: int) -> float:
    """The share of pairs whose predicted graph equals the target but for the numbering of nodes."""
    training = network.training
    network.eval()
    right = 0
    for chunk in _chunks(pairs, batch_size):
        answers = predict(network, [pair.input for pair in chunk])
        sides = zip(answers, chunk, strict=True)
        right += sum(find_isomorphism(a, pair.target) is not None for a, pair in sides)
    network.train(training)
    return right / len(pairs)


def fits(pair: Pair) -> bool:
    """Whether the target has at most as many nodes as the network has output nodes."""
    return (pair.target.num_nodes or 0) <= (pair.input.num_nodes or 0)


def _chunks(pairs: Sequence[Pair], size: int) -> Iterator[Sequence[Pair]]:
    for k in range(0, len(pairs), size):
        yield pairs[k : k + size]


def _tensors(graph: Data) -> Data:
    names = ("x", "edge_index", "edge_attr", "position")
    kept = {name: graph[name] for name in names if name in graph}
    return Data(num_nodes=graph.num_nodes, **kept)
