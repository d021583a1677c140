"""A row of metrics an epoch, and a checkpoint a minute."""

import csv
import io
import itertools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from .._check import require
from .._files import write_text

Row = dict[str, int | float]
COLUMNS = ("epoch", "total", "node", "edge", "clique", "converged", "val_total", "val_exact")


class History(pl.Callback):
    """Measures the loss before the first step and after each epoch, and keeps `metrics.csv`.

    Args:
        path: The file; it is replaced as a whole after each epoch.
        measure: Gives the columns after the first for the present weights, those of the
            validation only if asked for, else NaN.
        val_every: Epochs from one validation to the next; the last has one too.
        beside_a_run: Whether the folder holds an older run; its metrics stay until its model is
            replaced, so that the two belong together whatever becomes of this run.
    """

    def __init__(
        self,
        path: Path,
        measure: Callable[[bool], Row],
        *,
        val_every: int = 1,
        beside_a_run: bool = False,
    ) -> None:
        self.rows: list[Row] = []
        self._path, self._measure, self._val_every = path, measure, val_every
        self._held_back = beside_a_run

    def begin(self) -> None:
        """Row 0: the loss before the first step; to be called before `Trainer.fit`."""
        self._record(0, validate=True)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A row for the epoch."""
        del pl_module
        epoch = trainer.current_epoch + 1
        last = epoch == trainer.max_epochs or trainer.should_stop
        self._record(epoch, validate=last or epoch % self._val_every == 0)

    def _record(self, epoch: int, *, validate: bool) -> None:
        row: Row = {"epoch": epoch, **self._measure(validate)}
        remedy = "Train again at a lower --lr, or a higher --temperature."
        where = f"the loss after epoch {epoch}"
        require(math.isfinite(row["total"]), where, "be finite", row["total"], remedy)
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


class Checkpoint(pl.Callback):
    """Saves the run between two steps whenever `every` seconds have passed.

    Args:
        save: Saves it.
        every: Seconds from one time to the next, at least.
    """

    def __init__(self, save: Callable[[], None], every: float = 60.0) -> None:
        self._save, self._every = save, every
        self._saved_at = time.monotonic()

    def on_train_batch_start(self, *_: Any) -> None:
        """Before a step, for then the loss of the epoch before it was measured and is finite."""
        if time.monotonic() - self._saved_at >= self._every:
            self._save()
            self._saved_at = time.monotonic()


def is_monotone(rows: list[Row]) -> bool:
    """Whether the total loss is lower in every row than in the row before."""
    totals = [row["total"] for row in rows]
    return all(after < before for before, after in itertools.pairwise(totals))
