"""Draws docs/images/unknown_order-TASK.png: how losses learn, mean of the seeds and spread."""

import json
import statistics
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[2]
RESULTS, IMAGES = ROOT / "benchmarks" / "results", ROOT / "docs" / "images"
COLOURS = {
    "StructuralLoss, rounds": "#0072B2", "StructuralLoss, neighbours": "#56B4E9",
    "StructuralLoss, learned": "#009E73", "PMFGW": "#E69F00", "canonical order": "#CC79A7",
}  # fmt: skip
ROWS = (("edit_cost", "edit distance"), ("exact_match", "exact graphs"))
LEAST_SHARE = 0.05
"""Exact graphs at the top of the axis, at least."""
COLUMNS = (("step", "step"), ("seconds", "seconds of one core"))


def main() -> None:
    """Draws every task for which there are results."""
    for path in sorted(RESULTS.glob("unknown_order-*.json")):
        _draw(json.loads(path.read_text(encoding="utf-8"))["runs"], IMAGES / f"{path.stem}.png")


def _draw(runs: list[dict[str, Any]], out: Path) -> None:
    figure = Figure(figsize=(9.2, 6.0), dpi=110, layout="constrained")
    panels = figure.subplots(len(ROWS), len(COLUMNS), sharey="row")
    for row, (height, name) in enumerate(ROWS):
        for column, (place, unit) in enumerate(COLUMNS):
            axes = panels[row][column]
            for loss, colour in COLOURS.items():
                curves = [run["curve"] for run in runs if run["loss"] == loss]
                if curves:
                    _curve(axes, curves, (place, height), colour, loss)
            axes.set_xlabel(unit)
            axes.set_ylim(bottom=0)
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(alpha=0.3)
            if not column:
                axes.set_ylabel(name)
    # Of a few exact graphs among hundreds there is nothing to see, and an axis would enlarge it.
    panels[1][0].set_ylim(0, max(LEAST_SHARE, panels[1][0].get_ylim()[1]))
    panels[1][0].yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    panels[0][0].legend(frameon=False)
    figure.savefig(out)


def _curve(
    axes: Axes, curves: list[list[dict[str, float]]], keys: tuple[str, str], colour: str, name: str
) -> None:
    """The mean of the seeds at each evaluation, and all between the least and the largest."""
    points = list(zip(*curves, strict=False))
    x, y = ([[point[key] for point in at] for at in points] for key in keys)
    middle = [statistics.mean(each) for each in x]
    axes.plot(middle, [statistics.mean(each) for each in y], color=colour, label=name, marker=".")
    low, high = [min(each) for each in y], [max(each) for each in y]
    axes.fill_between(middle, low, high, color=colour, alpha=0.2, linewidth=0)


if __name__ == "__main__":
    main()
