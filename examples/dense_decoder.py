"""A decoder with slots, as in DETR
===================================

Padded tensors and a mask; undirected edges of two kinds.
"""

import torch
from torch import nn
from torch_geometric.data import Batch, Data

import grapheme_torch as gt

SLOTS, CLASSES, KINDS = 6, 3, 2


class Decoder(nn.Module):
    """Queries that look at the image (here: at one vector) and say what they are."""

    def __init__(self, size: int = 32) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(SLOTS, size))
        self.read = nn.Linear(4, size)
        self.mix = nn.TransformerEncoderLayer(size, 4, 2 * size, dropout=0, batch_first=True)
        self.label = nn.Linear(size, 1 + CLASSES)  # class 0: no node
        self.edge = nn.Bilinear(size, size, 1 + KINDS)  # relation 0: no edge

    def forward(self, x: torch.Tensor) -> gt.Prediction:
        h = self.mix(self.query + self.read(x)[:, None])
        u, v = h[:, :, None], h[:, None]
        u, v = (side.expand(-1, SLOTS, SLOTS, -1).contiguous() for side in (u, v))
        return gt.Prediction.from_dense(self.label(h), self.edge(u, v), directed=False)


def ring(n: int) -> Data:
    """A ring whose nodes take turns in class, with one edge of the second kind."""
    ends = torch.stack([torch.arange(n), (torch.arange(n) + 1) % n])
    kind = torch.ones(n).long()
    kind[0] = 2
    return Data(y=torch.arange(n) % CLASSES, edge_index=ends, edge_type=kind, num_nodes=n)


torch.manual_seed(0)
model = Decoder()
targets = Batch.from_data_list([ring(3), ring(4), ring(6)])
x = torch.randn(3, 4)
loss = gt.StructuralLoss(directed=False, gamma=0, alignment=gt.Sinkhorn(rounds=2))
adam = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(301):
    result = loss(model(x), targets)
    if step % 100 == 0:
        print(f"step {step:3d}: loss {result.total.item():.3f}")
    adam.zero_grad()
    result.total.backward()
    adam.step()
assert result.total < 0.5
