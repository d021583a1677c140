"""The exponential average of the weights along a run."""

from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class Averaging(WeightAveraging):
    """Lightning's average of the weights, all tensors in one step, which can be looked at.

    Not Lightning's `EMAWeightAveraging`: it goes through the tensors one by one.

    Args:
        decay: What is kept of the average at each step.
    """

    def __init__(self, decay: float) -> None:
        self._move = get_ema_multi_avg_fn(decay)
        super().__init__(use_buffers=False, multi_avg_fn=self._move)
        self._weights: list[list[Tensor]] = []
        self._others: list[list[Tensor]] = []

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Makes the average; the tensors of an earlier fit are none of this one's."""
        super().setup(trainer, pl_module, stage)
        self._weights = []

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any
    ) -> None:
        """Moves the average after a step of the optimiser, as Lightning does.

        Tensors are looked up once: to walk through all modules takes as long as a small loss.
        """
        average = self._average_model
        if average is None or not self._weights:
            super().on_train_batch_end(trainer, pl_module, *args)
            if average is not None and self._latest_update_step == trainer.global_step:
                self._weights, self._others = _tensors(average.module, pl_module)
        elif trainer.global_step > self._latest_update_step:
            own, theirs = self._weights
            self._move(own, theirs, average.n_averaged)
            with torch.no_grad():
                for kept, now in zip(*self._others, strict=True):
                    kept.copy_(now)
            average.n_averaged += 1
            self._latest_update_step = trainer.global_step

    @property
    def average(self) -> Any:
        """The module with the average of the weights; None before the fit."""
        return None if self._average_model is None else self._average_model.module


def averaged(trainer: pl.Trainer, module: pl.LightningModule) -> Any:
    """The module to measure and to keep: the average of the one in training, if there is one."""
    callbacks: list[pl.Callback] = getattr(trainer, "callbacks", [])
    for callback in callbacks:
        if isinstance(callback, Averaging) and callback.average is not None:
            return callback.average
    return module


def _tensors(*modules: nn.Module) -> tuple[list[list[Tensor]], list[list[Tensor]]]:
    """Of each module the weights that are averaged, and what else is kept the same.

    None where they are on several devices: Lightning then moves them at each step.
    """
    of = [list(module.parameters()) for module in modules]
    if len({p.device for each in of for p in each}) > 1:
        return [], []
    weights: list[list[Tensor]] = [[p for p in each if p.is_floating_point()] for each in of]
    others = [
        [*(p for p in each if not p.is_floating_point()), *module.buffers()]
        for each, module in zip(of, modules, strict=True)
    ]
    return weights, others
