"""The native kernel on CPU tensors: the same two operations as in PyTorch, where it was built.

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

_REAL = torch.float64


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
    pairs, rows, columns = cost.shape
    plan, f, g = torch.empty_like(cost), torch.empty_like(a), torch.empty_like(b)
    residual, iterations = torch.empty_like(eps), torch.empty_like(eps, dtype=torch.int64)
    _native.solve(
        _at(cost, _REAL, pairs, rows, columns),
        _at(eps, _REAL, pairs),
        _at(a, _REAL, pairs, rows),
        _at(b, _REAL, pairs, columns),
        pairs,
        rows,
        columns,
        tolerance,
        max_iterations,
        newton,
        plan.data_ptr(),
        f.data_ptr(),
        g.data_ptr(),
        residual.data_ptr(),
        iterations.data_ptr(),
        torch.get_num_threads(),
        level or LEVELS[-1],
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
    pairs, rows, columns = cost.shape
    grad_cost, grad_a, grad_b = torch.empty_like(cost), torch.empty_like(a), torch.empty_like(b)
    _native.adjoint(
        _at(cost, _REAL, pairs, rows, columns),
        _at(eps, _REAL, pairs),
        _at(a, _REAL, pairs, rows),
        _at(b, _REAL, pairs, columns),
        _at(plan, _REAL, pairs, rows, columns),
        _at(iterations, torch.int64, pairs),
        _at(implicit, torch.bool, pairs),
        _at(grad_plan, _REAL, pairs, rows, columns),
        pairs,
        rows,
        columns,
        grad_cost.data_ptr(),
        grad_a.data_ptr(),
        grad_b.data_ptr(),
        torch.get_num_threads(),
        level or LEVELS[-1],
    )
    return grad_cost, grad_a, grad_b


def _at(tensor: Tensor, dtype: torch.dtype, *shape: int) -> int:
    """The address of the first number. The kernel believes sizes, so they are compared here."""
    fits = tensor.shape == shape and tensor.dtype == dtype and tensor.is_contiguous()
    if not fits or tensor.device.type != "cpu":
        # Not of an argument of ours: whoever calls has looked at those. A message, not a crash.
        got = f"{tuple(tensor.shape)}, {tensor.dtype}, {tensor.stride()}, {tensor.device}"
        raise RuntimeError(f"The kernel needs {shape}, {dtype}, contiguous, on the CPU, got {got}.")
    return tensor.data_ptr()
