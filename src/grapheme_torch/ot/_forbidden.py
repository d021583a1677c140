"""Costs of plus infinity: entries that carry no mass, whatever solves the rest, (E3).

A solver is given a finite wall instead of infinity, so high that it sees nothing behind it. What it
then writes there is set to zero. Where the entries that are left cannot hold all mass, the problem
is refused. Where they can, but no plan uses some of them, potentials diverge and sweeps converge
slowly: such a pair is solved again without those entries.
"""

from collections.abc import Callable
from math import inf
from typing import NoReturn

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .._check import InputError, Received, refusal
from . import _flow

_WALL = 1e200
"""In temperatures."""

_REMEDY = "Allow more entries, or set masses that fit."

Solve = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, ...]]


def closed(
    cost: Float[Tensor, "B N M"], row_part: Int[Tensor, "B N"], column_part: Int[Tensor, "B M"]
) -> Bool[Tensor, "B N M"]:
    """The entries that carry no mass: forbidden ones, and those between two parts."""
    return (cost == inf) | (row_part[:, :, None] != column_part[:, None, :])


def walled(
    cost: Float[Tensor, "B N M"], eps: Float[Tensor, " B"], shut: Bool[Tensor, "B N M"]
) -> Float[Tensor, "B N M"]:
    """The cost with a finite wall at the entries that are shut."""
    return torch.where(shut, (_WALL * eps).clamp(max=1e300)[:, None, None], cost)


def solve(
    solver: Solve,
    cost: Float[Tensor, "B N M"],
    eps: Float[Tensor, " B"],
    a: Float[Tensor, "B N"],
    b: Float[Tensor, "B M"],
    tolerance: float,
) -> tuple[Tensor, ...]:
    """What a solver gives of finite costs, and the part of each row and column; see `closed`.

    Args:
        solver: Takes cost, temperatures, masses.
        cost: Plus infinity forbids. A pair with NaN or minus infinity is NaN.
        eps, a, b: Temperatures and masses, looked at already.
        tolerance: Largest residual of a pair that is left as it is.
    """
    allowed = check_sides(cost, a, b)
    row_part = torch.zeros_like(a, dtype=torch.int32)
    column_part = torch.zeros_like(b, dtype=torch.int32)
    found = _solve(solver, cost, eps, a, b, cost == inf)
    left = (cost == inf).flatten(1).any(1) & (found[3] > max(tolerance, 1e-12))
    for k in left.nonzero()[:, 0].tolist():
        row_part[k], column_part[k] = _parts(k, allowed[k], a[k], b[k])
    again = (allowed & closed(cost, row_part, column_part)).flatten(1).any(1).nonzero()[:, 0]
    if len(again):
        shut = closed(cost[again], row_part[again], column_part[again])
        better = _solve(solver, cost[again], eps[again], a[again], b[again], shut)
        found = tuple(x.index_copy(0, again, y) for x, y in zip(found, better, strict=True))
    return *found, row_part, column_part


def _solve(
    solver: Solve, cost: Tensor, eps: Tensor, a: Tensor, b: Tensor, shut: Tensor
) -> tuple[Tensor, ...]:
    plan, f, g, residual, iterations = solver(walled(cost, eps, shut), eps, a, b)
    plan = torch.where(shut & residual.isfinite()[:, None, None], 0, plan)
    total = torch.where((of_b := b.sum(1)) > 0, of_b, 1)
    wrong = torch.maximum((plan.sum(1) - b).abs().sum(1), (plan.sum(2) - a).abs().sum(1))
    return plan, f, g, torch.where(residual.isfinite(), wrong / total, residual), iterations


def check_sides(
    cost: Float[Tensor, "B N M"], a: Float[Tensor, "B N"], b: Float[Tensor, "B M"]
) -> Bool[Tensor, "B N M"]:
    """Refuses a row or column that has mass and nothing to do with it; the allowed entries.

    A pair with NaN or minus infinity is not looked at: it is NaN, whatever it allows.
    """
    used = (a > 0)[:, :, None] & (b > 0)[:, None, :]
    allowed = used & (cost != inf)
    spoilt = (used & (cost.isnan() | (cost == -inf))).flatten(1).any(1)
    for side, mass, axis in (("row", a, 2), ("column", b, 1)):
        stuck = (mass > 0) & ~allowed.any(axis) & ~spoilt[:, None]
        if bool(stuck.any()):
            k, i = stuck.nonzero()[0].tolist()
            other = "column" if side == "row" else "row"
            no_plan(f"{side} {i} of pair {k}, which has mass {mass[k, i]:g} and no allowed {other}")
    return allowed


class NoPlan(InputError):
    """Costs forbid every plan.

    Args:
        got: Which rows or columns are left without a place for their mass.
    """

    def __init__(self, got: str) -> None:
        wanted = "allow a plan (plus infinity forbids an entry)"
        super().__init__(str(refusal("`cost`", wanted, Received(got), _REMEDY)))
        self.got = got


def no_plan(got: str) -> NoReturn:
    """Refuses costs that forbid every plan."""
    raise NoPlan(got)


def blocked(pair: int, found: _flow.Blocked) -> NoReturn:
    """Refuses a pair in which some rows hold more than the columns they may use."""
    rows = ", ".join(str(i) for i in found.rows[:5]) + (", ..." if len(found.rows) > 5 else "")
    no_plan(
        f"rows {rows} of pair {pair}, which have {found.excess:g} more mass than all the "
        "columns allowed to them"
    )


def _parts(pair: int, allowed: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    row, column = (x > 0 for x in (a, b))
    inside = allowed[row][:, column].cpu().numpy()
    free = np.where(inside, 0.0, np.inf)
    found = _flow.cheapest(free, a[row].cpu().numpy(), b[column].cpu().numpy())
    if isinstance(found, _flow.Blocked):
        rows = np.flatnonzero(row.cpu().numpy())[found.rows]
        blocked(pair, _flow.Blocked(rows, found.excess))
    out = []
    for used, label in zip((row, column), _flow.parts(inside, found), strict=True):
        part = torch.zeros_like(used, dtype=torch.int32)
        part[used] = torch.as_tensor(label, dtype=torch.int32, device=used.device)
        out.append(part)
    return out[0], out[1]
