"""Trains one network by a recipe, with `grapheme train` in a process of its own."""

import json
import sys
from pathlib import Path
from typing import Any

from run import Task, _result, _train_words

from .bounded import bounded

COMMAND = (sys.executable, "-m", "grapheme_torch.cli")


def trained(
    task: Task, sets: dict[str, str], out: Path, seed: int, minutes: float, clock: float
) -> dict[str, Any]:
    """What one network reaches in so many minutes of the processor.

    Args:
        task: The recipe.
        sets: Its data sets "train", "dev" and "test".
        out: Folder of the run.
        seed: Of the run.
        minutes: Of the processor; a network that is done by its epochs takes less.
        clock: Minutes of the clock, at most.
    """
    bound = [f"--stopping.minutes={clock}"]
    words = _train_words(task, sets, out, seed, bound)
    spent = bounded([*COMMAND, *words], out.with_suffix(".log"), 60 * minutes)
    result = _result([out], sets["test"], task)
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return {
        "exact": result["metrics"]["exact_match"], "held_back": summary["val_exact_match"],
        "parameters": summary["parameters"], "epochs": summary["epochs"],
        "processor": spent.processor, "clock": spent.clock, "ended": spent.ended,
    }  # fmt: skip
