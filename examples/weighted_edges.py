"""Edges with a weight
======================

A length or a strength, and what insertions and deletions cost.
"""

import torch
from torch_geometric.data import Data

import grapheme_torch as gt

# A road map: three towns, two roads with their lengths.
target = Data(
    y=torch.zeros(3, dtype=torch.long),
    edge_index=torch.tensor([[0, 0], [1, 2]]),
    edge_weight=torch.tensor([1.0, 3.0]),
    num_nodes=3,
)
edges = torch.combinations(torch.arange(4)).T
torch.manual_seed(0)
existence = torch.zeros(4, requires_grad=True)
relation = (0.1 * torch.randn(edges.shape[1], 2)).requires_grad_()
weight = torch.randn(edges.shape[1]).requires_grad_()

# A road that is not there is thought worse than one that is missing.
loss = gt.StructuralLoss(
    directed=False,
    gamma=0,
    alignment=gt.Sinkhorn(rounds=5, update="proximal"),
    prices=gt.Prices(edge_deletion=2.0, edge_insertion=1.0),
)
adam = torch.optim.Adam([existence, relation, weight], lr=0.05)
for _ in range(300):
    soft = gt.Prediction(existence, torch.zeros(4, 1), edges, relation, weight=weight)
    result = loss(soft, target)
    adam.zero_grad()
    result.total.backward()
    adam.step()

kept = relation.argmax(1) == 1
lengths = sorted(round(x, 2) for x in weight[kept].tolist())
print(f"loss {result.total.item():.3f}; roads {edges[:, kept].T.tolist()}, lengths {lengths}")
assert len(lengths) == 2
assert abs(lengths[0] - 1) < 0.1
assert abs(lengths[1] - 3) < 0.1
