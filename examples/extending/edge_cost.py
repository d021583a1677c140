"""An edge cost of your own
===========================

Ordered bonds, and a vector of features on every edge.
"""

import torch
from torch import Tensor
from torch_geometric.data import Data

import grapheme_torch as gt


class OrderedBonds(gt.EdgeCost):
    """Single, double, triple: one score a candidate between thresholds that learn [mccullagh80]."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))

    def num_relations(self, columns: int) -> int:
        """Absent, and three kinds of bond."""
        return 4

    def log_probability(self, outputs: Tensor) -> Tensor:
        """Differences of the logistic function at the thresholds."""
        ends = (outputs[:, :1] - self.steps.exp().cumsum(0)).sigmoid()
        ends = torch.cat([torch.ones_like(ends[:, :1]), ends, torch.zeros_like(ends[:, :1])], 1)
        return (ends[:, :-1] - ends[:, 1:]).clamp(min=1e-12).log()


class EdgeFeatures(gt.EdgeCost):
    """Two columns of `relation` are logits, the others features, compared with `edge_attr`."""

    attributes = True

    def num_relations(self, columns: int) -> int:
        """Absent and present."""
        return 2

    def log_probability(self, outputs: Tensor) -> Tensor:
        """Of the two logits."""
        return outputs[:, :2].log_softmax(1)

    def products(self, pairs: gt.Pairs) -> gt.costs.Channels:
        """Half the squared distance, for what is aligned."""
        return gt.costs.squared_difference(pairs.edge_outputs[:, 2:], pairs.target.attributes)


def train(cost: gt.EdgeCost, columns: int, target: Data) -> tuple[float, float]:
    """The loss of a path of three known nodes before and after training its edges."""
    torch.manual_seed(0)
    known, edges = 20 * torch.eye(3).double() - 10, torch.combinations(torch.arange(3)).T
    relation = torch.randn(3, columns).double().requires_grad_()
    loss = gt.StructuralLoss(edge_cost=cost, gamma=0, directed=False)
    adam, values = torch.optim.Adam([relation, *loss.parameters()], lr=0.1), []
    for _ in range(200):
        prediction = gt.Prediction(torch.full((3,), 9.0).double(), known, edges, relation)
        values.append(loss(prediction, target).total)
        adam.zero_grad()
        values[-1].backward()
        adam.step()
    return values[0].item(), values[-1].item()


path = {"y": torch.arange(3), "edge_index": torch.tensor([[0, 1], [1, 2]]), "num_nodes": 3}
bonds = train(OrderedBonds(), 1, Data(**path, edge_type=torch.tensor([1, 3])))
features = train(EdgeFeatures(), 4, Data(**path, edge_attr=torch.tensor([[1.0, -2], [0, 3]])))
print("ordered bonds {:.2f} -> {:.3f}".format(*bonds))
print("edge features {:.2f} -> {:.3f}".format(*features))
assert bonds[1] < 0.3
assert features[1] < 0.1
