"""The alignment of a batch with all terms of its loss as one PyTorch operator, and its derivative.

It exists on the CPU only, where the native kernel was built; `_fused` says when it is used.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor
from torch.autograd import Function

from ...ot import GradientMode, Once, check_temperature, refuse_forward
from . import _kernel as _cpu

MODES: tuple[GradientMode, ...] = ("exact", "implicit", "unrolled", "cut")
"""Of differentiation, in the order the kernel numbers them."""

SINGLE = 1e-5
"""The least tolerance that single precision can be relied on to meet."""

Compose = Callable[[Sequence[Tensor]], tuple[Tensor, Tensor]]


@torch.library.custom_op("grapheme_torch::alignment", mutates_args=())
def alignment(
    values: Sequence[Tensor],
    constants: Sequence[Tensor],
    places: Sequence[Tensor],
    numbers: Sequence[float],
    flags: Sequence[int],
    widths: Sequence[int],
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`_cpu.align`, after a look at the numbers; `widths` are those of the padded plans."""
    check_temperature(constants[3])
    real = _precision(values, numbers)
    return _cpu.align(_ready(values, real), _ready(constants, real), places, numbers, flags)


@torch.library.custom_op("grapheme_torch::alignment_adjoint", mutates_args=())
def alignment_adjoint(
    values: Sequence[Tensor],
    constants: Sequence[Tensor],
    places: Sequence[Tensor],
    numbers: Sequence[float],
    flags: Sequence[int],
    found: Sequence[Tensor],
    grad_terms: Tensor,
    grad_plan: Tensor | None,
) -> list[Tensor]:
    """`_cpu.align_adjoint`, in the dtypes of the values."""
    real = _precision(values, numbers)
    grad_terms = grad_terms.contiguous()
    grad_plan = None if grad_plan is None else grad_plan.contiguous()
    given = _ready(values, real), _ready(constants, real), places, numbers, flags, found
    slopes = _cpu.align_adjoint(*given, grad_terms, grad_plan)
    return [slope.to(x.dtype) for slope, x in zip(slopes, values, strict=True)]


@alignment.register_fake
def _(
    values: Sequence[Tensor],
    constants: Sequence[Tensor],
    places: Sequence[Tensor],
    numbers: Sequence[float],
    flags: Sequence[int],
    widths: Sequence[int],
) -> tuple[Tensor, ...]:
    eps, rounds = constants[3].to(_precision(values, numbers)), flags[0] + 1
    return (
        eps.new_empty(4, len(eps)),
        eps.new_empty(rounds, len(eps), *widths),
        eps.new_empty(rounds, len(eps)),
        eps.new_empty(rounds, len(eps), dtype=torch.long),
    )


@alignment_adjoint.register_fake
def _(values: Sequence[Tensor], *_: object) -> list[Tensor]:
    return [torch.empty_like(x) for x in values]


def _precision(values: Sequence[Tensor], numbers: Sequence[float]) -> torch.dtype:
    """Single, if that is what is given and as much as is asked for; else double."""
    enough = numbers[-1] >= SINGLE and all(x.dtype == torch.float32 for x in values)
    return torch.float32 if enough else torch.float64


def _ready(tensors: Sequence[Tensor], real: torch.dtype) -> list[Tensor]:
    return [x.to(real).contiguous() for x in tensors]


class Terms(Function):
    """Terms and plans as a function of the values; first derivatives by the kernel.

    Arguments: compose, constants, places, numbers, flags, widths, then the values one by one.
    `compose` is the same function in PyTorch, from values to terms and the last plan: a second
    derivative is taken through it, where there is one.
    """

    # With a context as in old days: to bind the arguments of the newer form takes PyTorch 0.1 ms.
    @staticmethod
    def forward(
        ctx: Any,
        compose: Compose,
        constants: Sequence[Tensor],
        places: Sequence[Tensor],
        numbers: Sequence[float],
        flags: Sequence[int],
        widths: Sequence[int],
        *values: Tensor,
    ) -> tuple[Tensor, ...]:
        found = alignment(values, constants, places, numbers, flags, widths)
        ctx.compose, ctx.constants, ctx.places = compose, constants, places
        ctx.numbers, ctx.flags = numbers, flags
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*found[2:])
        ctx.save_for_backward(*values, *found)
        return found

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> NoReturn:
        refuse_forward()

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor | None) -> tuple[Tensor | None, ...]:
        *values, terms, plans, residual, iterations = ctx.saved_tensors
        grad_terms, grad_plans = slopes[:2]
        if grad_terms is None:
            grad_terms = torch.zeros_like(terms)
        grad_plan = None if grad_plans is None else grad_plans[-1]
        given = ctx.constants, ctx.places, ctx.numbers, ctx.flags
        if not torch.is_grad_enabled():
            found = [x.detach() for x in (terms, plans, residual, iterations)]
            grads = alignment_adjoint(values, *given, found, grad_terms, grad_plan)
        elif MODES[ctx.flags[-1]] in ("implicit", "cut"):
            grads = _through(ctx.compose, values, grad_terms, grad_plan)
        else:
            found = [x.detach() for x in (terms, plans, residual, iterations)]
            grads = _Once.apply(*given, found, grad_terms, grad_plan, *values)
        return (None,) * 6 + tuple(grads)


def _through(
    compose: Compose, values: list[Tensor], grad_terms: Tensor, grad_plan: Tensor | None
) -> list[Tensor | None]:
    """The derivative as a differentiable function, by the program in PyTorch."""
    terms, plan = compose(values)
    total = (terms * grad_terms).sum()
    if grad_plan is not None:
        total = total + (plan * grad_plan).sum()
    wanted = [x for x in values if x.requires_grad]
    grads = torch.autograd.grad(total, wanted, create_graph=True, materialize_grads=True)
    found = iter(grads)
    return [next(found) if x.requires_grad else None for x in values]


class _Once(Once):
    """The first derivative."""

    @staticmethod
    def forward(
        constants: Sequence[Tensor],
        places: Sequence[Tensor],
        numbers: Sequence[float],
        flags: Sequence[int],
        found: Sequence[Tensor],
        grad_terms: Tensor,
        grad_plan: Tensor | None,
        *values: Tensor,
    ) -> tuple[Tensor, ...]:
        given = values, constants, places, numbers, flags, found, grad_terms, grad_plan
        return tuple(alignment_adjoint(*given))
