"""Every way to a plan and its derivative, and the slope of one."""

from typing import Any

import pytest
import torch
from torch import Tensor

from grapheme_torch.ot import Support

from ..unchecked import unchecked

SIZES = [(4, 4), (5, 2), (2, 6), (1, 1), (1, 3), (6, 5)]

# name: how, whether it converges (a tolerance below zero is never met)
MODES: dict[str, tuple[dict[str, Any], bool]] = {
    "exact": ({"gradient": "exact", "tolerance": 1e-13, "max_iterations": 200}, True),
    "exact, 3 sweeps": ({"gradient": "exact", "tolerance": -1.0, "max_iterations": 3}, False),
    "exact, 25 sweeps": ({"gradient": "exact", "tolerance": -1.0, "max_iterations": 25}, False),
    "implicit": ({"gradient": "implicit", "tolerance": 1e-13, "max_iterations": 200}, True),
    "unrolled": ({"gradient": "unrolled", "tolerance": 1e-13, "max_iterations": 3000}, True),
    "unrolled, 3 sweeps": ({"gradient": "unrolled", "tolerance": -1.0, "max_iterations": 3}, False),
}
MODE = pytest.mark.parametrize("mode", MODES)


def slope_of(plan: Tensor, cost: Tensor) -> Tensor:
    """The derivative of a fixed combination of the entries of each plan."""
    weight = torch.cos(3.0 * torch.arange(cost[0].numel(), dtype=torch.float64))
    return torch.autograd.grad((plan * weight.view(cost[0].shape)).sum(), cost)[0]


def all_entries(**changed: Any) -> Support:
    """All entries of two pairs of two rows and two columns."""
    row, column = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]), torch.tensor([0, 1, 0, 1, 2, 3, 2, 3])
    pair = torch.tensor([0, 0, 1, 1])
    of = {"row": row, "column": column, "row_pair": pair, "column_pair": pair, "num_pairs": 2}
    made: Support = unchecked(Support)(**of | changed)
    return made
