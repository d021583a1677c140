"""A further loss term
======================

It asks for a decided alignment.
"""

import torch
from torch import Tensor
from torch_geometric.data import Data

import grapheme_torch as gt


class Undecided(gt.Term):
    """The entropy of the alignment of each predicted node, in nats, summed up."""

    def forward(self, pairs: gt.Pairs, plan: gt.Plan) -> Tensor:
        """One number a pair; the gradient flows through the plan."""
        return -torch.special.xlogy(plan.padded, plan.padded.clamp(min=1e-30)).sum((1, 2))


torch.manual_seed(0)
target = Data(y=torch.arange(4), edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]), num_nodes=4)
label = torch.randn(4, 4).double().requires_grad_()
edges = torch.combinations(torch.arange(4)).T
rest = {"edge_index": edges, "relation": torch.zeros(6, 2).double()}
loss = gt.StructuralLoss(terms={"undecided": (0.5, Undecided())})
adam, before = torch.optim.Adam([label], lr=0.1), None
for _ in range(100):
    result = loss(gt.Prediction(torch.zeros(4).double(), label, **rest), target)
    before = result.terms["undecided"].item() if before is None else before
    adam.zero_grad()
    result.total.backward()
    adam.step()
print(f"entropy of the alignment {before:.3f} -> {result.terms['undecided'].item():.3f}")
assert result.terms["undecided"].item() < before / 2
