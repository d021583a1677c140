"""Solver and adjoint as PyTorch operators: opaque to compilers, foldable by `vmap`.

On the CPU they are those of the native kernel where it was built, else those in PyTorch; both
give the same numbers. They carry no derivative of their own; `_plan` puts the two together.
Whatever depends on the values of tensors (checks, stopping, which rule) happens in here.
"""

from math import inf
from typing import Any, Literal

import torch
from torch import Tensor

from .._check import require
from . import _adjoint, _cpu, _solver

Backend = Literal["native", "pytorch"]

_backend: Backend = "native" if _cpu.AVAILABLE else "pytorch"


def backend() -> Backend:
    """What solves transport on the CPU: "native", the C++ kernel, or "pytorch", its reference."""
    return _backend


def set_backend(name: Backend) -> None:
    """Chooses what solves transport on the CPU, in this process; see `backend`.

    Raises:
        InputError: If the native kernel is asked for and was not built.
    """
    global _backend
    built = name == "pytorch" or (name == "native" and _cpu.AVAILABLE)
    remedy = 'Install a C++ compiler and the package anew, or stay with "pytorch".'
    require(built, "`backend`", 'be available: "pytorch", or "native" if built', name, remedy)
    _backend = name


def native(x: Tensor) -> bool:
    """Whether the native kernel answers for a tensor."""
    return _backend == "native" and x.device.type == "cpu"


@torch.library.custom_op("grapheme_torch::transport", mutates_args=())
def transport(
    cost: Tensor,
    eps: Tensor,
    a: Tensor,
    b: Tensor,
    tolerance: float,
    max_iterations: int,
    newton: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Plan, potentials, residual and iterations of `_solver.solve`, after a look at the numbers."""
    _check_values(eps, a, b)
    if not cost.numel():
        f, g, residual = torch.zeros_like(a), torch.zeros_like(b), torch.zeros_like(eps)
        return cost.new_zeros(cost.shape), f, g, residual, residual.long()  # nothing to move
    cost, eps, a, b = (x.contiguous() for x in (cost, eps, a, b))
    solve = _cpu.solve if native(cost) else _solver.solve
    found = solve(cost, eps, a, b, tolerance, max_iterations, newton)
    plan, f, g, residual, iterations = (value.contiguous() for value in found)
    return plan, f, g, residual, iterations


@torch.library.custom_op("grapheme_torch::transport_adjoint", mutates_args=())
def transport_adjoint(
    cost: Tensor,
    eps: Tensor,
    a: Tensor,
    b: Tensor,
    plan: Tensor,
    iterations: Tensor,
    implicit: Tensor,
    w: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Derivatives in the cost and the masses, of `_adjoint.adjoint`."""
    if not cost.numel():
        return cost.new_zeros(cost.shape), torch.zeros_like(a), torch.zeros_like(b)
    inputs = (x.contiguous() for x in (cost, eps, a, b, plan, iterations, implicit, w))
    found = (_cpu.adjoint if native(cost) else _adjoint.adjoint)(*inputs)
    grad_cost, grad_a, grad_b = (value.contiguous() for value in found)
    return grad_cost, grad_a, grad_b


@transport.register_fake
def _(cost: Tensor, eps: Tensor, a: Tensor, b: Tensor, *_: object) -> tuple[Tensor, ...]:
    iterations = eps.new_empty(eps.shape, dtype=torch.long)
    like = (cost.new_empty(x.shape) for x in (cost, a, b, eps))
    return *like, iterations


@transport_adjoint.register_fake
def _(cost: Tensor, eps: Tensor, a: Tensor, b: Tensor, *_: object) -> tuple[Tensor, ...]:
    return tuple(cost.new_empty(x.shape) for x in (cost, a, b))


def _fold(operator: Any) -> None:
    """A mapped axis is folded into the axis of pairs, and unfolded in what comes out."""

    def rule(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> tuple[Any, Any]:
        folded = [
            _in_front(arg, axis, info.batch_size).flatten(0, 1) if isinstance(arg, Tensor) else arg
            for arg, axis in zip(args, in_dims, strict=True)
        ]
        out = operator(*folded)
        return tuple(x.unflatten(0, (info.batch_size, -1)) for x in out), (0,) * len(out)

    operator.register_vmap(rule)


def _in_front(x: Tensor, axis: int | None, size: int) -> Tensor:
    return x.expand(size, *x.shape) if axis is None else x.movedim(axis, 0)


_fold(transport)
_fold(transport_adjoint)


def check_temperature(eps: Tensor) -> None:
    """Refuses temperatures that are not positive."""
    least, most = _range(eps, default=1.0)
    bad = most if least > 0 else least
    require(least > 0 and most < inf, "`temperature`", "be positive", bad, "Try 0.1.")


def _check_values(eps: Tensor, a: Tensor, b: Tensor) -> None:
    check_temperature(eps)
    least = min(_range(a)[0], _range(b)[0])
    require(least >= 0, "`a` and `b`", "not be negative", least, "Zero switches a node off.")
    gap = _range((a.sum(1) - b.sum(1)).abs())[1]
    require(gap < 1e-6, "`a` and `b`", "have equal sums", gap, "Add a void row or column.")


def _range(x: Tensor, default: float = 0.0) -> tuple[float, float]:
    return (float(x.min()), float(x.max())) if x.numel() else (default, default)
