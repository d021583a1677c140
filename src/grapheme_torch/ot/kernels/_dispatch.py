"""Solver and adjoint as PyTorch operators: opaque to compilers, foldable by `vmap`.

What computes them is one of three, which give the same numbers. On the CPU it is the native kernel
where it was built, on a GPU Triton's kernels where Triton is installed. Elsewhere it is PyTorch,
the reference. They carry no derivative of their own; `_plan` puts the two together. Whatever
depends on the values of tensors (checks, stopping, which rule) happens in here.
"""

import functools
import importlib.metadata
import os
from collections.abc import Callable
from math import inf
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ..._check import notice, require
from .. import _adjoint, _forbidden, _solver
from .._inputs import check_values
from . import _native_cpu as _cpu

Backend = Literal["native", "triton", "pytorch"]

_TRITON = (3, 7)
"""The oldest version that the kernels were compiled with; 3.3 has no product in float64."""

_chosen: Backend | None = None  # none: the fastest of each device


def backend(device: str | torch.device = "cpu") -> Backend:
    """What solves transport on a device.

    Args:
        device: As PyTorch names it.

    Returns:
        "native", the C++ kernel; "triton", kernels for GPUs; or "pytorch", the reference of both.
    """
    kind = device.type if isinstance(device, torch.device) else torch.device(device).type
    if _chosen == "pytorch":
        return "pytorch"
    if kind == "cuda" or (kind == "cpu" and _chosen == "triton" and _interpreted()):
        return "triton" if _has_triton() else "pytorch"
    return "native" if kind == "cpu" and _cpu.AVAILABLE else "pytorch"


def set_backend(name: Backend) -> None:
    """Chooses what solves transport, in this process; see `backend`.

    Args:
        name: "pytorch" for the reference on every device. "native" or "triton", if there is the
            one named, for the fastest that each device has: the state at the start. With
            `TRITON_INTERPRET=1` in the environment "triton" serves the CPU too, to be looked into.

    Raises:
        InputError: If the native kernel was not built, or if Triton is not installed, older than
            3.7, or has neither a GPU nor its interpreter.
    """
    global _chosen
    require(
        _available(name),
        "`backend`",
        'be available: "pytorch", "native" if built, "triton" if 3.7 or newer and a GPU are there',
        name,
        'Install a C++ compiler or Triton and the package anew, or stay with "pytorch".',
    )
    _chosen = name


def _available(name: str) -> bool:
    """Whether there is a backend of this name; Triton is looked for where it is the one."""
    if name == "triton":
        return _has_triton() and (torch.cuda.is_available() or _interpreted())
    return name == "pytorch" or (name == "native" and _cpu.AVAILABLE)


def native(x: Tensor) -> bool:
    """Whether the native kernel answers for a tensor."""
    return backend(x.device) == "native"


def serves(*tensors: Tensor) -> bool:
    """Whether the kernel can be given these, in PyTorch's present state.

    Inside a function transform (`torch.func`) tensors are wrapped and have no address, and the
    kernel has no derivative in forward mode.
    """
    plain = not torch._C._are_functorch_transforms_active() and forward_ad._current_level < 0
    return plain and all(native(x) for x in tensors)


@functools.cache
def _has_triton() -> bool:
    """Whether a version that compiles our kernels could be imported; it is not until needed."""
    try:
        major, minor, *_ = importlib.metadata.version("triton").split(".")
    except importlib.metadata.PackageNotFoundError:
        return False
    return (int(major), int(minor)) >= _TRITON


def _interpreted() -> bool:
    return os.environ.get("TRITON_INTERPRET") == "1"


class _Solver(NamedTuple):
    solve: Callable[..., tuple[Tensor, ...]]
    adjoint: Callable[..., tuple[Tensor, ...]]


def _solver_of(x: Tensor) -> _Solver:
    """The functions that solve where a tensor is."""
    name = backend(x.device)
    if name == "pytorch" and x.device.type == "cpu" and _chosen is None:
        _tell_of_pytorch()
    if name == "native":
        return _Solver(_cpu.solve, _cpu.adjoint)
    if name == "triton":
        from . import _triton

        return _Solver(_triton.solve, _triton.adjoint)
    return _Solver(_solver.solve, _adjoint.adjoint)


@functools.cache
def _tell_of_pytorch() -> None:
    """Says, once in a process, what it costs that the native kernel was not built."""
    notice(
        "The native CPU kernel was not built, so PyTorch takes its place: the loss of one small "
        "pair takes about 14 ms instead of 1.3. Install GCC or Clang, then the package anew; or "
        'keep PyTorch, and this silent, by `grapheme_torch.ot.set_backend("pytorch")`.'
    )


@torch.library.custom_op("grapheme_torch::transport", mutates_args=())
def transport(
    cost: Tensor,
    eps: Tensor,
    a: Tensor,
    b: Tensor,
    tolerance: float,
    max_iterations: int,
    newton: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """What `_solver.solve` gives, after a look at the numbers, and parts, see `_forbidden`."""
    forbids = check_values(cost, eps, a, b)
    row_part, column_part = (torch.zeros_like(x, dtype=torch.int32) for x in (a, b))
    if not cost.numel():
        f, g, residual = torch.zeros_like(a), torch.zeros_like(b), torch.zeros_like(eps)
        nothing = cost.new_zeros(cost.shape)
        return nothing, f, g, residual, residual.long(), row_part, column_part

    def solve(*problem: Tensor) -> tuple[Tensor, ...]:
        inputs = (x.contiguous() for x in problem)
        return _solver_of(cost).solve(*inputs, tolerance, max_iterations, newton)

    if forbids:
        found = _forbidden.solve(solve, cost, eps, a, b, tolerance)
    else:
        found = *solve(cost, eps, a, b), row_part, column_part
    plan, f, g, residual, iterations, row_part, column_part = (x.contiguous() for x in found)
    return plan, f, g, residual, iterations, row_part, column_part


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
    row_part: Tensor,
    column_part: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Derivatives in the cost and the masses, of `_adjoint.adjoint`."""
    if not cost.numel():
        return cost.new_zeros(cost.shape), torch.zeros_like(a), torch.zeros_like(b)
    solver, forbids = _solver_of(cost), bool((cost == inf).any())
    if forbids:
        shut = _forbidden.closed(cost, row_part, column_part)
        cost, w = _forbidden.walled(cost, eps, shut), torch.where(shut & (plan == 0), 0, w)
    inputs = (x.contiguous() for x in (cost, eps, a, b, plan, iterations, implicit, w))
    grad_cost, grad_a, grad_b = (value.contiguous() for value in solver.adjoint(*inputs))
    if forbids:
        grad_cost = torch.where(shut & (plan == 0), 0, grad_cost)
    return grad_cost, grad_a, grad_b


@transport.register_fake
def _(cost: Tensor, eps: Tensor, a: Tensor, b: Tensor, *_: object) -> tuple[Tensor, ...]:
    iterations = eps.new_empty(eps.shape, dtype=torch.long)
    like = (cost.new_empty(x.shape) for x in (cost, a, b, eps))
    parts = (x.new_empty(x.shape, dtype=torch.int32) for x in (a, b))
    return *like, iterations, *parts


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
