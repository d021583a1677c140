"""Draws docs/images/growth.png from benchmarks/results/growth.json: how time grows."""

import json
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "growth.json"
OUT = ROOT / "docs" / "images" / "growth.png"
COLOURS = ("#0072B2", "#E69F00", "#009E73")
PANELS = (
    ("nodes", "nodes on either side of one pair"),
    ("pairs", "pairs of {nodes} nodes in a batch"),
    ("iterations", "iterations, 32 pairs of {nodes} nodes"),
)


def main() -> None:
    """Draws the curves, if there are any."""
    if not RESULT.exists():
        return
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    figure = Figure(figsize=(11.0, 3.8), dpi=150, layout="constrained")
    for axes, (over, label) in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
        _draw(axes, found["curves"][over])
        axes.set_xlabel(label.format(nodes=found["nodes_of_a_pair"]))
        axes.set_ylabel("seconds, loss and gradient")
    figure.savefig(OUT)


def _draw(axes: Axes, curves: dict[str, list[Any]]) -> None:
    for colour, (name, points) in zip(COLOURS, curves.items(), strict=False):
        x, y = zip(*points, strict=True)
        axes.loglog(x, y, color=colour, label=name, marker="o", markersize=3)
    if len(curves) > 1:
        axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)


if __name__ == "__main__":
    main()
