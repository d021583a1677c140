"""The network and its loss as Lightning trains and validates them."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Timer
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim.lr_scheduler import LambdaLR
from torch_geometric.data import Data

from .._check import InputError, notice
from ..data import Alphabet
from ..loss import StructuralLoss, StructuralLossResult, geman_mcclure
from ..prediction import Prediction
from ._annealing import cooled
from ._anomaly import Step, is_sound, raise_anomaly, raise_refusal
from ._averaging import Averaging
from ._datamodule import HeldOut
from ._exact_match import num_exact
from ._foreign_batch import exact_of_classes, sides_of
from ._measure import Means, names_of, same_noise
from ._optimization import Optimization
from ._predict import alphabet_of
from ._smoothing import smoothed
from ._stopping import score


class TrainingModule(pl.LightningModule):
    """Trains a network with a structural loss; for any Lightning `Trainer`.

    A batch is `(inputs, targets)`: what the network takes, and targets as the loss takes them. It
    comes from `PairsDataModule` or from a loader of your own. Validation logs "val_total" and the
    terms ("val_node", ...). It also logs "val_exact", the share of pairs reproduced exactly, and
    "val_score". The score is one number, larger is better: exact matches first, then the loss.
    `ModelCheckpoint` and `EarlyStopping` can monitor it. Both are left out where batches of your
    own have no classes to compare, and a `Notice` says why. Vectors have none, and unknown classes,
    and a network that copies labels of its inputs.

    Args:
        network: Maps a batch of graphs to a `Prediction`.
        loss: Compares the prediction with a batch of encoded targets; its parameters are trained.
        lr: Learning rate of Adam.
        optimization: What is done beside plain Adam: schedule, clipping, averaging, annealing.
        alphabet: The strings of the predicted classes, to find exact matches. Default: those that
            the network names as `labels` and `relations`, if it does.

    Raises:
        InputError: If labels are to be smoothed that the loss does not compare by `Classes`. In a
            step, if the batch is no `(inputs, targets)`, or the loss refuses it.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: StructuralLoss,
        *,
        lr: float = 3e-3,
        optimization: Optimization | None = None,
        alphabet: Alphabet | None = None,
    ) -> None:
        super().__init__()
        self.network, self.loss, self.lr = network, loss, lr
        self.optimization = optimization or Optimization()
        if self.optimization.label_smoothing:
            smoothed(loss, self.optimization.label_smoothing)  # refused before the first step
        self.alphabet = alphabet
        self.seen: list[Step] = []  # what the next step of the optimiser goes by
        self._steps = float("inf")
        self._noise = ExitStack()
        self._means, self._exact, self._pairs = Means(()), 0, 0
        self._comparable, self._noticed = True, False

    def on_train_epoch_start(self) -> None:
        """Forgets the steps of a fit that was broken off."""
        self.seen = []

    def training_step(self, batch: Sequence[Any], batch_idx: int) -> Tensor:
        """The mean loss of a batch of `(inputs, targets)`."""
        del batch_idx  # part of Lightning's interface
        inputs, targets = sides_of(batch)
        trainer: Any = self.trainer  # Lightning adds its profiler later
        prediction, loss = self.network(inputs), self.step_loss()
        try:
            with trainer.profiler.profile("loss"):
                result = self._bounded(loss, prediction, targets)
        except InputError as error:
            refused = Step(inputs, targets, prediction, loss, None, self.global_step)
            raise_refusal(error, refused, self.current_epoch + 1)
        self.seen.append(Step(inputs, targets, prediction, loss, result, self.global_step))
        total: Tensor = result.total
        share = float(targets.get("share", 1.0))
        # A record of Lightning takes as long as the loss of a small batch.
        if self.trainer.loggers or self.trainer.progress_bar_callback:
            self.log("loss", total, prog_bar=True, batch_size=prediction.num_graphs)
        return total if share == 1 else share * total

    def _bounded(
        self, loss: StructuralLoss, prediction: Prediction, targets: Any
    ) -> StructuralLossResult:
        """What the loss says of a batch; its total is what the step goes by."""
        bound = self.optimization.bound
        if bound is None:
            return loss(prediction, targets)
        result = loss.replace(reduction="none")(prediction, targets)
        each = geman_mcclure(result.total, bound)
        return replace(result, total=each.sum() if loss.reduction == "sum" else each.mean())

    def step_loss(self) -> StructuralLoss:
        """What the next step goes by: the loss, but for what is annealed."""
        chosen, loss = self.optimization, self.loss
        share = self.share(self.global_step) if chosen.anneals else 1.0
        if chosen.temperature_start is not None:
            loss = cooled(loss, chosen, share)
        if chosen.position_start is not None:
            now = chosen.position(share, loss.hints.position)
            loss = loss.replace(hints=replace(loss.hints, position=now))
        if chosen.label_smoothing:
            loss = smoothed(loss, chosen.label_smoothing)
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Stops before a loss or a gradient that is not finite reaches the weights."""
        seen, self.seen = self.seen, []
        # Not `self.parameters()`: to walk through all modules takes as long as the norm.
        moved = (p for group in optimizer.param_groups for p in group["params"])
        norm = get_total_norm([p.grad for p in moved if p.grad is not None])
        if not is_sound(seen, norm):
            raise_anomaly(seen, self.network, self._named(), self.current_epoch + 1)

    def _named(self) -> Iterator[tuple[str, Tensor]]:
        """All parameters; those of the network by their names in it."""
        for name, parameter in self.named_parameters():
            yield name.removeprefix("network."), parameter

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clips to `optimization.clip`, or else as the trainer says."""
        clip = self.optimization.clip
        if clip is not None:
            gradient_clip_val, gradient_clip_algorithm = clip, "norm"
        self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)

    def configure_optimizers(self) -> Any:
        """Adam, or AdamW if weights decay; the schedule, if there is one, moves at each step."""
        optimizer = self._optimizer()
        self._steps = float(self.trainer.estimated_stepping_batches)
        if self.optimization.is_constant:
            return optimizer
        rate = LambdaLR(optimizer, lambda step: self.optimization.rate(self.share(step)))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": rate, "interval": "step"}}

    def _optimizer(self) -> torch.optim.Optimizer:
        """All tensors of network and loss in one step."""
        parameters = [p for p in self.parameters() if p.requires_grad]
        decay = self.optimization.weight_decay
        if not decay:
            return torch.optim.Adam(parameters, lr=self.lr, fused=True)
        # Biases and norms have no reason to be near zero.
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.lr, fused=True)

    def configure_callbacks(self) -> list[pl.Callback]:
        """The average of the weights, if there is to be one."""
        decay = self.optimization.ema_decay
        return [] if decay is None else [Averaging(decay)]

    def share(self, step: int) -> float:
        """Share of the run that is over at a step, by steps or by time, whichever is ahead.

        Time counts where the trainer has a bound on it (`max_time`, Lightning's `Timer`). A step
        stands for its middle, so that neither the first nor the last is without effect.
        """
        callbacks: list[pl.Callback] = getattr(self.trainer, "callbacks", [])
        by_time = 0.0
        for timer in (one for one in callbacks if isinstance(one, Timer)):
            left, spent = timer.time_remaining(), timer.time_elapsed()
            if left is not None:
                by_time = max(by_time, spent / (spent + left))
        if by_time and self.trainer.world_size > 1:  # clocks differ, and weights must not
            by_time = self.trainer.strategy.broadcast(by_time)
        return min(max((step + 0.5) / self._steps, by_time), 1.0)

    def on_validation_epoch_start(self) -> None:
        """Begins to count."""
        self._means, self._exact, self._pairs = Means(names_of(self.loss)), 0, 0
        self._comparable = True
        self._noise.enter_context(same_noise(self.loss))

    def validation_step(self, batch: HeldOut | Sequence[Any], batch_idx: int) -> None:
        """The loss and the exact matches of a batch, in the precision of the weights."""
        del batch_idx  # part of Lightning's interface
        with torch.autocast(self.device.type, enabled=False):  # as the model will be read
            if isinstance(batch, HeldOut):
                self._validate_pairs(batch)
            else:
                self._validate_classes(*sides_of(batch))

    def _validate_pairs(self, held: HeldOut) -> None:
        """Takes in pairs of `PairsDataModule`, whose graphs have labels."""
        if held.batch is not None:
            inputs, targets = held.batch
            self._means.add(self.loss(self.network(inputs), targets), targets.num_graphs)
        self._exact += num_exact(self.network, held.pairs, self.alphabet)
        self._pairs += len(held.pairs)

    def _validate_classes(self, inputs: Any, targets: Data) -> None:
        """Takes in a batch of the user's own, whose targets have classes, maybe."""
        prediction = self.network(inputs)
        self._means.add(self.loss(prediction, targets), prediction.num_graphs)
        named = hasattr(self.network, "labels") and hasattr(self.network, "relations")
        alphabet = self.alphabet or (alphabet_of(self.network) if named else None)
        try:
            self._exact += exact_of_classes(self.network, prediction, targets, alphabet)
            self._pairs += prediction.num_graphs
        except InputError as error:
            self._comparable = False
            if not self._noticed:
                notice(f"val_exact and val_score are not logged: {error}")
            self._noticed = True

    def on_validation_epoch_end(self) -> None:
        """Logs the means over all validation pairs."""
        self._noise.close()
        found = {f"val_{name}": value for name, value in self._means.compute().items()}
        if not self.trainer.loggers:  # then nobody looks at the terms apart
            found = {"val_total": found["val_total"]}
        if self._pairs and self._comparable:
            found["val_exact"] = self._exact / self._pairs
            found["val_score"] = score(self._exact, self._pairs, found["val_total"])
        exact = {name: torch.tensor(x, dtype=torch.float64) for name, x in found.items()}
        self.log_dict(exact, batch_size=1)
