"""When the state of a run is saved, and what of it Lightning does not know."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Checkpoint
from torch.utils.data import DataLoader

from .._check import require
from ._processes import agreed, is_main


@dataclass(frozen=True, kw_only=True)
class Checkpointing:
    """When a run is saved; it goes on from there if it is stopped or killed.

    Args:
        epochs: Epochs from one checkpoint to the next.
        minutes: Minutes after which there is one within an epoch; None: none.
        steps: Steps after which there is one within an epoch. Default: none.
        share: Part of the time that checkpoints after an epoch may take: after a short epoch
            there is none yet. 1: there is always one.

    Raises:
        InputError: If an argument is out of range.
    """

    epochs: int = 1
    minutes: float | None = 1.0
    steps: int | None = None
    share: float = 0.1

    def __post_init__(self) -> None:
        remedy = "1 saves after each epoch."
        require(self.epochs >= 1, "`epochs`", "be at least 1", self.epochs, remedy)
        fits = self.minutes is None or 0 < self.minutes < math.inf
        remedy = "Leave it out for one minute."
        require(fits, "`minutes`", "be positive and finite", self.minutes, remedy)
        fits, remedy = self.steps is None or self.steps >= 1, "Leave it out, or try 1000."
        require(fits, "`steps`", "be at least 1", self.steps, remedy)
        fits, remedy = 0 < self.share <= 1, "1 saves after every epoch."
        require(fits, "`share`", "lie in (0, 1]", self.share, remedy)


class Saver(Checkpoint):
    """Saves the run after an epoch and between two steps; last of all callbacks.

    Not Lightning's `ModelCheckpoint`: that one writes one file, and a run is several that have
    to change together.

    Args:
        when: When it saves.
        save: Saves the run as it is now.
    """

    def __init__(self, when: Checkpointing, save: Callable[[], None]) -> None:
        self._when, self._save = when, save
        self._at, self._took, self._steps = time.monotonic(), 0.0, 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begins to count."""
        del pl_module
        self._at, self._steps = time.monotonic(), trainer.global_step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Saves where it is time, or the run is to end within its epoch."""
        if not ends_step(trainer):
            return
        steps, minutes = self._when.steps, self._when.minutes
        due = steps is not None and trainer.global_step - self._steps >= steps
        due = due or (minutes is not None and time.monotonic() - self._at >= 60 * minutes)
        if (agreed(trainer, due) or trainer.should_stop) and not is_last_step(trainer):
            self._now(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Saves where it is time, or the epoch is the last; never what a signal cut short."""
        del pl_module
        if not is_last_step(trainer):
            return
        epoch = trainer.current_epoch + 1
        due = epoch % self._when.epochs == 0
        share = self._when.share
        due = due and (share == 1 or (time.monotonic() - self._at) * share >= self._took)
        if agreed(trainer, due) or trainer.should_stop or epoch == trainer.max_epochs:
            self._now(trainer)

    def _now(self, trainer: pl.Trainer) -> None:
        began = time.monotonic()
        self._save()
        self._at, self._steps = time.monotonic(), trainer.global_step
        self._took = self._at - began


class Chance(pl.Callback):
    """The state of the random numbers, so that a run goes on as if it had never been stopped."""

    def __init__(self) -> None:
        self._resumed: dict[str, Any] | None = None
        self._between = False

    def state_dict(self) -> dict[str, Any]:
        """The state of all generators."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        return {"cpu": torch.get_rng_state(), "cuda": cuda, "between": self._between}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keeps it until the run goes on."""
        self._resumed = state_dict

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Goes on after an epoch: the pass over the data that begins draws a number itself."""
        del pl_module
        if self._resumed is not None and self._resumed["between"]:
            self._restore()
            if not getattr(trainer.train_dataloader, "num_workers", 0):
                iter(DataLoader([0]))  # type: ignore[arg-type]

    def on_train_batch_start(self, *_: Any) -> None:
        """Goes on within an epoch."""
        self._between = False
        self._restore()

    def on_train_epoch_end(self, *_: Any) -> None:
        """What is saved from now on is of the time between two epochs."""
        self._between = True

    def _restore(self) -> None:
        state, self._resumed = self._resumed, None
        if state is not None and is_main():  # the others have random numbers of their own
            torch.set_rng_state(state["cpu"])
            if state["cuda"]:
                torch.cuda.set_rng_state_all(state["cuda"])


def is_last_step(trainer: pl.Trainer) -> bool:
    """Whether the present step is the last of its epoch."""
    return _done(trainer) >= trainer.num_training_batches


def ends_step(trainer: pl.Trainer) -> bool:
    """Whether the weights have moved: no part of a batch is left."""
    return _done(trainer) % trainer.accumulate_grad_batches == 0


def _done(trainer: pl.Trainer) -> int:
    return int(trainer.fit_loop.epoch_loop.batch_progress.current.ready)
