"""The trials of each family of attacks, and how many are survived.

A trial is survived if it ends by itself, within time and memory, with a result or in our words.
"""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from . import data, folders, options
from .survival import OURS, outcome

Trial = tuple[str, Callable[[], Any]]
FAMILIES = ("folders", "options", "data")


def trained(folder: Path) -> Path:
    """A folder of a small run."""
    from grapheme_torch.train import train

    network = {"dim": 8, "num_layers": 1, "num_heads": 2, "num_buckets": 16}
    path = folder / "pairs.jsonl"
    path.write_bytes(data.PAIR * 3)
    train(folder / "good", data=str(path), epochs=1, network=network)
    return folder / "good"


def loads(folder: Path) -> dict[str, Callable[[], Any]]:
    """The ways to read a folder of a run, by name."""
    from grapheme_torch.data import kindergarten
    from grapheme_torch.train import evaluate, load_network, saved_loss

    return {
        "load_network": lambda: load_network(folder),
        "saved_loss": lambda: saved_loss(folder),
        "evaluate": lambda: evaluate(folder, kindergarten()[:2]),
    }


def trials(family: str, folder: Path, chosen: Callable[[str], bool]) -> Iterator[Trial]:
    """The trials of a family that are chosen; each is to be done before the next is asked for."""
    from grapheme_torch.cli._main import main

    good = trained(folder)
    if family == "folders":
        for name, spoil in folders.attacks().items():
            spoilt = folder / "spoilt"
            asked = {how: load for how, load in loads(spoilt).items() if chosen(f"{name}: {how}")}
            if not asked:
                continue
            for left in (spoilt, folder / "spoilt-elsewhere"):
                shutil.rmtree(left, ignore_errors=True)
            shutil.copytree(good, spoilt)
            spoil(spoilt)
            yield from ((f"{name}: {how}", load) for how, load in asked.items())
        return
    if family == "options":
        lines = options.attacks(folder, str(folder / "pairs.jsonl"))
    else:
        lines = data.attacks(folder, good)
    for name, words in lines:
        shutil.rmtree(folder / "out", ignore_errors=True)
        (folder / "o.jsonl").unlink(missing_ok=True)
        if chosen(name):
            yield name, partial(main, words)


def survey(
    family: str,
    chosen: Callable[[str], bool] = lambda _: True,
    seconds: float = 20.0,
    told: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Does the trials of a family of the chosen names, counts how they end, tells of the lost."""
    counts: Counter[str] = Counter()
    lost: dict[str, str] = {}
    longest, began = 0.0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for name, action in trials(family, Path(folder), chosen):
            start = time.monotonic()
            found = outcome(action, seconds=seconds)
            longest = max(longest, time.monotonic() - start)
            counts[found] += 1
            if found not in OURS:
                lost[name] = found
                told(f"{family}: {name}: {found}")
    survived = sum(counts[each] for each in OURS)
    return {
        "trials": counts.total(), "survived": survived, "outcomes": dict(counts), "lost": lost,
        "longest_seconds": round(longest, 2), "seconds": round(time.monotonic() - began),
    }  # fmt: skip
