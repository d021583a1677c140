"""OTT-JAX in the form of the gradient table, its functions seen as functions of PyTorch."""

import functools
from typing import Any

import numpy as np
import torch
from _instances import COLUMNS, PAIRS, ROWS, TEMPERATURE, TIGHT, Instance, Outputs
from torch import Tensor


def linear(instance: Instance, x: Tensor, mode: str) -> Outputs:
    instance.cost_alone(x)
    return _through_jax(_linear_program(instance.case.iterations, mode), instance, x)


def fused(instance: Instance, x: Tensor, mode: str) -> Outputs:
    return _through_jax(_fused_program(instance.case.iterations, mode), instance, x)


def _sinkhorn(most: int, least: int, block: int, mode: str) -> Any:
    from ott.solvers.linear import implicit_differentiation, sinkhorn

    implicit = implicit_differentiation.ImplicitDiff() if mode == "implicit" else None
    return sinkhorn.Sinkhorn(
        threshold=TIGHT, max_iterations=most, min_iterations=least, inner_iterations=block,
        implicit_diff=implicit,
    )  # fmt: skip


@functools.cache
def _linear_program(cap: int | None, mode: str) -> Any:
    from ott.geometry import geometry
    from ott.problems.linear import linear_problem

    most = cap or 400
    solver = _sinkhorn(most, most if "fixed" in mode else 0, 1 if cap else 10, mode)

    def pair(cost: Any, _left: Any, _right: Any, a: Any, b: Any) -> Any:
        geom = geometry.Geometry(cost_matrix=cost, epsilon=TEMPERATURE)
        solved = solver(linear_problem.LinearProblem(geom, a, b))
        return solved.reg_ot_cost, solved.matrix

    return _jax_program(pair)


@functools.cache
def _fused_program(cap: int | None, mode: str) -> Any:
    from ott.geometry import geometry
    from ott.problems.quadratic import quadratic_problem
    from ott.solvers.quadratic import gromov_wasserstein

    outer = cap or 30  # reverse mode needs as many at least as at most
    solver = gromov_wasserstein.GromovWasserstein(
        _sinkhorn(cap or 200, 0, 1 if cap else 10, mode), epsilon=TEMPERATURE,
        min_iterations=outer, max_iterations=outer, threshold=TIGHT,
    )  # fmt: skip

    def pair(cost: Any, left: Any, right: Any, a: Any, b: Any) -> Any:
        xx, yy, xy = (geometry.Geometry(cost_matrix=matrix) for matrix in (left, right, cost))
        solved = solver(quadratic_problem.QuadraticProblem(xx, yy, xy, a=a, b=b))
        return solved.reg_gw_cost, solved.matrix

    return _jax_program(pair)


def _jax_program(pair: Any) -> Any:
    """Value and functional of a batch as a compiled function, and one that adds their gradients."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_disable_most_optimizations", True)  # compiling takes the time

    def both(cost: Any, left: Any, right: Any, a: Any, b: Any, weight: Any) -> Any:
        values, plans = jax.vmap(pair)(cost, left, right, a, b)
        return values.sum(), (weight * plans).sum()

    def with_gradients(*inputs: Any) -> Any:
        # One output at a time, so that the NaN of one does not reach the other.
        found = [jax.value_and_grad(lambda *x, k=k: both(*x)[k], (0, 1))(*inputs) for k in range(2)]
        return zip(*found, strict=True)

    return jax.jit(both), jax.jit(lambda *inputs: tuple(with_gradients(*inputs)))


def _through_jax(program: Any, instance: Instance, x: Tensor) -> Outputs:
    cost, weight = instance.cost(x), instance.weight[:, :ROWS, :COLUMNS]
    left = instance.left(x) if x.numel() > cost.numel() else cost.new_zeros(PAIRS, ROWS, ROWS)
    bridge: Any = _FromJax
    value, functional = bridge.apply(
        program, cost, left, instance.right, instance.a, instance.b, weight
    )
    return value, functional


class _FromJax(torch.autograd.Function):
    """A function of JAX as one of PyTorch, so that all libraries are differentiated alike."""

    @staticmethod
    def forward(ctx: Any, program: Any, *inputs: Tensor) -> tuple[Tensor, ...]:
        function, with_gradients = program
        arrays = [x.detach().numpy() for x in inputs]
        if any(ctx.needs_input_grad):
            ctx.set_materialize_grads(False)
            values, ctx.gradients = with_gradients(*arrays)
        else:
            values = function(*arrays)
        return tuple(torch.tensor(float(value), dtype=torch.float64) for value in values)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        """Of one output, with cotangent one."""
        (k,) = (k for k, cotangent in enumerate(cotangents) if cotangent is not None)
        return None, *(torch.tensor(np.array(x)) for x in ctx.gradients[k]), None, None, None, None
