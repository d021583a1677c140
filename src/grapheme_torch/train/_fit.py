"""A prepared run: Lightning fits it, and the folder gets what it came to."""

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.callbacks import Timer
from torch import Tensor, nn

from .._files import write_json
from ..plot import plot_losses
from ._console import Interrupt, Progress
from ._datamodule import PairsDataModule
from ._exact_match import share_exact
from ._folder import METRICS, PICTURE, SUMMARY, forget_outcome, save_options, save_weights
from ._history import Checkpoint, History, is_monotone
from ._module import TrainingModule
from ._stopping import BestNetwork, LastValidation, Patience, Stopping
from ._summary import Summary


@dataclass(frozen=True)
class Job:
    """What `train` prepared.

    Args:
        module, data: What is trained, and on what.
        out: Folder of the run.
        options: What train.yaml is to hold.
        stopping: When to end, and what to keep.
        device: Lightning's name of the accelerator.
        beside_a_run: Whether the folder holds an older run.
    """

    module: TrainingModule
    data: PairsDataModule
    out: Path
    options: dict[str, Any]
    stopping: Stopping
    device: str
    beside_a_run: bool


def fit(job: Job) -> Summary:
    """Trains, and writes the folder of the run."""
    return _Run(job).execute()


class _Run:
    """The state of one run, and what comes of it."""

    def __init__(self, job: Job) -> None:
        self.job, self.stopping = job, job.stopping
        self.history = History(job.out / METRICS, job.data, beside_a_run=job.beside_a_run)
        self.best = BestNetwork(self.stopping.keep)
        patience, minutes = self.stopping.patience, self.stopping.minutes
        self.patience = None if patience is None else Patience(patience)
        # No less than the clock can tell: of no time at all Lightning would not do a step.
        bound = None if minutes is None else max(timedelta(minutes=minutes), timedelta.resolution)
        self.timer = Timer(bound, verbose=False)
        self.interrupt = Interrupt()
        self.start = _flat(job.module.network)
        with _quiet_lightning():
            self.trainer = self._trainer()

    def execute(self) -> Summary:
        """Fits and writes."""
        began = time.perf_counter()
        with self.interrupt.listening():
            self._fit()
            self.kept.cpu()
            self._save()  # first of all: who asked to end may not wait for the rest
            summary = self._summary(time.perf_counter() - began)
            write_json(self.job.out / SUMMARY, asdict(summary))
            plot_losses(self.history.rows, self.job.out / PICTURE)
        return summary

    @property
    def kept(self) -> TrainingModule:
        """The module whose network is measured and saved."""
        module = self.best.kept(self.trainer, self.job.module)
        assert isinstance(module, TrainingModule)
        return module

    def _trainer(self) -> pl.Trainer:
        early = [] if self.patience is None else [self.patience]
        callbacks = [
            Checkpoint(self._save), self.timer, self.history, self.best, *early, LastValidation(),
            Progress(self.history.rows), self.interrupt,
        ]  # fmt: skip
        return pl.Trainer(
            max_epochs=self.job.options["epochs"], callbacks=callbacks,
            accelerator=self.job.device, devices=1,
            check_val_every_n_epoch=self.stopping.val_every,
            num_sanity_val_steps=-1,  # the untrained network is validated as a whole
            limit_val_batches=None if self.job.data.split.val else 0,
            # Without it Lightning would look for a cluster, and take over its signals.
            plugins=[LightningEnvironment()],
            logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False,
        )  # fmt: skip

    def _fit(self) -> None:
        with _quiet_lightning():
            try:
                self.trainer.fit(self.job.module, datamodule=self.job.data)
            except SystemExit as error:  # what Lightning makes of an interruption
                raise error.__context__ or KeyboardInterrupt from None

    def _save(self) -> None:
        """The options come last: they are what `--overwrite` and `saved_loss` go by."""
        kept = self.kept
        save_weights(self.job.out, kept.network, kept.loss, self.job.data.alphabet)
        forget_outcome(self.job.out)
        save_options(self.job.out, self.job.options)
        self.history.write()

    def _summary(self, seconds: float) -> Summary:
        rows, kept, data = self.history.rows, self.kept, self.job.data
        best = self.best.best
        first, last = rows[0]["total"], rows[-1]["total"]
        saved = rows[-1] if best is None or self.stopping.keep == "last" else best
        size = self.job.options["batch_size"]
        return Summary(
            initial_loss=first,
            final_loss=last,
            loss_ratio=last / first if first else 1.0,
            monotone=is_monotone(rows),
            parameter_change_l2=float((_flat(kept.network) - self.start).norm()),
            epochs=int(rows[-1]["epoch"]),
            steps=self.trainer.global_step,
            seconds=round(seconds, 3),
            exact_match=share_exact(kept.network, data.known, size, data.alphabet),
            val_exact_match=None if best is None else saved["val_exact"],
            best_epoch=None if best is None else int(best["epoch"]),
            saved_epoch=int(saved["epoch"]),
            stopped_early=self.patience is not None and self.patience.is_exhausted,
            out_of_time=self._out_of_time,
            interrupted=self.interrupt.number is not None,
            signal=self.interrupt.name,
            pairs=len(data.split.train),
            left_out=data.split.left_out,
            left_out_first=data.split.first_left_out,
            val_too_large=data.split.val_too_large,
            measured=data.num_measured,
            parameters=sum(p.numel() for p in kept.network.parameters()),
            seed=self.job.options["seed"],
        )

    @property
    def _out_of_time(self) -> bool:
        left = self.timer.time_remaining()
        return left is not None and left <= 0


def _flat(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().cpu().double().flatten() for p in model.parameters()])


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silences Lightning's remarks on hardware and workers; errors and our own words remain."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        logger.setLevel(level)
