"""Training from a file that need not fit into memory: peak memory and time, by its lines.

Each size has a process of its own: it makes the data module (the first pass over the file), reads
`READ` pairs in training order, and trains `STEPS` steps.
Memory is the peak resident set of the process, in MiB, after each of these; `start` is what the
imports took. Times are processor seconds, which other work on the machine does not lengthen.

    python benchmarks/streams.py [LINES ...]
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

SIZES = (10**3, 10**5, 10**6)
BATCH, READ, STEPS = 32, 30_000, 100
WORDS = ("red", "sky", "cat", "dog", "sun", "ice", "sea", "bee", "owl", "fig")


def main(sizes: tuple[int, ...]) -> None:
    """Measures every size and records what was found."""
    from _record import record

    rows = []
    for lines in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pairs.jsonl"
            write(path, lines)
            command = [sys.executable, __file__, "--measure", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append({"lines": lines, "bytes": path.stat().st_size, **json.loads(done.stdout)})
        print(json.dumps(rows[-1]), flush=True)
    record("streams", {"batch": BATCH, "read": READ, "steps": STEPS, "rows": rows})


def write(path: Path, lines: int) -> None:
    """A data set of so many lines: two words, turned round."""
    drawn = random.Random(lines)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(lines):
            one, two = drawn.choices(WORDS, k=2)
            file.write(json.dumps({"input": f"{one} {two}", "target": f"{two} {one}"}) + "\n")


def measure(path: str) -> dict[str, Any]:
    """What one data set takes, in this process."""
    import lightning.pytorch as pl
    import torch

    from grapheme_torch import StructuralLoss
    from grapheme_torch.train import PairsDataModule, TrainingModule, untrained_network

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    memory = {"start": peak()}
    began = time.process_time()
    data = PairsDataModule(path, batch_size=BATCH)
    first = time.process_time() - began
    memory["first_pass"] = peak()
    rates = {"read": pairs_a_second(data.train_dataloader(), time.process_time)}
    memory["read"] = peak()
    network = untrained_network(data, dim=32)
    trainer = pl.Trainer(
        max_steps=STEPS, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
    )  # fmt: skip
    began = time.process_time()
    trainer.fit(TrainingModule(network, StructuralLoss()), datamodule=data)
    rates["steps"] = STEPS / (time.process_time() - began)
    memory["trained"] = peak()
    lines = len(data.split.train)
    return {"first_pass_seconds": first, "lines_a_second": lines / first} | {
        "peak_mib": memory, "a_second": rates,
    }  # fmt: skip


def pairs_a_second(loader: Any, clock: Callable[[], float]) -> float:
    """How fast batches come, of as many passes as `READ` pairs take."""
    began, pairs = clock(), 0
    while pairs < READ:
        for batch, _ in islice(loader, -(-(READ - pairs) // BATCH)):
            pairs += batch.num_graphs
    return pairs / (clock() - began)


def peak() -> float:
    """Peak memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        main(tuple(map(int, sys.argv[1:])) or SIZES)
