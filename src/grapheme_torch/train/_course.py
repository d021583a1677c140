"""The course of a run: how far it is, and what follows from that for each step."""

import time
from typing import Any

import lightning.pytorch as pl

from ._module import TrainingModule
from ._optimization import Optimization


class Course(pl.Callback):
    """Sets learning rate and alignment before each step, and ends a run whose time is up.

    Args:
        module: What is trained.
        optimization: What they become along the run.
        minutes: Bound on its wall time. Default: none.
    """

    def __init__(
        self, module: TrainingModule, optimization: Optimization, minutes: float | None
    ) -> None:
        self._module, self._optimization = module, optimization
        self._bound = None if minutes is None else 60 * minutes
        self._began = time.monotonic()
        self._steps = 1
        self.lr = module.lr
        self.out_of_time = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        del pl_module
        self._began, self._steps = time.monotonic(), int(trainer.estimated_stepping_batches)

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Learning rate and alignment of the step."""
        share = self._share(trainer.global_step)
        self.lr = self._module.lr * self._optimization.rate(share)
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = self.lr
        final, now = self._module.loss, self._module.step_loss
        now.temperature = self._optimization.temperature(share, final.temperature)
        now.position_weight = self._optimization.position_weight(share, final.position_weight)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Ends the run after a step in which the time has run out."""
        if self._bound is not None and time.monotonic() - self._began >= self._bound:
            self.out_of_time = trainer.should_stop = True

    def _share(self, step: int) -> float:
        """Share of the run that is over, by steps or by time, whichever is ahead.

        A step stands for its middle, so that neither the first nor the last is for nothing.
        """
        by_steps = (step + 0.5) / self._steps
        if self._bound is None:
            return min(by_steps, 1.0)
        return min(max(by_steps, (time.monotonic() - self._began) / self._bound), 1.0)
