"""An operation that PyTorch defines and the native kernel computes where it can, with derivative.

The kernel reads and writes tensors by name, see `cpp/network/operations.hpp`. It has the first
derivative; that of the derivative is taken of PyTorch's own program.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import Parameter

from ...ot import AVAILABLE, LEVELS, serves

if AVAILABLE:
    from ...ot import _native

Given = Mapping[str, Any]
"""What is not differentiated, by name."""


class Operation(NamedTuple):
    """A formula, and the names its tensors have in the kernel.

    Args:
        formula: Maps `given` and the tensors to the result, by PyTorch.
        record: The kernel's record of the tensors of a call, and names what computes it in
            lower case; see `_native.pyi`.
        reads: What of `given` the kernel reads.
        names: Of the tensors that are differentiated.
        result: Name of the result.
        shape: That of the result, by `given` and the tensors.
        derivatives: Shapes of the derivatives in the tensors, by the same. Those with one axis
            more than the tensor are of groups, and summed.
        differentiable: The derivatives by `given`, the tensors and that in the result, as a program
            that has derivatives itself. Default: those of the formula.
    """

    formula: Callable[..., Tensor]
    record: str
    reads: tuple[str, ...]
    names: tuple[str, ...]
    result: str
    shape: Callable[..., Sequence[int]]
    derivatives: Callable[..., Sequence[Sequence[int]]]
    differentiable: Callable[..., Sequence[Tensor | None]] | None = None


def apply(operation: Operation, given: Given, *tensors: Tensor | None) -> Tensor:
    """The result of an operation, differentiable in its tensors."""
    floats = [x for x in tensors if x is not None]
    if not _has_kernel(floats, given):
        return operation.formula(given, *tensors)
    result: Tensor = _Native.apply(operation, given, *tensors)
    return result


def _has_kernel(floats: Sequence[Tensor], given: Given) -> bool:
    """Whether all tensors are of the two precisions that the kernel has, and on the CPU."""
    first = floats[0]
    if first.dtype not in (torch.float32, torch.float64) or not first.numel():
        return False
    if torch.compiler.is_compiling() or torch._C._is_tracing():
        return False
    others = [x for x in given.values() if isinstance(x, Tensor)]
    alike = all(x.dtype == first.dtype for x in floats)
    plain = all(type(x) in (Tensor, Parameter) for x in (*floats, *others))
    return alike and plain and serves(*floats, *others) and not any(x.requires_grad for x in others)


class _Native(Function):
    @staticmethod
    def forward(ctx: Any, operation: Operation, given: Given, *tensors: Tensor | None) -> Tensor:
        ctx.save_for_backward(*tensors)
        ctx.operation, ctx.given = operation, given
        first = next(x for x in tensors if x is not None)
        result = first.new_empty(tuple(operation.shape(given, *tensors)))
        call = _call(operation, given, tensors)
        setattr(call, operation.result, result)
        _run(operation.record, "", call)
        return result

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        operation, given, tensors = ctx.operation, ctx.given, ctx.saved_tensors
        if torch.is_grad_enabled():  # the derivative is to be differentiated
            differentiable = operation.differentiable or partial(by_formula, operation)
            return None, None, *differentiable(given, tensors, grads[0])
        shapes = operation.derivatives(given, *tensors)
        call, found = _call(operation, given, tensors), list[Tensor | None]()
        setattr(call, f"grad_{operation.result}", grads[0].contiguous())
        for name, x, shape in zip(operation.names, tensors, shapes, strict=True):
            if x is None:
                found.append(None)
                continue
            gradient = x.new_empty(tuple(shape))
            setattr(call, f"grad_{name}", gradient)
            found.append(gradient)
        _run(operation.record, "_adjoint", call)
        summed = (
            g.sum(0) if g is not None and x is not None and g.dim() > x.dim() else g
            for g, x in zip(found, tensors, strict=True)
        )
        return None, None, *summed


def by_formula(
    operation: Operation, given: Given, tensors: Sequence[Tensor | None], grad: Tensor
) -> list[Tensor | None]:
    """The derivatives in the tensors of a call, as a program that has derivatives itself."""
    needed = [x for x in tensors if x is not None and x.requires_grad]
    found = iter(
        torch.autograd.grad(
            operation.formula(given, *tensors), needed, grad, create_graph=True, allow_unused=True
        )
    )
    return [next(found) if x is not None and x.requires_grad else None for x in tensors]


def _call(operation: Operation, given: Given, tensors: Sequence[Tensor | None]) -> Any:
    """The record of a call with what goes in."""
    call = getattr(_native, operation.record)()
    for name in operation.reads:
        value = given[name]
        setattr(call, name, value.contiguous() if isinstance(value, Tensor) else value)
    for name, x in zip(operation.names, tensors, strict=True):
        if x is not None:
            setattr(call, name, x.contiguous())
    return call


def _run(record: str, suffix: str, call: Any) -> None:
    """Computes on `torch.get_num_threads()` threads with the fastest instruction set."""
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in record).lstrip("_")
    compute = getattr(_native, name + suffix)
    compute(call=call, num_threads=torch.get_num_threads(), level=LEVELS[-1])
