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
from ._averaging import averaged
from ._datamodule import PairsDataModule
from ._measure import measure
from ._processes import is_main

Row = dict[str, int | float]
"""Columns by name: "epoch", "total", the terms of the loss, "converged", and `VALIDATED`."""
VALIDATED = ("val_total", "val_exact")


class History(pl.Callback):
    """Measures the loss before the first step and after each epoch, and keeps `metrics.csv`.

    Args:
        path: The file; it is replaced as a whole after each epoch.
        data: Has the training pairs to measure on.
        beside_a_run: Whether the folder holds an older run; its metrics stay until its model is
            replaced, so that the two belong together whatever becomes of this run.
    """

    def __init__(self, path: Path, data: PairsDataModule, *, beside_a_run: bool = False) -> None:
        self.rows: list[Row] = []
        self._path, self._data, self._held_back = path, data, beside_a_run
        self._validated: Row = {}

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Row 0: the loss before the first step."""
        self._record(0, averaged(trainer, pl_module))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """What the validation has logged, for the row of the epoch."""
        del pl_module
        metrics = trainer.callback_metrics
        validated = {k: float(metrics[k]) for k in VALIDATED if k in metrics}
        if trainer.sanity_checking:
            self.rows[0] |= validated
            self._show()
        else:
            self._validated = dict(validated)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A row for the epoch."""
        self._record(trainer.current_epoch + 1, averaged(trainer, pl_module))

    def _record(self, epoch: int, module: Any) -> None:
        found = measure(module.network, module.loss, self._data.measured)
        row: Row = {"epoch": epoch, **found, **dict.fromkeys(VALIDATED, math.nan)}
        row |= self._validated
        self._validated = {}
        remedy = "Train again at a lower --lr, or a higher --alignment.temperature."
        where = f"the loss after epoch {epoch}"
        require(math.isfinite(row["total"]), where, "be finite", row["total"], remedy)
        self.rows.append(row)
        self._show()

    def _show(self) -> None:
        if not self._held_back:
            self.write()

    def write(self) -> None:
        """Writes the rows so far, and from now on after every epoch; the model has been saved."""
        self._held_back = False
        if not is_main():
            return
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.rows[0])
        for row in self.rows:
            writer.writerow("" if math.isnan(value) else value for value in row.values())
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
