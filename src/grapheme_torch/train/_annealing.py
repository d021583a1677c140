"""What changes along a run has to end somewhere."""

from dataclasses import replace
from typing import Any

from .._check import require
from ..loss import Learned, StructuralLoss
from ._optimization import Optimization


def check_annealing(loss: StructuralLoss, optimization: Optimization) -> None:
    """Refuses the start of a setting that ends at 0."""
    for start, name in (("temperature", "alignment.temperature"), ("position", "hints.position")):
        asked, final = getattr(optimization, f"{start}_start"), _setting(loss, name)
        remedy = f"Give a --{name} to end at."
        fits = asked is None or final > 0
        require(fits, f"`{start}_start`", f"be left out where `{name}` is 0", asked, remedy)


def _setting(loss: StructuralLoss, name: str) -> float:
    """A number of a group of settings; 0 of an alignment that has none."""
    group, option = name.split(".")
    owner = loss.spec.solver if group == "alignment" else getattr(loss, group)
    return float(getattr(owner, option, 0.0))


def cooled(loss: StructuralLoss, optimization: Optimization, share: float) -> StructuralLoss:
    """The loss with the temperature of this share of a run."""
    now = optimization.temperature(share, _setting(loss, "alignment.temperature"))
    return with_solver(loss, temperature=now)


def with_solver(loss: StructuralLoss, **changes: Any) -> StructuralLoss:
    """The loss with other settings of how plans are found, which learnt scores may go into."""
    chosen, solver = loss.alignment, loss.spec.solver
    assert solver is not None  # nothing else is annealed or found in a folder
    other = replace(solver, **changes)
    return loss.replace(
        alignment=chosen.with_solver(other) if isinstance(chosen, Learned) else other
    )
