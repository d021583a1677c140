"""What is measured along a run, and on which pairs."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TypeVar

import torch

from ..data import Pair
from ..loss import StructuralLoss
from ..nn import GraphTransformNet
from ._data import Split, batches
from ._evaluate import share_exact
from ._history import Row
from ._module import measure

T = TypeVar("T")

MONITORED = 1000
"""Pairs that a measurement takes, at most."""
LEAST_MONITORED = 100
"""Training pairs that are measured after each epoch, if there are as many."""
MONITORED_SHARE = 0.1
"""Of the training pairs, where it is more. A pair measured costs a third of one trained on."""


class Monitor:
    """Measures a network on fixed samples of the pairs of a run.

    The loss of the training pairs is measured on all of them where they make one batch or are
    few, else on a sample, the same after every epoch.

    Args:
        network: The network in training.
        loss: What it is trained with.
        split: The pairs.
        batch_size: Pairs at a time.
    """

    def __init__(
        self, network: GraphTransformNet, loss: StructuralLoss, split: Split, batch_size: int
    ) -> None:
        self._network, self._loss, self._batch_size = network, loss, batch_size
        self._pairs = sample(split.train, _number(len(split.train), batch_size))
        self._known, self._held_out = sample(split.train, MONITORED), sample(split.val, MONITORED)
        self._batches = list(batches(self._pairs, split.alphabet, batch_size))
        self._val_batches = list(batches(self._held_out, split.alphabet, batch_size))

    @property
    def measured(self) -> int:
        """Number of training pairs that the loss is measured on."""
        return len(self._pairs)

    def __call__(self, validate: bool) -> Row:
        """The loss of the training pairs, and loss and exact matches of the validation pairs."""
        row: Row = asdict(measure(self._network, self._loss, self._batches))
        row |= {"val_total": math.nan, "val_exact": math.nan}
        if validate and self._held_out:
            row["val_total"] = measure(self._network, self._loss, self._val_batches).total
            row["val_exact"] = self._share(self._network, self._held_out)
        return row

    def share_known(self, network: GraphTransformNet) -> float:
        """The share of training pairs that a network reproduces exactly."""
        return self._share(network, self._known)

    def _share(self, network: GraphTransformNet, pairs: Sequence[Pair]) -> float:
        return share_exact(network, pairs, self._batch_size)


def sample(pairs: Sequence[T], number: int) -> Sequence[T]:
    """At most so many of the pairs, drawn at random but the same each time; in their order."""
    if len(pairs) <= number:
        return pairs
    drawn = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0))[:number]
    return [pairs[k] for k in sorted(drawn.tolist())]


def _number(pairs: int, batch_size: int) -> int:
    if pairs <= batch_size:
        return MONITORED
    return min(MONITORED, max(LEAST_MONITORED, round(MONITORED_SHARE * pairs)))
