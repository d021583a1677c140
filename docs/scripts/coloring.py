"""Draws docs/images/coloring.png from benchmarks/results/coloring.json: how two losses learn."""

import json
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "coloring.json"
OUT = ROOT / "docs" / "images" / "coloring.png"
COLOURS = {"StructuralLoss": "#0072B2", "PMFGW": "#E69F00"}
ROWS = (("edit_distance", "edit distance"), ("exact", "exact graphs"))
COLUMNS = (("step", "step"), ("seconds", "seconds of training"))


def main() -> None:
    """Draws the curves of all runs, if there are any."""
    if not RESULT.exists():
        return
    runs = json.loads(RESULT.read_text(encoding="utf-8"))["runs"]
    figure = Figure(figsize=(9.2, 6.0), dpi=150, layout="constrained")
    panels = figure.subplots(len(ROWS), len(COLUMNS), sharey="row")
    for row, (height, name) in enumerate(ROWS):
        for column, (place, unit) in enumerate(COLUMNS):
            axes = panels[row][column]
            _draw(axes, runs, place, height)
            axes.set_xlabel(unit)
            if not column:
                axes.set_ylabel(name)
    panels[1][0].yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    panels[0][0].legend(frameon=False)
    figure.savefig(OUT)


def _draw(axes: Axes, runs: list[dict[str, Any]], place: str, height: str) -> None:
    named: set[str] = set()
    for run in runs:
        name = run["loss"]
        axes.plot(
            [point[place] for point in run["curve"]],
            [point[height] for point in run["curve"]],
            color=COLOURS[name],
            label=None if name in named else name,
            marker="o",
            markersize=3,
        )
        named.add(name)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)


if __name__ == "__main__":
    main()
