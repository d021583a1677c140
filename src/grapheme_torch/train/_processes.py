"""Several processes that train one network: who is who, and how they are started."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.fabric.strategies.launchers.subprocess_script import _ChildProcessObserver
from lightning.pytorch.strategies.launchers import subprocess_script
from lightning.pytorch.utilities import rank_zero_only

from .._check import InputError, Received, refusal, require

_LAUNCH = "_launch_process_observer"
_GRACE = 20.0
"""Seconds that a process has to end by itself when another is gone."""


@dataclass(frozen=True)
class Processes:
    """How many processes train together, and how.

    Each batch is divided among them, and each part among short steps: the gradient is that of the
    whole batch, whatever the number of processes.

    Args:
        devices: Processes on each machine; each has a GPU of its own where there are any.
        num_nodes: Machines. Start the same command on each, by `torchrun` or Slurm.
        strategy: How they work together, as Lightning names it. "auto": "ddp" if there are several.
        accumulate: Short steps that a batch is divided into, to save memory.

    Raises:
        InputError: If a number is below 1.
    """

    devices: int = 1
    num_nodes: int = 1
    strategy: str = "auto"
    accumulate: int = 1

    def __post_init__(self) -> None:
        """Refuses a number below 1."""
        for name in ("devices", "num_nodes", "accumulate"):
            count = getattr(self, name)
            remedy = "1 is the usual number."
            require(count >= 1, f"`{name}`", "be at least 1", count, remedy)

    def settings(self) -> dict[str, Any]:
        """Arguments of Lightning's `Trainer`."""
        elastic = TorchElasticEnvironment.detect()
        return {
            "devices": self.devices, "num_nodes": self.num_nodes, "strategy": self.strategy,
            "accumulate_grad_batches": self.accumulate,
            "use_distributed_sampler": False,  # the batches are divided already
            # Without it Lightning would look for a cluster, and take over its signals.
            "plugins": [TorchElasticEnvironment() if elastic else LightningEnvironment()],
        }  # fmt: skip


def is_main() -> bool:
    """Whether this process is the one that writes files and talks."""
    return rank() == 0


def rank() -> int:
    """Number of this process, as whoever started it says; 0 if it is alone."""
    return int(getattr(rank_zero_only, "rank", 0))


def agreed(trainer: pl.Trainer, decision: bool) -> bool:
    """What the first process decides: clocks differ."""
    return decision if trainer.world_size == 1 else bool(trainer.strategy.broadcast(decision))


def part_random_numbers(seed: int) -> None:
    """Gives each process random numbers of its own; those of the first stay as they are."""
    if not is_main():
        torch.manual_seed(seed + rank())


class _Watch(_ChildProcessObserver):
    """Lightning's watch over the processes that it has started: where one dies it kills all.

    It may be faster than a process that tells, in words, that another is gone; so it waits first.
    """

    def _terminate_all(self) -> None:
        time.sleep(_GRACE)
        super()._terminate_all()


@contextmanager
def patient_watch() -> Iterator[None]:
    """Within it Lightning starts its processes with a watch that waits."""
    names = vars(subprocess_script)
    former = names[_LAUNCH]
    names[_LAUNCH] = lambda started: _Watch(os.getpid(), started).start()
    try:
        yield
    finally:
        names[_LAUNCH] = former


def is_of_connection(error: RuntimeError) -> bool:
    """Whether an error is of the connection between processes: one of them is gone."""
    kinds = torch.distributed.DistBackendError, torch.distributed.DistNetworkError
    return isinstance(error, kinds) or "gloo" in str(error)


def lost_process(error: RuntimeError) -> InputError:
    """What is said where another process is gone."""
    got = Received(str(error).split("] ")[-1].split(". ")[0])
    remedy = "What it was killed by may stand above. Go on with --resume."
    return refusal("a process of the run", "stay alive", got, remedy)
