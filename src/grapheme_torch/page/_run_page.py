"""The page of a run: curves, worst answers, configuration, and how to train it again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch_geometric.data import Data

from ..edits import edit_report
from ..graphs import graph_to_node_link, node_labels
from ..layout import BLUE, GREEN, ORANGE, RED
from ._curves_svg import Curve, curves_svg, legend
from ._explanation import Explanation
from ._explanation_scene import explanation_scene
from ._explanation_text import told_graph
from ._html_table import table
from ._markup import escaped
from ._page_shell import document
from ._pair_scene import pair_scene
from ._picture_html import picture

_LARGEST = 80
"""Nodes of a graph that is drawn; of larger ones only the edits are counted."""

_STYLES: dict[str, tuple[str, tuple[int, ...], float]] = {
    "total": ("currentColor", (), 2.6),
    "total (validation)": ("currentColor", (6, 4), 2.0),
    "node": (BLUE, (), 1.8),
    "edge": (ORANGE, (8, 3), 1.8),
    "clique": (GREEN, (2, 3), 1.8),
}
_FURTHER = (RED, (10, 3, 2, 3), 1.8)


@dataclass(frozen=True)
class Answers:
    """How the answer to one pair changed while a network was trained.

    Args:
        place: Of the pair in its data.
        input, target: The pair.
        epochs: When it was answered.
        answers: What was answered then.
    """

    place: str
    input: Data
    target: Data
    epochs: Sequence[int]
    answers: Sequence[Data]

    def to_dict(self) -> dict[str, Any]:
        """The answers as a document that JSON can hold."""
        graphs = [graph_to_node_link(graph) for graph in self.answers]
        told = [{"epoch": k, "answer": g} for k, g in zip(self.epochs, graphs, strict=True)]
        sides = {"input": self.input, "target": self.target}
        return {
            "place": self.place,
            **{name: graph_to_node_link(graph) for name, graph in sides.items()},
            "answers": told,
        }


@dataclass(frozen=True)
class RunRecord:
    """What a folder of a run says, ready to be told.

    Args:
        name: The folder.
        summary: `summary.json`; empty if the run did not come to its end.
        rows: `metrics.csv`, a row an epoch; what is missing in a row is no key of it.
        weights: The weight of each term of the loss in its total.
        options: `train.yaml`, nested.
        command: What trains it again.
        data: What `metrics` and `worst` were measured on; None if nothing was.
        metrics: What an evaluation found.
        worst: The worst answers, each with its place in the data.
        answers: How the answer to one pair changed: its place, and answers by epoch.
        note: Why there is no evaluation; "" if there is one.
    """

    name: str
    summary: Mapping[str, Any]
    rows: Sequence[Mapping[str, float]]
    weights: Mapping[str, float]
    options: Mapping[str, Any]
    command: str
    data: str | None
    metrics: Mapping[str, float]
    worst: Sequence[tuple[str, Explanation]]
    note: str = ""
    answers: Answers | None = None

    def headline(self) -> str:
        """What came of the run, in a line."""
        said = self.summary
        if not said:
            return f"{max(len(self.rows) - 1, 0)} epochs; it has not come to its end"
        fell = f"loss {said['initial_loss']:.4g} to {said['final_loss']:.4g}"
        parts = [f"{fell} in {said['epochs']} epochs, {said['seconds']:.0f} s"]
        for name, key in (("training", "exact_match"), ("validation", "val_exact_match")):
            if said.get(key) is not None:
                parts.append(f"{said[key]:.1%} of the {name} pairs exact")
        return "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """The record as a document that JSON can hold."""
        worst = [{"place": place, **one.to_dict()} for place, one in self.worst]
        answers = self.answers and self.answers.to_dict()
        rows = [dict(row) for row in self.rows]
        return {**vars(self), "rows": rows, "worst": worst, "answers": answers}


def run_page(record: RunRecord) -> str:
    """The whole page as HTML."""
    parts = [
        f"<header><h1>Run {escaped(record.name)}</h1>",
        f'<p class="soft">{escaped(record.headline())}</p></header><main>',
        *_curves(record),
        *_answers(record.answers),
        *_worst(record),
        *_numbers(record),
        *_options(record),
        "</main>",
    ]
    return document(f"Run {record.name}", "\n".join(parts))


def _curves(record: RunRecord) -> Iterator[str]:
    def points(name: str, weight: float = 1.0) -> list[tuple[float, float]]:
        return [(row["epoch"], weight * row[name]) for row in record.rows if name in row]

    named = {"total": points("total"), "total (validation)": points("val_total")}
    named |= {name: points(name, weight) for name, weight in record.weights.items()}
    losses = [Curve(name, x, *_STYLES.get(name, _FURTHER)) for name, x in named.items() if x]
    yield "<section><h2>Loss</h2><p>Terms are weighted: they add up to the total.</p>"
    yield legend(losses) + curves_svg(losses, "Loss by epoch", log=True)
    shares = [
        Curve("alignments converged", points("converged"), BLUE),
        Curve("validation pairs exact", points("val_exact"), ORANGE, (8, 3)),
    ]
    shares = [curve for curve in shares if curve.points]
    if shares:
        yield "<h2>Shares</h2>" + legend(shares) + curves_svg(shares, "Shares by epoch", log=False)
    columns = list(dict.fromkeys(name for row in record.rows for name in row))
    rows = [[f"{row[name]:.5g}" if name in row else "" for name in columns] for row in record.rows]
    yield f"<details><summary>{len(rows)} rows of metrics.csv</summary>"
    yield from table("Metrics", columns, rows, numbers=columns)
    yield "</details></section>"


def _answers(answers: Answers | None) -> Iterator[str]:
    """One pair through the epochs: a picture for each answer that differs from the one before."""
    if answers is None or not answers.answers:
        return
    yield f"<section><h2>One answer through the epochs</h2><p>{escaped(answers.place)}</p>"
    sides = (("input", answers.input), ("target", answers.target))
    rows = "".join(f"<dt>{name}</dt><dd>{escaped(told_graph(graph))}</dd>" for name, graph in sides)
    yield f'<dl class="answers">{rows}</dl>'
    edits = [edit_report(answer, answers.target) for answer in answers.answers]
    told = [
        [str(epoch), told_graph(answer), f"{one.cost:g}"]
        for epoch, answer, one in zip(answers.epochs, answers.answers, edits, strict=True)
    ]
    yield from table("Answers", ["epoch", "answer", "edit cost"], told, numbers=["edit cost"])
    last = None
    for epoch, answer, one in zip(answers.epochs, answers.answers, edits, strict=True):
        graph = graph_to_node_link(answer)
        if graph != last and max(len(graph["nodes"]), len(one.nodes)) <= _LARGEST:
            yield f"<h3>Epoch {epoch}: edit cost {one.cost:g}</h3>"
            scene = pair_scene(answer, answers.target, one)
            yield from picture(scene, f"Answer after epoch {epoch}", prefix=f"epoch{epoch}-")
        last = graph
    yield "</section>"


def _worst(record: RunRecord) -> Iterator[str]:
    if record.note:
        return
    yield "<section><h2>Worst answers</h2>"
    if not record.worst:
        yield "<p>Every pair was answered exactly.</p>"
    for k, (place, one) in enumerate(record.worst):
        yield f"<h3>{escaped(place)}: {escaped(one.headline())}</h3>"
        graphs = {"input": one.input, "predicted": one.predicted, "target": one.target}
        told = ((name, told_graph(graph)) for name, graph in graphs.items() if graph is not None)
        rows = "".join(f"<dt>{name}</dt><dd>{escaped(text)}</dd>" for name, text in told)
        yield f'<dl class="answers">{rows}</dl>'
        largest = max(len(node_labels(graph)) for graph in graphs.values() if graph is not None)
        if largest <= _LARGEST:
            yield from picture(explanation_scene(one), place, prefix=f"worst{k}-")
        else:
            yield f"<p>Not drawn: it has more than {_LARGEST} nodes.</p>"
    yield "</section>"


def _numbers(record: RunRecord) -> Iterator[str]:
    yield "<section><h2>Evaluation</h2>"
    if record.note:
        yield f"<p>{escaped(record.note)}</p>"
    else:
        yield f"<p>Measured on {escaped(str(record.data))} when this page was made.</p>"
        rows = [[name.replace("_", " "), f"{x:.5g}"] for name, x in record.metrics.items()]
        yield from table("Evaluation", ["metric", "value"], rows, numbers=["value"])
    yield "</section>"
    if record.summary:
        said = {name: x for name, x in record.summary.items() if not isinstance(x, dict | list)}
        yield "<section><h2>Summary</h2>"
        rows = [[name.replace("_", " "), _shown(x)] for name, x in said.items() if x is not None]
        yield from table("Summary", ["what", "value"], rows, numbers=["value"])
        yield "</section>"


def _options(record: RunRecord) -> Iterator[str]:
    yield "<section><h2>Train it again</h2>"
    yield f"<p>The same options and seed give the same run.</p><pre>{escaped(record.command)}</pre>"
    yield "<details><summary>Configuration</summary>"
    rows = [[name, _shown(value)] for name, value in _flat(record.options)]
    yield from table("Configuration", ["option", "value"], rows)
    yield "</details></section>"


def _flat(options: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + str(name), value


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
