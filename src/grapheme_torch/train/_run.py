"""One training run, from data to the folder that holds the model."""

import logging
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from torch import Tensor

from .._check import require
from .._files import write_json
from ..data import Pair
from ..loss import StructuralLoss
from ..nn import GraphTransformNet
from ..plot import plot_losses
from ._data import Split, batches, load_split
from ._evaluate import share_exact
from ._folder import METRICS, PICTURE, SUMMARY, claim, loss_options, save_options
from ._hardware import hardware, set_threads
from ._history import History, Interrupt, Progress, Row, is_monotone
from ._module import TrainingModule, measure

MONITORED = 1000
"""Pairs, from the start of a data set, on which loss and exact matches are measured."""


@dataclass(frozen=True)
class Summary:
    """What a run came to; `OUT/summary.json` holds the same.

    Args:
        initial_loss, final_loss: Loss before the first step and after the last.
        loss_ratio: The latter over the former.
        monotone: Whether the loss fell in every epoch.
        parameter_change_l2: L2 distance of all weights from where they started.
        epochs: Epochs finished.
        seconds: Of training, start-up and reading data left out.
        exact_match: Share of the training pairs reproduced exactly.
        val_exact_match: The same of the validation pairs; None if there are none.
        pairs: Number of training pairs.
        parameters: Number of weights.
        seed: Of the run.
        interrupted: Whether it was ended by Ctrl-C.
    """

    initial_loss: float
    final_loss: float
    loss_ratio: float
    monotone: bool
    parameter_change_l2: float
    epochs: int
    seconds: float
    exact_match: float
    val_exact_match: float | None
    pairs: int
    parameters: int
    seed: int
    interrupted: bool


def train(
    out: str | Path,
    *,
    data: str = "kindergarten",
    val: str | None = None,
    epochs: int = 100,
    batch_size: int = 32,
    lr: float = 3e-3,
    seed: int = 0,
    threads: int = 1,
    accelerator: Literal["auto", "cpu", "gpu"] = "auto",
    overwrite: bool = False,
    loss: StructuralLoss | None = None,
    network: Mapping[str, Any] | None = None,
) -> Summary:
    """Trains a GraphTransformNet on pairs of graphs and writes the run into a folder.

    Args:
        out: Folder of the run: model, summary.json, metrics.csv, loss.png, train.yaml.
        data: "kindergarten", or a JSON Lines file of {"input": ..., "target": ...}.
        val: Pairs to validate on after each epoch, in the same form.
        epochs: Passes over the data; 0 saves the untrained model.
        batch_size: Pairs in a step.
        lr: Learning rate of Adam.
        seed: Of the weights and of the order of the pairs.
        threads: Processor threads; one is fastest for small graphs.
        accelerator: Where to train; "auto" takes a CUDA device if there is one.
        overwrite: Whether a model already in `out` may be replaced.
        loss: The loss. Default: `StructuralLoss()`.
        network: Arguments of `GraphTransformNet` besides labels and relations.

    Returns:
        What the run came to.

    Raises:
        InputError: If an argument or a line of the data is refused, or a gradient is not finite;
            a model already in `out` stays as it was.
    """
    require(str(out) != "", "`out`", "name a folder", out, "Name one, such as runs/kg.")
    out, loss = Path(out), loss or StructuralLoss()
    require(epochs >= 0, "`epochs`", "not be negative", epochs, "0 saves the untrained model.")
    require(batch_size >= 1, "`batch_size`", "be at least 1", batch_size, "Try 32.")
    require(0 < lr <= 1e30, "`lr`", "be positive and at most 1e30", lr, "Try 0.003.")
    require(0 <= seed < 2**63, "`seed`", "be from 0 to 2**63 - 1", seed, "Any will do: try 0.")
    device = hardware(accelerator)
    set_threads(threads)
    torch.manual_seed(seed)
    network = dict(network or {})
    split = load_split(data, val, acyclic=network.get("candidates", "forward") == "forward")
    model = GraphTransformNet(split.alphabet.labels, split.alphabet.relations, **network)
    beside_a_run = claim(out, overwrite=overwrite)
    settings = {
        "data": data,
        "val": val,
        "out": str(out),
        "epochs": epochs,
        "batch_size": batch_size,
    }
    more = {
        "lr": lr,
        "seed": seed,
        "threads": threads,
        "accelerator": accelerator,
        **loss_options(loss),
    }
    options = {**settings, **more, **{k: v for k, v in model.config.items() if k not in _ALPHABET}}
    return _Run(model, loss, split, out, options, device, beside_a_run).execute()


_ALPHABET = ("labels", "relations")


class _Run:
    """The state of one run: what `train` prepared, and what comes of it."""

    def __init__(
        self,
        model: GraphTransformNet,
        loss: StructuralLoss,
        split: Split,
        out: Path,
        options: dict[str, Any],
        device: str,
        beside_a_run: bool,
    ) -> None:
        self.model, self.loss, self.split, self.out, self.options = model, loss, split, out, options
        self.device = device
        size = options["batch_size"]
        self.batches = partial(batches, alphabet=split.alphabet, batch_size=size)
        measured = self.batches(split.train[:MONITORED])
        validated = self.batches(split.val[:MONITORED])
        self.history = History(
            out / METRICS,
            partial(measure, model, loss, measured),
            partial(measure, model, loss, validated) if split.val else None,
            self._save_model,
            beside_a_run=beside_a_run,
        )
        self.interrupt = Interrupt()
        self.start = _flat(model)

    def execute(self) -> Summary:
        began = time.perf_counter()
        options = self.options
        callbacks = [self.history, Progress(self.history), self.interrupt]
        module = TrainingModule(self.model, self.loss, lr=options["lr"])
        self.history.begin()
        with _quiet_lightning():
            trainer = pl.Trainer(
                max_epochs=options["epochs"], callbacks=callbacks,
                accelerator=self.device, devices=1,
                logger=False, enable_checkpointing=False, enable_progress_bar=False,
                enable_model_summary=False, num_sanity_val_steps=0,
            )  # fmt: skip
            trainer.fit(module, self.batches(self.split.train, seed=options["seed"]))
        self.model.cpu()
        summary = self._summary(time.perf_counter() - began)
        self._save_model()
        write_json(self.out / SUMMARY, asdict(summary))
        plot_losses(self.history.rows, self.out / PICTURE)
        return summary

    def _save_model(self) -> None:
        """The options come last: they are what `--overwrite` and `saved_loss` go by."""
        self.model.save_pretrained(self.out)
        save_options(self.out, self.options)
        self.history.write()

    def _summary(self, seconds: float) -> Summary:
        rows: list[Row] = self.history.rows
        first, last = rows[0]["total"], rows[-1]["total"]
        return Summary(
            initial_loss=first,
            final_loss=last,
            loss_ratio=last / first if first else 1.0,
            monotone=is_monotone(rows),
            parameter_change_l2=float((_flat(self.model) - self.start).norm()),
            epochs=int(rows[-1]["epoch"]),
            seconds=round(seconds, 3),
            exact_match=self._exact(self.split.train) or 0.0,
            val_exact_match=self._exact(self.split.val),
            pairs=len(self.split.train),
            parameters=sum(p.numel() for p in self.model.parameters()),
            seed=self.options["seed"],
            interrupted=self.interrupt.happened,
        )

    def _exact(self, pairs: Sequence[Pair]) -> float | None:
        chosen = pairs[:MONITORED]
        return share_exact(self.model, chosen, self.options["batch_size"]) if chosen else None


def _flat(model: GraphTransformNet) -> Tensor:
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
