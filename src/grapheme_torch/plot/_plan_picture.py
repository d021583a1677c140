"""The picture of a plan: who was aligned with whom, as a heat map."""

import os

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch_geometric.data import Data

from .._check import require
from ..graphs import node_labels
from ..layout import GREY, INK
from ._letters import drawable
from ._style import FONT, save

INSERTION, DELETION = "insertion", "deletion"
MOST_NUMBERS = 12
"""Rows or columns up to which the mass is written into a cell."""
MOST_NAMES = 40
"""Rows or columns up to which each has its name."""


def plot_plan(
    plan: Float[Tensor, "n1 m1"],
    path: str | os.PathLike[str],
    *,
    predicted: Data | None = None,
    target: Data | None = None,
) -> None:
    """Draws a plan as a heat map: the darker a cell, the more mass.

    Rows are predicted nodes and, last, insertion; columns target nodes and, last, deletion. What
    insertion and deletion exchange is no match and is left empty.

    Args:
        plan: The plan of a pair, such as `result.plan[0]`.
        path: Where to write; the suffix names the format (png, svg, pdf, ...).
        predicted, target: Graphs whose labels name rows and columns. Default: their numbers.

    Raises:
        InputError: If the plan does not fit the graphs, or the file cannot be written.
    """
    save(plan_figure(plan, predicted, target), path)


def plan_figure(
    plan: Float[Tensor, "n1 m1"], predicted: Data | None = None, target: Data | None = None
) -> Figure:
    """The figure of `plot_plan`."""
    shape = tuple(plan.shape)
    fits = plan.ndim == 2 and min(shape) >= 1
    require(fits, "`plan`", "be a matrix", shape, "Give that of one pair: `result.plan[0]`.")
    n, m = shape[0] - 1, shape[1] - 1
    rows, columns = _names("predicted", predicted, n), _names("target", target, m)
    mass = plan.detach().cpu().double().clamp(0, 1).numpy().copy()
    mass[n, m] = 0.0
    side = [min(max(0.42 * size, 2.2), 12.0) for size in (m + 1, n + 1)]
    figure = Figure(figsize=(side[0] + 2.2, side[1] + 1.2), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    shown = axes.imshow(mass, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="none")
    _draw_ticks(axes, [*rows, INSERTION], [*columns, DELETION])
    if max(shape) <= MOST_NUMBERS:
        _draw_numbers(axes, mass.tolist())
    # A line sets the void apart.
    axes.axhline(n - 0.5, color=GREY, lw=0.8)
    axes.axvline(m - 0.5, color=GREY, lw=0.8)
    axes.set_ylabel("predicted node")
    axes.set_xlabel("target node")
    bar = figure.colorbar(shown, ax=axes, fraction=0.05, pad=0.03)
    bar.set_label("mass")
    bar.outline.set_visible(False)
    return figure


def _names(side: str, graph: Data | None, size: int) -> list[str]:
    if graph is None:
        return [str(k) for k in range(size)]
    label = node_labels(graph)
    remedy = "Give the graph that the plan is of, or leave it out."
    require(len(label) == size, f"`{side}`", f"have {size} nodes, as the plan", len(label), remedy)
    return [f"{k} {drawable(name)}".replace("\n", " ") for k, name in enumerate(label)]


def _draw_ticks(axes: Axes, rows: list[str], columns: list[str]) -> None:
    for axis, names, turn in ((axes.yaxis, rows, 0), (axes.xaxis, columns, 90)):
        step = -(-len(names) // MOST_NAMES)
        kept = [k for k in range(len(names) - 1) if k % step == 0]
        last = len(names) - 1
        places = [k for k in kept if step == 1 or last - k >= step] + [last]
        axis.set_ticks(
            places, [names[k] for k in places],
            fontproperties=FONT, fontsize=9, rotation=turn, parse_math=False,
        )  # fmt: skip
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_numbers(axes: Axes, mass: list[list[float]]) -> None:
    for i, row in enumerate(mass):
        for j, value in enumerate(row):
            if value >= 0.005:
                axes.text(
                    j, i, f"{value:.2f}".removeprefix("0").replace("1.00", "1"), fontsize=8,
                    ha="center", va="center", color="white" if value > 0.55 else INK,
                )  # fmt: skip
