"""Predicted soft graphs beside target graphs, the same in every measurement.

Paths with a fifth of skip edges. A prediction is an edited copy of its target, with noisy unit
features, or with scores of the letters and positions.
"""

import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch_geometric.data import Batch, Data

from grapheme_torch import Prediction

FEATURES, LETTERS = 32, 26
LEAST, MOST = 10, 40  # nodes of a graph


def soft_graphs(
    pairs: int, dtype: torch.dtype, *, features: bool
) -> tuple[list[Tensor], Prediction, Data]:
    """Leaves (nodes, then relations), the rest of the prediction, and targets."""
    rng, real = torch.Generator().manual_seed(0), torch.float64  # the same in every precision
    letters = normalize(torch.randn(LETTERS, FEATURES, generator=rng, dtype=real))
    nodes, edges, batch, targets, place, offset = [], [], [], [], [], 0
    for k in range(pairs):
        n, m = torch.randint(LEAST, MOST + 1, (2,), generator=rng).tolist()
        right = torch.randint(LETTERS, (m,), generator=rng)
        left = right[torch.arange(n) * m // n]
        edited = torch.rand(n, generator=rng) < 0.1
        left = torch.where(edited, torch.randint(LETTERS, (n,), generator=rng), left)
        own = letters[left] + torch.randn(n, FEATURES, generator=rng, dtype=real) * 0.09
        scores = 2 * torch.randn(n, LETTERS, generator=rng, dtype=real)
        scores[torch.arange(n), left] += 4
        nodes.append((own if features else scores).to(dtype))
        edges.append(_path(n, rng) + offset)
        offset += n
        batch.append(torch.full((n,), k))
        place.append(torch.arange(n))
        y = letters[right].to(dtype) if features else right
        targets.append(Data(num_nodes=m, y=y, edge_index=_path(m, rng), position=torch.arange(m)))
    edge_index = torch.cat(edges, 1)
    relation = torch.randn(edge_index.shape[1], 2, generator=rng, dtype=real).to(dtype)
    leaves = [torch.cat(nodes).requires_grad_(), relation.requires_grad_()]
    prediction = Prediction(
        existence=torch.full((offset,), 3.0, dtype=dtype),
        label=leaves[0],
        edge_index=edge_index,
        relation=leaves[1],
        batch=torch.cat(batch),
        num_graphs=pairs,
        position=None if features else torch.cat(place).to(dtype),
    )
    return leaves, prediction, Batch.from_data_list(targets)


def _path(n: int, rng: torch.Generator) -> Tensor:
    skips = torch.stack([torch.arange(n - 2), torch.arange(2, n)])
    skips = skips[:, torch.rand(n - 2, generator=rng) < 0.2]
    return torch.cat([torch.stack([torch.arange(n - 1), torch.arange(1, n)]), skips], 1)
