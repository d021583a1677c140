"""How good predicted graphs are: honestly, and as if the number of regions were known."""

import torch
from torch import Tensor
from torch_geometric.data import Data

import grapheme_torch as gt
from grapheme_torch.graphs import make_graph
from grapheme_torch.metrics import GraphMetrics

from .data import NAMES, Pictures
from .network import Network, Outputs

TOUCHES = "touches"

Scores = dict[str, float]


@torch.no_grad()
def evaluate(network: Network, pictures: Pictures) -> Scores:
    """Edit distance, share of exact graphs, share of right sizes; `peeking_...`: size given."""
    outputs = network(pictures.image)
    wanted = graphs(pictures)
    scores = score(decoded(outputs), wanted)
    peeking = score(decoded(_of_size(outputs, pictures.size)), wanted)
    return scores | {f"peeking_{name}": value for name, value in peeking.items()}


def score(found: list[Data], wanted: list[Data]) -> Scores:
    """Of undirected graphs that hold both directions of an edge, which together are one edit."""
    metrics = GraphMetrics(edge_cost=0.5)
    metrics.update(found, wanted)
    value = metrics.compute()
    return {
        "edit_distance": value["edit_cost"],
        "exact": value["exact_match"],
        "right_size": value["size_accuracy"],
    }


def decoded(outputs: Outputs) -> list[Data]:
    """The most probable graphs; each edge in both directions."""
    relation = torch.stack([torch.zeros_like(outputs.edge), outputs.edge], dim=3)
    said = gt.Prediction.from_dense(outputs.label, relation, existence=outputs.existence)
    return gt.decode(said, NAMES, [TOUCHES])


def graphs(pictures: Pictures) -> list[Data]:
    """The graphs of the pictures with names; each edge in both directions."""
    return [
        make_graph(
            [NAMES[c] for c in colour[:size].tolist()],
            [(u, v, TOUCHES) for u, v in adjacency.nonzero().tolist()],
        )
        for colour, adjacency, size in zip(
            pictures.colour, pictures.adjacency, pictures.size.tolist(), strict=True
        )
    ]


def _of_size(outputs: Outputs, size: Tensor) -> Outputs:
    """Exactly so many nodes exist, those of largest logit."""
    rank = outputs.existence.argsort(dim=1, descending=True).argsort(dim=1)
    return outputs._replace(existence=torch.where(rank < size[:, None], 1.0, -1.0))
