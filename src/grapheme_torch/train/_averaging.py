"""The exponential mean of the weights along a run."""

from typing import Any

import lightning.pytorch as pl
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..nn import GraphTransformNet


class Averaging(pl.Callback):
    """Follows a network in training with a second one, whose weights are the mean of its own.

    Args:
        network: The network in training.
        decay: What is kept of the mean at each step. None: there is no second network.
    """

    def __init__(self, network: GraphTransformNet, decay: float | None) -> None:
        self._trained, self._mean = network, None
        if decay is not None:
            self._mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay))

    @property
    def network(self) -> GraphTransformNet:
        """The one to measure and to keep."""
        if self._mean is None:
            return self._trained
        network = self._mean.module
        assert isinstance(network, GraphTransformNet)
        return network

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Goes where the network in training went."""
        del trainer
        self.network.to(pl_module.device)

    def on_train_batch_end(self, *_: Any) -> None:
        """Takes a step's weights in."""
        if self._mean is not None:
            self._mean.update_parameters(self._trained)
