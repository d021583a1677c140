"""Draws docs/images/molecule.svg: how six soft nodes become glycine, with the plan of the loss."""

from math import cos, pi, sin
from pathlib import Path

import matplotlib
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Wedge
from torch_geometric.data import Data

import grapheme_torch as gt

OUT = Path(__file__).parents[1] / "images" / "molecule.svg"
STEPS = (0, 20, 60, 200)
ATOMS = ("C", "N", "O")
COLOURS = ("#6E7781", "#2F74D0", "#CF3A3A")  # with white letters, on a light and a dark page alike
BOND, PLAN, TEXT = "#7D8590", "#E69F00", "#7D8590"
GLYCINE = Data(
    y=torch.tensor([1, 0, 0, 2, 2]),  # N, C, C, O, O
    edge_index=torch.tensor([[0, 1, 2, 2], [1, 2, 3, 4]]),
    edge_type=torch.tensor([1, 1, 2, 1]),
    num_nodes=5,
)
TARGET = [(2.5, -0.75), (2.5, 0.05), (3.2, 0.45), (3.2, 1.25), (3.9, 0.05)]
SLOTS = [(0.95 * cos(k * pi / 3), 0.2 + 0.95 * sin(k * pi / 3)) for k in range(6)]
RADIUS = 0.28
LETTERS, TITLE = 15, 22
"""Sizes of letters in points: at a width of 360 pixels they are shown at 0.4 of it."""


def main() -> None:
    """Trains six slots from random logits on one molecule and draws four moments of it."""
    torch.manual_seed(4)
    nodes = torch.randn(1, 6, 1 + len(ATOMS)).requires_grad_()
    edges = (torch.randn(1, 6, 6, 1 + 2) - torch.tensor([0.0, 1.0, 1.0])).requires_grad_()
    loss = gt.StructuralLoss(directed=False)
    adam = torch.optim.Adam([nodes, edges], lr=0.05)
    # Without a date and with a fixed salt the same run gives the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "grapheme-torch"}):
        figure = Figure(figsize=(8.4, 5.0), layout="constrained")
        panels = iter(figure.subplots(2, 2).flat)
        for step in range(STEPS[-1] + 1):
            soft = gt.Prediction.from_dense(nodes, edges, directed=False)
            result = loss(soft, GLYCINE)
            if step in STEPS:
                title = f"step {step}: loss {result.total.item():.2f}"
                _draw(next(panels), soft.detach(), result.plan[0].tolist(), title)
            adam.zero_grad()
            result.total.backward()
            adam.step()
        figure.savefig(OUT, transparent=True, metadata={"Date": None})


def _draw(axes: Axes, soft: gt.Prediction, plan: list[list[float]], title: str) -> None:
    for i, start in enumerate(SLOTS):
        for j, end in enumerate(TARGET):
            xs, ys = zip(start, end, strict=True)
            axes.plot(xs, ys, color=PLAN, lw=4 * plan[i][j], alpha=0.8, zorder=1)
    present = soft.relation.softmax(1).tolist()
    for (u, v), (_, single, double) in zip(soft.edge_index.T.tolist(), present, strict=True):
        _bond(axes, SLOTS[u], SLOTS[v], 1 + (double > single), single + double)
    for (u, v), kind in zip(GLYCINE.edge_index.T.tolist(), GLYCINE.edge_type.tolist(), strict=True):
        _bond(axes, TARGET[u], TARGET[v], kind, 1.0)
    exists, labels = soft.existence.sigmoid().tolist(), soft.label.softmax(1).tolist()
    for place, share, chances in zip(SLOTS, exists, labels, strict=True):
        _atom(axes, place, chances, share)
    for place, label in zip(TARGET, GLYCINE.y.tolist(), strict=True):
        _atom(axes, place, [float(k == label) for k in range(len(ATOMS))], 1.0)
    axes.text(1.45, 1.9, title, ha="center", va="center", color=TEXT, fontsize=TITLE)
    axes.set(xlim=(-1.4, 4.4), ylim=(-1.2, 2.2), aspect="equal")
    axes.set_axis_off()


def _bond(
    axes: Axes, a: tuple[float, float], b: tuple[float, float], lines: int, share: float
) -> None:
    """One or two parallel lines, the darker the more likely."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = (dx * dx + dy * dy) ** 0.5
    for side in ((0.0,), (-0.06, 0.06))[lines - 1]:
        x, y = -dy / length * side, dx / length * side
        axes.plot([a[0] + x, b[0] + x], [a[1] + y, b[1] + y], color=BOND, lw=2.2,
                  alpha=share, zorder=2)  # fmt: skip


def _atom(axes: Axes, place: tuple[float, float], chances: list[float], exists: float) -> None:
    """A pie of the probabilities of the elements; pale where the node hardly exists."""
    radius, start = RADIUS * (0.35 + 0.65 * exists), 90.0
    for share, colour in zip(chances, COLOURS, strict=True):
        end = start + 360 * share
        if share == 1.0:
            axes.add_patch(Circle(place, radius, color=colour, lw=0, zorder=3))
        else:
            axes.add_patch(Wedge(place, radius, start, end, color=colour, lw=0, zorder=3))
        start = end
    if max(chances) > 0.5 and exists > 0.5:
        name = ATOMS[chances.index(max(chances))]
        axes.text(*place, name, ha="center", va="center_baseline", color="white",
                  fontsize=LETTERS, fontweight="bold", zorder=4)  # fmt: skip


if __name__ == "__main__":
    main()
