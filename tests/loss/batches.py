"""Random batches of every kind, and the native kernel beside the program in PyTorch on them."""

from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import Prediction, StructuralLoss, StructuralLossResult
from grapheme_torch.loss.batch._pairs import Pairs
from grapheme_torch.loss.batch._read import read
from grapheme_torch.ot import backend, set_backend

from ..problems import distance_between, join, leaf, leaves, loss_of, random_pairs, union, upward

KINDS: list[Any] = ["labels", "labels", "features", "gaussian", "multilabel", distance_between]


def problem(
    seed: int,
    sizes: list[tuple[int, int]],
    *,
    directed: bool = True,
    weighted: bool = False,
    kind: Any = "labels",
    loops: bool = False,
    both_ways: bool = False,
) -> tuple[Prediction, Data]:
    """A random batch for a loss with these options; edges stand in any order.

    Args:
        seed: Of all random numbers.
        sizes: Predicted and target nodes of each pair.
        directed: Whether candidates go both ways.
        weighted: Whether edges have weights.
        kind: The node cost.
        loops: Whether half of the nodes have an edge to themselves, on either side.
        both_ways: Whether each target edge is there in both directions.
    """
    predictions, targets = random_pairs(seed, sizes)
    prediction, target = join(predictions), union(targets)
    rng = torch.Generator().manual_seed(seed)
    if loops:
        prediction, target = with_loops(prediction, target, rng)
    if kind != "labels":
        if kind != "gaussian":
            prediction = replace(prediction, label=prediction.label[:, :2])
        target.y = torch.rand(len(target.y), 2, generator=rng, dtype=torch.float64).round()
    if weighted:
        noise = torch.randn(len(prediction.relation), generator=rng, dtype=torch.float64)
        prediction = replace(prediction, weight=noise)
        target.edge_weight = torch.rand(target.edge_index.shape[1], generator=rng)
    if both_ways:
        target = doubled(target)
    shuffle = torch.randperm(len(prediction.relation), generator=rng)
    prediction = replace(
        prediction,
        edge_index=prediction.edge_index[:, shuffle],
        relation=prediction.relation[shuffle],
        weight=None if prediction.weight is None else prediction.weight[shuffle],
    )
    prediction = leaf(prediction if directed else upward(prediction))
    if prediction.weight is not None:
        prediction = replace(prediction, weight=prediction.weight.clone().requires_grad_())
    return prediction, target


def pair_up(prediction: Prediction, target: Data, **settings: Any) -> Pairs:
    """A batch, checked and laid out as a loss with these settings has it."""
    return read(prediction, target, loss_of(**settings).spec)


def with_loops(
    prediction: Prediction, target: Data, rng: torch.Generator
) -> tuple[Prediction, Data]:
    """The same with edges from nodes to themselves."""

    def drawn(count: int) -> Tensor:
        return (torch.rand(count, generator=rng) < 0.5).nonzero()[:, 0].expand(2, -1)

    at, wanted = drawn(len(prediction.existence)), drawn(len(target.y))
    columns = prediction.relation.shape[1]
    logits = torch.randn(at.shape[1], columns, generator=rng, dtype=torch.float64)
    prediction = replace(
        prediction,
        edge_index=torch.cat([prediction.edge_index, at], 1),
        relation=torch.cat([prediction.relation, logits]),
    )
    kinds = torch.randint(1, columns, (wanted.shape[1],), generator=rng)
    target.edge_index = torch.cat([target.edge_index, wanted], 1)
    target.edge_type = torch.cat([target.edge_type, kinds])
    return prediction, target


def doubled(target: Data) -> Data:
    """The same with every edge but loops in both directions."""
    twin = target.edge_index[0] != target.edge_index[1]
    target = target.clone()
    for name in ("edge_type", "edge_weight"):
        if name in target:
            target[name] = torch.cat([target[name], target[name][twin]])
    turned = target.edge_index[:, twin].flip(0)
    target.edge_index = torch.cat([target.edge_index, turned], 1)
    return target


def solved(
    name: Any, loss: StructuralLoss, prediction: Prediction, target: Data
) -> tuple[StructuralLossResult, list[Tensor]]:
    """Result and gradients, of terms and plan together where the plan has one."""
    before = backend()
    set_backend(name)
    result = loss(prediction, target)
    set_backend(before)
    rng = torch.Generator().manual_seed(0)

    def drawn(x: Tensor) -> Tensor:
        return (x * torch.randn(x.shape, generator=rng, dtype=torch.float64).to(x.dtype)).sum()

    value = sum(drawn(x) for x in (result.total, result.node, result.edge, result.clique))
    assert isinstance(value, Tensor)
    if result.plan.padded.requires_grad:
        value = value + drawn(result.plan.padded)
    weights = [] if prediction.weight is None else [prediction.weight]
    wanted = [*leaves(prediction), *weights, *learning(target)]
    return result, list(torch.autograd.grad(value, wanted, materialize_grads=True))


def learning(target: Data) -> list[Tensor]:
    """The tensors of a target that require gradients."""
    found = (target.get(name) for name in ("y", "edge_weight", "position"))
    return [x for x in found if isinstance(x, Tensor) and x.requires_grad]


class Gaps(NamedTuple):
    """The largest differences, relative to the largest number of a tensor if above one.

    Args:
        values: Of what is found.
        slopes: Of the gradients.
        unequal: How many pairs took another number of iterations; these are left out.
    """

    values: float
    slopes: float
    unequal: int


def gap(mine: Tensor, other: Tensor) -> float:
    """The largest difference of two tensors, relative."""
    if not mine.numel():
        return 0.0
    scale = max(1.0, float(other.detach().abs().max()))
    return float((mine - other).detach().abs().max()) / scale


def compare(
    loss: StructuralLoss, prediction: Prediction, target: Data, *, strict: bool = True
) -> Gaps:
    """The operator beside the program in PyTorch.

    Args:
        loss: With `reduction="none"`.
        prediction, target: What it compares.
        strict: Whether another number of iterations is an error. Cold pairs may take one more,
            or fewer: the length of Newton's path hangs on the last bits of a linear system.
    """
    mine, own = solved("native", loss, prediction, target)
    other, plain = solved("pytorch", loss, prediction, target)
    same = mine.converged == other.converged
    if loss.alignment.gradient == "detach":  # the kernel ends its rounds early
        assert (mine.iterations <= other.iterations).all()
    else:
        same = same & (mine.iterations == other.iterations)
    if strict:
        assert same.all()
    names = ("total", "node", "edge", "clique", "residual")
    values = [gap(getattr(mine, name)[same], getattr(other, name)[same]) for name in names]
    values.append(gap(mine.plan.padded[same], other.plan.padded[same]))
    edges = same[prediction.batch[prediction.edge_index[0]]]
    nodes = same[prediction.batch]
    places = [] if prediction.position is None else [nodes]
    weights = [] if prediction.weight is None else [edges]
    kept = [nodes, nodes, edges, *places, *weights]
    # What a target learns is summed over the pair's rounds alone: compared where all pairs agree.
    kept += [torch.full((len(x),), bool(same.all())) for x in learning(target)]
    slopes = [gap(x[k], y[k]) for x, y, k in zip(own, plain, kept, strict=True)]
    return Gaps(max(values), max(slopes), int((~same).sum()))
