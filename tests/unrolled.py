"""The structural loss, slow and obviously right: loops over one pair, plain autograd.

Written from section 3 of the design page, sharing no code with the package. No padding: a pair is
computed at its real size, and a void that holds no mass is left out.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch.prediction import Prediction

Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Terms:
    """The loss of one pair; `plan [n + 1, m + 1]` has the void last."""

    total: Tensor
    node: Tensor
    edge: Tensor
    clique: Tensor
    plan: Tensor


def sinkhorn(
    cost: Tensor, a: Tensor, b: Tensor, temperature: float, sweeps: int | None = None
) -> Tensor:
    """`sweeps` times: columns right, then rows right; without a number, until nothing moves."""
    rows, columns = (a > 0).nonzero()[:, 0], (b > 0).nonzero()[:, 0]
    inner = _sinkhorn(cost[rows][:, columns], a[rows], b[columns], temperature, sweeps)
    plan = torch.zeros_like(cost)
    return plan.index_put((rows[:, None], columns[None, :]), inner)


def _sinkhorn(cost: Tensor, a: Tensor, b: Tensor, temperature: float, sweeps: int | None) -> Tensor:
    g = torch.zeros_like(b)
    f = -temperature * torch.logsumexp(b.log() + (g - cost) / temperature, dim=1)
    for _ in range(50_000 if sweeps is None else sweeps):
        before = g
        g = -temperature * torch.logsumexp(a.log()[:, None] + (f[:, None] - cost) / temperature, 0)
        f = -temperature * torch.logsumexp(b.log() + (g - cost) / temperature, dim=1)
        moved = (g - before).detach().abs()
        if sweeps is None and (not len(moved) or float(moved.max()) < 1e-15):
            break
    return a[:, None] * b * ((f[:, None] + g - cost) / temperature).exp()


def structural_loss(
    prediction: Prediction,
    target: Data,
    *,
    alpha: float = 1.0,
    beta: float = 0.5,
    gamma: float = 2.0,
    criterion: Literal["likelihood", "edit"] = "likelihood",
    temperature: float = 0.1,
    position: float = 0.5,
    slack: float = 0.0,
    rounds: int = 1,
    sweeps: int | None = None,
    neighbours: float = 0.0,
    edit_weight: float = 1.0,
    scores: Tensor | None = None,
    scored: Literal["every", "first"] = "every",
) -> Terms:
    """The loss of one prediction (a single graph) against one target graph.

    `scores [n + 1, m + 1]` are taken off the cost of every alignment, or of the first, and the rest
    of that cost is multiplied by `edit_weight`.
    """
    h = torch.sigmoid(prediction.existence)
    p = torch.softmax(prediction.label, dim=1)
    q = torch.softmax(prediction.relation, dim=1)
    n, m = len(h), int(target.num_nodes or 0)
    y = target.y.tolist()
    candidates = list(zip(*prediction.edge_index.tolist(), strict=True))
    ends = target.edge_index.tolist()
    edges: list[Triple] = list(zip(*ends, target.edge_type.tolist(), strict=True))

    rows = [[1 - h[u] * p[u, y[i]] for i in range(m)] + [h[u]] for u in range(n)]
    rows.append([torch.ones((), dtype=h.dtype)] * m + [torch.zeros((), dtype=h.dtype)])
    edit_cost = torch.stack([torch.stack(row) for row in rows])
    cost = edit_cost
    if prediction.position is not None and "position" in target:
        distance = torch.zeros(n + 1, m + 1, dtype=h.dtype)
        distance[:n, :m] = (prediction.position[:, None] - target.position[None, :]).abs()
        cost = cost + position * distance
    spare = slack * min(n, m)
    a = torch.tensor([1.0] * n + [max(m - n, 0) + spare], dtype=torch.float64)
    b = torch.tensor([1.0] * m + [max(n - m, 0) + spare], dtype=torch.float64)

    learned = cost if scores is None else edit_weight * cost - scores
    if scored == "every":
        cost = learned
    first = learned.clone()
    for u in range(n):
        for i in range(m):
            stars = neighbour_edits(u, i, h, p, q, candidates, y, edges)
            first[u, i] = first[u, i] + neighbours * stars
    plan = sinkhorn(first, a, b, temperature, sweeps)
    for _ in range(rounds):
        bent = plan if plan.requires_grad else plan.detach().requires_grad_()
        edits = edge_edits(bent, q, candidates, edges) + 0 * bent.sum()
        (slope,) = torch.autograd.grad(edits, bent, create_graph=True)
        plan = sinkhorn(cost + beta / alpha * slope, a, b, temperature, sweeps)

    if criterion == "edit":
        node = (plan * edit_cost).sum()
        edge = edge_edits(plan, q, candidates, edges)
    else:
        node = node_surprise(plan, prediction, y)
        edge = edge_surprise(plan, prediction, candidates, edges)
    clique = clique_cost(h, q, candidates, m, edges)
    return Terms(alpha * node + beta * edge + gamma * clique, node, edge, clique, plan)


def neighbour_edits(
    u: int,
    i: int,
    h: Tensor,
    p: Tensor,
    q: Tensor,
    candidates: list[tuple[int, int]],
    y: list[int],
    edges: list[Triple],
) -> Tensor:
    """Half of what sets the neighbours of `u` apart from those of `i`, kind by kind."""
    total = h.new_zeros(())
    for near, far in ((0, 1), (1, 0)):
        for r in range(1, q.shape[1]):
            for label in range(p.shape[1]):
                count = h.new_zeros(())
                for k, ends in enumerate(candidates):
                    if ends[near] == u:
                        count = count + q[k, r] * h[ends[far]] * p[ends[far], label]
                for edge in edges:
                    if edge[near] == i and edge[2] == r and y[edge[far]] == label:
                        count = count - 1
                total = total + count.abs()
    return total / 2


def node_surprise(plan: Tensor, prediction: Prediction, y: list[int]) -> Tensor:
    """`sum P_ui (-log h_u - log p_u(y_i)) + sum P_u0 (-log(1 - h_u)) + inserted mass`."""
    log_h = torch.nn.functional.logsigmoid(prediction.existence)
    log_not_h = torch.nn.functional.logsigmoid(-prediction.existence)
    log_p = torch.log_softmax(prediction.label, dim=1)
    n, m = len(log_h), len(y)
    value = plan[n, :m].sum()
    for u in range(n):
        for i in range(m):
            value = value + plan[u, i] * (-log_h[u] - log_p[u, y[i]])
        value = value - plan[u, m] * log_not_h[u]
    return value


def aligned(plan: Tensor, u: int, v: int, r: int, edges: list[Triple]) -> Tensor:
    """`W_uv(r)`: how much of candidate `(u, v)` is aligned with target edges of relation `r`."""
    weight = plan.new_zeros(())
    for i, j, s in edges:
        if s == r:
            weight = weight + plan[u, i] * plan[v, j]
    return weight


def _edge_sum(
    plan: Tensor, cost: Tensor, candidates: list[tuple[int, int]], edges: list[Triple]
) -> Tensor:
    """`sum_uv sum_r W_uv(r) cost_uv(r)`, and one for every target edge left unmatched."""
    value = plan.new_zeros(()) + len(edges)
    for k, (u, v) in enumerate(candidates):
        absent = plan.new_ones(())
        for r in range(1, cost.shape[1]):
            weight = aligned(plan, u, v, r, edges)
            value = value + weight * cost[k, r] - weight
            absent = absent - weight
        value = value + absent * cost[k, 0]
    return value


def edge_surprise(
    plan: Tensor, prediction: Prediction, candidates: list[tuple[int, int]], edges: list[Triple]
) -> Tensor:
    """The edge term of `criterion="likelihood"`."""
    return _edge_sum(plan, -torch.log_softmax(prediction.relation, dim=1), candidates, edges)


def edge_edits(
    plan: Tensor, q: Tensor, candidates: list[tuple[int, int]], edges: list[Triple]
) -> Tensor:
    """The edge term of `criterion="edit"`, also what steers the alignment."""
    return _edge_sum(plan, 1 - q, candidates, edges)


def clique_cost(
    h: Tensor, q: Tensor, candidates: list[tuple[int, int]], m: int, edges: list[Triple]
) -> Tensor:
    """`0.3 |difference of means| + 0.7 |difference of variances|` of the local densities."""
    n = len(h)
    density = []
    for u in range(n):
        degree = h.new_zeros(())
        for k, (source, sink) in enumerate(candidates):
            if source == u:
                degree = degree + h[sink] * (1 - q[k, 0])
        others = h.new_zeros(())
        for v in range(n):
            if v != u:
                others = others + h[v]
        density.append(degree / soft_count(others))
    mean, variance = h.new_zeros(()), h.new_zeros(())
    for u in range(n):
        mean = mean + h[u] * density[u] / soft_count(h.sum())
    for u in range(n):
        variance = variance + h[u] * (density[u] - mean) ** 2 / soft_count(h.sum())
    wanted = [sum(source == i for source, _, _ in edges) / max(m - 1, 1) for i in range(m)]
    wanted_mean = sum(wanted) / max(m, 1)
    wanted_variance = sum((d - wanted_mean) ** 2 for d in wanted) / max(m, 1)
    return 0.3 * smooth_abs(mean - wanted_mean) + 0.7 * smooth_abs(variance - wanted_variance)


def soft_count(x: Tensor) -> Tensor:
    """`x` from 1 on, below `x + (1 - x)^3 / 3`."""
    return x if x.item() >= 1 else x + (1 - x) ** 3 / 3


def smooth_abs(x: Tensor) -> Tensor:
    """`sqrt(x^2 + 0.01^2) - 0.01`."""
    return (x**2 + 0.01**2).sqrt() - 0.01
