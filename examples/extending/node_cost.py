"""A node cost of your own
==========================

A parameter that learns: ordered classes, such as sizes.
"""

import torch
from torch import Tensor
from torch_geometric.data import Data

import grapheme_torch as gt


class Ordered(gt.NodeCost):
    """One number a node; a class is as far away as its place in the order, times a learnt unit."""

    by_class = True  # `target.y` holds classes

    def __init__(self) -> None:
        super().__init__()
        self.log_unit = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))

    def nll(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Laplace's distribution over whole numbers; leading axes of both broadcast."""
        unit = self.log_unit.exp()
        return (outputs[..., 0] - y).abs() * unit - (unit / 2).tanh().log()

    def match(self, outputs: Tensor, y: Tensor) -> Tensor:
        """What the alignment goes by: 1 for the right size, 1/2 for the next."""
        return 1 / (1 + (outputs[..., 0] - y).abs())


torch.manual_seed(0)
target = Data(y=torch.tensor([0, 3, 9]), edge_index=torch.tensor([[0, 1], [1, 2]]), num_nodes=3)
edges = torch.combinations(torch.arange(3)).T
existence, size = torch.full((3,), 9.0).double(), torch.randn(3, 1).double().requires_grad_()
relation = torch.zeros(3, 2).double().requires_grad_()
loss = gt.StructuralLoss(node_cost=Ordered(), gamma=0, directed=False)
adam = torch.optim.Adam([size, relation, *loss.parameters()], lr=0.1)
for _ in range(300):
    total = loss(gt.Prediction(existence, size, edges, relation), target).total
    adam.zero_grad()
    total.backward()
    adam.step()
print(f"sizes {sorted(size.detach()[:, 0].round().int().tolist())}")
print(f"unit {loss.node_cost.log_unit.exp().item():.2f}, learnt with the loss's own parameters")
assert sorted(size.detach()[:, 0].round().int().tolist()) == [0, 3, 9]
