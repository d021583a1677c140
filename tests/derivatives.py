"""The ways to ask PyTorch for a second derivative, and what each must give."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

Value = Callable[[Tensor], Tensor]
Way = Callable[[Value, Tensor, Tensor], Tensor]
"""From a value, a place and a direction to the second derivative along the direction."""


def _graph(value: Value, x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(value(x), x, create_graph=True)[0], x


def _grad(value: Value, x: Tensor, v: Tensor) -> Tensor:
    slope, x = _graph(value, x)
    return torch.autograd.grad((slope * v).sum(), x)[0]


def _backward(value: Value, x: Tensor, v: Tensor) -> Tensor:
    slope, x = _graph(value, x)
    (slope * v).sum().backward()
    assert x.grad is not None
    return x.grad


def _backward_twice(value: Value, x: Tensor, v: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using backward")  # of a cycle, which is broken below
        value(x).backward(create_graph=True)
    slope, x.grad = x.grad, None
    assert slope is not None
    (slope * v).sum().backward(inputs=[x])
    assert x.grad is not None
    return x.grad


def _jvp(value: Value, x: Tensor, v: Tensor) -> Tensor:
    return torch.func.jvp(torch.func.grad(value), (x,), (v,))[1]


def _vjp(value: Value, x: Tensor, v: Tensor) -> Tensor:
    return torch.func.vjp(torch.func.grad(value), x)[1](v)[0]


def _matrix(hessian: Callable[..., Any]) -> Way:
    def way(value: Value, x: Tensor, v: Tensor) -> Tensor:
        return (hessian(value)(x) * v).flatten(x.ndim).sum(-1)

    return way


def _dual(value: Value, x: Tensor, v: Tensor) -> Tensor:
    with forward_ad.dual_level():
        slope, _ = _graph(value, forward_ad.make_dual(x, v))
        tangent = forward_ad.unpack_dual(slope).tangent
    return torch.zeros_like(x) if tangent is None else tangent


WAYS: dict[str, Way] = {
    "autograd.grad": _grad,
    "backward": _backward,
    "backward, inputs": _backward_twice,
    "functional.hvp": lambda value, x, v: torch.autograd.functional.hvp(value, x, v)[1],
    "functional.vhp": lambda value, x, v: torch.autograd.functional.vhp(value, x, v)[1],
    "functional.hessian": _matrix(
        lambda value: lambda x: torch.autograd.functional.hessian(value, x)
    ),
    "func.hessian": _matrix(torch.func.hessian),
    "func.jacrev of func.grad": _matrix(lambda value: torch.func.jacrev(torch.func.grad(value))),
    "func.jacfwd twice": _matrix(lambda value: torch.func.jacfwd(torch.func.jacfwd(value))),
    "func.jvp": _jvp,
    "func.vjp": _vjp,
    "dual numbers": _dual,
}


def slope_of(value: Value, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(value(x), x)[0]


def assert_right_or_refused(way: Way, value: Value, x: Tensor, *, known: bool) -> None:
    """Against finite differences of the gradient; `known`: whether it has to be right."""
    v = torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=x.dtype)
    try:
        found = way(value, x, v)
    except (RuntimeError, NotImplementedError):
        assert not known
        return
    step = 1e-5
    wanted = (slope_of(value, x + step * v) - slope_of(value, x - step * v)) / (2 * step)
    assert (found - wanted).norm() <= 1e-6 * wanted.norm().clamp(min=1)
