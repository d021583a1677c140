"""One training run, from data to the folder that holds the model."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch.loggers import Logger
from torch import nn

from .._check import notice, require
from ..loss import StructuralLoss
from ..nn import GraphTransformNet, grouped
from ._checkpoints import Checkpointing
from ._datamodule import PairsDataModule
from ._fit import Job, fit
from ._folder import check_unclaimed, claim, load_network, network_options
from ._hardware import hardware, set_threads
from ._initial import network_like, take_over
from ._large_pairs import MOST
from ._loss_options import loss_options
from ._module import TrainingModule
from ._monitoring import Monitoring, make_loggers
from ._numerics import Numerics
from ._optimization import Optimization
from ._predict import alphabet_of, slots_of
from ._processes import Processes, is_main, part_random_numbers
from ._recombination import Recombination
from ._resume import resumable, resumed
from ._run_groups import run_groups
from ._stopping import Stopping
from ._summary import Summary
from ._untrained import check_network, pairs_asked, slots_asked, untrained_network

_MOST_WORKERS = 256


def train(
    out: str | Path,
    *,
    data: str | Path = "kindergarten",
    val: str | Path | None = None,
    epochs: int = 100,
    batch_size: int = 32,
    bucket: int = 1,
    lr: float = 3e-3,
    seed: int = 0,
    threads: int = 1,
    workers: int = 0,
    accelerator: Literal["auto", "cpu", "gpu"] = "auto",
    devices: int = 1,
    num_nodes: int = 1,
    strategy: str = "auto",
    accumulate: int = 1,
    skip_larger: bool = False,
    max_nodes: int = MOST,
    overwrite: bool = False,
    resume: bool = False,
    init: str | Path | None = None,
    loss: StructuralLoss | None = None,
    network: nn.Module | Mapping[str, Any] | None = None,
    optimization: Optimization | None = None,
    recombination: Recombination | None = None,
    stopping: Stopping | None = None,
    checkpoint: Checkpointing | None = None,
    numerics: Numerics | None = None,
    monitoring: Monitoring | None = None,
    logger: Logger | Sequence[Logger] | None = None,
) -> Summary:
    """Trains a network on pairs of graphs and writes the run into a folder.

    Args:
        out: Folder of the run: model, summary.json, metrics.csv, loss.png, train.yaml.
        data: "kindergarten", or a JSON Lines file of {"input": ..., "target": ...}.
        val: Pairs to validate on after each epoch, in the same form.
        epochs: Passes over the data; 0 saves the untrained model.
        batch_size: Pairs in a step.
        bucket: Batches drawn together and then split by size: 20 saves time.
        lr: Learning rate of Adam.
        seed: Of the weights and of the order of the pairs.
        threads: Processor threads; one is fastest for small graphs.
        workers: Processes that read pairs ahead. The result does not change.
        accelerator: Where to train; "auto" takes a GPU if there is one.
        devices: Processes on this machine; they share each batch.
        num_nodes: Machines that share each batch; start the same on each.
        strategy: How processes work together, as Lightning names it.
        accumulate: Parts into which a batch is split to save memory.
        skip_larger: Whether too large training pairs are left out and counted: with more target
            nodes than output nodes, or more than `max_nodes`.
        max_nodes: Most nodes of a graph. Memory grows with their square.
        overwrite: Whether a model already in `out` may be replaced.
        resume: Whether a run in `out` that was stopped or killed goes on, exactly as if it had not
            been. Its options and data have to be the same, but for more `epochs` where nothing goes
            by their number. Where `out` holds no run one starts; one that has ended stays.
        init: Folder of a `GraphTransformNet` to start from; its options hold.
        loss: The loss. Default: `StructuralLoss()`.
        network: What to train: any module that maps a batch of graphs to a `Prediction`. Its
            classes are its attributes `labels` and `relations`. Default: those of the training
            targets, in the order of `Alphabet.of`. Its attributes `num_slots`, `candidates` and
            `directed` are used if they exist. Or arguments of `GraphTransformNet`, see
            `untrained_network`.
        optimization: What is done beside plain Adam. Default: nothing.
        recombination: Training pairs made of parts of the given ones. Default: none.
        stopping: When to end, and what to keep. Default: after all epochs; the network that does
            best on the validation pairs if there are any, else the last.
        checkpoint: When the run is saved. Default: after each epoch, and each minute within one.
        numerics: Precision, and whether to compute the same each time. Default: float32, no.
        monitoring: What the run tells beside metrics.csv. Default: files for TensorBoard.
        logger: Loggers of Lightning to tell it to, instead of the one that `monitoring` names.

    Returns:
        What the run came to.

    Raises:
        InputError: If an argument or a line of the data is refused, another training uses `out`,
            or a loss or gradient is not finite. What was saved last stays as it was: a model
            already in `out` until the first checkpoint takes its place.

    A signal (Ctrl-C, SIGTERM, SIGHUP, and SIGUSR1 in a Slurm job) ends the run after the present
    step, and all is written: `Summary.signal` names it. Ctrl-C after it raises KeyboardInterrupt.
    """
    require(str(out) != "", "`out`", "name a folder", out, "Name one, such as runs/kg.")
    out, loss = Path(out), loss or StructuralLoss()
    groups = run_groups(optimization, recombination, stopping, checkpoint, numerics, monitoring)
    processes = Processes(devices, num_nodes, strategy, accumulate)
    _check_numbers(epochs, batch_size, bucket, lr, seed, workers, max_nodes)
    _check_together(val, loss, groups["optimization"], groups["stopping"])
    device = hardware(accelerator)
    set_threads(threads)
    network, trained = _asked(network, init)
    goes_on = _goes_on(out, resume=resume, overwrite=overwrite)
    loggers = make_loggers(groups["monitoring"], out, logger)
    plain = {
        "data": str(data), "val": _text(val), "out": str(out), "epochs": epochs,
        "batch_size": batch_size, "bucket": bucket, "lr": lr, "seed": seed, "threads": threads,
        "workers": workers, "accelerator": accelerator, "skip_larger": skip_larger,
        "max_nodes": max_nodes, "init": _text(init),
    }  # fmt: skip
    module, pairs = _prepared(plain, network, trained, loss, groups)
    options = {**plain, **asdict(processes), **_written(module, groups)}
    part_random_numbers(seed)
    job = Job(
        module, pairs, out, options, groups["stopping"], processes, device, groups["checkpoint"],
        loggers=loggers,
    )  # fmt: skip
    return _fitted(job, goes_on=goes_on, overwrite=overwrite)


def _written(module: TrainingModule, groups: Mapping[str, Any]) -> dict[str, Any]:
    """The options of loss, network and groups as train.yaml has them."""
    own = {**loss_options(module.loss), "network": network_options(module.network)}
    return own | {name: asdict(group) for name, group in groups.items()}


def _text(path: str | Path | None) -> str | None:
    """A path as train.yaml holds it."""
    return None if path is None else str(path)


def _fitted(job: Job, *, goes_on: bool, overwrite: bool) -> Summary:
    """What a run comes to; that of one that has ended stays."""
    with claim(job.out, overwrite=overwrite or goes_on) if is_main() else nullcontext():
        before = resumed(job.out, job.options, job.data.digests) if goes_on else None
        if before is not None and before.summary is not None:
            notice(f"{job.out}: the run has come to its end; nothing is left to do.")
            return before.summary
        return fit(replace(job, resumed=before))


def _prepared(
    plain: Mapping[str, Any],
    network: nn.Module | Mapping[str, Any],
    trained: GraphTransformNet | None,
    loss: StructuralLoss,
    groups: Mapping[str, Any],
) -> tuple[TrainingModule, PairsDataModule]:
    """What is trained, and on what; the random numbers begin here."""
    torch.manual_seed(plain["seed"])
    names = "batch_size", "bucket", "seed", "skip_larger", "workers", "max_nodes"
    chosen = {name: plain[name] for name in names} | {"recombination": groups["recombination"]}
    pairs = PairsDataModule(plain["data"], plain["val"], **chosen, **_reading(network, loss))
    loss = _for_edges(loss, directed=pairs.directed)
    model = network if isinstance(network, nn.Module) else untrained_network(pairs, **network)
    if trained is not None and isinstance(model, GraphTransformNet):
        take_over(trained, model, str(plain["init"]))
    known = {"alphabet": pairs.alphabet, "optimization": groups["optimization"]}
    return TrainingModule(model, loss, lr=plain["lr"], **known), pairs


def _asked(
    network: nn.Module | Mapping[str, Any] | None, init: str | Path | None
) -> tuple[nn.Module | Mapping[str, Any], GraphTransformNet | None]:
    """The network or its options, and the trained one that it starts from."""
    if isinstance(network, nn.Module):
        remedy = "Load the weights into the network instead."
        require(init is None, "`init`", "be left out with a network of your own", init, remedy)
        return network, None
    trained = None if init is None else load_network(init)
    options = (network or {}) if trained is None else network_like(trained, network or {})
    check_network(options)
    return options, trained


def _goes_on(out: Path, *, resume: bool, overwrite: bool) -> bool:
    """Whether there is a run that is to go on; refuses a folder that may not be used."""
    fits, remedy = not (overwrite and resume), "Choose one of the two."
    require(fits, "`overwrite`", "be left out where a run may go on", overwrite, remedy)
    goes_on = resume and resumable(out)
    if is_main():
        check_unclaimed(out, overwrite=overwrite or goes_on)
    return goes_on


def _check_numbers(
    epochs: int, batch_size: int, bucket: int, lr: float, seed: int, workers: int, max_nodes: int
) -> None:
    require(epochs >= 0, "`epochs`", "not be negative", epochs, "0 saves the untrained model.")
    require(batch_size >= 1, "`batch_size`", "be at least 1", batch_size, "Try 32.")
    require(bucket >= 1, "`bucket`", "be at least 1", bucket, "1 draws batches at random.")
    require(0 < lr <= 1e30, "`lr`", "be positive and at most 1e30", lr, "Try 0.003.")
    require(0 <= seed < 2**63, "`seed`", "be from 0 to 2**63 - 1", seed, "Any will do: try 0.")
    require(max_nodes >= 1, "`max_nodes`", "be at least 1", max_nodes, f"Try {MOST}.")
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
    val: str | Path | None, loss: StructuralLoss, optimization: Optimization, stopping: Stopping
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
