"""Are all gradients exact? The default model before and after training, by finite differences."""

import itertools
import tempfile
import time
from pathlib import Path

from _record import record

from grapheme_torch.train import check_saved_model, train


def main() -> None:
    """Checks every parameter tensor in sixteen settings and records the errors."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for epochs in (0, 100):
            model = Path(folder) / str(epochs)
            train(model, epochs=epochs)
            settings = itertools.product(("likelihood", "edit"), (0, 2), (100, 3))
            for criterion, rounds, max_iterations in settings:
                start = time.perf_counter()
                report = check_saved_model(
                    str(model), criterion=criterion, rounds=rounds, max_iterations=max_iterations
                )
                row = {
                    "epochs": epochs, "criterion": criterion, "rounds": rounds,
                    "max_iterations": max_iterations, "loss": report.loss,
                    "tensors": len(report.rows), "passed": report.passed,
                    "untouched": sum(tensor.status == "untouched" for tensor in report.rows),
                    "max_relative_error": report.max_relative_error,
                    "seconds": round(time.perf_counter() - start, 1),
                }  # fmt: skip
                rows.append(row)
                print(row, flush=True)
    record("kindergarten_gradients", {"checks": rows})


if __name__ == "__main__":
    main()
