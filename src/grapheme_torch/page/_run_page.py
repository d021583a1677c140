"""The page of a run: curves, residuals, answers, hardware, and how to train it again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

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
from ._run_record import Answers, RunRecord

T = TypeVar("T")

_LARGEST = 80
"""Nodes of a graph that is drawn; of larger ones only the edits are counted."""

_ROOM = 1_400_000
"""Bytes of pictures and answers; with what else there is, a page stays below 2 MB."""

_MOST_ROWS = 400
"""Of `metrics.csv`, about; of longer runs every second, third, ... row."""

_MOST_POINTS = 1000
"""Of a curve, about."""

_STYLES: dict[str, tuple[str, tuple[int, ...], float]] = {
    "total": ("currentColor", (), 2.6),
    "total (validation)": ("currentColor", (6, 4), 2.0),
    "node": (BLUE, (), 1.8),
    "edge": (ORANGE, (8, 3), 1.8),
    "clique": (GREEN, (2, 3), 1.8),
}
_FURTHER = (RED, (10, 3, 2, 3), 1.8)


def run_page(record: RunRecord) -> str:
    """The whole page as HTML, below 2 MB whatever the length of the run."""
    room = _Room(_ROOM)
    parts = [
        f"<header><h1>Run {escaped(record.name)}</h1>",
        f'<p class="soft">{escaped(record.headline())}</p></header><main>',
        *_curves(record),
        *_residuals(record),
        *_answers(record.answers, room),
        *_worst(record, room),
        *_numbers(record),
        *_hardware(record.hardware),
        *_options(record),
        "</main>",
    ]
    return document(f"Run {record.name}", "\n".join(parts))


class _Room:
    """What pictures and answers may still take of a page.

    Args:
        left: Bytes.
    """

    def __init__(self, left: int) -> None:
        self.left = left

    def taken(self, parts: Iterator[str]) -> str | None:
        """The parts as one text; None if there is no room for it, nor then for any other."""
        text = "\n".join(parts)
        self.left -= len(text.encode(errors="replace"))
        return text if self.left >= 0 else None


def _thinned(values: Sequence[T], most: int) -> Sequence[T]:
    """Every so many of the values, the first and the last among them."""
    step = -(-len(values) // most)
    return values if step <= 1 else [*values[:-1:step], values[-1]]


def _curves(record: RunRecord) -> Iterator[str]:
    def points(name: str, weight: float = 1.0) -> list[tuple[float, float]]:
        found = [(row["epoch"], weight * row[name]) for row in record.rows if name in row]
        return list(_thinned(found, _MOST_POINTS))

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
    kept = _thinned(record.rows, _MOST_ROWS)
    rows = [[f"{row[name]:.5g}" if name in row else "" for name in columns] for row in kept]
    of = "" if len(kept) == len(record.rows) else f" of {len(record.rows)}"
    yield f"<details><summary>{len(rows)}{of} rows of metrics.csv</summary>"
    yield from table("Metrics", columns, rows, numbers=columns)
    yield "</details></section>"


_RESIDUALS = {
    "first_not_converged": "share of the measured pairs not converged before training",
    "last_not_converged": "the same after the last epoch",
    "most_not_converged": "the same at worst",
    "most_not_converged_epoch": "epoch in which it was worst",
    "data_not_converged": "share of the evaluated pairs not converged",
    "data_residual": "largest share of mass in a wrong row or column, of the evaluated pairs",
}


def _residuals(record: RunRecord) -> Iterator[str]:
    """Whether the alignments came to their end."""
    found = record.residuals
    if not found:
        return
    yield "<section><h2>Residuals of the alignments</h2>"
    names = [name for name in _RESIDUALS if name in found]
    if not found.get("most_not_converged"):  # then no epoch is the worst
        names = [name for name in names if not name.startswith("most")]
    rows = [[_RESIDUALS[name], f"{found[name]:.4g}"] for name in names]
    yield from table("Residuals", ["what", "value"], rows, numbers=["value"])
    if max(found.get("last_not_converged", 0.0), found.get("data_not_converged", 0.0)) > 0:
        yield "<p>Where an alignment has not converged, the loss is that of the sweeps made. Raise"
        yield " --alignment.max-iterations, or the temperature if many stop.</p>"
    yield "</section>"


def _hardware(hardware: Mapping[str, Any]) -> Iterator[str]:
    """What the run was trained on."""
    yield "<section><h2>Hardware</h2>"
    if hardware:
        rows = [
            [name.replace("_gib", ", GiB").replace("_", " "), _shown(x)]
            for name, x in hardware.items()
        ]
        yield from table("Hardware", ["what", "value"], rows)
    else:
        yield "<p>The run does not say what it was trained on: it is of an older release.</p>"
    yield "</section>"


def _answers(answers: Answers | None, room: _Room) -> Iterator[str]:
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
            scene = pair_scene(answer, answers.target, one)
            name, prefix = f"Answer after epoch {epoch}", f"epoch{epoch}-"
            drawn = room.taken(picture(scene, name, prefix=prefix))
            if drawn is not None:
                yield f"<h3>Epoch {epoch}: edit cost {one.cost:g}</h3>{drawn}"
        last = graph
    yield "</section>"


def _worst(record: RunRecord, room: _Room) -> Iterator[str]:
    if record.note:
        return
    yield "<section><h2>Worst answers</h2>"
    if not record.worst:
        yield "<p>Every pair was answered exactly.</p>"
    for k, (place, one) in enumerate(record.worst):
        told = room.taken(_bad(place, one, f"worst{k}-"))
        if told is None:
            rest = len(record.worst) - k
            yield f"<p>{rest} more: the page would be too large with them.</p>"
            break
        yield told
    yield "</section>"


def _bad(place: str, one: Explanation, prefix: str) -> Iterator[str]:
    """A wrong answer: in words, and as a picture if it is small."""
    yield f"<h3>{escaped(place)}: {escaped(one.headline())}</h3>"
    graphs = {"input": one.input, "predicted": one.predicted, "target": one.target}
    told = ((name, told_graph(graph)) for name, graph in graphs.items() if graph is not None)
    rows = "".join(f"<dt>{name}</dt><dd>{escaped(text)}</dd>" for name, text in told)
    yield f'<dl class="answers">{rows}</dl>'
    largest = max(len(node_labels(graph)) for graph in graphs.values() if graph is not None)
    if largest <= _LARGEST:
        yield from picture(explanation_scene(one), place, prefix=prefix)
    else:
        yield f"<p>Not drawn: it has more than {_LARGEST} nodes.</p>"


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
