"""Batches of transport problems such as edited texts give, the same in every measurement."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

WORKLOADS = {"W1, 64 of 10 to 40": (64, 10, 40), "W2, 8 of 100 to 200": (8, 100, 200)}
"""Number of pairs, fewest and most nodes."""

_FEATURES = 32


def noisy_copies(count: int, least: int, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Noisy, edited copies of strings over 26 letters: unit features, half squared distances.

    The void stands last, at cost 0.5, and holds the mass of all nodes of the other side.
    """
    rng = torch.Generator().manual_seed(0)
    letters = normalize(torch.randn(26, _FEATURES, generator=rng, dtype=torch.float64))
    cost = torch.zeros(count, most + 1, most + 1, dtype=torch.float64)
    a, b = torch.zeros_like(cost[:, 0]), torch.zeros_like(cost[:, 0])
    for k in range(count):
        n, m = torch.randint(least, most + 1, (2,), generator=rng).tolist()
        target = torch.randint(26, (m,), generator=rng)
        source = target[torch.arange(n) * m // n]
        edited = torch.rand(n, generator=rng) < 0.1
        source = torch.where(edited, torch.randint(26, (n,), generator=rng), source)
        noise = torch.randn(n, _FEATURES, generator=rng, dtype=torch.float64)
        x = normalize(letters[source] + 0.5 * noise / _FEATURES**0.5)
        cost[k, :n, :m] = torch.cdist(x, letters[target]).square() / 2
        cost[k, :n, -1] = cost[k, -1, :m] = 0.5
        a[k, :n], a[k, -1] = 1 / (n + m), m / (n + m)
        b[k, :m], b[k, -1] = 1 / (n + m), n / (n + m)
    return cost, a, b
