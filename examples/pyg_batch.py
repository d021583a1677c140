"""A model of PyTorch Geometric
===============================

It turns graphs into graphs; the temperature of the alignment is annealed.
"""

import torch
from torch import nn
from torch_geometric.data import Batch, Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GATv2Conv

import grapheme_torch as gt


class LineGraph(nn.Module):
    """A slot of the output per node of the input; any two slots of a graph may be joined."""

    def __init__(self, size: int = 32) -> None:
        super().__init__()
        self.embed = nn.Linear(2, size)
        self.convs = nn.ModuleList(GATv2Conv(size, size) for _ in range(2))
        self.node = nn.Linear(size, 1 + 2)
        self.edge = nn.Sequential(nn.Linear(2 * size, size), nn.ReLU(), nn.Linear(size, 2))

    def forward(self, graph: Batch) -> gt.Prediction:
        x = self.embed(graph.x).relu()
        for conv in self.convs:
            x = x + conv(x, graph.edge_index).relu()
        out = self.node(x)
        same = graph.batch[:, None] == graph.batch
        edges = (same & ~torch.eye(len(x), dtype=torch.bool)).nonzero().T
        relation = self.edge(x[edges].transpose(0, 1).flatten(1))
        return gt.Prediction(
            out[:, 0], out[:, 1:], edges, relation, batch=graph.batch, num_graphs=graph.num_graphs
        )


def pair(seed: int) -> Data:
    """A star of points, to be turned into the path through them from left to right."""
    rng = torch.Generator().manual_seed(seed)
    n = int(torch.randint(3, 6, (1,), generator=rng))
    points = torch.rand(n, 2, generator=rng)
    order = points[:, 0].argsort()
    star = torch.stack([torch.zeros(n - 1).long(), torch.arange(1, n)])
    target = Data(
        y=(points[order, 1] > 0.5).long(),  # its nodes in another order than the input's
        edge_index=torch.stack([torch.arange(n - 1), torch.arange(1, n)]),
        num_nodes=n,
    )
    return Data(x=points, edge_index=torch.cat([star, star.flip(0)], 1), target=target)


def collate(pairs: list[Data]) -> tuple[Batch, Batch]:
    """Inputs and targets, each as a disjoint union."""
    inputs = [Data(x=one.x, edge_index=one.edge_index) for one in pairs]
    return Batch.from_data_list(inputs), Batch.from_data_list([one.target for one in pairs])


torch.manual_seed(0)
loader = DataLoader([pair(seed) for seed in range(64)], batch_size=16)
loader.collate_fn = collate
model, loss = LineGraph(), gt.StructuralLoss(alignment=gt.Sinkhorn(rounds=1))
adam = torch.optim.Adam(model.parameters(), lr=1e-2)
EPOCHS, WARM, COLD = 40, 0.3, 0.05
for epoch in range(EPOCHS):
    temperature = WARM * (COLD / WARM) ** (epoch / (EPOCHS - 1))  # geometric, from soft to sharp
    total = 0.0
    for inputs, targets in loader:
        result = loss(model(inputs), targets, temperature=temperature)
        adam.zero_grad()
        result.total.backward()
        adam.step()
        total += result.total.item() / len(loader)
    if epoch % 10 in (0, 9):
        print(f"epoch {epoch:2d}: temperature {temperature:.2f}, loss {total:.3f}")
    first = total if epoch == 0 else first
assert total < 0.6 * first
