"""One training run, from data to the folder that holds the model."""

import copy
import logging
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from torch import Tensor

from .._check import require
from .._files import write_json
from ..loss import StructuralLoss
from ..nn import GraphTransformNet
from ..plot import plot_losses
from ._averaging import Averaging
from ._candidates import choose_candidates
from ._console import Interrupt, Progress
from ._course import Course
from ._data import Split, batches, load_split
from ._folder import (
    METRICS,
    PICTURE,
    SUMMARY,
    check_unclaimed,
    claim,
    forget_outcome,
    loss_options,
    save_options,
)
from ._hardware import hardware, set_threads
from ._history import Checkpoint, History, is_monotone
from ._module import TrainingModule
from ._monitor import Monitor
from ._optimization import Optimization
from ._stopping import Selection, Stopping
from ._summary import Summary


def train(
    out: str | Path,
    *,
    data: str = "kindergarten",
    val: str | None = None,
    epochs: int = 100,
    batch_size: int = 32,
    bucket: int = 1,
    lr: float = 3e-3,
    seed: int = 0,
    threads: int = 1,
    accelerator: Literal["auto", "cpu", "gpu"] = "auto",
    skip_larger: bool = False,
    overwrite: bool = False,
    loss: StructuralLoss | None = None,
    network: Mapping[str, Any] | None = None,
    optimization: Optimization | None = None,
    stopping: Stopping | None = None,
) -> Summary:
    """Trains a GraphTransformNet on pairs of graphs and writes the run into a folder.

    Args:
        out: Folder of the run: model, summary.json, metrics.csv, loss.png, train.yaml.
        data: "kindergarten", or a JSON Lines file of {"input": ..., "target": ...}.
        val: Pairs to validate on after each epoch, in the same form.
        epochs: Passes over the data; 0 saves the untrained model.
        batch_size: Pairs in a step.
        bucket: Batches drawn together and then parted by size: with 20, a step has pairs of
            similar size and takes less time, but the steps differ more from one another.
        lr: Learning rate of Adam.
        seed: Of the weights and of the order of the pairs.
        threads: Processor threads; one is fastest for small graphs.
        accelerator: Where to train; "auto" takes a CUDA device if there is one.
        skip_larger: Whether training pairs are left out, counted, whose target has more nodes than
            the network gives, `slots` for each input node. Otherwise the first is refused.
        overwrite: Whether a model already in `out` may be replaced.
        loss: The loss. Default: `StructuralLoss()`.
        network: Arguments of `GraphTransformNet` besides labels and relations; `candidates` may
            be "auto", then the data decide, and on the `window` too if none is given.
        optimization: What is done beside plain Adam. Default: nothing.
        stopping: When to end, and what to keep. Default: after all epochs; the network that does
            best on the validation pairs if there are any, else the last.

    Returns:
        What the run came to.

    Raises:
        InputError: If an argument or a line of the data is refused, another training is at work in
            `out`, or a gradient is not finite; a model already in `out` stays as it was.

    A signal (Ctrl-C, SIGTERM, SIGHUP) ends the run after the present step, and all is written:
    `Summary.signal` names it. Ctrl-C after it raises KeyboardInterrupt.
    """
    require(str(out) != "", "`out`", "name a folder", out, "Name one, such as runs/kg.")
    out, loss = Path(out), loss or StructuralLoss()
    optimization, stopping = optimization or Optimization(), stopping or Stopping()
    require(epochs >= 0, "`epochs`", "not be negative", epochs, "0 saves the untrained model.")
    require(batch_size >= 1, "`batch_size`", "be at least 1", batch_size, "Try 32.")
    require(bucket >= 1, "`bucket`", "be at least 1", bucket, "1 draws batches at random.")
    require(0 < lr <= 1e30, "`lr`", "be positive and at most 1e30", lr, "Try 0.003.")
    require(0 <= seed < 2**63, "`seed`", "be from 0 to 2**63 - 1", seed, "Any will do: try 0.")
    _check_together(val, loss, optimization, stopping)
    device = hardware(accelerator)
    set_threads(threads)
    network = dict(network or {})
    _check_network(network)
    check_unclaimed(out, overwrite=overwrite)
    torch.manual_seed(seed)
    split = load_split(
        data,
        val,
        acyclic=network.get("candidates", "forward") == "forward",
        directed=network.get("directed") if loss.directed is None else loss.directed,
        slots=network.get("slots", 1),
        skip_larger=skip_larger,
    )
    loss, network["directed"] = _for_edges(loss, directed=split.directed), split.directed
    model = _untrained(split, network)
    options = {
        "data": data, "val": val, "out": str(out), "epochs": epochs, "batch_size": batch_size,
        "bucket": bucket,
        "lr": lr, "seed": seed, "threads": threads, "accelerator": accelerator,
        "skip_larger": skip_larger,
        **asdict(optimization), **asdict(stopping), **loss_options(loss),
        **{name: value for name, value in model.config.items() if name not in _ALPHABET},
    }  # fmt: skip
    with claim(out, overwrite=overwrite) as beside_a_run:
        job = _Job(model, loss, split, out, options, optimization, stopping, device, beside_a_run)
        return _Run(job).execute()


_ALPHABET = ("labels", "relations")
_LISTED = 5
"""Pairs left out whose places are told."""


def _check_network(network: Mapping[str, Any]) -> None:
    """Refuses what no data would make right, before they are read: a network without weights."""
    told = {"candidates": "forward"} if network.get("candidates") == "auto" else {}
    # What is too large for PyTorch to describe is told when it is to be made.
    with torch.device("meta"), suppress(RuntimeError):
        GraphTransformNet(["a"], ["b"], **{**network, **told})


def _untrained(split: Split, network: dict[str, Any]) -> GraphTransformNet:
    """The network for these pairs; the options that the data are to decide are added."""
    if network.get("candidates") == "auto":
        slots = network.get("slots", 1)
        chosen = choose_candidates(split.train, directed=split.directed, slots=slots)
        given = {} if network.get("window") is None else {"window": network["window"]}
        network |= chosen | given
    model = GraphTransformNet(split.alphabet.labels, split.alphabet.relations, **network)
    # Of all ordered pairs so few are edges that learning this would take the first epochs; edges
    # that get less likely with their length are few already.
    many = model.candidates == "all" and not model.heads.locality
    edges = split.share_of_edges(model) if many else None
    model.expect(split.share_of_nodes(model.num_slots), edges)
    return model


def _for_edges(loss: StructuralLoss, *, directed: bool) -> StructuralLoss:
    """The loss for edges with a direction, or without."""
    changed = copy.copy(loss)
    changed.directed = directed
    return changed


def _check_together(
    val: str | None, loss: StructuralLoss, optimization: Optimization, stopping: Stopping
) -> None:
    """Refuses options that need one another."""
    patience = stopping.patience
    remedy = "Give validation pairs with --val."
    fits = patience is None or val is not None
    require(fits, "`patience`", "be left out without validation pairs", patience, remedy)
    for name in ("temperature", "position_weight"):
        start, final = getattr(optimization, f"{name}_start"), getattr(loss, name)
        fits = start is None or final > 0
        remedy = f"Give a --{name} to end at."
        require(fits, f"`{name}_start`", f"be left out where `{name}` is 0", start, remedy)


@dataclass(frozen=True)
class _Job:
    """What `train` prepared."""

    model: GraphTransformNet
    loss: StructuralLoss
    split: Split
    out: Path
    options: dict[str, Any]
    optimization: Optimization
    stopping: Stopping
    device: str
    beside_a_run: bool


class _Unlogged(TrainingModule):
    """Here nothing reads what Lightning would log; its records take as long as the loss does."""

    def log(self, *_: Any, **__: Any) -> None:
        """Does nothing."""


class _Run:
    """The state of one run, and what comes of it."""

    def __init__(self, job: _Job) -> None:
        self.averaging = Averaging(job.model, job.optimization.ema_decay)
        self.job, self.model, self.out = job, self.averaging.network, job.out
        lr, decay = job.options["lr"], job.optimization.weight_decay
        self.module = _Unlogged(job.model, job.loss, lr=lr, weight_decay=decay)
        self.monitor = Monitor(self.model, job.loss, job.split, job.options["batch_size"])
        self.history = History(
            job.out / METRICS,
            self.monitor,
            val_every=job.stopping.val_every,
            beside_a_run=job.beside_a_run,
        )
        rows, validated = self.history.rows, bool(job.split.val)
        self.selection = Selection(self.model, rows, validated=validated, stopping=job.stopping)
        self.course = Course(self.module, job.optimization, job.stopping.minutes)
        self.interrupt = Interrupt()
        self.start = _flat(self.model)
        self.steps = 0

    def execute(self) -> Summary:
        began = time.perf_counter()
        self.history.begin()
        self.selection.begin()
        with self.interrupt.listening():
            self._fit()
            self.model.cpu()
            self._save_model()  # first of all: who asked to end may not wait for the rest
            summary = self._summary(time.perf_counter() - began)
            write_json(self.out / SUMMARY, asdict(summary))
            plot_losses(self.history.rows, self.out / PICTURE)
        return summary

    def _fit(self) -> None:
        options, split = self.job.options, self.job.split
        callbacks = [
            self.averaging, Checkpoint(self._save_model), self.course, self.history, self.selection,
            Progress(self.history.rows, self.course), self.interrupt,
        ]  # fmt: skip
        size, order = options["batch_size"], {name: options[name] for name in ("seed", "bucket")}
        with _quiet_lightning():
            trainer = pl.Trainer(
                max_epochs=options["epochs"], callbacks=callbacks,
                accelerator=self.job.device, devices=1,
                gradient_clip_val=self.job.optimization.clip,
                # Without it Lightning would look for a cluster, and take over its signals.
                plugins=[LightningEnvironment()],
                logger=False, enable_checkpointing=False, enable_progress_bar=False,
                enable_model_summary=False, num_sanity_val_steps=0,
            )  # fmt: skip
            try:
                trainer.fit(self.module, batches(split.train, split.alphabet, size, **order))
            except SystemExit as error:  # what Lightning makes of an interruption
                raise error.__context__ or KeyboardInterrupt from None
        self.steps = trainer.global_step

    def _save_model(self) -> None:
        """The options come last: they are what `--overwrite` and `saved_loss` go by."""
        self.selection.kept.save_pretrained(self.out)
        forget_outcome(self.out)
        save_options(self.out, self.job.options)
        self.history.write()

    def _summary(self, seconds: float) -> Summary:
        rows, kept, best = self.history.rows, self.selection.kept, self.selection.best
        first, last = rows[0]["total"], rows[-1]["total"]
        saved = rows[-1] if best is None or kept is self.model else best
        return Summary(
            initial_loss=first,
            final_loss=last,
            loss_ratio=last / first if first else 1.0,
            monotone=is_monotone(rows),
            parameter_change_l2=float((_flat(kept) - self.start).norm()),
            epochs=int(rows[-1]["epoch"]),
            steps=self.steps,
            seconds=round(seconds, 3),
            exact_match=self.monitor.share_known(kept),
            val_exact_match=None if best is None else saved["val_exact"],
            best_epoch=None if best is None else int(best["epoch"]),
            saved_epoch=int(saved["epoch"]),
            stopped_early=self.selection.stopped_early,
            out_of_time=self.course.out_of_time,
            interrupted=self.interrupt.number is not None,
            signal=self.interrupt.name,
            pairs=len(self.job.split.train),
            left_out=len(self.job.split.left_out),
            left_out_first=[pair.place for pair in self.job.split.left_out[:_LISTED]],
            val_too_large=self.job.split.val_too_large,
            measured=self.monitor.measured,
            parameters=sum(p.numel() for p in self.model.parameters()),
            seed=self.job.options["seed"],
        )


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
