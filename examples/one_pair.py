"""One pair of graphs
=====================

The smallest use of the loss, on plain tensors, and what the result tells about itself.
"""

import torch
from torch_geometric.data import Data

import grapheme_torch as gt

# Four slots, two classes of nodes, edges of one kind between any two slots.
edges = torch.combinations(torch.arange(4)).T
existence = torch.zeros(4, requires_grad=True)
label = torch.randn(4, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
relation = torch.zeros(edges.shape[1], 2, requires_grad=True)  # column 0: no edge

target = Data(y=torch.tensor([0, 1, 1]), edge_index=torch.tensor([[0, 0], [1, 2]]), num_nodes=3)
loss = gt.StructuralLoss()
adam = torch.optim.Adam([existence, label, relation], lr=0.1)
for _ in range(150):
    adam.zero_grad()
    result = loss(gt.Prediction(existence, label, edges, relation), target)
    result.total.backward()
    adam.step()

print(f"loss {result.total.item():.4f}")
print(f"alignment: {result.status[0].value} ({int(result.iterations[0])} iterations)")
print("who became whom; last row inserted, last column deleted:")
print(result.plan[0].detach().round(decimals=2))
report = gt.edit_report(
    gt.decode(gt.Prediction(existence, label, edges, relation), ["A", "B"], ["to"])[0],
    gt.decode(gt.Prediction.certain(target, num_labels=2, num_relations=1), ["A", "B"], ["to"])[0],
)
print(f"edits left: {report.cost:g}")
assert report.cost == 0
