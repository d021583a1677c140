"""The model card of a run: what it was trained on, and how well it does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..nn import ModelCard
from ._summary import Summary

_PLACES = ("out", "data", "val", "init", "threads", "workers", "accelerator")
"""Options that tell of a machine, or are told elsewhere in the card."""


def run_card(
    out: Path, options: Mapping[str, Any], digests: Mapping[str, str | None], summary: Summary
) -> ModelCard:
    """The card of the model that a run has left; see `ModelCard`.

    Args:
        out: Folder of the run.
        options: Those of the run, as train.yaml holds them.
        digests: SHA-256 of its data by file, or None where there is none.
        summary: What the run came to.
    """
    names = {part: _base(options[part]) for part in ("data", "val") if options[part]}
    validated = summary.val_exact_match is not None
    measured = names["val"] if validated else names["data"]
    settings = {name: value for name, value in options.items() if name not in _PLACES}
    return ModelCard(
        title=out.resolve().name,
        task=f"Trained on {summary.pairs} pairs of graphs of `{names['data']}`.",
        digests={names[part]: value for part, value in digests.items() if value is not None},
        metrics={"exact_match": _match(summary)},
        measured_on=f"{measured} ({'validation' if validated else 'training'} pairs)",
        options={name: value for name, value in settings.items() if name != "network"},
        place=out.name if out.is_absolute() else str(out),
    )


def _match(summary: Summary) -> float:
    found = summary.val_exact_match
    return summary.exact_match if found is None else found


def _base(name: str) -> str:
    return Path(name).name
