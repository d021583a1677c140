"""What changes along a run has to end somewhere."""

from .._check import require
from ..loss import StructuralLoss
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
    return float(getattr(getattr(loss, group), option, 0.0))
