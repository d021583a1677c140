"""What happens around the steps: a row of metrics an epoch, progress, interruption."""

import csv
import io
import itertools
import math
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import lightning.pytorch as pl
from tqdm import tqdm

from .._check import require
from .._files import write_text
from ._module import Terms

Row = dict[str, int | float]
COLUMNS = ("epoch", "total", "node", "edge", "clique", "converged", "val_total")


class History(pl.Callback):
    """Measures the loss before the first step and after each epoch, and keeps `metrics.csv`.

    The model is saved along with it whenever `save_every` seconds have passed.

    Args:
        path: The file; it is replaced as a whole after each epoch.
        measure_train, measure_val: Give the loss terms of the present weights; the latter is
            None if there is nothing to validate on.
        save: Saves the model.
        save_every: Seconds between two saves, at least.
        beside_a_run: Whether the folder holds an older run; its metrics stay until its model is
            replaced, so that the two belong together whatever becomes of this run.
    """

    def __init__(
        self,
        path: Path,
        measure_train: Callable[[], Terms],
        measure_val: Callable[[], Terms] | None,
        save: Callable[[], None],
        *,
        save_every: float = 60.0,
        beside_a_run: bool = False,
    ) -> None:
        self.rows: list[Row] = []
        self._path, self._save, self._save_every = path, save, save_every
        self._measure_train, self._measure_val = measure_train, measure_val
        self._saved_at = time.monotonic()
        self._held_back = beside_a_run

    def begin(self) -> None:
        """Row 0: the loss before the first step; to be called before `Trainer.fit`."""
        self._record(0)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A row for the epoch, and a checkpoint when it is time."""
        del pl_module
        self._record(trainer.current_epoch + 1)
        if time.monotonic() - self._saved_at >= self._save_every:
            self._save()
            self._saved_at = time.monotonic()

    def _record(self, epoch: int) -> None:
        terms = self._measure_train()
        remedy = "Train again at a lower --lr, or a higher --temperature."
        where = f"the loss after epoch {epoch}"
        require(math.isfinite(terms.total), where, "be finite", terms.total, remedy)
        row: Row = {"epoch": epoch, **vars(terms)}
        row["val_total"] = self._measure_val().total if self._measure_val else math.nan
        self.rows.append(row)
        if not self._held_back:
            self.write()

    def write(self) -> None:
        """Writes the rows so far, and from now on after every epoch; the model has been saved."""
        self._held_back = False
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in self.rows:
            writer.writerow("" if math.isnan(row[name]) else row[name] for name in COLUMNS)
        write_text(self._path, text.getvalue())


class Progress(pl.Callback):
    """One bar over all steps of the run, with epoch and loss; only on a terminal."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._bar: Any = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Opens the bar."""
        del pl_module
        steps = int(trainer.estimated_stepping_batches)
        self._bar = tqdm(
            total=steps, unit="step", dynamic_ncols=True, disable=None, file=sys.stderr
        )

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Moves the bar by a step."""
        if self._history.rows and not self._bar.disable:
            last = self._history.rows[-1]
            head = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
            self._bar.set_description(head, refresh=False)
            self._bar.set_postfix_str(f"loss {last['total']:.4g}", refresh=False)
        self._bar.update()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Closes the bar, however the run ended."""
        del trainer, pl_module, stage
        if self._bar is not None:
            self._bar.close()


class Interrupt(pl.Callback):
    """Ctrl-C ends the run after the present step, in good order; a second one at once."""

    def __init__(self) -> None:
        self.happened = False
        self._former: Any = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes over the signal."""
        del pl_module

        def stop(number: int, frame: FrameType | None) -> None:
            del number, frame
            self.happened = trainer.should_stop = True
            self._restore()
            print("\nInterrupted: finishing this step, then saving.", file=sys.stderr)  # noqa: T201

        try:
            self._former = signal.signal(signal.SIGINT, stop)
        except ValueError:  # not in the main thread: then Ctrl-C does not come here
            self._former = None

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Gives the signal back."""
        del trainer, pl_module, stage
        self._restore()

    def _restore(self) -> None:
        if self._former is not None:
            signal.signal(signal.SIGINT, self._former)
            self._former = None


def is_monotone(rows: list[Row]) -> bool:
    """Whether the total loss is lower in every row than in the row before."""
    totals = [row["total"] for row in rows]
    return all(after < before for before, after in itertools.pairwise(totals))
