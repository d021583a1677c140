"""A row of metrics an epoch."""

import csv
import io
import itertools
import math
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from .._check import require
from .._files import write_text
from ._averaging import averaged
from ._datamodule import PairsDataModule
from ._measure import measure

Row = dict[str, int | float]
"""Columns by name: "epoch", "total", the terms of the loss, "converged", and `VALIDATED`."""
VALIDATED = ("val_total", "val_exact")
_FALLING = 0.9
"""A loss that is a smaller part of what it was was still falling."""


class History(pl.Callback):
    """Measures the loss before the first step and after each epoch: the rows of `metrics.csv`.

    Args:
        data: Has the training pairs to measure on.
    """

    def __init__(self, data: PairsDataModule) -> None:
        self.rows: list[Row] = []
        self._data = data
        self._validated: Row = {}

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": [dict(row) for row in self.rows]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on after those rows."""
        self.rows[:] = state_dict["rows"]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Row 0: the loss before the first step."""
        if not self.rows:
            self._record(0, averaged(trainer, pl_module))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """What the validation has logged, for the row of the epoch."""
        del pl_module
        metrics = trainer.callback_metrics
        validated = {k: float(metrics[k]) for k in VALIDATED if k in metrics}
        if trainer.sanity_checking:
            self.rows[0] |= validated
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

    def write(self, path: Path) -> None:
        """Writes the rows so far."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.rows[0])
        for row in self.rows:
            writer.writerow("" if math.isnan(value) else value for value in row.values())
        write_text(path, text.getvalue())


def still_falls(rows: list[Row]) -> bool:
    """Whether the loss fell by more than a tenth in the last tenth of the epochs."""
    if len(rows) < 2:
        return False
    before = rows[-1 - max(1, (len(rows) - 1) // 10)]["total"]
    return rows[-1]["total"] < _FALLING * before


def is_monotone(rows: list[Row]) -> bool:
    """Whether the total loss is lower in every row than in the row before."""
    totals = [row["total"] for row in rows]
    return all(after < before for before, after in itertools.pairwise(totals))
