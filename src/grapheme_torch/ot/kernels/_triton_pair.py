"""Triton kernels for small pairs: one program holds one pair on chip from start to end, (E3)-(E12).

A pair is a tile of `N x M`, powers of two; what lies beyond the pair is mass zero, as in a padded
batch. Nothing is returned to the host in between: every loop ends by what the program itself sees.
The arithmetic is that of `_sinkhorn`, `_newton` and `_adjoint`, which say why. But linear systems
are solved by conjugate gradients, whose every step is two passes over a tile that is there anyway.
"""

from typing import no_type_check  # for the compiler of Triton, not for Python's checkers

import triton
import triton.language as tl

from .._newton import LONGEST, STEP_LENGTHS, SUFFICIENT
from .._sinkhorn import NEGLIGIBLE

FUSED = {"enable_fp_fusion": True}
"""To the compiler: products may be added in one rounding. From 3.10 on it asks to be told."""

_NEGLIGIBLE = tl.constexpr(NEGLIGIBLE)
# Interpreters before 3.9 take them as right operands only.
_SUFFICIENT, _LONGEST = tl.constexpr(SUFFICIENT), tl.constexpr(LONGEST)
_LENGTHS, _SHORTER = tl.constexpr(len(STEP_LENGTHS)), tl.constexpr(STEP_LENGTHS[1])


@triton.jit
@no_type_check
def solve_pair(
    cost_ptr, eps_ptr, a_ptr, b_ptr, tolerance_ptr,
    plan_ptr, f_ptr, g_ptr, residual_ptr, iterations_ptr,
    rows, columns, sweeps, steps,
    N: tl.constexpr, M: tl.constexpr, BLUR: tl.constexpr,
):  # fmt: skip
    """Up to `sweeps` sweeps, then up to `steps` Newton steps, or as many sweeps if they fail."""
    pair = tl.program_id(0).to(tl.int64)
    i, j = tl.arange(0, N), tl.arange(0, M)
    at = pair * rows * columns + i[:, None] * columns + j[None, :]
    inside = (i < rows)[:, None] & (j < columns)[None, :]
    eps, tolerance = tl.load(eps_ptr + pair), tl.load(tolerance_ptr)
    a = tl.load(a_ptr + pair * rows + i, mask=i < rows, other=0.0)
    b = tl.load(b_ptr + pair * columns + j, mask=j < columns, other=0.0)
    used = (a > 0)[:, None] & (b > 0)[None, :]
    cost = tl.load(cost_ptr + at, mask=inside & used, other=0.0)
    known = tl.abs(cost) < float("inf")
    finite = tl.min(tl.min(known.to(tl.int32), 1), 0) > 0
    c = tl.where(known, cost, 0.0) / eps
    log_a, log_b = log_mass(a), log_mass(b)

    sweeps, steps = tl.where(finite, sweeps, 0), tl.where(finite, steps, 0)
    g, made = _sweep(c, log_a, log_b, b, tl.zeros_like(b), tolerance, sweeps)
    if steps > 0:
        warm = g
        g, residual, more = _newton(c, a, b, log_a, log_b, warm, j, tolerance, steps, BLUR)
        if residual > tolerance:
            g, more = _sweep(c, log_a, log_b, b, warm, tolerance, steps)
        made += more

    f = _row_potential(c, log_b, g)
    plan = _plan(c, a, b, f, g)
    residual = tl.maximum(_misfit(tl.sum(plan, 0), b), _misfit(tl.sum(plan, 1), a))
    nan = float("nan")
    tl.store(plan_ptr + at, tl.where(finite, plan, nan), mask=inside)
    f = tl.where(finite, eps * tl.where(a > 0, f, 0.0), nan)
    tl.store(f_ptr + pair * rows + i, f, mask=i < rows)
    g = tl.where(finite, eps * tl.where(b > 0, g, 0.0), nan)
    tl.store(g_ptr + pair * columns + j, g, mask=j < columns)
    tl.store(residual_ptr + pair, tl.where(finite, residual, nan))
    tl.store(iterations_ptr + pair, made.to(tl.int64))


@triton.jit
@no_type_check
def adjoint_pair(
    cost_ptr, eps_ptr, a_ptr, b_ptr, plan_ptr, iterations_ptr, implicit_ptr, w_ptr, path_ptr,
    grad_cost_ptr, grad_a_ptr, grad_b_ptr,
    rows, columns, longest,
    N: tl.constexpr, M: tl.constexpr, BLUR: tl.constexpr,
):  # fmt: skip
    """One linear solve, or reverse mode through the sweeps, which are made again into `path`."""
    pair = tl.program_id(0).to(tl.int64)
    i, j = tl.arange(0, N), tl.arange(0, M)
    at = pair * rows * columns + i[:, None] * columns + j[None, :]
    inside = (i < rows)[:, None] & (j < columns)[None, :]
    eps = tl.load(eps_ptr + pair)
    a = tl.load(a_ptr + pair * rows + i, mask=i < rows, other=0.0)
    b = tl.load(b_ptr + pair * columns + j, mask=j < columns, other=0.0)
    used = inside & (a > 0)[:, None] & (b > 0)[None, :]
    plan = tl.load(plan_ptr + at, mask=used, other=0.0)
    q = plan * tl.load(w_ptr + at, mask=used, other=0.0)

    if tl.load(implicit_ptr + pair):
        row, column = tl.sum(plan, 1), tl.sum(plan, 0)
        inverse = _inverse(row)
        right = tl.sum(q, 0) - tl.sum(plan * (tl.sum(q, 1) * inverse)[:, None], 0)
        grad_b = _schur_solve(plan, inverse, column, right, j, BLUR)
        grad_a = (tl.sum(q, 1) - tl.sum(plan * grad_b[None, :], 1)) * inverse
        grad_c = plan * (grad_a[:, None] + grad_b[None, :]) - q
    else:
        c = tl.load(cost_ptr + at, mask=used, other=0.0) / eps
        path_ptr += pair * longest * columns
        made = tl.load(iterations_ptr + pair).to(tl.int32)
        grad_c, log_a, log_b = _reverse(c, a, b, plan, q, path_ptr, made, columns, j)
        grad_a, grad_b = log_a * _inverse(a), log_b * _inverse(b)

    tl.store(grad_cost_ptr + at, grad_c / eps, mask=inside)
    tl.store(grad_a_ptr + pair * rows + i, grad_a, mask=i < rows)
    tl.store(grad_b_ptr + pair * columns + j, grad_b, mask=j < columns)


@triton.jit
@no_type_check
def floored_exp(x):
    """`e^x` of what is between -80 and 80; see `_sinkhorn.exp`."""
    return tl.exp(tl.minimum(tl.maximum(x, _NEGLIGIBLE), -_NEGLIGIBLE))


@triton.jit
@no_type_check
def log_mass(mass):
    """The logarithm, minus infinity where there is no mass."""
    return tl.where(mass > 0, tl.log(tl.where(mass > 0, mass, 1.0)), float("-inf"))


@triton.jit
@no_type_check
def _inverse(mass):
    return tl.where(mass > 0, 1.0 / tl.where(mass > 0, mass, 1.0), 0.0)


@triton.jit
@no_type_check
def _misfit(found, wanted):
    """The sum of what stands in the wrong place, as a share of all mass, (E6)."""
    total = tl.sum(wanted, 0)
    return tl.sum(tl.abs(found - wanted), 0) / tl.where(total > 0, total, 1.0)


@triton.jit
@no_type_check
def _row_potential(c, log_b, g):
    """(E4)."""
    z = (log_b + g)[None, :] - c
    top = tl.max(z, 1)
    top = tl.where(top > float("-inf"), top, 0.0)  # no mass on the other side: nothing to see
    return -(tl.log(tl.sum(tl.exp(tl.maximum(z - top[:, None], _NEGLIGIBLE)), 1)) + top)


@triton.jit
@no_type_check
def _column_potential(c, log_a, f):
    """(E5)."""
    z = (log_a + f)[:, None] - c
    top = tl.max(z, 0)
    top = tl.where(top > float("-inf"), top, 0.0)
    return -(tl.log(tl.sum(tl.exp(tl.maximum(z - top[None, :], _NEGLIGIBLE)), 0)) + top)


@triton.jit
@no_type_check
def _plan(c, a, b, f, g):
    """(E3)."""
    return a[:, None] * b[None, :] * floored_exp(f[:, None] + g[None, :] - c)


@triton.jit
@no_type_check
def _sweep(c, log_a, log_b, b, g, tolerance, most):
    """Alternates (E4) and (E5) from `g` until the residual is within the tolerance."""
    made, going = most * 0, most > 0
    while going:
        better = _column_potential(c, log_a, _row_potential(c, log_b, g))
        going = _misfit(b * tl.exp(tl.minimum(g - better, -_NEGLIGIBLE)), b) > tolerance
        g = tl.where(going, better, g)
        made += going.to(tl.int32)
        going = going & (made < most)
    return g, made


@triton.jit
@no_type_check
def _at(c, a, b, log_b, g):
    """What follows from a column potential: row potential, residual, and the semi-dual `F`."""
    f = _row_potential(c, log_b, g)
    residual = _misfit(tl.sum(_plan(c, a, b, f, g), 0), b)
    return f, residual, tl.sum(b * g, 0) + tl.sum(a * f, 0)


@triton.jit
@no_type_check
def _newton(c, a, b, log_a, log_b, g, j, tolerance, most, BLUR: tl.constexpr):
    """Newton steps with backtracking, a sweep where no step will do, (E7)."""
    f, residual, value = _at(c, a, b, log_b, g)
    inverse = _inverse(a)
    made = most * 0
    while (residual > tolerance) & (made < most):
        plan = _plan(c, a, b, f, g)
        column = tl.sum(plan, 0)
        gap = b - column
        direction = _schur_solve(plan, inverse, column, gap, j, BLUR)
        direction /= tl.maximum(tl.max(tl.abs(direction), 0) / _LONGEST, 1.0)
        slope = tl.sum(gap * direction, 0)
        here, f_here, residual_here, value_here = g, f, residual, value
        length, tried, looking = slope * 0 + 1, made * 0, made >= 0
        while looking:
            if tried < _LENGTHS:
                g = here + length * direction
            else:
                g = _column_potential(c, log_a, f_here)
            f, residual, value = _at(c, a, b, log_b, g)
            gain = value - value_here
            rises = (gain >= length * slope * _SUFFICIENT) & (slope > 0)
            # Close to the solution F is flat to the last bit; there the residual decides.
            flat = gain >= -BLUR * (1 + tl.abs(value_here))
            closer = (residual <= 0.5 * residual_here) & flat
            looking = (tried < _LENGTHS) & ((rises | closer) == 0)
            length, tried = length * _SHORTER, tried + 1
        made += 1
    return g, residual, made


@triton.jit
@no_type_check
def _schur_solve(plan, inverse, column, right, j, BLUR: tl.constexpr):
    """Solves `S x = right` of (E7), with `sum(column * x) = 0`.

    `S` is the Laplacian of a graph of columns that exchange the weights `P^T D(1/a) P`. To take
    column `k` out joins its neighbours by `w w^T / sum(w)`: sums of positive numbers, no digit of
    which is lost however little groups exchange (Grassmann, Taksar, Heyman). The ridge is a
    neighbour of all. The mass that rows and columns may differ by is left out.
    """
    total = tl.sum(column, 0)
    column_share = column / tl.where(total > 0, total, 1.0)
    right -= column_share * tl.sum(right, 0)
    share = plan * tl.sqrt(inverse)[:, None]
    graph = tl.dot(tl.trans(share), share, input_precision="ieee")
    ridge = tl.where(column > 0, BLUR, 0.0).to(column.dtype)
    size: tl.constexpr = plan.shape[1]
    for down in range(size):
        here = j == size - 1 - down
        if tl.sum(tl.where(here, column, 0.0), 0) > 0:
            w = tl.sum(tl.where(here[:, None], graph, 0.0), 0)
            w = tl.where(j < size - 1 - down, w, 0.0)
            to_ridge = tl.sum(tl.where(here, ridge, 0.0), 0)
            passed = w / (tl.sum(w, 0) + to_ridge)
            graph += w[:, None] * passed[None, :]
            ridge += passed * to_ridge
            right += passed * tl.sum(tl.where(here, right, 0.0), 0)
    x = tl.zeros_like(right)
    for k in range(size):
        here = j == k
        if tl.sum(tl.where(here, column, 0.0), 0) > 0:
            w = tl.where(j < k, tl.sum(tl.where(here[:, None], graph, 0.0), 0), 0.0)
            known = tl.sum(tl.where(here, right, 0.0) + w * x, 0)
            x = tl.where(here, known / tl.sum(tl.where(here, ridge, 0.0) + w, 0), x)
    return tl.where(column > 0, x - tl.sum(column_share * x, 0), 0.0)


@triton.jit
@no_type_check
def _reverse(c, a, b, plan, q, path_ptr, made, columns, j):
    """Derivatives in `c`, `log a` and `log b` through `made` sweeps from zero, (E10)-(E12)."""
    log_a, log_b = log_mass(a), log_mass(b)
    g = tl.zeros_like(b)
    for k in range(made):
        tl.store(path_ptr + k * columns + j, g, mask=j < columns)
        g = _column_potential(c, log_a, _row_potential(c, log_b, g))
    tl.debug_barrier()  # what one thread has stored another may load

    back = plan * (_inverse(a) * tl.sum(q, 1))[:, None]
    grad_c, grad_log_a, grad_g = back - q, tl.sum(q, 1), tl.sum(q, 0) - tl.sum(back, 0)
    grad_log_b = grad_g
    for down in range(made):
        before = tl.load(path_ptr + (made - 1 - down) * columns + j, mask=j < columns, other=0.0)
        f = _row_potential(c, log_b, before)
        step = floored_exp((log_a + f)[:, None] + g[None, :] - c) * grad_g[None, :]
        per_row = tl.sum(step, 1)
        back = floored_exp((log_b + before)[None, :] + f[:, None] - c) * per_row[:, None]
        grad_c += step - back
        grad_log_a -= per_row
        grad_g = tl.where(b > 0, tl.sum(back, 0), 0.0)  # nothing comes back from beyond the pair
        grad_log_b += grad_g
        g = before
    return grad_c, grad_log_a, grad_log_b
