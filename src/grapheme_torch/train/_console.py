"""What the person in front of a run sees of it and says to it: a bar, and Ctrl-C."""

import math
import signal
import sys
from types import FrameType
from typing import Any

import lightning.pytorch as pl
from tqdm import tqdm

from ._course import Course
from ._history import Row


class Progress(pl.Callback):
    """One bar over all steps of the run; only on a terminal.

    Args:
        rows: Metrics of the epochs so far.
        course: Knows the learning rate.
    """

    def __init__(self, rows: list[Row], course: Course) -> None:
        self._rows, self._course = rows, course
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
        if not self._bar.disable:
            head = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
            self._bar.set_description(head, refresh=False)
            self._bar.set_postfix_str(standing(self._rows, self._course.lr), refresh=False)
        self._bar.update()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Closes the bar, however the run ended."""
        del trainer, pl_module, stage
        if self._bar is not None:
            self._bar.close()


def standing(rows: list[Row], lr: float) -> str:
    """Where a run stands: the last loss, the last exact matches of the validation, if any."""
    words = [f"loss {rows[-1]['total']:.4g}"]
    exact = [row["val_exact"] for row in rows if not math.isnan(row["val_exact"])]
    words += [f"val exact {exact[-1]:.1%}"] if exact else []
    return ", ".join([*words, f"lr {lr:.2g}"])


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
