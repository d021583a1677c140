"""The exact plan: transport at temperature zero, by linear assignment or shortest paths."""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from .._check import Received, refusal
from . import _flow, _inputs
from ._forbidden import blocked, check_sides

_UNITS = 4
"""Most units of mass, for each row and column, that are assigned one by one."""


@torch.no_grad()
def exact_plan(
    cost: Float[Tensor, "B N M"], a: Float[Tensor, "B N"], b: Float[Tensor, "B M"]
) -> Float[Tensor, "B N M"]:
    """A plan of least cost: the limit of (E3) at temperature zero.

    Args:
        cost: Cost of moving a unit of mass from row to column; plus infinity forbids an entry;
            axes: pair, row, column.
        a, b: Masses of rows and columns, finite, not negative, with equal sums.

    Returns:
        A plan in the dtype of `cost`, in whole numbers if the masses are. Between plans of equal
        cost the algorithm chooses. NaN for a pair with a cost of NaN or minus infinity at masses
        above zero. It is constant between jumps, so it has no gradient.

    Raises:
        InputError: If shapes, types or devices do not fit, or costs forbid every plan. If masses
            are negative, not finite, or differ in sum by more than the rounding of their dtype.
    """
    wide, rows, columns = _inputs.problem(cost, a, b)
    if wide.is_meta:
        got = Received("tensors without data (device meta)")
        raise refusal("`cost`", "hold numbers", got, "Move it to a device.")
    _inputs.check_masses(rows, columns)
    check_sides(wide, rows, columns)
    plan = torch.zeros_like(wide, device="cpu")
    problems = (x.detach().cpu().numpy() for x in (wide, rows, columns))
    for k, problem in enumerate(zip(*problems, strict=True)):
        plan[k] = torch.as_tensor(_least(k, *problem))
    return plan.to(cost.device, _inputs.result_dtype(cost))


def _least(pair: int, cost: _flow.Array, a: _flow.Array, b: _flow.Array) -> _flow.Array:
    row, column = np.flatnonzero(a), np.flatnonzero(b)
    plan, inner = np.zeros_like(cost), cost[np.ix_(row, column)]
    if np.isnan(inner).any() or (inner == -np.inf).any():
        return np.full_like(cost, np.nan)
    found = _moved(inner, a[row], b[column])
    if isinstance(found, _flow.Blocked):
        blocked(pair, _flow.Blocked(row[found.rows], found.excess))
    plan[np.ix_(row, column)] = found
    return plan


def _moved(cost: _flow.Array, a: _flow.Array, b: _flow.Array) -> _flow.Array | _flow.Blocked:
    from scipy.optimize import linear_sum_assignment

    whole = bool((a == np.rint(a)).all() and (b == np.rint(b)).all())
    if not whole or a.sum() > _UNITS * (len(a) + len(b)):
        return _flow.cheapest(cost, a, b)
    # A mass of two is two unit masses side by side: transport becomes assignment.
    rows, columns = (np.repeat(np.arange(len(x)), x.astype(np.intp)) for x in (a, b))
    try:
        i, j = linear_sum_assignment(cost[np.ix_(rows, columns)])
    except ValueError:  # infinite costs leave no assignment: say which rows are to blame
        return _flow.cheapest(cost, a, b)
    return _counted(rows[i], columns[j], cost.shape)


def _counted(i: NDArray[np.intp], j: NDArray[np.intp], shape: tuple[int, ...]) -> _flow.Array:
    plan = np.zeros(shape)
    np.add.at(plan, (i, j), 1)
    return plan
