"""The picture of how the losses fell."""

import math
import os
from collections.abc import Mapping, Sequence
from itertools import cycle

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .._check import Received, require
from ..layout import BLUE, GREEN, GREY, INK, ORANGE, PALE, RED
from ._style import save

_STYLE = {
    "total": (INK, "-", 2.2),
    "val_total": (INK, "--", 1.6),
    "node": (BLUE, "-", 1.4),
    "edge": (ORANGE, "-", 1.4),
    "clique": (GREEN, "-", 1.4),
}
_NAME = {"val_total": "total (validation)"}
_FURTHER = (":", 1.4)
_NO_LOSS = {"epoch", "converged", "val_exact"}


def plot_losses(rows: Sequence[Mapping[str, int | float]], path: str | os.PathLike[str]) -> None:
    """Draws the loss and its terms over the epochs, on a logarithmic scale.

    Args:
        rows: One mapping an epoch, with "epoch", any of "total", "val_total", "node", "edge" and
            "clique", and further terms by their names, as in metrics.csv ("converged" and
            "val_exact" are no losses). A value that is not positive, not finite or missing leaves
            a gap.
        path: Where to write; the suffix names the format (png, svg, pdf, ...).

    Raises:
        InputError: If there are no rows, or the file cannot be written.
    """
    remedy = "Train for an epoch first."
    require(len(rows) > 0, "`rows`", "hold at least one epoch", Received("none"), remedy)
    figure = Figure(figsize=(7.2, 4.2), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    epoch = [row["epoch"] for row in rows]
    styles = _styles(rows)
    drawn = [name for name in styles if any(_drawable(row.get(name)) for row in rows)]
    for name in drawn:
        colour, line, width = styles[name]
        value = [row[name] if _drawable(row.get(name)) else math.nan for row in rows]
        label = _NAME.get(name, name)
        dot = "." if _alone(value) else ""
        axes.plot(epoch, value, line, color=colour, lw=width, label=label, marker=dot)
    if drawn:
        axes.set_yscale("log")
        figure.legend(loc="outside upper center", ncols=len(drawn), frameon=False)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.set_xlim(min(epoch) - 0.5, max(epoch) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(axis="y", color=PALE, lw=0.6, alpha=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def _styles(rows: Sequence[Mapping[str, int | float]]) -> dict[str, tuple[str, str, float]]:
    """How each loss is drawn: further terms after those of every loss, dotted."""
    names = dict.fromkeys(name for row in rows for name in row)
    further = [name for name in names if name not in _STYLE and name not in _NO_LOSS]
    colours = cycle((RED, GREY, BLUE, ORANGE, GREEN))
    return _STYLE | {name: (next(colours), *_FURTHER) for name in further}


def _alone(values: Sequence[float]) -> bool:
    """Whether a value has a neighbour on neither side, so that no line would show it."""
    gap = [math.isnan(value) for value in (math.nan, *values, math.nan)]
    return any(a and c and not b for a, b, c in zip(gap, gap[1:], gap[2:], strict=False))


def _drawable(value: int | float | None) -> bool:
    # A double has room left beyond, for the margins of a logarithmic scale.
    return value is not None and 1e-100 < value < 1e100
