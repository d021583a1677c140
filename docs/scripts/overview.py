"""Draws docs/images/overview.png: a question on its way to its answer, aligned all along."""

from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

import grapheme_torch as gt
from grapheme_torch.data import Alphabet, PairDataset, collate, kindergarten

EPOCHS = (1, 30, 100)
QUESTION = "What color is sky?"
OUT = Path(__file__).parents[1] / "images" / "overview.png"
INK, PALE, TEXT, LINK = "#2B303A", "#C9CED8", "#0072B2", "#E69F00"


def main() -> None:
    """Trains on kindergarten and draws the chosen question at three moments."""
    pairs = kindergarten()
    alphabet = Alphabet.of([pair.target for pair in pairs])
    dataset = PairDataset(pairs, alphabet)
    inputs, targets = collate([dataset[k] for k in range(len(dataset))])
    chosen = [gt.graph_to_text(pair.input) for pair in pairs].index(QUESTION)
    torch.manual_seed(0)
    model = gt.GraphTransformNet(alphabet.labels, alphabet.relations)
    loss, adam = gt.StructuralLoss(), torch.optim.Adam(model.parameters(), lr=3e-3)
    figure = Figure(figsize=(9.2, 5.4), dpi=150, layout="constrained")
    panels = figure.subplots(len(EPOCHS), 1)
    for epoch in range(EPOCHS[-1] + 1):
        prediction = model(inputs)
        result = loss(prediction, targets)
        if epoch in EPOCHS:
            here = prediction.batch == chosen
            exists = prediction.existence[here].sigmoid().tolist()
            most = prediction.label[here].argmax(1).tolist()
            # The last class is the label of the input node, where that is none of the others.
            label = [(*alphabet.labels, own)[k] for k, own in zip(most, QUESTION, strict=True)]
            answer = gt.graph_to_text(pairs[chosen].target)
            title = f"after {epoch} epoch{'s' * (epoch > 1)}: loss {result.total.item():.3g}"
            axes = panels[EPOCHS.index(epoch)]
            _draw(axes, label, exists, answer, result.plan[chosen].detach(), title)
        adam.zero_grad()
        result.total.backward()
        adam.step()
    figure.savefig(OUT)


def _draw(
    axes: Axes, label: list[str], exists: list[float], answer: str, plan: Tensor, title: str
) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    for i in range(len(label)):
        for j in range(len(answer)):
            mass = float(plan[i, j])
            if mass > 0.02:
                axes.plot(
                    [i, j], [1, 0], color=LINK, lw=3 * mass, alpha=0.25 + 0.75 * mass, zorder=1
                )
    rows = (
        (QUESTION, 2.0, [1.0] * len(QUESTION)),
        (label, 1.0, exists),
        (answer, 0.0, [1.0] * len(answer)),
    )
    for names, height, weights in rows:
        for k, (name, weight) in enumerate(zip(names, weights, strict=True)):
            style = {
                "boxstyle": "circle,pad=0.25",
                "fc": "white",
                "ec": INK,
                "alpha": 0.1 + 0.9 * weight,
            }
            shade = TEXT if height == 1 else INK
            shown = name if name != " " else "␣"
            axes.text(
                k, height, shown, ha="center", va="center", color=shade, fontsize=10,
                alpha=0.1 + 0.9 * weight, bbox=style, zorder=3, family="DejaVu Sans Mono",
            )  # fmt: skip
    for name, height in (("question", 2), ("answer", 1), ("target", 0)):
        axes.text(-1.1, height, name, ha="right", va="center", fontsize=9, color=INK)
    axes.set_xlim(-3.2, len(QUESTION) - 0.4)
    axes.set_ylim(-0.45, 2.45)
    axes.set_axis_off()


if __name__ == "__main__":
    main()
