"""What a notebook shows of a result: small, whole, and nothing but HTML."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from torch_geometric.data import Batch, Data

from ..edits import EditReport
from ..gradients import GradientReport
from ..loss import StructuralLossResult
from ..prediction import Prediction
from ._explanation import Explanation
from ._explanation_scene import explanation_scene
from ._markup import escaped
from ._notebook_graphs import show_batch, show_graph, show_prediction
from ._notebook_results import show_edits, show_gradients, show_loss
from ._picture_html import picture
from ._style_sheets import notebook_style

_PREFIX = "\N{OBJECT REPLACEMENT CHARACTER}-"
"""Stands for what makes the identifiers of an output its own, until it is known."""


def notebook_html(thing: object) -> str | None:
    """A graph, prediction, result or report as a piece of HTML; None of anything else.

    It loads nothing and runs no script. It follows the theme of Jupyter or VS Code, or else that
    of the browser. Of something large it holds a summary. The same thing gives the same text.
    """
    known = next((known for kind, known in _SHOWN.items() if isinstance(thing, kind)), None)
    if known is None:
        return None
    name, show = known
    head, *parts = show(thing, _PREFIX)
    body = "\n".join([f"<p><strong>{name}</strong>: {head}</p>", *parts])
    # Identifiers hold for the whole notebook, in which there are other outputs.
    own = hashlib.sha256(body.encode(errors="replace")).hexdigest()[:8]
    body = body.replace(_PREFIX, f"g{own}-")
    return f'<div class="grapheme"><style>\n{notebook_style()}</style>\n{body}\n</div>'


def _show_explanation(explanation: Explanation, prefix: str) -> Iterator[str]:
    yield escaped(explanation.headline())
    yield from picture(
        explanation_scene(explanation), explanation.headline(), prefix=prefix, form="notebook"
    )


_SHOWN: dict[type, tuple[str, Callable[[Any, str], Iterator[str]]]] = {
    Batch: ("Batch", show_batch),
    Data: ("Graph", show_graph),
    Prediction: ("Prediction", show_prediction),
    StructuralLossResult: ("Structural loss", show_loss),
    GradientReport: ("Gradients", show_gradients),
    EditReport: ("Edits", show_edits),
    Explanation: ("Explanation", _show_explanation),
}
"""For each kind, a batch before a graph: its name, and what tells it, first in a line."""
