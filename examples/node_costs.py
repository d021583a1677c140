"""What nodes are compared by
=============================

Classes, vectors, Gaussians, several labels, or a cost of your own.
"""

import torch
from torch import Tensor
from torch_geometric.data import Data

import grapheme_torch as gt

SLOTS, edges = 4, torch.combinations(torch.arange(4)).T
points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
triangle = torch.tensor([[0, 0, 1], [1, 2, 2]])


def cosine(outputs: Tensor, y: Tensor) -> Tensor:
    """One minus the cosine of output and target vectors; the vectors are the last axis."""
    return 1 - torch.nn.functional.cosine_similarity(outputs, y.to(outputs.dtype), dim=-1)


SETTINGS = {  # cost: what targets carry, numbers per slot
    "labels": (torch.tensor([0, 1, 2]), 3),  # logits and classes
    "features": (points, 2),  # half the squared distance
    "gaussian": (points, 4),  # means, then log-variances: log-likelihood
    "multilabel": ((points > 0).float(), 2),  # logits and zeros or ones
    cosine: (points + 1, 2),
}
for cost, (y, outputs) in SETTINGS.items():
    torch.manual_seed(0)
    existence, node = torch.zeros(SLOTS, requires_grad=True), torch.randn(SLOTS, outputs)
    relation = torch.zeros(edges.shape[1], 2, requires_grad=True)
    target = Data(y=y, edge_index=triangle, num_nodes=3)
    loss = gt.StructuralLoss(node_cost=cost, directed=False, gamma=0)
    adam = torch.optim.Adam([existence, node.requires_grad_(), relation], lr=0.05)
    values = []
    for _ in range(150):
        total = loss(gt.Prediction(existence, node, edges, relation), target).total
        adam.zero_grad()
        total.backward()
        adam.step()
        values.append(total.item())
    name = cost if isinstance(cost, str) else cost.__name__
    print(f"{name:10s} loss {values[0]:6.2f} -> {values[-1]:6.2f}")
    assert values[-1] < values[0] - 2
