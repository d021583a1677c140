"""What the terminal shows of a run, a bar, and what it asks for: Ctrl-C."""

import math
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Any

import lightning.pytorch as pl
from tqdm import tqdm

from .._signals import Stopped, handled, leave_terminal
from ._checkpoints import ends_step
from ._history import Row


class Progress(pl.Callback):
    """One bar over all steps of the run; only on a terminal.

    Not Lightning's bar: that one is over the steps of an epoch, and on the standard output.

    Args:
        rows: Metrics of the epochs so far.
    """

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows
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
            lr = trainer.optimizers[0].param_groups[0]["lr"]
            self._bar.set_postfix_str(standing(self._rows, lr), refresh=False)
        self._bar.update()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Closes the bar, however the run ended."""
        del trainer, pl_module, stage
        if self._bar is not None:
            self._bar.close()


def standing(rows: list[Row], lr: float) -> str:
    """Where a run stands: the last loss, pairs whose alignment was cut off, exact matches."""
    words = [f"loss {rows[-1]['total']:.4g}"]
    cut_off = 1 - rows[-1]["converged"]
    words += [f"not converged {cut_off:.1%}"] if cut_off > 0 else []
    exact = [row["val_exact"] for row in rows if not math.isnan(row["val_exact"])]
    words += [f"val exact {exact[-1]:.1%}"] if exact else []
    return ", ".join([*words, f"lr {lr:.2g}"])


class Interrupt(pl.Callback):
    """A signal that asks to end lets the run finish the present step and be saved.

    Such signals are Ctrl-C, SIGTERM (of `kill`, a container, a queue) and SIGHUP (of a terminal
    that closes). A Ctrl-C after any of them ends the run at once. The others can come twice for one
    cause, and who sends them has SIGKILL as well.

    Args:
        further: Other signals that ask so, such as that of a queue.
    """

    def __init__(self, further: Sequence[int] = ()) -> None:
        self._further = further
        self.number: int | None = None
        self._stack = ExitStack()
        self._trainer: pl.Trainer | None = None

    @property
    def name(self) -> str | None:
        """Name of the signal that came, such as "SIGTERM"; None if none did."""
        return None if self.number is None else signal.Signals(self.number).name

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes over the signals, from the first step until all is saved."""
        with handled(self._ask, self._further), self._stack:
            yield

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes SIGTERM over from Lightning, which would end the run without saving."""
        del pl_module
        self._trainer = trainer
        now = _at_once(trainer) and self.number is not None
        trainer.should_stop = trainer.should_stop or now
        self._stack.enter_context(handled(self._ask, self._further))

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Gives it back to Lightning, which gives it back to us."""
        del trainer, pl_module, stage
        self._stack.close()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Asks again: who sets `should_stop` may have read it before the signal came.

        Of several processes all end after the same step; of short steps, after the last of a batch.
        """
        if not ends_step(trainer):
            return
        asked = self.number is not None
        if trainer.world_size > 1:
            asked = trainer.strategy.reduce_boolean_decision(asked, all=False)
        if asked:
            trainer.should_stop = True

    def _ask(self, number: int, frame: FrameType | None) -> None:
        leave_terminal()
        if self.number is not None:
            if number == signal.SIGINT:
                raise Stopped(number)
            return
        self.number = number
        if self._trainer is not None and _at_once(self._trainer):
            self._trainer.should_stop = True
        what = "Interrupted" if number == signal.SIGINT else f"Stopped by {self.name}"
        with suppress(OSError):
            print(f"\n{what}: finishing this step, then saving.", file=sys.stderr)  # noqa: T201


def _at_once(trainer: pl.Trainer) -> bool:
    """Whether a run may end after the present step, whichever it is."""
    return trainer.world_size == 1 and trainer.accumulate_grad_batches == 1
