"""Trains one network by a recipe, with `grapheme train` in a process of its own."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import yaml
from run import HERE, Task, _result, _train_words

from .bounded import Effort, bounded

COMMAND = (sys.executable, "-m", "grapheme_torch.cli")


def trained(
    task: Task, sets: dict[str, str], out: Path, effort: Effort, pace: float
) -> dict[str, Any]:
    """What one network reaches in so many minutes of the processor.

    Args:
        task: The recipe.
        sets: Its data sets "train", "dev" and "test".
        out: Folder of the run.
        effort: How long it is trained; a network that is done by its epochs takes less.
        pace: Epochs that fit into a minute of the processor.
    """
    epochs = fitting(task, pace, effort.minutes)
    bound = [f"--stopping.minutes={effort.clock}", f"--epochs={epochs}"]
    words = _train_words(task, sets, out, effort.seed, bound)
    spent = bounded([*COMMAND, *words], out.with_suffix(".log"), 60 * effort.minutes)
    result = _result([out], sets["test"], task)
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return {
        "exact": result["metrics"]["exact_match"], "held_back": summary["val_exact_match"],
        "parameters": summary["parameters"], "epochs": summary["epochs"],
        "processor": spent.processor, "clock": spent.clock, "ended": spent.ended,
    }  # fmt: skip


def fitting(task: Task, pace: float, minutes: float) -> int:
    """The epochs of a recipe, or as many of them as fit."""
    assert task.train is not None
    file = yaml.safe_load((HERE / task.train).read_text(encoding="utf-8"))
    planned = int({**file, **task.options}["epochs"])
    return max(1, min(planned, math.floor(pace * minutes)))
