"""Tells the loggers of a run how it goes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.loggers import Logger

from .._check import notice
from ._anomaly import Step
from ._gradient_norms import Groups, gradient_norms, layer_groups
from ._history import Row
from ._measure import reported


class Monitor(pl.Callback):
    """Records every so many steps, and what was measured of each epoch.

    Not through the trainer: with loggers of its own Lightning gathers what a step logs at every
    step. That takes as long as the loss of a small batch.

    Args:
        loggers: Whom to tell. One that fails is left out from then on: no run ends by it.
        every: Steps from one record to the next.
        rows: Measurements of the epochs so far.
        options: Of the run.
    """

    def __init__(
        self, loggers: Sequence[Logger], every: int, rows: Sequence[Row], options: dict[str, Any]
    ) -> None:
        self._loggers, self._every = list(loggers), every
        self._rows, self._told, self._options = rows, 0, options
        self._groups: Groups = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The options, and the state before the first step."""
        self._groups = layer_groups(pl_module)
        self._tell("log_hyperparams", self._options)
        self._tell_rows(trainer.global_step)

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """A step, before the gradient is clipped."""
        seen: list[Step] = getattr(pl_module, "seen", [])
        if not self._loggers or not seen or trainer.global_step % self._every:
            return
        found = {f"step/{name}": value for name, value in step_values(seen[-1]).items()}
        found["step/lr"] = optimizer.param_groups[0]["lr"]
        norms = gradient_norms(self._groups)
        found |= {f"gradient/{name}": float(norm) for name, norm in norms.items()}
        self._tell("log_metrics", finite(found), trainer.global_step)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The row of the epoch, which `History` has made."""
        del pl_module
        self._tell_rows(trainer.global_step)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Closes the loggers."""
        del trainer, pl_module, stage
        self._close("success")

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Closes the loggers of a run that failed."""
        del trainer, pl_module, exception
        self._close("failed")

    def _close(self, status: str) -> None:
        self._tell("finalize", status)
        self._loggers.clear()

    def _tell_rows(self, step: int) -> None:
        for row in self._rows[self._told :]:
            found = {f"epoch/{name}": value for name, value in row.items() if name != "epoch"}
            self._tell("log_metrics", finite(found), step)
        self._told = len(self._rows)

    def _tell(self, what: str, *arguments: Any) -> None:
        for logger in list(self._loggers):
            try:  # what it may raise is not known here
                getattr(logger, what)(*arguments)
            except Exception as error:  # noqa: BLE001
                self._loggers.remove(logger)
                kind, cause = type(logger).__name__, str(error).split("\n")[0]
                notice(f"{kind} failed and is told no more of this run: {cause}")


def step_values(step: Step) -> dict[str, float]:
    """What is told of a step: loss and terms, the alignment's residual, and its temperature."""
    assert step.result is not None
    values = {name: x.detach().double().mean() for name, x in reported(step.result).items()}
    values["not_converged"] = 1 - values.pop("converged")
    values["residual"] = step.result.residual.max()
    temperature = getattr(step.loss.spec.solver, "temperature", None)
    if isinstance(temperature, (int, float)):
        values["temperature"] = torch.tensor(float(temperature))
    return {name: float(value) for name, value in values.items()}


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """Without what was not measured, and what no logger can draw."""
    return {name: float(value) for name, value in values.items() if math.isfinite(value)}
