"""How long the losses take on the same outputs, one after the other, again and again."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import torch

from .data import Pictures
from .network import Outputs
from .train import Loss

REPEATS = 15

Snapshot = tuple[int, Outputs, Pictures]
"""A step of a training, and what the network said then about which pictures."""


def seconds(losses: Mapping[str, Loss], snapshots: Sequence[Snapshot]) -> dict[str, float]:
    """Median seconds of each loss, forward and backward, over snapshots and repeats.

    Interleaved, so that whatever else the machine does slows all of them alike.
    """
    spent: dict[str, list[float]] = {name: [] for name in losses}
    for repeat in range(REPEATS + 1):
        for _, outputs, pictures in snapshots:
            for name, loss in losses.items():
                once = _once(loss, outputs, pictures)
                if repeat:  # the first only warms up
                    spent[name].append(once)
    return {name: statistics.median(times) for name, times in spent.items()}


def _once(loss: Loss, outputs: Outputs, pictures: Pictures) -> float:
    leaves = Outputs(*(x.detach().requires_grad_() for x in outputs))
    start = time.perf_counter()
    loss(leaves, pictures).backward()
    return time.perf_counter() - start


def save(path: Path, snapshots: Sequence[Snapshot]) -> None:
    """Writes snapshots, so that the losses can be timed again without training."""
    plain = [(step, tuple(outputs), astuple(pictures)) for step, outputs, pictures in snapshots]
    torch.save(plain, path)


def load(path: Path) -> list[Snapshot]:
    """What `save` wrote."""
    plain: list[Any] = torch.load(path)
    return [(step, Outputs(*outputs), Pictures(*pictures)) for step, outputs, pictures in plain]
