"""Means of the loss and its terms over a data set."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from ..loss import StructuralLoss, StructuralLossResult

PairBatch = tuple[Batch, Batch]
"""Inputs and encoded targets."""
Measured = dict[str, float]
"""Means by name: "total", each term of the loss, and "converged", the share of pairs whose
alignment met the tolerance."""


class Means:
    """Means of what a loss reports, each pair weighing the same; NaN where there was none.

    Args:
        names: What there is a mean of.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)
        self._sums, self._count = torch.zeros(len(self._names), dtype=torch.float64), 0

    def add(self, result: StructuralLossResult, pairs: int) -> None:
        """Takes in the result of a batch of so many pairs."""
        values = reported(result)
        shares = [values[name].double().mean().item() for name in self._names]
        self._sums += torch.tensor(shares, dtype=torch.float64) * pairs
        self._count += pairs

    def compute(self) -> Measured:
        """The means so far."""
        means = self._sums / self._count if self._count else self._sums * torch.nan
        return dict(zip(self._names, means.tolist(), strict=True))


def reported(result: StructuralLossResult) -> dict[str, Tensor]:
    """What a run records of a result, by the names of `names_of`."""
    return {"total": result.total, **result.terms, "converged": result.converged}


def names_of(loss: StructuralLoss) -> list[str]:
    """The names of what is recorded of a loss: the columns of metrics.csv after "epoch"."""
    return ["total", *loss.spec.weights, "converged"]


def weights_of(loss: StructuralLoss) -> dict[str, float]:
    """What the loss multiplies each of its terms by."""
    return loss.spec.weights


@torch.no_grad()
def measure(
    network: nn.Module,
    loss: StructuralLoss,
    batches: Iterable[PairBatch],
    watch: Callable[[StructuralLossResult], None] | None = None,
) -> Measured:
    """The loss and its terms over a data set.

    Args:
        network: Maps inputs to a `Prediction`; measured in evaluation mode.
        loss: Compares it with the targets.
        batches: The data set.
        watch: Called with the result of each batch.
    """
    training = network.training
    network.eval()
    means, device = Means(names_of(loss)), device_of(network)
    with same_noise(loss):
        for inputs, targets in batches:
            inputs, targets = inputs.to(device), targets.to(device)
            result = loss(network(inputs), targets)
            if watch is not None:
                watch(result)
            means.add(result, targets.num_graphs)
    network.train(training)
    return means.compute()


def device_of(network: nn.Module) -> torch.device:
    """Where the weights of a network are."""
    return next((p.device for p in network.parameters()), torch.device("cpu"))


@contextmanager
def same_noise(loss: StructuralLoss) -> Iterator[None]:
    """Within it the loss draws the same noise each time; training's generator stays as it was."""
    with torch.random.fork_rng() if loss.hints.noise else nullcontext():
        if loss.hints.noise:
            torch.manual_seed(0)
        yield
