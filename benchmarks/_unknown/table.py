"""What came of the runs, as a table."""

import statistics
from collections.abc import Sequence
from typing import Any

COLUMNS = (
    ("exact_match", "exact", ".1%"), ("edit_cost", "edits", ".2f"), ("edge_f1", "edge F1", ".3f"),
    ("seconds", "seconds", ".0f"), ("loss_seconds", "in the loss", ".0f"),
)  # fmt: skip


def summary(runs: Sequence[dict[str, Any]]) -> str:
    """Mean of the last points of each loss, and half the distance of its extremes."""
    lines = [" ".join([f"{'loss':24}", *(f"{name:>16}" for _, name, _ in COLUMNS)])]
    for loss in dict.fromkeys(run["loss"] for run in runs):
        last = [run["curve"][-1] for run in runs if run["loss"] == loss]
        cells = [_cell([point[key] for point in last], form) for key, _, form in COLUMNS]
        lines.append(" ".join([f"{loss:24}", *(f"{cell:>16}" for cell in cells)]))
    return "\n".join(lines)


def _cell(values: Sequence[float], form: str) -> str:
    spread = (max(values) - min(values)) / 2
    return f"{statistics.mean(values):{form}} +- {spread:{form}}"
