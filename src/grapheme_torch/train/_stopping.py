"""When a run ends, and which of its networks it keeps."""

import copy
import math
from dataclasses import dataclass
from typing import Literal

import lightning.pytorch as pl

from .._check import require
from ..nn import GraphTransformNet
from ._history import Row


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """When a run ends before its last epoch, and which of its networks it keeps.

    Args:
        minutes: Bound on the wall time of training; the run ends after the step in which it is
            reached, and its schedule goes by time where that is ahead of the steps. Default: none.
        val_every: Epochs from one validation to the next; the last epoch has one too.
        patience: Number of validations in a row without a better one that ends the run. Default:
            it goes on.
        keep: Which network is saved: "best", the one that reproduces most validation pairs
            exactly (of equals, the one with the lower validation loss), or "last". Without
            validation pairs it is the last.

    Raises:
        InputError: If an argument is out of range.
    """

    minutes: float | None = None
    val_every: int = 1
    patience: int | None = None
    keep: Literal["best", "last"] = "best"

    def __post_init__(self) -> None:
        fits = self.minutes is None or 0 < self.minutes < math.inf
        remedy = "Leave it out to train all epochs."
        require(fits, "`minutes`", "be positive and finite", self.minutes, remedy)
        remedy = "1 validates after each epoch."
        require(self.val_every >= 1, "`val_every`", "be at least 1", self.val_every, remedy)
        fits, remedy = self.patience is None or self.patience >= 1, "Leave it out, or try 5."
        require(fits, "`patience`", "be at least 1", self.patience, remedy)
        require(self.keep in ("best", "last"), "`keep`", "be best or last", self.keep, "Try best.")


class Selection(pl.Callback):
    """Compares the validations of a run: keeps the best network, ends a run that stands still.

    Args:
        network: The network in training.
        rows: Metrics of the epochs so far; the last row is that of the present weights.
        validated: Whether there are validation pairs.
        stopping: What to keep, and when to end.
    """

    def __init__(
        self, network: GraphTransformNet, rows: list[Row], *, validated: bool, stopping: Stopping
    ) -> None:
        self._network, self._rows, self._patience = network, rows, stopping.patience
        apart = validated and stopping.keep == "best"
        self.kept = copy.deepcopy(network) if apart else network
        self.best: Row | None = None
        self.stopped_early = False
        self._waited = 0

    def begin(self) -> None:
        """The untrained network is the first to beat; to be called before `Trainer.fit`."""
        self._compare()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compares, where the epoch was validated."""
        del pl_module
        self._compare()
        if self._patience is not None and self._waited >= self._patience:
            self.stopped_early = trainer.should_stop = True

    def _compare(self) -> None:
        row = self._rows[-1]
        if math.isnan(row["val_exact"]):
            return
        better = self.best is None or _merit(row) > _merit(self.best)
        self._waited = 0 if better else self._waited + 1
        # Of networks that cannot be told apart the later one: it has learnt for longer.
        if self.best is None or _merit(row) >= _merit(self.best):
            self.best = row
            if self.kept is not self._network:
                self.kept.load_state_dict(self._network.state_dict())


def _merit(row: Row) -> tuple[float, float]:
    """What makes a validation better; a loss that nothing could be measured on is the worst."""
    loss = row["val_total"]
    return row["val_exact"], -math.inf if math.isnan(loss) else -loss
