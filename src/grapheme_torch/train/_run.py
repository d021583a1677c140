"""One training run, from data to the folder that holds the model."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from .._check import require
from ..loss import StructuralLoss
from ..nn import grouped
from ._datamodule import PairsDataModule
from ._fit import Job, fit
from ._folder import check_unclaimed, claim, network_options
from ._hardware import hardware, set_threads
from ._loss_options import loss_options
from ._module import TrainingModule
from ._optimization import Optimization
from ._predict import alphabet_of, slots_of
from ._stopping import Stopping
from ._summary import Summary
from ._untrained import check_network, pairs_asked, slots_asked, untrained_network

_MOST_WORKERS = 256


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
    workers: int = 0,
    accelerator: Literal["auto", "cpu", "gpu"] = "auto",
    skip_larger: bool = False,
    overwrite: bool = False,
    loss: StructuralLoss | None = None,
    network: nn.Module | Mapping[str, Any] | None = None,
    optimization: Optimization | None = None,
    stopping: Stopping | None = None,
) -> Summary:
    """Trains a network on pairs of graphs and writes the run into a folder.

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
        workers: Processes that read pairs ahead, for data sets that do not fit into memory; the
            result is the same.
        accelerator: Where to train; "auto" takes a CUDA device if there is one.
        skip_larger: Whether training pairs are left out, counted, whose target has more nodes than
            the network gives, `slots` for each input node. Otherwise the first is refused.
        overwrite: Whether a model already in `out` may be replaced.
        loss: The loss. Default: `StructuralLoss()`.
        network: What to train. Any module that maps a batch of graphs to a `Prediction`: its
            classes are its attributes `labels` and `relations`, or else those of the training
            targets, as `Alphabet.of` orders them; `num_slots`, `candidates` and `directed` count
            where it has them. Or arguments of `GraphTransformNet`, see `untrained_network`.
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
    _check_numbers(epochs, batch_size, bucket, lr, seed, workers)
    _check_together(val, loss, optimization, stopping)
    device = hardware(accelerator)
    set_threads(threads)
    if not isinstance(network, nn.Module):
        check_network(network or {})
    check_unclaimed(out, overwrite=overwrite)
    torch.manual_seed(seed)
    pairs = PairsDataModule(
        data, val, batch_size=batch_size, bucket=bucket, seed=seed, skip_larger=skip_larger,
        workers=workers, **_reading(network, loss),
    )  # fmt: skip
    loss = _for_edges(loss, directed=pairs.directed)
    model = network if isinstance(network, nn.Module) else untrained_network(pairs, **network or {})
    module = TrainingModule(
        model, loss, lr=lr, optimization=optimization, alphabet=pairs.alphabet
    )  # fmt: skip
    options = {
        "data": data, "val": val, "out": str(out), "epochs": epochs, "batch_size": batch_size,
        "bucket": bucket,
        "lr": lr, "seed": seed, "threads": threads, "workers": workers,
        "accelerator": accelerator,
        "skip_larger": skip_larger,
        **loss_options(loss), "network": network_options(model),
        "optimization": asdict(optimization), "stopping": asdict(stopping),
    }  # fmt: skip
    with claim(out, overwrite=overwrite) as beside_a_run:
        return fit(Job(module, pairs, out, options, stopping, device, beside_a_run))


def _check_numbers(
    epochs: int, batch_size: int, bucket: int, lr: float, seed: int, workers: int
) -> None:
    require(epochs >= 0, "`epochs`", "not be negative", epochs, "0 saves the untrained model.")
    require(batch_size >= 1, "`batch_size`", "be at least 1", batch_size, "Try 32.")
    require(bucket >= 1, "`bucket`", "be at least 1", bucket, "1 draws batches at random.")
    require(0 < lr <= 1e30, "`lr`", "be positive and at most 1e30", lr, "Try 0.003.")
    require(0 <= seed < 2**63, "`seed`", "be from 0 to 2**63 - 1", seed, "Any will do: try 0.")
    remedy = "0 reads the pairs of a batch when it is their turn."
    require(
        0 <= workers <= _MOST_WORKERS, "`workers`", f"be from 0 to {_MOST_WORKERS}", workers, remedy
    )


def _reading(network: nn.Module | Mapping[str, Any] | None, loss: StructuralLoss) -> dict[str, Any]:
    """How the data are to be read for a network and a loss: arguments of `PairsDataModule`."""
    if isinstance(network, nn.Module):
        candidates, directed = (
            getattr(network, "candidates", "all"),
            getattr(network, "directed", None),
        )
        alphabet = alphabet_of(network) if hasattr(network, "labels") else None
        own = {"slots": slots_of(network), "alphabet": alphabet}
    else:
        options = grouped(network or {})
        candidates, directed = pairs_asked(options), options.get("directed")
        own = {"slots": slots_asked(options)}
    directed = directed if loss.directed is None else loss.directed
    return {**own, "directed": directed, "acyclic": candidates == "forward"}


def _for_edges(loss: StructuralLoss, *, directed: bool) -> StructuralLoss:
    """The loss for edges with a direction, or without."""
    return loss if loss.directed is directed else loss.replace(directed=directed)


def _check_together(
    val: str | None, loss: StructuralLoss, optimization: Optimization, stopping: Stopping
) -> None:
    """Refuses options that need one another."""
    patience = stopping.patience
    remedy = "Give validation pairs with --val."
    fits = patience is None or val is not None
    require(fits, "`patience`", "be left out without validation pairs", patience, remedy)
    for start, name in (("temperature", "alignment.temperature"), ("position", "hints.position")):
        asked, final = getattr(optimization, f"{start}_start"), _setting(loss, name)
        remedy = f"Give a --{name} to end at."
        fits = asked is None or final > 0
        require(fits, f"`{start}_start`", f"be left out where `{name}` is 0", asked, remedy)


def _setting(loss: StructuralLoss, name: str) -> float:
    """A number of a group of settings; 0 of an alignment that has none."""
    group, option = name.split(".")
    return float(getattr(getattr(loss, group), option, 0.0))
