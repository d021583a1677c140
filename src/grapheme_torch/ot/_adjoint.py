"""Differentiating a plan in plain PyTorch, (E8)-(E12); runs on every device."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._newton import schur
from ._sinkhorn import Problem, exp, sweep_path

Unrolled = Callable[[Problem, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]


def centred(
    plan: Float[Tensor, "B N M"],
    w: Float[Tensor, "B N M"],
    rows: Float[Tensor, "B N"] | float = 0.0,
    columns: Float[Tensor, "B M"] | float = 0.0,
) -> tuple[Float[Tensor, "B N M"], Float[Tensor, "B N"], Float[Tensor, "B M"]]:
    """The cotangent, centred until `P * w` has no margins, and the centring vectors, (E8)-(E9).

    They are the derivatives in the scaled cost and, up to a constant (mass is conserved), in the
    masses. Made of differentiable operations in `plan` and `w`. The same solve, with changes of
    the masses as the margins to be left, is the derivative of the plan in forward mode.
    """
    q, a = plan * w, plan.sum(2)
    row, column, inverse_a = q.sum(2) + rows, q.sum(1) + columns, _inverse(a)
    right = column - (plan.mT @ (row * inverse_a)[..., None])[..., 0]
    v = torch.linalg.solve(schur(plan, a), right)
    u = (row - (plan @ v[..., None])[..., 0]) * inverse_a
    return -plan * (w - u[:, :, None] - v[:, None, :]), u, v


def unrolled(
    problem: Problem, iterations: Int[Tensor, " B"], plan: Tensor, w: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Reverse mode over the potentials of the sweeps, which are made again, (E10)-(E12)."""
    path = sweep_path(problem, iterations)
    q = plan * w
    # The last half-sweep f(g): rows of `plan / a` are its softmax weights.
    df, dg = q.sum(2), q.sum(1)
    back = plan * _inverse(problem.a)[:, :, None] * df[:, :, None]
    dc, dg = back - q, dg - back.sum(1)
    log_a, log_b = q.sum(2), q.sum(1) - back.sum(1)
    for k in reversed(range(len(path) - 1)):
        moved = (k < iterations)[:, None]
        f = problem.row_potential(path[k])
        # g' = g(f) with softmax weights `columns`, then f = f(g) with weights `rows`.
        columns = exp(problem.into_columns + f[:, :, None] + path[k + 1][:, None, :])
        step = columns * torch.where(moved, dg, 0)[:, None, :]
        rows = exp(problem.into_rows + f[:, :, None] + path[k][:, None, :])
        back = -rows * step.sum(2)[:, :, None]
        dc = dc + step + back
        log_a, log_b = log_a - step.sum(2), log_b - back.sum(1)
        dg = torch.where(moved, -back.sum(1), dg)
    return dc, log_a * _inverse(problem.a), log_b * _inverse(problem.b)


def _inverse(mass: Tensor) -> Tensor:
    return torch.where(mass > 0, 1 / torch.where(mass > 0, mass, 1), 0)


def _put(out: tuple[Tensor, ...], pairs: Tensor, values: tuple[Tensor, ...]) -> None:
    for whole, part in zip(out, values, strict=True):
        whole[pairs] = part


def adjoint(
    cost: Float[Tensor, "B N M"],
    eps: Float[Tensor, " B"],
    a: Float[Tensor, "B N"],
    b: Float[Tensor, "B M"],
    plan: Float[Tensor, "B N M"],
    iterations: Int[Tensor, " B"],
    implicit: Bool[Tensor, " B"],
    w: Float[Tensor, "B N M"],
    *,
    unrolled: Unrolled = unrolled,
) -> tuple[Float[Tensor, "B N M"], Float[Tensor, "B N"], Float[Tensor, "B M"]]:
    """Derivatives of `sum(w * plan)` in the cost and the masses.

    Args:
        cost, eps, a, b: The problem, as it was solved.
        plan, iterations: Its solution.
        implicit: The pairs at a fixed point: one linear solve, (E8)-(E9). The others are
            differentiated through the `iterations` sweeps that made them, (E10)-(E12).
        w: Derivative of the loss in the plan.
        unrolled: The way back through the sweeps: the function of that name, or what does the same.

    Returns:
        Derivatives in `cost`, `a` and `b`; zero where the mass is. At a fixed point those in the
        masses are defined up to a constant, added to all of `a` and taken from all of `b`.
    """
    used = (a > 0)[:, :, None] & (b > 0)[:, None, :]
    c = torch.where(used, cost, 0) / eps[:, None, None]
    out = torch.zeros_like(c), torch.zeros_like(a), torch.zeros_like(b)
    k = implicit.nonzero()[:, 0]
    if len(k):
        _put(out, k, centred(plan[k], w[k]))
    k = (~implicit).nonzero()[:, 0]
    if len(k):
        _put(out, k, unrolled(Problem(c[k], a[k], b[k]), iterations[k], plan[k], w[k]))
    return out[0] / eps[:, None, None], out[1], out[2]
