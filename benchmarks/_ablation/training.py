"""The data of a task, and one network trained on it with one variant."""

import json
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from run import HERE, Task, prepare, read_tasks

from grapheme_torch.cli._main import main as grapheme
from grapheme_torch.data import load_pairs
from grapheme_torch.train import evaluate

from .variants import Variant

BATCH = 32
"""Pairs in a step."""

MOST, HELD_OUT = 4800, 400
"""Pairs to train on, and to evaluate on; both drawn from a task's training file."""

SHOWN = ("exact_match", "node_f1", "edge_f1", "edit_cost")


@dataclass(frozen=True)
class Prepared:
    """Files of a task's pairs.

    Args:
        train, held_out: JSON Lines.
        epochs: Passes over the data that make the steps, nearly.
        task: The task, for the constraint of its answers.
    """

    train: Path
    held_out: Path
    epochs: int
    task: Task


def prepared(name: str, data: Path, work: Path, steps: int) -> Prepared:
    """Draws pairs of a task of `recipes/tasks.yaml`; its test file is not read."""
    task = replace(read_tasks(HERE / "tasks.yaml")[name], test=(), held_out=0.1)
    sets, _ = prepare(task, data, work)
    trained = _drawn(Path(sets["train"]), work / "drawn.jsonl", MOST)
    _drawn(Path(sets["dev"]), work / "held-out.jsonl", HELD_OUT)
    epochs = max(1, round(steps * BATCH / trained))
    return Prepared(work / "drawn.jsonl", work / "held-out.jsonl", epochs, task)


def _drawn(path: Path, out: Path, most: int) -> int:
    """Writes that many lines, by chance and always the same; how many there are now."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    random.Random(0).shuffle(lines)
    out.write_text("".join(lines[:most]), encoding="utf-8")
    return min(most, len(lines))


def trained(pairs: Prepared, variant: Variant, seed: int, out: Path) -> dict[str, Any]:
    """Trains with a variant; scores on held-out pairs, and seconds of the processor."""
    before = time.process_time()
    status = grapheme([
        "train", f"--data={pairs.train}", f"--out={out}", f"--seed={seed}", "--overwrite",
        f"--batch-size={BATCH}", f"--epochs={pairs.epochs}", *variant.words(),
    ])  # fmt: skip
    if status:
        raise SystemExit(status)
    seconds = time.process_time() - before
    constraint = pairs.task.constraint
    # Learned bounds are a search of its own, and no part of the question.
    plain = None if constraint == "learned" else constraint
    report = evaluate(out, load_pairs(pairs.held_out), worst=0, constraint=plain).to_dict()
    loss = json.loads((out / "summary.json").read_text(encoding="utf-8"))["final_loss"]
    return {"seconds": seconds, "final_loss": loss} | {name: report[name] for name in SHOWN}
