"""Edits as a table of a page or a notebook."""

from collections.abc import Iterator, Sequence
from typing import Literal

from ..edits import EdgeEdit, EditReport, NodeEdit
from ..layout import KIND_STYLES, shortened
from ._explanation_text import isolated
from ._html_table import table

_LETTERS = 200
"""Of a label in a table."""


def edit_tally(report: EditReport) -> str:
    """How many nodes and edges were kept, relabelled, inserted and deleted, in two sentences."""
    told = []
    parts: tuple[Literal["nodes", "edges"], ...] = ("nodes", "edges")
    for part in parts:
        found = [f"{count} {kind}" for kind, count in report.count(part).items() if count]
        told.append(f"{part.capitalize()}: {', '.join(found) or 'none'}.")
    return " ".join(told)


def edits_table(name: str, edits: Sequence[NodeEdit | EdgeEdit]) -> Iterator[str]:
    """What became of some nodes and edges, a row each.

    Args:
        name: What the table shows, for those who do not see it.
        edits: Of an `EditReport`.
    """
    heads = ["edit", "part", "predicted", "target", "cost"]
    yield from table(name, heads, [_row(edit) for edit in edits], numbers=["cost"])


def shown_label(label: str) -> str:
    """A label in a cell of a table."""
    return isolated(shortened(label, _LETTERS))


def _row(edit: NodeEdit | EdgeEdit) -> list[str]:
    part = "node" if isinstance(edit, NodeEdit) else "edge"
    mark = KIND_STYLES[edit.kind].mark
    sides = [
        _side(edit.predicted, edit.predicted_label),
        _side(edit.target, edit.target_label),
    ]
    return [f"{mark} {edit.kind}".strip(), part, *sides, f"{edit.cost:g}"]


def _side(place: int | tuple[int, int] | None, label: str | None) -> str:
    if place is None or label is None:
        return ""
    where = str(place) if isinstance(place, int) else f"{place[0]}\N{EN DASH}{place[1]}"
    return f"{where} {shown_label(label)}"
