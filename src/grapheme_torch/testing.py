"""Laws as assertions: what must hold for the loss, and for a user's own model with it.

Each raises `AssertionError` with the largest deviation found, and returns None if all is well.
Give float64 models and predictions: the default tolerances are for them.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor
from torch_geometric.data import Batch, Data

from .gradients import check_gradients
from .graphs import membership
from .loss import StructuralLossResult
from .prediction import Prediction

PredictionLoss = Callable[[Prediction, Data], StructuralLossResult]


def assert_permutation_invariant(
    loss: PredictionLoss, prediction: Prediction, target: Data, *, seed: int = 0, tol: float = 1e-9
) -> None:
    """Asserts that renumbering the nodes within their graphs, on either side, keeps the total.

    Args:
        loss: A structural loss.
        prediction: A batch of soft graphs; positions move along with their nodes.
        target: As many targets.
        seed: Of the permutations.
        tol: Largest difference accepted, relative to the larger of one and the total.

    Raises:
        AssertionError: If the total changes.
    """
    generator = torch.Generator().manual_seed(seed)
    before = loss(prediction, target).total
    turned = permute_prediction(prediction, _shuffle(prediction.batch, generator))
    _assert_close("permuting the predicted nodes", loss(turned, target).total, before, tol)
    turned_target = permute_target(target, _shuffle(membership(target)[0], generator))
    _assert_close("permuting the target nodes", loss(prediction, turned_target).total, before, tol)


def assert_batch_invariant(
    loss: PredictionLoss, prediction: Prediction, targets: Sequence[Data], *, tol: float = 1e-9
) -> None:
    """Asserts that the loss of a batch is made of the losses that its pairs have alone.

    Args:
        loss: A structural loss with `reduction="none"`.
        prediction: A batch of soft graphs.
        targets: The target of each.
        tol: Largest difference accepted, relative to the larger of one and the total.

    Raises:
        AssertionError: If a pair alone has another total than in the batch.
    """
    together = loss(prediction, Batch.from_data_list(list(targets))).total
    for k, target in enumerate(targets):
        alone = loss(select_prediction(prediction, k), Batch.from_data_list([target])).total
        _assert_close(f"taking pair {k} out of its batch", alone, together[k : k + 1], tol)


def assert_model_batch_invariant(
    model: Callable[[Any], Prediction], graphs: Sequence[Data], *, tol: float = 1e-9
) -> None:
    """Asserts that a model says the same of a graph alone as in a batch.

    Args:
        model: Maps a `Batch` to a `Prediction`.
        graphs: Input graphs.
        tol: Largest difference of a logit accepted, relative to the larger of one and the logit.

    Raises:
        AssertionError: If an output differs.
    """
    together = model(Batch.from_data_list(list(graphs)))
    for k, graph in enumerate(graphs):
        alone, part = model(Batch.from_data_list([graph])), select_prediction(together, k)
        for name in ("existence", "label", "relation"):
            action = f"taking graph {k} out of its batch (`{name}`)"
            _assert_close(action, getattr(alone, name), getattr(part, name), tol)


def assert_gradients_exact(
    model: torch.nn.Module,
    loss: Callable[[Any, Any], Any],
    batch: Any,
    target: Any,
    *,
    bound: float = 1e-6,
) -> None:
    """Asserts that the gradient of every parameter agrees with finite differences.

    Args:
        model, loss, batch, target: As `check_gradients` takes them.
        bound: Largest relative error accepted.

    Raises:
        AssertionError: With the table of `check_gradients`, if a gradient is wrong or not finite.
    """
    report = check_gradients(model, loss, batch, target, bound=bound)
    if not report.passed:
        raise AssertionError(f"a gradient is not the derivative of the loss\n{report}")


def permute_prediction(prediction: Prediction, order: Int[Tensor, " n"]) -> Prediction:
    """The same prediction with node `order[k]` as node `k`; `order` stays within each graph."""
    return prediction.take(order, edge_index=_place(order)[prediction.edge_index])


def permute_target(target: Data, order: Int[Tensor, " m"]) -> Data:
    """The same target with node `order[k]` as node `k`; `order` stays within each graph."""
    turned = copy.copy(target)
    turned.y = target.y[order]
    assert target.edge_index is not None
    turned.edge_index = _place(order)[target.edge_index]
    if target.get("position") is not None:
        turned.position = target.position[order]
    return turned


def select_prediction(prediction: Prediction, graph: int) -> Prediction:
    """The part of a prediction that concerns one graph, as a batch of one."""
    return prediction.select(graph)


def _place(order: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """Where each node went: the inverse of `order`."""
    return torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=order.device))


def _shuffle(batch: Int[Tensor, " n"], generator: torch.Generator) -> Int[Tensor, " n"]:
    """A random order of the nodes that keeps those of a graph together."""
    noise = torch.rand(len(batch), generator=generator, dtype=torch.float64).to(batch.device)
    return (batch + noise).argsort()


def _assert_close(action: str, after: Tensor, before: Tensor, tol: float) -> None:
    if after.shape != before.shape:
        shapes = f"{tuple(before.shape)} to {tuple(after.shape)}"
        raise AssertionError(f"{action} changes the shape of the result from {shapes}")
    scale = before.detach().abs().clamp(min=1)
    gap = ((after - before).detach().abs() / scale).max().item() if before.numel() else 0.0
    if not gap <= tol:
        raise AssertionError(f"{action} changes the result by {gap:.2e}, more than {tol:.0e}")
