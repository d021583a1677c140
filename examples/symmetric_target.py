"""Benzene: six carbon atoms in a ring, alike by all that is said of them.

An alignment that goes by labels spreads every atom over all six, and then the bonds say nothing.
Edge-aware rounds do not help: what is alike to the last bit stays alike. A position that tells
the atoms apart does, and the eigenvectors of the Laplacian are one that the graph itself gives.
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
