"""Small problems, seeded, shared by all tests; the answer is known or is had from `unrolled`."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from grapheme_torch import Hints, Prices, Sinkhorn, StructuralLoss
from grapheme_torch.graphs import membership
from grapheme_torch.prediction import Prediction

NUM_LABELS, NUM_RELATIONS = 4, 3

SIZES = [(0, 0), (0, 3), (3, 0), (1, 1), (1, 4), (4, 4), (5, 3), (3, 5)]
"""Predicted and target nodes: none, one, equal, fewer, more."""


def random_dag(
    seed: int, n: int, *, num_labels: int = NUM_LABELS, num_relations: int = NUM_RELATIONS
) -> Data:
    """A labelled DAG in hidden order (edges point both up and down the numbers), with positions."""
    rng = torch.Generator().manual_seed(seed)
    order = torch.randperm(n, generator=rng)
    ends = torch.combinations(torch.arange(n), 2).reshape(-1, 2)
    ends = order[ends[torch.rand(len(ends), generator=rng) < 0.45]]
    return Data(
        num_nodes=n,
        y=torch.randint(num_labels, (n,), generator=rng),
        edge_index=ends.T.contiguous(),
        edge_type=torch.randint(1, num_relations + 1, (len(ends),), generator=rng),
        position=order.argsort().double(),
    )


def random_prediction(
    seed: int,
    n: int,
    *,
    spread: float = 1.5,
    num_labels: int = NUM_LABELS,
    num_relations: int = NUM_RELATIONS,
) -> Prediction:
    """A soft graph: random logits, about two thirds of all ordered pairs as candidates."""
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return spread * torch.randn(*shape, generator=rng, dtype=torch.float64)

    ends = torch.cartesian_prod(torch.arange(n), torch.arange(n)).reshape(-1, 2)
    chosen = (ends[:, 0] != ends[:, 1]) & (torch.rand(len(ends), generator=rng) < 0.67)
    ends = ends[chosen]
    return Prediction(
        existence=normal(n),
        label=normal(n, num_labels),
        edge_index=ends.T.contiguous(),
        relation=normal(len(ends), num_relations + 1),
        position=torch.arange(n).double() + 0.1 * normal(n),
    )


def random_pairs(
    seed: int, sizes: Sequence[tuple[int, int]], *, spread: float = 1.5
) -> tuple[list[Prediction], list[Data]]:
    """A prediction and a target for each pair of sizes."""
    predictions = [
        random_prediction(100 * seed + k, n, spread=spread) for k, (n, _) in enumerate(sizes)
    ]
    return predictions, [random_dag(100 * seed + k, m) for k, (_, m) in enumerate(sizes)]


def join(predictions: Sequence[Prediction]) -> Prediction:
    """The disjoint union."""
    return Prediction.cat(predictions)


def union(targets: Sequence[Data]) -> Batch:
    """The disjoint union."""
    return Batch.from_data_list(list(targets))


def leaf(prediction: Prediction) -> Prediction:
    """The same numbers as leaves that require gradients."""

    return prediction.apply(torch.clone).detach().requires_grad_()


def batch_of_pairs(seed: int, sizes: Sequence[tuple[int, int]] = SIZES) -> tuple[Prediction, Data]:
    """Random pairs of these sizes as one prediction, all of it leaves, and one target."""
    predictions, targets = random_pairs(seed, sizes)
    return leaf(join(predictions)), union(targets)


def upward(prediction: Prediction) -> Prediction:
    """With one direction of each candidate."""
    return prediction.take(edges=prediction.edge_index[0] <= prediction.edge_index[1])


def everything(prediction: Prediction, target: Data) -> Tensor:
    """All pairs of nodes of the same graph."""
    return (prediction.batch[:, None] == membership(target)[0]).nonzero().T


def distance_between(outputs: Tensor, y: Tensor) -> Tensor:
    """A node cost of the user's own."""
    return (outputs - y).abs().sum(-1)


def leaves(prediction: Prediction) -> list[Tensor]:
    """Everything a loss can be differentiated in."""
    logits = [prediction.existence, prediction.label, prediction.relation]
    return logits if prediction.position is None else [*logits, prediction.position]


def gradients(value: Tensor, prediction: Prediction) -> list[Tensor]:
    """The derivative of a number in all leaves; zeros where it does not depend on them."""
    return list(torch.autograd.grad(value, leaves(prediction), materialize_grads=True))


def permuted_prediction(prediction: Prediction, order: Tensor) -> Prediction:
    """The same soft graph with node `order[k]` at place `k`, and its candidates turned round."""
    turned = torch.arange(len(prediction.relation)).flip(0)
    ends = order.argsort()[prediction.edge_index][:, turned]
    return prediction.take(order, turned, edge_index=ends)


def permuted_target(target: Data, order: Tensor) -> Data:
    """The same graph with node `order[k]` at place `k`."""
    permuted = Data(
        num_nodes=target.num_nodes,
        y=target.y[order],
        edge_index=order.argsort()[target.edge_index],
        edge_type=target.edge_type,
    )
    if "position" in target:
        permuted.position = target.position[order]
    return permuted


def certain(target: Data, confidence: float = 40.0) -> Prediction:
    """The right answer, with logits of plus or minus `confidence`."""
    n, scale = int(target.num_nodes or 0), confidence / 40.0
    sure = Prediction.certain(target, num_labels=NUM_LABELS, num_relations=NUM_RELATIONS)
    assert len(sure.existence) == n
    return replace(
        sure,
        existence=sure.existence * scale,
        label=sure.label * scale,
        relation=sure.relation * scale,
    )


def costs(seed: int, *shape: int) -> Tensor:
    """Random costs in [0, 1), as the matching cost is."""
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=rng, dtype=torch.float64)


def ragged(
    seed: int, sizes: Sequence[tuple[int, int]], width: tuple[int, int] | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Random transport problems with a void on both sides, padded: `cost, a, b`.

    The void stands last. It takes the difference of the sizes, so one of its two masses is zero.
    """
    rows, columns = width or (max(n for n, _ in sizes), max(m for _, m in sizes))
    cost = torch.full((len(sizes), rows + 1, columns + 1), 0.5, dtype=torch.float64)
    a, b = torch.zeros_like(cost[:, :, 0]), torch.zeros_like(cost[:, 0])
    for k, (n, m) in enumerate(sizes):
        inner = costs(100 * seed + k, n + 1, m + 1)
        cost[k, :n, :m] = inner[:n, :m]
        cost[k, :n, -1], cost[k, -1, :m] = inner[:n, m], inner[n, :m]
        a[k, :n], b[k, :m] = 1, 1
        a[k, -1], b[k, -1] = max(m - n, 0), max(n - m, 0)
    return cost, a, b


def two_points(cost: Tensor, temperature: float) -> Tensor:
    """The plan of 2 x 2 costs and unit masses, known exactly.

    Margins leave one number `p` free, `P = [[p, 1 - p], [1 - p, p]]`, and the plan is
    `a_i b_j exp(f_i + g_j - c_ij)`, so `p^2 / (1 - p)^2 = exp(c_01 + c_10 - c_00 - c_11)`.
    """
    gain = cost[..., 0, 1] + cost[..., 1, 0] - cost[..., 0, 0] - cost[..., 1, 1]
    p = torch.sigmoid(gain / (2 * temperature))
    return torch.stack([torch.stack([p, 1 - p], -1), torch.stack([1 - p, p], -1)], -2)


def loss_of(*weights: float, **settings: Any) -> StructuralLoss:
    """A loss from settings by their own names, whatever group they belong to."""
    groups: dict[str, Any] = {"alignment": Sinkhorn, "hints": Hints, "prices": Prices}
    for group, kind in groups.items():
        own = {f.name: settings.pop(f.name) for f in fields(kind) if f.name in settings}
        if own:
            settings[group] = kind(**own)
    return StructuralLoss(*weights, **settings)
