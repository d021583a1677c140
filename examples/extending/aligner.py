"""An aligner with parameters
=============================

A learned score of each match, and an aligner that replaces optimal transport.
"""

import torch
from torch import Tensor
from torch_geometric.data import Data

import grapheme_torch as gt


class Matcher(torch.nn.Module):
    """How well an output suits a class, by a bilinear form."""

    def __init__(self, outputs: int, classes: int) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(0.01 * torch.randn(outputs, classes).double())

    def forward(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Scores `[B, N, M]` of node outputs `[B, N, outputs]` and classes `[B, M]`."""
        return (outputs @ self.weight).gather(2, y[:, None].expand(-1, outputs.shape[1], -1))


class Softmax(gt.Aligner):
    """Each target takes its predicted nodes by a softmax; rows need not hold their mass."""

    def __init__(self) -> None:
        super().__init__()
        self.log_sharpness = torch.nn.Parameter(torch.tensor(2.0, dtype=torch.float64))

    def forward(self, problem: gt.AlignmentProblem) -> Tensor:
        """A plan `[B, N + 1, M + 1]` whose columns hold their mass."""
        logits = -self.log_sharpness.exp() * problem.cost
        logits = logits.masked_fill(problem.a[:, :, None] == 0, -torch.inf)
        return logits.softmax(1) * problem.b[:, None]


torch.manual_seed(0)
target = Data(y=torch.arange(3), edge_index=torch.tensor([[0, 1], [1, 2]]), num_nodes=3)
edges = torch.combinations(torch.arange(3)).T
for aligner in (gt.Learned(Matcher(3, 3)), Softmax()):
    label = torch.randn(3, 3).double().requires_grad_()
    relation = torch.zeros(3, 2).double().requires_grad_()
    loss = gt.StructuralLoss(alignment=aligner, gamma=0, directed=False)
    adam, values = torch.optim.Adam([label, relation, *loss.parameters()], lr=0.05), []
    for _ in range(200):
        result = loss(gt.Prediction(torch.zeros(3).double() + 9, label, edges, relation), target)
        values.append(result.total.item())
        adam.zero_grad()
        result.total.backward()
        adam.step()
    residual = result.residual.item()
    name = type(aligner).__name__
    print(f"{name:8s} loss {values[0]:.2f} -> {values[-1]:.3f}, residual {residual:.0e}")
    assert values[-1] < 0.5
