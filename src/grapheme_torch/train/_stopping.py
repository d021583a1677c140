"""When a run ends, and which of its networks it keeps."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EarlyStopping

from .._check import require
from ._averaging import averaged
from ._checkpoints import is_last_step


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """When a run ends before its last epoch, and which of its networks it keeps.

    Args:
        minutes: Bound on the wall time of training. The run ends after the step in which it is
            reached. Its schedule follows the time where that is ahead of the steps. Default: none.
        val_every: Epochs from one validation to the next; the last epoch has one too.
        patience: Number of validations in a row without improvement that ends the run. Default:
            it does not end early.
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


def score(exact: int, pairs: int, loss: float) -> float:
    """One number for a validation, larger is better: exact matches, then the lower loss.

    Args:
        exact: Number of pairs reproduced exactly.
        pairs: Number of pairs, at least 1.
        loss: Mean loss; NaN, where none could be taken, is the worst.
    """
    worse = 1.0 if math.isnan(loss) else 0.5 + math.atan(loss) / math.pi  # in [0, 1]
    return (exact - worse) / pairs


class BestNetwork(pl.Callback):
    """Keeps the weights with the best "val_score"; of equal ones the later: it learned for longer.

    Not Lightning's `ModelCheckpoint`: that one writes a file at each improvement, and keeps the
    earlier of equal networks.

    Args:
        keep: "best"; with "last" it only tells which validation was the best.
    """

    def __init__(self, keep: Literal["best", "last"] = "best") -> None:
        self._keep = keep
        self._kept: Any = None
        self._resumed: dict[str, Any] | None = None
        self.best: dict[str, float] | None = None

    def state_dict(self) -> dict[str, Any]:
        """The best validation, and its weights if they are kept."""
        weights = None if self._kept is None else self._kept.state_dict()
        return {"best": self.best, "weights": weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keeps it until the module is there."""
        self.best, self._resumed = state_dict["best"], state_dict["weights"]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes up the best network of a run that goes on."""
        if self._resumed is not None:
            self._kept = copy.deepcopy(averaged(trainer, pl_module))
            self._kept.load_state_dict(self._resumed)
            self._resumed = None

    def kept(self, trainer: pl.Trainer, module: pl.LightningModule) -> Any:
        """The module to save: the best if one is kept, else the present one."""
        return averaged(trainer, module) if self._kept is None else self._kept

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compares; the untrained network is the first."""
        found = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if "val_score" not in found or trainer.state.fn != "fit":
            return
        if self.best is not None and found["val_score"] < self.best["val_score"]:
            return
        epoch = 0 if trainer.sanity_checking else trainer.current_epoch + 1
        self.best = {"epoch": epoch, **found}
        if self._keep == "best":
            now = averaged(trainer, pl_module)
            if self._kept is None:
                self._kept = copy.deepcopy(now)
            else:
                self._kept.load_state_dict(now.state_dict())


class Patience(EarlyStopping):
    """Lightning's early stopping by "val_score", with the untrained network as the first to beat.

    Args:
        validations: Number of validations in a row without a better one that ends the run.
    """

    def __init__(self, validations: int) -> None:
        super().__init__(
            "val_score", mode="max", patience=validations, check_on_train_epoch_end=False
        )

    @property
    def is_exhausted(self) -> bool:
        """Whether it ended the run."""
        return self.wait_count >= self.patience

    def on_sanity_check_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The score to beat."""
        del pl_module
        self.best_score = trainer.callback_metrics.get("val_score", torch.tensor(-math.inf))


class LastValidation(pl.Callback):
    """Validates after the last epoch too, whatever `check_val_every_n_epoch` says.

    Not where a signal comes in the last step of an epoch. A run that goes on after it is to be as
    if there had been none.

    Args:
        asked: Whether a signal asked the run to end.
    """

    def __init__(self, asked: Callable[[], bool] = lambda: False) -> None:
        self._asked = asked

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Asks for it, as soon as the epoch is known to be the last."""
        ends = trainer.should_stop and not (self._asked() and is_last_step(trainer))
        if ends or trainer.current_epoch + 1 == trainer.max_epochs:
            trainer.check_val_every_n_epoch = 1
