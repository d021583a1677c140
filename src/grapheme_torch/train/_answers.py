"""How the answer to one pair changes while a network is trained."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from .._files import write_text
from ..data import Pair, graph_document
from ._averaging import averaged
from ._datamodule import PairsDataModule
from ._predict import predict

MOST_NODES = 200
"""Of a graph that is followed; the pair is the first that is no larger."""

_LOOKED_AT = 20
"""Pairs among which it is looked for."""


class Answers(pl.Callback):
    """Answers one pair before the first step and after epochs 1, 2, 4, 8, ...: rarely, so cheaply.

    Args:
        data: The pair is the first of its validation pairs, or else of its training pairs.
        resumed: Whether the run goes on, so that there was a first step before.
    """

    def __init__(self, data: PairsDataModule, *, resumed: bool) -> None:
        self.rows: list[dict[str, Any]] = []
        self._resumed, self._alphabet = resumed, data.alphabet
        self._pair = _followed(data.split.val or data.split.train)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": [dict(row) for row in self.rows]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on after those rows."""
        self.rows[:] = state_dict["rows"]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The answer of the untrained network."""
        if not self._resumed:
            self._record(0, averaged(trainer, pl_module))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The answer after an epoch whose number is a power of two."""
        epoch = trainer.current_epoch + 1
        if epoch & (epoch - 1) == 0:
            self._record(epoch, averaged(trainer, pl_module))

    def _record(self, epoch: int, module: Any) -> None:
        if self._pair is None:
            return
        network = module.network
        training = network.training
        network.eval()
        (answer,) = predict(network, [self._pair.input], alphabet=self._alphabet)
        network.train(training)
        self.rows.append({"epoch": epoch, "answer": graph_document(answer)})

    def write(self, path: Path) -> None:
        """Writes the pair and the answers so far, a line each."""
        if self._pair is None:
            return
        sides = {"input": self._pair.input, "target": self._pair.target}
        head = {name: graph_document(graph) for name, graph in sides.items()}
        lines = [{"place": str(self._pair.place), **head}, *self.rows]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        write_text(path, text)


def _followed(pairs: Sequence[Pair]) -> Pair | None:
    for k in range(min(len(pairs), _LOOKED_AT)):
        pair = pairs[k]
        if max(pair.input.num_nodes or 0, pair.target.num_nodes or 0) <= MOST_NODES:
            return pair
    return None
