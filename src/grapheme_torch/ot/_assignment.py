"""The exact plan: transport at temperature zero, by SciPy's linear assignment."""

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor


@torch.no_grad()
def exact_plan(
    cost: Float[Tensor, "B N M"], a: Float[Tensor, "B N"], b: Float[Tensor, "B M"]
) -> Float[Tensor, "B N M"]:
    """A plan of least cost between whole-number masses: the limit of (E3) at temperature zero.

    Args:
        cost: Cost of moving a unit of mass from row to column; finite; axes: pair, row, column.
        a, b: Masses of rows and columns, rounded to whole numbers, with equal sums.

    Returns:
        A plan of whole numbers. It is constant between jumps, so it has no gradient.
    """
    plan = torch.zeros_like(cost)
    for k in range(len(cost)):
        # A mass of two is two unit masses side by side: transport becomes assignment.
        rows = np.repeat(np.arange(cost.shape[1]), _whole(a[k]))
        columns = np.repeat(np.arange(cost.shape[2]), _whole(b[k]))
        i, j = linear_sum_assignment(cost[k].cpu().numpy()[np.ix_(rows, columns)])
        at = torch.as_tensor(rows[i]), torch.as_tensor(columns[j])
        plan[k].index_put_(at, torch.ones(len(i), dtype=cost.dtype), accumulate=True)
    return plan


def _whole(masses: Tensor) -> np.ndarray:
    # Halves go up on both sides (`round` sends 0.5 down and 1.5 up), so that the sums stay equal.
    return (masses + 0.5).floor().long().cpu().numpy()
