"""What checks and records cost beside a training step, in processor time of this thread.

    python benchmarks/step_overhead.py

Kindergarten in one batch, default network and loss, one thread; the best of many repetitions. A
machine that others use shows no difference of a few per cent between whole runs.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

REPEATS, STEPS, WARM_UP, EVERY = 30, 40, 5, 50


def main() -> None:
    """Prints microseconds, and shares of a step."""
    import torch
    from torch.nn.utils import get_total_norm

    from grapheme_torch import StructuralLoss
    from grapheme_torch.train import PairsDataModule, TrainingModule, untrained_network
    from grapheme_torch.train._anomaly import Step, is_sound
    from grapheme_torch.train._event_logger import EventLogger
    from grapheme_torch.train._monitor import Monitor

    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = PairsDataModule("kindergarten")
    data.setup("fit")
    ((inputs, targets),) = data.measured
    loss = StructuralLoss()
    module = TrainingModule(untrained_network(data), loss)
    adam = torch.optim.Adam(module.parameters(), lr=1e-3, fused=True)

    def step() -> Step:
        adam.zero_grad()
        prediction = module.network(inputs)
        result = loss(prediction, targets)
        result.total.backward()
        adam.step()
        return Step(inputs, targets, prediction, loss, result)

    whole = best(step, STEPS)
    seen = [step()]
    slopes = [p.grad for p in module.parameters() if p.grad is not None]
    row: dict[str, int | float] = {"epoch": 0, "total": 1.0, "node": 1.0, "edge": 1.0, "clique": 1}

    def checked() -> bool:
        return is_sound(
            [Step(inputs, targets, one.prediction, loss, one.result) for one in seen],
            get_total_norm(slopes),
        )

    with tempfile.TemporaryDirectory() as folder:
        rows: list[Any] = []
        monitor = Monitor([EventLogger(Path(folder))], EVERY, rows, {})
        trainer: Any = SimpleNamespace(global_step=0)
        monitor.on_train_start(trainer, module)

        def record(number: int) -> None:
            trainer.global_step, module.seen = number, seen
            monitor.on_before_optimizer_step(trainer, module, adam)

        def epoch() -> None:
            rows.append(row)
            monitor.on_train_epoch_end(trainer, module)

        costs = {
            "the norm of the gradient and its check, as before": best(
                lambda: bool(get_total_norm(slopes).isfinite())
            ),
            "the check of loss and gradient together": best(checked),
            "a step without a record": best(lambda: record(1)),
            f"a record, at every step of {EVERY}": best(lambda: record(0)) / EVERY,
            "a record of an epoch, once in each": best(epoch),
        }
        monitor.on_exception(trainer, module, KeyboardInterrupt())
    print(f"a step {whole * 1e3:.2f} ms")
    for what, seconds in costs.items():
        print(f"{what:52} {seconds * 1e6:8.1f} us  {seconds / whole:7.3%}")


def best(call: Callable[[], Any], calls: int = 20) -> float:
    """Seconds of a call: the mean of some, in the best of the repetitions."""
    for _ in range(WARM_UP):
        call()
    found = []
    for _ in range(REPEATS if calls == 20 else 5):
        began = time.thread_time()
        for _ in range(calls):
            call()
        found.append((time.thread_time() - began) / calls)
    return min(found)


if __name__ == "__main__":
    main()
