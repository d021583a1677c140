"""The Triton kernels: the same two operations as in PyTorch, for GPUs.

Nothing here is differentiable: `adjoint` is the derivative of `solve`, for whoever joins them.
To be imported where it is used only: Triton is optional, and heavy.
"""

from typing import Any

import torch
import triton
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .. import _adjoint, _solver
from . import _triton_tiles
from ._triton_pair import FUSED, adjoint_pair, solve_pair

LARGEST = 64
"""Rows or columns of a pair that one program can hold; larger ones are solved in tiles."""

_LEAST = 16  # rows or columns of a tile, so that few kernels are compiled


def solve(
    cost: Float[Tensor, "B N M"],
    eps: Float[Tensor, " B"],
    a: Float[Tensor, "B N"],
    b: Float[Tensor, "B M"],
    tolerance: float,
    max_iterations: int,
    newton: bool,
) -> tuple[
    Float[Tensor, "B N M"],
    Float[Tensor, "B N"],
    Float[Tensor, "B M"],
    Float[Tensor, " B"],
    Int[Tensor, " B"],
]:
    """The plan of each pair, (E3), by the steps of `_solver.solve`.

    A batch of up to `LARGEST` rows and columns is one launch, without a word to the host before
    its end. Of a larger one the sweeps are in Triton and the Newton steps in PyTorch.

    Arguments and results are as there, in float32 too, for fewer digits.
    """
    if max(cost.shape[1:]) > LARGEST:
        return _solver.solve(
            cost, eps, a, b, tolerance, max_iterations, newton, sweep=_triton_tiles.sweep
        )
    plan, f, g = torch.empty_like(cost), torch.empty_like(a), torch.empty_like(b)
    residual, iterations = torch.empty_like(eps), torch.empty_like(eps, dtype=torch.int64)
    sweeps = min(_solver.WARM_UP, max_iterations) if newton else max_iterations
    solve_pair[(len(cost),)](
        cost, eps, a, b, torch.full_like(eps[:1], tolerance), plan, f, g, residual, iterations,
        *cost.shape[1:], sweeps, max_iterations - sweeps, **_tile(cost),
    )  # fmt: skip
    return plan, f, g, residual, iterations


def adjoint(
    cost: Float[Tensor, "B N M"],
    eps: Float[Tensor, " B"],
    a: Float[Tensor, "B N"],
    b: Float[Tensor, "B M"],
    plan: Float[Tensor, "B N M"],
    iterations: Int[Tensor, " B"],
    implicit: Bool[Tensor, " B"],
    grad_plan: Float[Tensor, "B N M"],
) -> tuple[Float[Tensor, "B N M"], Float[Tensor, "B N"], Float[Tensor, "B M"]]:
    """The derivative of a loss in cost and masses, given that in the plan.

    The host waits once, to learn how much memory the longest path of sweeps takes. That is one
    column potential a sweep, up to `LARGEST` rows and columns.

    Arguments and results are those of `_adjoint.adjoint`.
    """
    inputs = cost, eps, a, b, plan, iterations, implicit, grad_plan
    if max(cost.shape[1:]) > LARGEST:
        return _adjoint.adjoint(*inputs, unrolled=_triton_tiles.unrolled)
    longest = int(torch.where(implicit, 0, iterations).max())
    path = b.new_empty(len(b), longest, b.shape[1])
    out = torch.empty_like(cost), torch.empty_like(a), torch.empty_like(b)
    adjoint_pair[(len(cost),)](*inputs, path, *out, *cost.shape[1:], longest, **_tile(cost))
    return out


def _tile(cost: Tensor) -> dict[str, Any]:
    """The tile that holds every pair, threads for it, and how far its numbers can be trusted."""
    n, m = (max(triton.next_power_of_2(size), _LEAST) for size in cost.shape[1:])
    # Four entries of a matrix a thread leave registers for what is made of them.
    warps = min(max(n * m // 128, 1), 16)
    blur = 50 * torch.finfo(cost.dtype).eps  # 1e-14 in float64, as in `_newton`
    return {"N": n, "M": m, "BLUR": blur, "num_warps": warps, **FUSED}
