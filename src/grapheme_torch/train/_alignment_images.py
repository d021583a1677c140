"""A Lightning callback that draws alignments into the loggers of any trainer."""

from collections.abc import Callable, Iterator
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from torch_geometric.data import Batch, Data

from .._check import notice, require
from ..loss import StructuralLoss
from ..plot import plan_figure

TAG = "alignment"
"""Pictures are named "alignment/0", "alignment/1", ..."""


class AlignmentImages(pl.Callback):
    """Draws the plans of a few pairs every so many epochs: how the alignment becomes sharp.

    A logger gets pictures if it has `log_image(key, images, step)`, as that of Weights & Biases,
    or if its `experiment` has `add_image(tag, array, step)`, as that of TensorBoard. Others, such
    as `CSVLogger`, are passed over. A logger that fails is left out from then on.

    Args:
        inputs, targets: A batch as the network and the loss take it.
        pairs: How many of its pairs to draw.
        every: Epochs from one picture to the next; there is one before the first step.
        network, loss: Names of the attributes of the module that hold them.

    Raises:
        InputError: If `pairs` or `every` is below 1. When the fit starts, if the module has no
            such attributes.
    """

    def __init__(
        self,
        inputs: Any,
        targets: Data | Batch,
        *,
        pairs: int = 2,
        every: int = 5,
        network: str = "network",
        loss: str = "loss",
    ) -> None:
        for name, value in (("pairs", pairs), ("every", every)):
            require(value >= 1, f"`{name}`", "be at least 1", value, "Leave it out.")
        self._batch, self._pairs, self._every = (inputs, targets), pairs, every
        self._names = {"network": network, "loss": loss}
        self._failed: list[Logger] = []

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Refuses a module whose parts it does not find, and draws the state before training."""
        for what, name in self._names.items():
            found, remedy = hasattr(pl_module, name), f"Say AlignmentImages(..., {what}=...)."
            kind = type(pl_module).__name__
            require(found, "the module", f"have an attribute `{name}`", kind, remedy)
        self._draw(trainer, pl_module, 0)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draws after every so many epochs."""
        if (trainer.current_epoch + 1) % self._every == 0:
            self._draw(trainer, pl_module, trainer.global_step)

    def _draw(self, trainer: pl.Trainer, module: pl.LightningModule, step: int) -> None:
        tellers = [] if not trainer.is_global_zero else list(self._tellers(trainer.loggers))
        if not tellers:
            return
        images = self._images(module)
        for logger, tell in tellers:
            try:  # what it may raise is not known here
                for k, image in enumerate(images):
                    tell(f"{TAG}/{k}", image, step)
            except Exception as error:  # noqa: BLE001
                self._failed.append(logger)
                kind, cause = type(logger).__name__, str(error).split("\n")[0]
                notice(f"{kind} failed and gets no more pictures of this run: {cause}")

    def _tellers(self, loggers: list[Logger]) -> Iterator[tuple[Logger, Callable[..., None]]]:
        """The loggers that take pictures, each with how it is given one."""
        for logger in loggers:
            if logger in self._failed:
                continue
            if hasattr(logger, "log_image"):
                yield logger, _log_image(logger)
            elif hasattr(experiment := getattr(logger, "experiment", None), "add_image"):
                yield logger, _add_image(experiment)

    @torch.no_grad()
    def _images(self, module: Any) -> list[np.ndarray]:
        network, loss = (getattr(module, name) for name in self._names.values())
        assert isinstance(loss, StructuralLoss)
        inputs, targets = (_moved(side, module.device) for side in self._batch)
        training = network.training
        network.eval()
        with torch.autocast(module.device.type, enabled=False):
            plan = loss(network(inputs), targets).plan
        network.train(training)
        return [_pixels(plan[k]) for k in range(min(self._pairs, len(plan)))]


def _moved(side: Any, device: torch.device) -> Any:
    return side.to(device) if hasattr(side, "to") else side


def _pixels(plan: torch.Tensor) -> np.ndarray:
    """The picture of a plan; axes: row, column, red green blue."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(plan_figure(plan))  # parts of it have no types
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _log_image(logger: Any) -> Callable[..., None]:
    return lambda key, image, step: logger.log_image(key=key, images=[image], step=step)


def _add_image(experiment: Any) -> Callable[..., None]:
    return lambda key, image, step: experiment.add_image(key, image, step, dataformats="HWC")
