"""How long is kindergarten from a cold start of the command, and where do the seconds go?

The command runs three times in processes of their own; then once more, taken apart.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from _record import record

REPEATS = 3


def main() -> None:
    """Times the command and its stages and records both."""
    walls = [_command() for _ in range(REPEATS)]
    stages = _stages()
    total = sum(stages.values())
    shown = ", ".join(f"{wall:.2f}" for wall in walls)
    print(f"command: median {statistics.median(walls):.2f} s of {shown}")
    for name, seconds in stages.items():
        print(f"{name:32} {seconds:6.2f} s  {seconds / total:5.1%}")
    record("kindergarten_time", {"command_seconds": walls, "stage_seconds": stages})


def _command() -> float:
    with tempfile.TemporaryDirectory() as folder:
        words = ["train", "--out", str(Path(folder) / "run"), "--json"]
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "grapheme_torch.cli", *words],
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - start


class Stopwatch:
    """Seconds spent in some functions, each without what it spends in the others."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def watch(self, owner: Any, attribute: str, name: str) -> None:
        """Times `owner.attribute` from now on."""
        setattr(owner, attribute, self._timed(name, getattr(owner, attribute)))

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            self._inner.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                elapsed = time.perf_counter() - start
                self.spent[name] += elapsed - self._inner.pop()
                self._inner[-1] += elapsed

        return wrapper


def _stages() -> dict[str, float]:
    watch = Stopwatch()
    start = time.perf_counter()
    import torch

    import grapheme_torch.train
    from grapheme_torch import GraphTransformNet, StructuralLoss
    from grapheme_torch.train import _datamodule, _fit

    watch.spent["import"] = time.perf_counter() - start
    watch.watch(_datamodule, "load_split", "data")
    watch.watch(GraphTransformNet, "forward", "network, forward")
    watch.watch(StructuralLoss, "forward", "loss, forward")
    watch.watch(torch.Tensor, "backward", "backward of both")
    watch.watch(torch.optim.Adam, "step", "Adam")
    watch.watch(_fit, "plot_losses", "picture")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        grapheme_torch.train.train(Path(folder) / "run")
    whole = time.perf_counter() - start
    rest = whole + watch.spent["import"] - sum(watch.spent.values())
    return {**watch.spent, "rest (Lightning, files, decoding)": rest}


if __name__ == "__main__":
    main()
