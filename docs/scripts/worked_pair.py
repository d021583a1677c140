"""Works one pair of graphs out: the picture and the numbers at the head of docs/math/index.md."""

from pathlib import Path

import torch
from _markdown import table
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch_geometric.data import Data

import grapheme_torch as gt

DOCS = Path(__file__).parents[1]
BEGIN, END = "<!-- worked pair: docs/scripts/worked_pair.py -->", "<!-- end -->"
INK, PALE, LINK = "#2B303A", "#C9CED8", "#E69F00"
SIZE = 14
"""Of the letters, in points: at a width of 360 pixels they are shown at 0.5 of it."""
LABELS = ("C", "N", "O")
LEFT = [(0.0, 2.0), (0.0, 1.0), (0.0, 0.0)]
RIGHT = [(2.6, 2.0), (2.6, 1.0), (2.6, 0.0)]


def pair() -> tuple[gt.Prediction, Data]:
    """A soft graph of three nodes, in an order of its own, and the path C - N - O."""
    sure = torch.tensor([[0.9, 0.05, 0.05], [0.1, 0.4, 0.5], [0.2, 0.45, 0.35]]).double().log()
    exists = torch.tensor([0.95, 0.9, 0.8]).double().logit()
    edges = torch.tensor([[0, 0, 1], [1, 2, 2]])
    share = torch.tensor([0.1, 0.9, 0.7]).double()
    relation = torch.stack([1 - share, share], 1).log()
    target = Data(y=torch.arange(3), edge_index=torch.tensor([[0, 1], [1, 2]]), num_nodes=3)
    return gt.Prediction(exists, sure, edges, relation, directed=False), target


def main() -> None:
    """Draws the picture and writes the numbers between the marks."""
    prediction, target = pair()
    result = gt.StructuralLoss(directed=False)(prediction, target)
    plan = result.plan[0]
    figure = Figure(figsize=(6.4, 4.0), dpi=150, layout="constrained")
    _draw(figure.subplots(), prediction, target, plan)
    figure.savefig(DOCS / "images" / "worked_pair.svg")
    rows = [
        [f"predicted {i}", *(f"{float(x):.2f}" for x in plan[i, :3]), f"{float(plan[i, 3]):.2f}"]
        for i in range(3)
    ]
    numbers = {"total": result.total, **result.terms}
    text = "\n\n".join([
        table(["mass", *(f"target {name}" for name in LABELS), "deleted"], rows),
        table(list(numbers), [[f"{float(x):.3f}" for x in numbers.values()]]),
    ])  # fmt: skip
    path = DOCS / "math" / "index.md"
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END, 1)
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def _draw(axes: Axes, prediction: gt.Prediction, target: Data, plan: Tensor) -> None:
    for i, (x, y) in enumerate(LEFT):
        for j, (a, b) in enumerate(RIGHT):
            mass = float(plan[i, j])
            axes.plot([x, a], [y, b], color=LINK, lw=4 * mass, alpha=0.15 + 0.85 * mass, zorder=1)
    for (u, v), q in zip(prediction.edge_index.T.tolist(), prediction.relation, strict=True):
        _edge(axes, LEFT[u], LEFT[v], float(q[1].exp()), -0.35 if abs(u - v) > 1 else 0.0)
    for u, v in target.edge_index.T.tolist():
        _edge(axes, RIGHT[u], RIGHT[v], 1.0, 0.0)
    chances = prediction.label.softmax(1)
    for i, place in enumerate(LEFT):
        best = int(chances[i].argmax())
        said = "\n".join(
            f"{name} {float(p):.2f}" for name, p in zip(LABELS, chances[i], strict=True)
        )
        exists = float(prediction.existence[i].sigmoid())
        _node(axes, place, LABELS[best], exists)
        axes.text(place[0] - 0.55, place[1], f"{said}\nthere: {exists:.2f}", ha="right",
                  va="center", fontsize=SIZE, color=INK)  # fmt: skip
    for place, name in zip(RIGHT, LABELS, strict=True):
        _node(axes, place, name, 1.0)
    axes.set_xlim(-2.0, 3.2)
    axes.set_ylim(-0.5, 2.5)
    axes.set_axis_off()


def _edge(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], share: float, bend: float
) -> None:
    style = {"arrowstyle": "-", "connectionstyle": f"arc3,rad={bend}", "color": INK}
    axes.annotate("", xy=end, xytext=start, arrowprops={**style, "lw": 2.5, "alpha": share})


def _node(axes: Axes, place: tuple[float, float], name: str, share: float) -> None:
    box = {"boxstyle": "circle,pad=0.3", "fc": "white", "ec": INK, "alpha": 0.2 + 0.8 * share}
    axes.text(*place, name, ha="center", va="center", color=INK, bbox=box, zorder=3, fontsize=SIZE)


if __name__ == "__main__":
    main()
