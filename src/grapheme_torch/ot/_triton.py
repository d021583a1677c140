"""The Triton kernels: the same two operations as in PyTorch, on a GPU.

Nothing here is differentiable: `adjoint` is the derivative of `solve`, for whoever joins them.
Imported only where it is used, because Triton is optional.
"""

import torch
import triton
from jaxtyping import Bool, Float, Int
from torch import Tensor

from . import _triton_pair
from ._solver import WARM_UP

ON_CHIP = 64 * 64
"""Entries of a padded pair that one program holds in registers without spilling."""

_LEAST = 16  # of a side of a tile, so that few kernels are compiled


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
    shape, launch = _launch(cost)
    plan, f, g = torch.empty_like(cost), torch.empty_like(a), torch.empty_like(b)
    residual, iterations = torch.empty_like(eps), torch.empty_like(eps, dtype=torch.int64)
    sweeps = min(WARM_UP, max_iterations) if newton else max_iterations
    _triton_pair.solve_pair[(len(cost),)](
        cost, eps, a, b, torch.full_like(eps[:1], tolerance),
        plan, f, g, residual, iterations,
        *cost.shape[1:], sweeps, max_iterations - sweeps,
        **launch, BLUR=1e-14
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
    shape, launch = _launch(cost)
    longest = int(torch.where(implicit, 0, iterations).max())
    path = b.new_empty(len(b), longest, b.shape[1])
    out = torch.empty_like(cost), torch.empty_like(a), torch.empty_like(b)
    _triton_pair.adjoint_pair[(len(cost),)](
        cost, eps, a, b, plan, iterations, implicit, grad_plan, path, *out,
        *cost.shape[1:], longest, **launch,
    )  # fmt: skip
    return out

def _launch(cost):
    n, m = (max(triton.next_power_of_2(size), _LEAST) for size in cost.shape[1:])
    return (n, m), {"N": n, "M": m, "RIDGE": 1e-14}
