"""One training run, from data to the folder that holds the model."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch.loggers import Logger
from torch import nn

from .._check import notice, require
from ..loss import StructuralLoss
from ._checkpoints import Checkpointing
from ._fit import Job, fit
from ._folder import check_unclaimed, claim
from ._hardware import hardware, set_threads
from ._large_pairs import MOST
from ._monitoring import Monitoring, make_loggers
from ._numerics import Numerics
from ._optimization import Optimization
from ._processes import is_main, part_random_numbers
from ._recombination import Recombination
from ._resume import resumable, resumed
from ._run_plan import make_plan
from ._stopping import Stopping
from ._summary import Summary
from ._train_arguments import check_arguments, processes_of


def train(
    out: str | Path,
    *,
    data: str | Path = "kindergarten",
    val: str | Path | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    bucket: int | None = None,
    lr: float | None = None,
    seed: int = 0,
    threads: int = 1,
    workers: int = 0,
    accelerator: Literal["auto", "cpu", "gpu"] = "auto",
    devices: int = 1,
    num_nodes: int = 1,
    strategy: str = "auto",
    accumulate: int = 1,
    skip_larger: bool | None = None,
    max_nodes: int = MOST,
    overwrite: bool = False,
    resume: bool = False,
    init: str | Path | None = None,
    loss: StructuralLoss | Mapping[str, Any] | None = None,
    network: nn.Module | Mapping[str, Any] | None = None,
    optimization: Optimization | Mapping[str, Any] | None = None,
    recombination: Recombination | Mapping[str, Any] | None = None,
    stopping: Stopping | Mapping[str, Any] | None = None,
    checkpoint: Checkpointing | Mapping[str, Any] | None = None,
    numerics: Numerics | Mapping[str, Any] | None = None,
    monitoring: Monitoring | Mapping[str, Any] | None = None,
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
        init: Folder of a network to start from; its options hold.
        loss: The loss. Default: `StructuralLoss()`.
        network: What to train: any module that maps a batch of graphs to a `Prediction`. Its
            classes are its attributes `labels` and `relations`. Default: those of the training
            targets, in the order of `Alphabet.of`. Its attributes `num_slots`, `num_queries` (see
            `room_of`), `candidates` and `directed` are used if they exist. Or arguments of
            `GraphTransformNet`, see `untrained_network`.
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
    arguments = dict(locals())
    require(str(out) != "", "`out`", "name a folder", out, "Name one, such as runs/kg.")
    given, monitoring = check_arguments(arguments)
    device = hardware(accelerator)
    set_threads(threads)
    goes_on = _goes_on(Path(out), resume=resume, overwrite=overwrite)
    loggers = make_loggers(monitoring, Path(out), logger)
    plan = make_plan(given)
    processes = processes_of(arguments)
    part_random_numbers(seed)
    job = Job(
        plan.module, plan.pairs, Path(out), plan.options(processes), plan.groups["stopping"],
        processes, device, plan.groups["checkpoint"], loggers=loggers, choices=plan.choices,
    )  # fmt: skip
    return _fitted(job, goes_on=goes_on, overwrite=overwrite)


def _fitted(job: Job, *, goes_on: bool, overwrite: bool) -> Summary:
    """What a run comes to; that of one that has ended stays."""
    with claim(job.out, overwrite=overwrite or goes_on) if is_main() else nullcontext():
        before = resumed(job.out, job.options, job.data.digests) if goes_on else None
        if before is not None and before.summary is not None:
            notice(f"{job.out}: the run has come to its end; nothing is left to do.")
            return before.summary
        return fit(replace(job, resumed=before))


def _goes_on(out: Path, *, resume: bool, overwrite: bool) -> bool:
    """Whether there is a run that is to go on; refuses a folder that may not be used."""
    fits, remedy = not (overwrite and resume), "Choose one of the two."
    require(fits, "`overwrite`", "be left out where a run may go on", overwrite, remedy)
    goes_on = resume and resumable(out)
    if is_main():
        check_unclaimed(out, overwrite=overwrite or goes_on)
    return goes_on
