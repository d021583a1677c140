"""The picture of how the losses fell."""

import math
import os
from collections.abc import Mapping, Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

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


def plot_losses(
    rows: Sequence[Mapping[str, int | float]],
    path: str | os.PathLike[str],
    weights: Mapping[str, float] | None = None,
) -> None:
    """Draws the loss and its terms over the epochs, on a logarithmic scale.

    Where there is "val_exact", a second panel shows it: the share of exact matches.

    Args:
        rows: One mapping an epoch, as in metrics.csv: "epoch", any of "total", "val_total", "node",
            "edge" and "clique", and further terms by their names. "converged" and "val_exact" are
            no losses. A value that is not positive, not finite or missing leaves
            a gap.
        path: Where to write; the suffix names the format (png, svg, pdf, ...).
        weights: What the loss multiplies each term by, by name. Terms are drawn so, and add up to
            the total; a term of weight 0 is left out. Default: terms are drawn as they are.

    Raises:
        InputError: If there are no rows, or the file cannot be written.
    """
    remedy = "Train for an epoch first."
    require(len(rows) > 0, "`rows`", "hold at least one epoch", Received("none"), remedy)
    has_exact = any(math.isfinite(row.get("val_exact", math.nan)) for row in rows)
    figure = Figure(figsize=(7.2, 5.4 if has_exact else 4.2), dpi=150, layout="constrained")
    panels = figure.subplots(
        1 + has_exact, sharex=True, squeeze=False, height_ratios=(3, 1)[: 1 + has_exact]
    )[:, 0]
    _draw_losses(figure, panels[0], rows, weights or {})
    if has_exact:
        _draw_exact(panels[1], rows)
    for axes in panels:
        axes.grid(axis="y", color=PALE, lw=0.6, alpha=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    epoch = [row["epoch"] for row in rows]
    axes = panels[-1]
    axes.set_xlabel("epoch")
    axes.set_xlim(min(epoch) - 0.5, max(epoch) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    save(figure, path)


def _draw_losses(
    figure: Figure,
    axes: Axes,
    rows: Sequence[Mapping[str, int | float]],
    weights: Mapping[str, float],
) -> None:
    styles, epoch = _styles(rows), [row["epoch"] for row in rows]
    weighted = [
        {name: value * weights.get(name, 1.0) for name, value in row.items()} for row in rows
    ]
    drawn = [name for name in styles if any(_drawable(row.get(name)) for row in weighted)]
    for name in drawn:
        colour, line, width = styles[name]
        value = [row[name] if _drawable(row.get(name)) else math.nan for row in weighted]
        label = _NAME.get(name, name)
        if weights.get(name, 1.0) != 1:
            label = f"{weights[name]:g} \N{MULTIPLICATION SIGN} {label}"
        dot = "." if _alone(value) else ""
        axes.plot(epoch, value, line, color=colour, lw=width, label=label, marker=dot)
    if drawn:
        axes.set_yscale("log")
        columns = len(drawn) if len(drawn) <= 5 else math.ceil(len(drawn) / 2)
        figure.legend(loc="outside upper center", ncols=columns, frameon=False)
    axes.set_ylabel("loss")


def _draw_exact(axes: Axes, rows: Sequence[Mapping[str, int | float]]) -> None:
    found = [(row["epoch"], row.get("val_exact", math.nan)) for row in rows]
    epoch, share = zip(*(pair for pair in found if math.isfinite(pair[1])), strict=True)
    axes.plot(epoch, share, color=INK, lw=1.4, ls="--", marker="." if len(share) == 1 else "")
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("exact match\n(validation)")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


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
