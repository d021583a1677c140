"""The exponential average of the weights along a run."""

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import WeightAveraging
from torch.optim.swa_utils import get_ema_multi_avg_fn


class Averaging(WeightAveraging):
    """Lightning's average of the weights, all tensors in one step, which can be looked at.

    Not Lightning's `EMAWeightAveraging`: it goes through the tensors one by one.

    Args:
        decay: What is kept of the average at each step.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(use_buffers=False, multi_avg_fn=get_ema_multi_avg_fn(decay))

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
