"""Symmetric targets: benzene
=============================

Six carbon atoms in a ring have the same label, and so have their bonds.

An alignment by labels spreads every atom over all six, and then the bonds carry no information.
Edge-aware rounds do not help, because equal atoms stay equal. A position that distinguishes the
atoms helps. The eigenvectors of the graph Laplacian are such a position.
"""

import torch
from torch_geometric.data import Data

import grapheme_torch as gt

RING = torch.stack([torch.arange(6), (torch.arange(6) + 1) % 6])
benzene = Data(y=torch.zeros(6, dtype=torch.long), edge_index=RING, num_nodes=6)
benzene.position = gt.laplacian_encoding(benzene, 2)  # a circle, atom 0 at angle 0

# A right and certain answer, whose atoms are numbered the other way round.
order = torch.tensor([3, 2, 1, 0, 5, 4])
answer = Data(
    y=benzene.y, edge_index=order.argsort()[RING].sort(0).values, edge_type=None, num_nodes=6
)
sure = gt.Prediction.certain(answer, num_labels=1, num_relations=1)
once = sure.edge_index[0] < sure.edge_index[1]
edges, relation = sure.edge_index[:, once], sure.relation[once]
loss = gt.StructuralLoss(
    criterion="edit", directed=False, alignment=gt.Sinkhorn(rounds=5, update="proximal")
)

for name, position in {"alike": None, "told apart": benzene.position[order]}.items():
    soft = gt.Prediction(sure.existence, sure.label, edges, relation, position=position)
    result = loss(soft, benzene)
    print(f"atoms {name}: loss {result.total.item():.4f}, first row of the plan", end=" ")
    print(result.plan[0][0].round(decimals=2).tolist())
    assert (result.total < 0.01) == (position is not None)
