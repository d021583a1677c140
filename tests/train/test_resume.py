"""A run that was killed goes on as if it had not been: bit for bit."""

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from grapheme_torch import InputError, StructuralLoss
from grapheme_torch._check import Notice
from grapheme_torch._versions import current
from grapheme_torch.train import (
    Checkpointing,
    Optimization,
    Stopping,
    Summary,
    TrainingModule,
    load_network,
    saved_loss,
)

from .runs import PAIRS, SMALL, contents, quick, rows, write_pairs

EVERY = Checkpointing(steps=1, share=1.0)
NOISY = {**SMALL, "dropout": {"layers": 0.2}}
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "average": {
        "val": "kindergarten",
        "optimization": Optimization(
            ema_decay=0.9, schedule="cosine", warmup=0.2, weight_decay=0.01, temperature_start=0.5
        ),
    },
    "patience": {"val": "kindergarten", "stopping": Stopping(val_every=2, patience=3)},
    "one batch": {"batch_size": 32, "optimization": Optimization(clip=1.0)},
}


class Killed(BaseException):
    """As `kill -9` within a step: nobody catches it, nothing is saved."""


def killed(out: Path, steps: int, **options: Any) -> None:
    """Trains until a step that is not done any more."""
    original, left = TrainingModule.training_step, iter(range(steps - 1))

    def step(module: TrainingModule, batch: Any, batch_idx: int) -> Any:
        if next(left, None) is None:
            raise Killed
        return original(module, batch, batch_idx)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(TrainingModule, "training_step", step)
        run(out, **options)


def run(out: Path, **options: Any) -> Summary:
    """Four epochs, three batches each, with noise, saved after every step."""
    usual = {"epochs": 4, "network": NOISY, "batch_size": 4, "checkpoint": EVERY}
    return quick(out, **{**usual, "accelerator": "cpu", **options})


def state(out: Path) -> Any:
    """What a run goes on from, but for times."""
    found = torch.load(current(out) / "state.ckpt", weights_only=True)
    found["callbacks"]["Start"].pop("seconds")
    del found["callbacks"][next(name for name in found["callbacks"] if name.startswith("Timer"))]
    return found


def same(a: Any, b: Any) -> bool:
    """Whether two states are equal, bit for bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    return bool(a == b) or (a != a and b != b)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_killed_goes_on_bit_for_bit(tmp_path: Path, kind: str) -> None:
    options = KINDS[kind]
    whole = run(tmp_path / "whole", **options)
    last = whole.steps
    for step in (last // 2 + 1, last):  # after an epoch, and within one
        out = tmp_path / str(step)
        killed(out, step, **options)
        assert len(rows(out)) < len(rows(tmp_path / "whole"))
        summary = run(out, resume=True, **options)
        for name in ("model.safetensors", "metrics.csv", "config.json"):
            assert contents(out)[name] == contents(tmp_path / "whole")[name], (step, name)
        assert same(state(out), state(tmp_path / "whole")), step
        for name in ("steps", "parameter_change_l2", "best_epoch", "saved_epoch", "final_loss"):
            assert getattr(summary, name) == getattr(whole, name)
