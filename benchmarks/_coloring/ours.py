"""This library's loss on what the network says."""

import torch
from torch import Tensor

import grapheme_torch as gt

from .data import Pictures
from .network import Outputs

LOSS = gt.StructuralLoss(
    beta=0.5, gamma=0, directed=False, rounds=2, update="proximal", temperature=0.1
)


def structural(outputs: Outputs, pictures: Pictures, loss: gt.StructuralLoss = LOSS) -> Tensor:
    """The mean loss of a batch."""
    return loss(prediction(outputs), pictures.target()).total


def prediction(outputs: Outputs, *, directed: bool = False) -> gt.Prediction:
    """The outputs in the form of the library: each pair of slots once, or in both directions."""
    relation = torch.stack([torch.zeros_like(outputs.edge), outputs.edge], dim=3)
    return gt.Prediction.from_dense(
        outputs.label, relation, existence=outputs.existence, directed=directed
    )
