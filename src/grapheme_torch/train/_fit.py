"""A prepared run: Lightning fits it, and the folder gets what it came to."""

import logging
import shutil
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Timer
from lightning.pytorch.loggers import Logger

from .._files import write_json
from .._versions import current, publishing
from ..plot import plot_losses
from ._answers import Answers
from ._checkpoints import Chance, Checkpointing, Saver
from ._console import Interrupt, Progress
from ._datamodule import PairsDataModule
from ._exact_match import all_not_exact
from ._folder import (
    ANSWERS,
    BOUNDS,
    METRICS,
    PICTURE,
    SUMMARY,
    save_options,
    save_weights,
    views,
)
from ._hardware import hardware_record
from ._history import History, is_monotone, still_falls
from ._measure import weights_of
from ._module import TrainingModule
from ._monitor import Monitor
from ._numerics import restored
from ._processes import Processes, is_main, is_of_connection, lost_process, patient_watch
from ._profile import PartsProfiler
from ._resume import ORIGIN, STATE, Resumed, check_state
from ._run_card import run_card
from ._slurm import requeue, requeue_signals
from ._start import Start
from ._stopping import BestNetwork, LastValidation, Patience, Stopping
from ._summary import Summary
from ._wrong_answers import causes, summed_up
from .choice import Choices


@dataclass(frozen=True)
class Job:
    """What `train` prepared.

    Args:
        module, data: What is trained, and on what.
        out: Folder of the run.
        options: What train.yaml is to hold.
        stopping: When to end, and what to keep.
        processes: How many train together.
        device: Lightning's name of the accelerator.
        checkpoint: When to save.
        resumed: The run that goes on; None of a new one.
        loggers: Whom to tell of the steps.
        choices: Options that the data chose, and why.
    """

    module: TrainingModule
    data: PairsDataModule
    out: Path
    options: dict[str, Any]
    stopping: Stopping
    processes: Processes
    device: str
    checkpoint: Checkpointing
    resumed: Resumed | None = None
    loggers: Sequence[Logger] = ()
    choices: Choices = field(default_factory=dict)


def fit(job: Job) -> Summary:
    """Trains, and writes the folder of the run."""
    with restored():
        return _Run(job).execute()


class _Run:
    """The state of one run, and what comes of it."""

    def __init__(self, job: Job) -> None:
        self.job, self.stopping = job, job.stopping
        self.history = History(job.data)
        self.answers = Answers(job.data, resumed=job.resumed is not None)
        self.best = BestNetwork(self.stopping.keep)
        patience, minutes = self.stopping.patience, self.stopping.minutes
        self.patience = None if patience is None else Patience(patience)
        # No less than the clock can tell: of no time at all Lightning would not do a step.
        bound = None if minutes is None else max(timedelta(minutes=minutes), timedelta.resolution)
        self.timer = Timer(bound, verbose=False)
        self.interrupt = Interrupt(requeue_signals())
        watched = job.options["monitoring"]["profile"]
        self.profiler = PartsProfiler(wait=job.device == "gpu") if watched else None
        self.start = Start(job.module.network)
        self.began = time.perf_counter()
        self.has_state = job.resumed is not None
        with _quiet_lightning():
            self.trainer = self._trainer()

    def execute(self) -> Summary:
        """Fits and writes."""
        self.began = time.perf_counter()
        with self.interrupt.listening():
            self._fit()
            self.kept.cpu()
            with self._timed("measurement"):
                summary = self._summary()
            if self.profiler is not None:
                summary = replace(summary, profile=self.profiler.shares())
            self._save(summary)
            if is_main() and self.interrupt.number in requeue_signals():
                requeue()
        return summary

    def _timed(self, part: str) -> AbstractContextManager[Any]:
        return nullcontext() if self.profiler is None else self.profiler.profile(part)

    @property
    def kept(self) -> TrainingModule:
        """The module whose network is measured and saved."""
        module = self.best.kept(self.trainer, self.job.module)
        assert isinstance(module, TrainingModule)
        return module

    def _trainer(self) -> pl.Trainer:
        early = [] if self.patience is None else [self.patience]
        last = LastValidation(lambda: self.interrupt.number is not None)
        numerics, options = self.job.options["numerics"], self.job.options
        every = options["monitoring"]["log_every"]
        callbacks = [
            self.start, Chance(), self.timer, self.history, self.answers, self.best, *early, last,
            Progress(self.history.rows), self.interrupt,
            Monitor(self.job.loggers, every, self.history.rows, options),
            Saver(self.job.checkpoint, self._save),
        ]  # fmt: skip
        return pl.Trainer(
            max_epochs=self.job.options["epochs"], callbacks=callbacks,
            accelerator=self.job.device, **self.job.processes.settings(),
            check_val_every_n_epoch=self.stopping.val_every,
            # The untrained network is validated as a whole; one that goes on, not once more.
            num_sanity_val_steps=-1 if self.job.resumed is None else 0,
            limit_val_batches=None if self.job.data.split.val else 0,
            precision=numerics["precision"], deterministic=numerics["deterministic"] or None,
            profiler=self.profiler, logger=False, enable_progress_bar=False,
            enable_model_summary=False,
        )  # fmt: skip

    def _fit(self) -> None:
        resumed = self.job.resumed
        path = None if resumed is None else resumed.state
        if path is not None:
            check_state(path)
        with _quiet_lightning(), patient_watch():
            try:
                self.trainer.fit(
                    self.job.module, datamodule=self.job.data, ckpt_path=path, weights_only=True
                )
            except SystemExit as error:  # what Lightning makes of an interruption
                raise error.__context__ or KeyboardInterrupt from None
            except RuntimeError as error:
                if self.trainer.world_size > 1 and is_of_connection(error):
                    raise lost_process(error) from None
                raise

    def _save(self, summary: Summary | None = None) -> None:
        """Saves all files of the run together; with a summary, at its end.

        The state of an ended run is that of its last checkpoint: a signal cuts an epoch short, and
        who goes on does so within it.
        """
        if not is_main():
            if summary is None:  # takes part: the first process writes
                self.trainer.save_checkpoint(self.job.out / STATE)
            return
        out, kept, digests = self.job.out, self.kept, self.job.data.digests
        card = None if summary is None else run_card(out, self.job.options, digests, summary)
        before = current(out) / STATE
        with publishing(out, self.trainer.global_step, views(out)) as folder:
            save_weights(folder, kept.network, kept.loss, self.job.data.alphabet, card)
            save_options(folder, self.job.options)
            origin = {"digests": digests, "hardware": hardware_record(self.job.device)}
            write_json(folder / ORIGIN, origin)
            self.history.write(folder / METRICS)
            self.answers.write(folder / ANSWERS)
            write_json(folder / BOUNDS, self.job.data.bounds.to_dict())
            if summary is None:
                self.start.seconds = self._seconds
                self.trainer.save_checkpoint(folder / STATE)
                self.has_state = True
            else:
                if self.has_state:
                    shutil.copyfile(before, folder / STATE)
                write_json(folder / SUMMARY, asdict(summary))
                plot_losses(self.history.rows, folder / PICTURE, weights_of(self.job.module.loss))

    @property
    def _seconds(self) -> float:
        return self.start.earlier + time.perf_counter() - self.began

    def _summary(self) -> Summary:
        rows, kept, data = self.history.rows, self.kept, self.job.data
        best = self.best.best
        first, last = rows[0]["total"], rows[-1]["total"]
        saved = rows[-1] if best is None or self.stopping.keep == "last" else best
        size, falling = self.job.options["batch_size"], still_falls(rows)
        wrong = all_not_exact(kept.network, data.known, size, data.alphabet)
        kept.network.eval()
        looked_at = [] if self.interrupt.number else wrong  # who stops a run does not wait
        why = causes(
            kept.network, kept.loss, looked_at, data.alphabet, known=data.known, falling=falling
        )
        return Summary(
            initial_loss=first,
            final_loss=last,
            loss_ratio=last / first if first else 1.0,
            monotone=is_monotone(rows),
            parameter_change_l2=self.start.distance(kept.network),
            epochs=int(rows[-1]["epoch"]),
            steps=self.trainer.global_step,
            seconds=round(self._seconds, 3),
            exact_match=(len(data.known) - len(wrong)) / len(data.known),
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
            still_falls=falling,
            wrong_answers=summed_up(why),
            chosen={name: asdict(choice) for name, choice in self.job.choices.items()},
        )

    @property
    def _out_of_time(self) -> bool:
        left = self.timer.time_remaining()
        return left is not None and left <= 0


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silences Lightning's remarks on hardware and workers; errors and our own words remain."""
    loggers = [logging.getLogger(f"lightning.{part}") for part in ("pytorch", "fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
