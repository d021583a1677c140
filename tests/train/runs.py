"""Runs that take a second, and files of pairs."""

import csv
import json
from pathlib import Path
from typing import Any

from grapheme_torch.nn import CandidateEdges
from grapheme_torch.train import Summary, train

# Without copying, which holds "abcd" -> "ba" by its letters, where no edge leads back from b to a.
# What would be chosen by the data otherwise is tested apart.
SMALL: dict[str, Any] = {
    "dim": 16, "num_layers": 1, "num_heads": 2, "num_buckets": 64, "copy": False,
    "candidates": CandidateEdges(),
}  # fmt: skip

PAIRS: list[dict[str, Any]] = [
    {"input": "abc", "target": "ab", "id": 1},
    {"input": "abcd", "target": "ba"},
    {"input": "c", "target": ""},
    {"input": "dd", "target": "dd"},
    {"input": "bacab", "target": "aabb"},
]

CURVES = "tensorboard"


def quick(out: Path, **options: Any) -> Summary:
    """Two epochs of a small network, unless told otherwise."""
    return train(out, **{"epochs": 2, "network": SMALL, **options})


def write_pairs(path: Path, pairs: list[dict[str, Any]]) -> str:
    """A JSON Lines file."""
    text = "".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs)
    path.write_text(text, encoding="utf-8")
    return str(path)


def rows(out: Path) -> list[dict[str, str]]:
    """The rows of `metrics.csv`."""
    with (out / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, but for the curves: their names and contents tell the time."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    every = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    return {name: content for name, content in every.items() if CURVES not in Path(name).parts}


def listed(folder: Path) -> list[str]:
    """What a folder holds beside the curves, sorted."""
    return sorted(path.name for path in folder.iterdir() if path.name != CURVES)
