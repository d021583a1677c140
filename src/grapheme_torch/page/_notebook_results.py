"""A loss, a check of gradients and the edits of a pair as a notebook shows them."""

import math
from collections import Counter
from collections.abc import Iterator

import torch

from ..edits import EdgeEdit, EditReport, NodeEdit
from ..gradients import GradientReport, TensorCheck
from ..graphs import make_graph
from ..loss import StructuralLossResult
from ._edit_tables import edit_tally, edits_table
from ._html_table import table
from ._markup import escaped
from ._notebook_graphs import MOST_NODES
from ._pair_scene import pair_scene
from ._picture_html import picture
from ._plan_svg import MOST_PLACES, plan_svg

_MOST_PLANS = 2

_MOST_ROWS = 40
"""Of a table."""

_MOST_TENSORS = 12
"""Of a check of gradients."""


def show_loss(result: StructuralLossResult, prefix: str) -> Iterator[str]:
    """The terms, the evidence of the alignment, and the first plans."""
    del prefix  # a heat map refers to nothing
    pairs, total = len(result.converged), result.total.detach().double()
    several = total.ndim > 0
    head = f"total {_shown(total)}" + (" (mean of the pairs)" if several else "")
    yield f"{head}; {pairs} pair{'' if pairs == 1 else 's'}"
    rows = [[name, _shown(x.detach().double())] for name, x in result.terms.items()]
    yield from table("Terms of the loss", ["term", "value"], rows, numbers=["value"])
    yield f"<p>{_evidence(result)}</p>"
    ended = Counter(one for one in result.status if one.name != "CONVERGED")
    for status, count in ended.items():
        word = status.name.lower().replace("_", " ")
        yield f'<p class="soft">{count} {word}: {escaped(status.value)}</p>'
    yield '<div class="row">'
    for k in range(min(pairs, _MOST_PLANS)):
        n, m = int(result.plan.num_predicted[k]), int(result.plan.num_target[k])
        if max(n, m) <= MOST_PLACES:
            yield f"<div><p>Plan of pair {k}: the stronger the colour, the more mass</p>"
            yield plan_svg(result.plan[k], f"Plan of pair {k}") + "</div>"
    yield "</div>"


def _evidence(result: StructuralLossResult) -> str:
    pairs = len(result.converged)
    if not pairs:
        return "no pair"
    residual = float(result.residual.detach().double().max())
    return (
        f"{int(result.converged.sum())} of {pairs} alignments converged; largest residual "
        f"{residual:.1e}; at most {int(result.iterations.max())} iterations"
    )


def show_gradients(report: GradientReport, prefix: str) -> Iterator[str]:
    """The verdict, and the tensors: those that failed first, then those of the largest error."""
    del prefix
    verdict = "passed" if report.passed else "FAILED"
    worst = f"max relative error {report.max_relative_error:.1e}, bound {report.bound:.0e}"
    size = "1 tensor" if len(report.rows) == 1 else f"{len(report.rows)} tensors"
    yield f"{verdict}; {worst}; {size}"
    order = sorted(
        report.rows, key=lambda row: (row.status in ("ok", "untouched"), -row.max_relative_error)
    )
    heads = ["tensor", "shape", "checked", "max rel. error", "norm", "status"]
    rows = [_tensor_row(row) for row in order[:_MOST_TENSORS]]
    if rows:
        yield from table("Tensors", heads, rows, numbers=heads[1:5])
    yield from _rest(len(order), _MOST_TENSORS)


def _tensor_row(row: TensorCheck) -> list[str]:
    shape = "\N{MULTIPLICATION SIGN}".join(map(str, row.shape)) or "1"
    error = f"{row.max_relative_error:.1e}"
    return [row.name, shape, str(row.checked), error, f"{row.norm:.3e}", row.status]


def show_edits(report: EditReport, prefix: str) -> Iterator[str]:
    """Both graphs beside each other if they are small, and what has to be edited."""
    yield f"edit cost {report.cost:g}. {edit_tally(report)}"
    if len(report.nodes) <= MOST_NODES and len(report.edges) <= 4 * MOST_NODES:
        yield from _pair_picture(report, prefix)
    edits: list[NodeEdit | EdgeEdit] = [*report.nodes, *report.edges]
    changed = [edit for edit in edits if edit.kind != "kept"]
    if changed:
        yield from edits_table("Edits", changed[:_MOST_ROWS])
    yield from _rest(len(changed), _MOST_ROWS)


def _pair_picture(report: EditReport, prefix: str) -> Iterator[str]:
    """The graphs as the report knows them: labels and edges, without positions."""
    left, right = [], []
    for edit in report.nodes:
        if edit.predicted is not None:
            left.append((edit.predicted, edit.predicted_label or ""))
        if edit.target is not None:
            right.append((edit.target, edit.target_label or ""))
    ends, wanted = [], []
    for edge in report.edges:
        if edge.predicted is not None:
            ends.append((*edge.predicted, edge.predicted_label or ""))
        if edge.target is not None:
            wanted.append((*edge.target, edge.target_label or ""))
    graphs = [
        make_graph([label for _, label in sorted(nodes)], edges, directed=report.directed)
        for nodes, edges in ((left, ends), (right, wanted))
    ]
    scene = pair_scene(graphs[0], graphs[1], report)
    yield from picture(scene, f"edit cost {report.cost:g}", prefix=prefix, form="notebook")


def _rest(count: int, shown: int) -> Iterator[str]:
    if count > shown:
        yield f'<p class="soft">and {count - shown} more</p>'


def _shown(values: torch.Tensor) -> str:
    """A number, or the mean of several."""
    mean = float(values.mean()) if values.numel() else math.nan
    return f"{mean:.6g}"
