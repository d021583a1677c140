"""Triton kernels for large pairs: a half-sweep is spread over the device, tile by tile.

They stand in for the loops of `_sinkhorn` and `_adjoint`, (E4)-(E6) and (E10)-(E12). One kernel
serves rows and columns, which differ by the strides of the cost only. No matrix but the cost is
read, none is made but the result.
"""

from typing import no_type_check  # for the compiler of Triton, not for Python's checkers

import torch
import triton
import triton.language as tl
from jaxtyping import Float, Int
from torch import Tensor

from .._sinkhorn import NEGLIGIBLE, Problem
from ._triton_pair import FUSED, floored_exp

LOOK = 20
"""Sweeps between two looks of the host at whether all pairs are done."""

_TILE = {"OWN": 16, "OTHER": 64, "num_warps": 4, **FUSED}
_NEGLIGIBLE = tl.constexpr(NEGLIGIBLE)


def sweep(
    problem: Problem, g: Float[Tensor, "B M"], tol: float, max_iter: int
) -> tuple[Float[Tensor, "B M"], Int[Tensor, " B"]]:
    """What `_sinkhorn.sweep` does. The device stops a pair; the host only stops launching."""
    log_a, log_b = problem.a.log(), problem.b.log()
    g, f, better = g.contiguous().clone(), torch.empty_like(log_a), torch.empty_like(log_b)
    iterations = torch.zeros(len(g), dtype=torch.int64, device=g.device)
    going, tolerance = torch.ones_like(iterations), torch.full_like(g[:1, 0], tol)
    for k in range(max_iter):
        if k and k % LOOK == 0 and not going.any():
            break
        _half_sweep(problem.c, log_b, g, f, going, 0)
        _half_sweep(problem.c.mT, log_a, f, better, going, 0)
        _accept[(len(g),)](
            g, better, problem.b, tolerance, going, iterations, g.shape[1], BLOCK=1024, **FUSED
        )
    return g, iterations


def unrolled(
    problem: Problem, iterations: Int[Tensor, " B"], plan: Tensor, w: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """What `_adjoint.unrolled` does, at two potentials and two derivatives a sweep in memory."""
    c, log_a, log_b = problem.c, problem.a.log(), problem.b.log()
    count = int(iterations.max())
    f, g = log_a.new_zeros(count, *log_a.shape), log_b.new_zeros(count + 1, *log_b.shape)
    for k in range(count):
        _half_sweep(c, log_b, g[k], f[k], iterations, k)
        _half_sweep(c.mT, log_a, f[k], g[k + 1], iterations, k)

    q, share = plan * w, torch.where(problem.a > 0, 1 / problem.a, 0)
    back = plan * (share * q.sum(2))[:, :, None]
    grad_c, by_row, by_column = back - q, torch.zeros_like(f), torch.zeros_like(g)
    last = iterations[None, :, None].expand(1, *log_b.shape)
    by_column.scatter_(0, last, (q.sum(1) - back.sum(1))[None])
    for k in reversed(range(count)):
        _push(c, log_a, f[k], g[k + 1], by_column[k + 1], by_row[k], iterations, k)
        _push(c.mT, log_b, g[k], f[k], by_row[k], by_column[k], iterations, k)
    _, n, m = c.shape
    grid = len(c), triton.cdiv(n, _TILE["OWN"]), triton.cdiv(m, _TILE["OTHER"])
    _gather[grid](
        c,
        log_a,
        log_b,
        f,
        g,
        by_row,
        by_column,
        iterations,
        grad_c,
        n,
        m,
        len(c) * n,
        len(c) * m,
        **_TILE,
    )
    per_b = torch.where(problem.b > 0, by_column.sum(0) / problem.b, 0)
    return grad_c, share * (q.sum(2) - by_row.sum(0)), per_b


def _half_sweep(
    c: Tensor, log_mass: Tensor, other: Tensor, own: Tensor, until: Tensor, k: int
) -> None:
    grid = len(c), triton.cdiv(c.shape[1], _TILE["OWN"])
    _potential[grid](c, log_mass, other, own, until, k, *c.shape[1:], *c.stride(), **_TILE)


def _push(
    c: Tensor, log_mass: Tensor, own: Tensor, other: Tensor,
    grad_other: Tensor, grad_own: Tensor, until: Tensor, k: int,
) -> None:  # fmt: skip
    grid = len(c), triton.cdiv(c.shape[1], _TILE["OWN"])
    _derivative[grid](
        c, log_mass, own, other, grad_other, grad_own, until, k,
        *c.shape[1:], *c.stride(), **_TILE,
    )  # fmt: skip


@triton.jit(do_not_specialize=["k"])
@no_type_check
def _potential(
    c_ptr, log_mass_ptr, other_ptr, own_ptr, until_ptr, k,
    owns, others, per_pair, per_own, per_other,
    OWN: tl.constexpr, OTHER: tl.constexpr,
):  # fmt: skip
    """(E4), or (E5) of the transposed cost: the sum over the other side is made as it passes."""
    pair = tl.program_id(0).to(tl.int64)
    if k < tl.load(until_ptr + pair):
        i = tl.program_id(1) * OWN + tl.arange(0, OWN)
        j = tl.arange(0, OTHER)
        top = tl.full([OWN], float("-inf"), c_ptr.dtype.element_ty)
        total = tl.zeros([OWN], c_ptr.dtype.element_ty)
        for start in range(0, others, OTHER):
            at = pair * others + start + j
            here = start + j < others
            seen = tl.load(log_mass_ptr + at, mask=here, other=float("-inf"))
            seen += tl.load(other_ptr + at, mask=here, other=0.0)
            z = seen[None, :] - _tile(
                c_ptr + pair * per_pair, i, start + j, owns, others, per_own, per_other
            )
            higher = tl.maximum(top, tl.max(z, 1))
            known = tl.where(higher > float("-inf"), higher, 0.0)
            total *= tl.exp(tl.maximum(top - known, 2 * _NEGLIGIBLE))
            total += tl.sum(
                tl.where(here[None, :], tl.exp(tl.maximum(z - known[:, None], _NEGLIGIBLE)), 0.0), 1
            )
            top = higher
        top = tl.where(top > float("-inf"), top, 0.0)
        tl.store(own_ptr + pair * owns + i, -(tl.log(total) + top), mask=i < owns)


@triton.jit
@no_type_check
def _tile(c_ptr, i, j, owns, others, per_own, per_other):
    at = i.to(tl.int64)[:, None] * per_own + j.to(tl.int64)[None, :] * per_other
    return tl.load(c_ptr + at, mask=(i < owns)[:, None] & (j < others)[None, :], other=0.0)


@triton.jit
@no_type_check
def _accept(
    g_ptr, better_ptr, b_ptr, tolerance_ptr, going_ptr, iterations_ptr, columns, BLOCK: tl.constexpr
):
    """(E6): ends the pair within the tolerance where it stands, or lets it go on from `better`."""
    pair = tl.program_id(0).to(tl.int64)
    if tl.load(going_ptr + pair) > 0:
        j = tl.arange(0, BLOCK)
        wrong = tl.zeros([BLOCK], g_ptr.dtype.element_ty)
        total = tl.zeros([BLOCK], g_ptr.dtype.element_ty)
        for start in range(0, columns, BLOCK):
            at, here = pair * columns + start + j, start + j < columns
            b = tl.load(b_ptr + at, mask=here, other=0.0)
            g = tl.load(g_ptr + at, mask=here, other=0.0)
            better = tl.load(better_ptr + at, mask=here, other=0.0)
            wrong += tl.abs(b * tl.exp(tl.minimum(g - better, -_NEGLIGIBLE)) - b)
            total += b
        mass = tl.sum(total, 0)
        if tl.sum(wrong, 0) / tl.where(mass > 0, mass, 1.0) > tl.load(tolerance_ptr):
            for start in range(0, columns, BLOCK):
                at, here = pair * columns + start + j, start + j < columns
                tl.store(g_ptr + at, tl.load(better_ptr + at, mask=here), mask=here)
            tl.store(iterations_ptr + pair, tl.load(iterations_ptr + pair) + 1)
        else:
            tl.store(going_ptr + pair, 0)


@triton.jit(do_not_specialize=["k"])
@no_type_check
def _derivative(
    c_ptr, log_mass_ptr, own_ptr, other_ptr, grad_other_ptr, grad_own_ptr, until_ptr, k,
    owns, others, per_pair, per_own, per_other,
    OWN: tl.constexpr, OTHER: tl.constexpr,
):  # fmt: skip
    """(E11)-(E12): `sum_j exp(log mass_i + own_i + other_j - c_ij) grad_j`."""
    pair = tl.program_id(0).to(tl.int64)
    if k < tl.load(until_ptr + pair):
        i = tl.program_id(1) * OWN + tl.arange(0, OWN)
        j = tl.arange(0, OTHER)
        own = tl.load(log_mass_ptr + pair * owns + i, mask=i < owns, other=float("-inf"))
        own += tl.load(own_ptr + pair * owns + i, mask=i < owns, other=0.0)
        grad = tl.zeros([OWN], c_ptr.dtype.element_ty)
        for start in range(0, others, OTHER):
            at, here = pair * others + start + j, start + j < others
            other = tl.load(other_ptr + at, mask=here, other=0.0)
            c = _tile(c_ptr + pair * per_pair, i, start + j, owns, others, per_own, per_other)
            weight = floored_exp(own[:, None] + other[None, :] - c)
            per_other_grad = tl.load(grad_other_ptr + at, mask=here, other=0.0)
            grad += tl.sum(weight * per_other_grad[None, :], 1)
        tl.store(grad_own_ptr + pair * owns + i, grad, mask=i < owns)


@triton.jit
@no_type_check
def _gather(
    c_ptr, log_a_ptr, log_b_ptr, f_ptr, g_ptr, by_row_ptr, by_column_ptr, until_ptr, grad_ptr,
    rows, columns, rows_per_sweep, columns_per_sweep,
    OWN: tl.constexpr, OTHER: tl.constexpr,
):  # fmt: skip
    """Adds what every half-sweep says about a tile of the cost; the sum stays on chip."""
    pair = tl.program_id(0).to(tl.int64)
    i = tl.program_id(1) * OWN + tl.arange(0, OWN)
    j = tl.program_id(2) * OTHER + tl.arange(0, OTHER)
    row, column = pair * rows + i, pair * columns + j
    at = row[:, None] * columns + j[None, :]
    inside = (i < rows)[:, None] & (j < columns)[None, :]
    c, grad = (
        tl.load(c_ptr + at, mask=inside, other=0.0),
        tl.load(grad_ptr + at, mask=inside, other=0.0),
    )
    log_a = tl.load(log_a_ptr + row, mask=i < rows, other=float("-inf"))
    log_b = tl.load(log_b_ptr + column, mask=j < columns, other=float("-inf"))
    before = tl.load(g_ptr + column, mask=j < columns, other=0.0)
    for _ in range(tl.load(until_ptr + pair).to(tl.int32)):
        f = tl.load(f_ptr + row, mask=i < rows, other=0.0)
        column += columns_per_sweep
        g = tl.load(g_ptr + column, mask=j < columns, other=0.0)
        by_column = tl.load(by_column_ptr + column, mask=j < columns, other=0.0)
        by_row = tl.load(by_row_ptr + row, mask=i < rows, other=0.0)
        grad += floored_exp((log_a + f)[:, None] + g[None, :] - c) * by_column[None, :]
        grad -= floored_exp((log_b + before)[None, :] + f[:, None] - c) * by_row[:, None]
        before, row = g, row + rows_per_sweep
    tl.store(grad_ptr + at, grad, mask=inside)
