"""A network that says a graph, more or less, and is explained."""

from typing import Any

import torch
from torch import nn
from torch_geometric.data import Data

from grapheme_torch import Alphabet, Prediction
from grapheme_torch.graphs import is_directed
from grapheme_torch.page import Explanation
from grapheme_torch.train import explain


class Saying(nn.Module):
    """Says one graph whatever it reads, with noise; further nodes are hardly there."""

    def __init__(self, graph: Data, noise: float, further: int, alphabet: Alphabet) -> None:
        super().__init__()
        self.labels, self.relations = alphabet.labels, alphabet.relations
        rng = torch.Generator().manual_seed(1)
        said = Prediction.certain(
            alphabet.encode(graph),
            num_labels=len(self.labels), num_relations=len(self.relations),
        )  # fmt: skip
        n = len(said.existence)
        label = 0.1 * said.label + noise * torch.randn(said.label.shape, generator=rng)
        self.prediction = Prediction(
            existence=torch.cat([0.1 * said.existence, torch.full((further,), -1.0)]),
            label=torch.cat([label, torch.randn(further, label.shape[1], generator=rng)]),
            edge_index=said.edge_index,
            relation=0.1 * said.relation + noise * torch.randn(said.relation.shape, generator=rng),
            position=None if said.position is None
            else torch.cat([said.position, torch.full((further,), float(n))]),
            directed=is_directed(graph),
        )  # fmt: skip

    def forward(self, graph: Data) -> Prediction:
        del graph
        return self.prediction


def explained(
    read: Data,
    target: Data,
    *,
    noise: float = 3.0,
    further: int = 1,
    compared: bool = True,
    **options: Any,
) -> Explanation:
    """The explanation of a network that says `target` with noise when it reads `read`."""
    network = Saying(target, noise, further, Alphabet.of([read, target]))
    return explain(network, read, target if compared else None, **options)
