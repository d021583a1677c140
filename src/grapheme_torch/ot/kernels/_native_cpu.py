"""The native kernel on CPU tensors: the same two operations as in PyTorch, where it was built.

Tensors cross to C++ by name, where dtype, sizes and contiguity are checked: see `cpp/calls.hpp`.
Nothing here is differentiable: `adjoint` is the derivative of `solve`, for whoever joins them.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

try:
    from .. import _native
except ImportError:  # installed without a compiler
    LEVELS: list[str] = []
else:
    LEVELS = _native.levels()
"""The instruction sets the kernel may use on this machine, the fastest last."""

AVAILABLE = bool(LEVELS)
"""Whether the kernel was built."""


def solve(
    cost: Float[Tensor, "B N M"],
    eps: Float[Tensor, " B"],
    a: Float[Tensor, "B N"],
    b: Float[Tensor, "B M"],
    tolerance: float,
    max_iterations: int,
    newton: bool,
    *,
    level: str | None = None,
) -> tuple[
    Float[Tensor, "B N M"],
    Float[Tensor, "B N"],
    Float[Tensor, "B M"],
    Float[Tensor, " B"],
    Int[Tensor, " B"],
]:
    """The plan of each pair, (E3), on `torch.get_num_threads()` threads.

    Arguments and results are those of `_solver.solve`, by the same steps.

    Args:
        level: One of `LEVELS`; the fastest if not given.
    """
    plan, f, g = torch.empty_like(cost), torch.empty_like(a), torch.empty_like(b)
    residual, iterations = torch.empty_like(eps), torch.empty_like(eps, dtype=torch.int64)
    _native.solve(
        cost=cost,
        temperature=eps,
        row_mass=a,
        column_mass=b,
        tolerance=tolerance,
        max_iterations=max_iterations,
        newton=newton,
        plan=plan,
        row_potential=f,
        column_potential=g,
        residual=residual,
        iterations=iterations,
        num_threads=torch.get_num_threads(),
        level=level or LEVELS[-1],
    )
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
    *,
    level: str | None = None,
) -> tuple[Float[Tensor, "B N M"], Float[Tensor, "B N"], Float[Tensor, "B M"]]:
    """The derivative of a loss in cost and masses, given that in the plan.

    Arguments and results are those of `_adjoint.adjoint`.

    Args:
        level: As for `solve`.
    """
    grad_cost, grad_a, grad_b = torch.empty_like(cost), torch.empty_like(a), torch.empty_like(b)
    _native.adjoint(
        cost=cost,
        temperature=eps,
        row_mass=a,
        column_mass=b,
        plan=plan,
        iterations=iterations,
        implicit=implicit,
        grad_plan=grad_plan,
        grad_cost=grad_cost,
        grad_row_mass=grad_a,
        grad_column_mass=grad_b,
        num_threads=torch.get_num_threads(),
        level=level or LEVELS[-1],
    )
    return grad_cost, grad_a, grad_b
