"""What each library offers, brought to one form: an instance and a point in, two numbers out.

The numbers are the value the library reports and `sum(weight * plan)`, None where it reports no
such thing. A library that reports a plan only gets the value `sum(cost * P) + eps KL(P | a b^T)`.
Each function imports its library itself, since any of them may be missing.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from _instances import (
    CLASSES,
    PAIRS,
    RELATIONS,
    ROWS,
    TEMPERATURE,
    Draw,
    Instance,
    circle,
    fused,
    linear,
    logits,
    points,
)  # fmt: skip
from torch import Tensor
from torch_geometric.data import Batch, Data

from grapheme_torch import Prediction, StructuralLoss
from grapheme_torch.ot import transport_plan

Outputs = tuple[Tensor | None, Tensor | None]
MANY = 2000  # iterations where a library wants a number for "until it has converged"
TIGHT = 1e-12


class NotOffered(Exception):
    """The library has no such thing."""


@dataclass(frozen=True)
class Method:
    """A way to compute a plan, and the ways to differentiate it; these all compute the same.

    Args:
        package: Name of the library on the package index.
        draw: Makes the instances.
        evaluate: Takes an instance, the point, and one of `modes`.
    """

    package: str
    name: str
    draw: Draw
    evaluate: Callable[[Instance, Tensor, Any], Outputs]
    modes: tuple[str, ...] = ("",)


def _plan(instance: Instance, x: Tensor, gradient: Any) -> Outputs:
    cap = instance.case.iterations or MANY
    cost = _without_edges(instance, x)
    plan = transport_plan(
        cost, instance.a, instance.b,
        temperature=TEMPERATURE, tolerance=TIGHT, max_iterations=cap, gradient=gradient,
    ).plan  # fmt: skip
    return entropic(cost, plan, instance.a, instance.b), _functional(instance, plan)


def _structural(
    instance: Instance, x: Tensor, gradient: Any, *, criterion: Any, rounds: int, update: Any
) -> Outputs:
    cap = instance.case.iterations or 100
    loss = StructuralLoss(
        criterion=criterion, rounds=rounds, update=update, gradient=gradient,
        tolerance=TIGHT, max_iterations=cap, reduction="sum",
    )  # fmt: skip
    result = loss(prediction_of(instance, x), target_of(instance))
    weight = instance.weight[:, : result.padded_plan.shape[1], : result.padded_plan.shape[2]]
    return result.total, (weight * result.padded_plan).sum()


def prediction_of(instance: Instance, x: Tensor) -> Prediction:
    """The soft graphs whose logits are in a point."""
    sizes = [n for n, _ in instance.case.sizes]
    existence, label, relation = x.view(PAIRS, ROWS, -1).split(
        [1, CLASSES, ROWS * (1 + RELATIONS)], 2
    )
    relation = relation.view(PAIRS, ROWS, ROWS, -1)
    if not instance.case.directed:
        relation = (relation + relation.transpose(1, 2)) / 2
    edges = [(~torch.eye(n, dtype=torch.bool)).nonzero().T for n in sizes]
    first = [sum(sizes[:k]) for k in range(PAIRS)]
    return Prediction(
        existence=torch.cat([existence[k, :n, 0] for k, n in enumerate(sizes)]),
        label=torch.cat([label[k, :n] for k, n in enumerate(sizes)]),
        edge_index=torch.cat([edge + start for edge, start in zip(edges, first, strict=True)], 1),
        relation=torch.cat([relation[k][tuple(edge)] for k, edge in enumerate(edges)]),
        batch=torch.arange(PAIRS).repeat_interleave(torch.tensor(sizes)),
        num_graphs=PAIRS,
    )


def target_of(instance: Instance) -> Data:
    """The graph whose edges are the heavier ones between columns."""
    graphs = []
    for right, (_, m) in zip(instance.right, instance.case.sizes, strict=True):
        inner = right[:m, :m]
        edge_index = ((inner > 0.5) & ~torch.eye(m, dtype=torch.bool)).nonzero().T
        edge_type = 1 + (inner[tuple(edge_index)] > 0.75).long()
        y = (inner.diagonal() * CLASSES).long()
        graphs.append(Data(num_nodes=m, y=y, edge_index=edge_index, edge_type=edge_type))
    return Batch.from_data_list(graphs)


def _pot_single(instance: Instance, x: Tensor, grad: str) -> Outputs:
    import ot

    _one_size(instance)
    solved = [
        ot.solve(
            c,
            a,
            b,
            reg=TEMPERATURE,
            grad=grad,
            tol=TIGHT,
            max_iter=instance.case.iterations or MANY,
        )
        for c, a, b in zip(_without_edges(instance, x), instance.a, instance.b, strict=True)
    ]
    plans = torch.stack([one.plan for one in solved])
    return sum(one.value for one in solved), _functional(instance, plans)


def _pot_batch(instance: Instance, x: Tensor, grad: str) -> Outputs:
    import ot.batch

    solved = ot.batch.solve_batch(
        _without_edges(instance, x), TEMPERATURE, instance.a, instance.b,
        tol=TIGHT, max_iter=instance.case.iterations or MANY, grad=grad,
    )  # fmt: skip
    return solved.value.sum(), _functional(instance, solved.plan)


def _pot_gromov_batch(instance: Instance, x: Tensor, grad: str) -> Outputs:
    import ot.batch

    # A proximal method: its plan loses the temperature, 0.01 by default, on the way. Fifty by
    # fifty iterations, the default, leave a twentieth of the mass in the wrong row.
    cap = instance.case.iterations
    solved = ot.batch.solve_gromov_batch(
        instance.left(x), instance.right, a=instance.a, b=instance.b,
        M=instance.cost(x), alpha=0.5, symmetric=not instance.case.directed,
        tol=TIGHT, tol_inner=TIGHT, max_iter=cap or 50, max_iter_inner=cap or 200, grad=grad,
    )  # fmt: skip
    return solved.value.sum(), _functional(instance, solved.plan)


def _pot_fused(instance: Instance, x: Tensor, _: str, *, partial: bool) -> Outputs:
    from ot import gromov

    _one_size(instance)
    cap = instance.case.iterations or MANY
    solver = gromov.fused_gromov_wasserstein2
    options: dict[str, Any] = {"max_iter": cap, "tol_rel": TIGHT, "tol_abs": TIGHT}
    if partial:
        solver = gromov.partial_fused_gromov_wasserstein2
        options = {"m": 0.7, "numItermax": cap, "tol": TIGHT}
    sides = (instance.cost(x), instance.left(x), instance.right, instance.a, instance.b)
    symmetric = not instance.case.directed
    solved = [
        solver(*side, symmetric=symmetric, log=True, **options) for side in zip(*sides, strict=True)
    ]
    plans = torch.stack([log["T"] for _, log in solved])
    return sum(value for value, _ in solved), _functional(instance, plans)


def _geomloss_matrix(instance: Instance, x: Tensor, _: str) -> Outputs:
    from geomloss import ot

    solved = ot.solve_batch(
        _without_edges(instance, x), reg=TEMPERATURE, a=instance.a, b=instance.b,
        max_iter=instance.case.iterations or 500,
    )  # fmt: skip
    return solved.value.sum(), _functional(instance, solved.plan)


def _geomloss_points(instance: Instance, x: Tensor, _: str) -> Outputs:
    from geomloss import SamplesLoss

    if instance.case.directed:
        raise NotOffered
    # The number of iterations follows from the cooling rate: 5 at 0.49, 162 at 0.99.
    blur, scaling = TEMPERATURE**0.5, 0.49 if instance.case.iterations else 0.99
    loss = SamplesLoss(blur=blur, diameter=1.5, scaling=scaling, debias=False, backend="tensorized")
    return loss(instance.a, x.view(PAIRS, -1, 2), instance.b, circle()).sum(), None


def _pygmtools(instance: Instance, x: Tensor, mode: str) -> Outputs:
    import pygmtools

    case = instance.case
    if case.scattered:
        raise NotOffered  # takes sizes, not masses
    n, m = (torch.tensor(side) for side in zip(*case.sizes, strict=True))
    cost = _without_edges(instance, x)
    plan = pygmtools.sinkhorn(
        -cost, n, m, dummy_row=True, max_iter=case.iterations or 500, tau=TEMPERATURE,
        batched_operation=mode == "batched", backend="pytorch",
    )  # fmt: skip
    a, b = (instance.a > 0).double(), (instance.b > 0).double()
    return entropic(cost, plan, a, b), _functional(instance, plan)


def _ott_linear(instance: Instance, x: Tensor, mode: str) -> Outputs:
    _without_edges(instance, x)
    return _through_jax(_ott_linear_program(instance.case.iterations, mode), instance, x)


def _ott_fused(instance: Instance, x: Tensor, _: str) -> Outputs:
    return _through_jax(_ott_fused_program(instance.case.iterations), instance, x)


@functools.cache
def _ott_linear_program(cap: int | None, mode: str) -> Any:
    from ott.geometry import geometry
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import implicit_differentiation, sinkhorn

    most = cap or 400
    solver = sinkhorn.Sinkhorn(
        threshold=TIGHT, max_iterations=most, inner_iterations=1 if cap else 10,
        min_iterations=most if "fixed" in mode else 0,
        implicit_diff=implicit_differentiation.ImplicitDiff() if mode == "implicit" else None,
    )  # fmt: skip

    def pair(cost: Any, _left: Any, _right: Any, a: Any, b: Any) -> Any:
        geom = geometry.Geometry(cost_matrix=cost, epsilon=TEMPERATURE)
        solved = solver(linear_problem.LinearProblem(geom, a, b))
        return solved.reg_ot_cost, solved.matrix

    return _jax_program(pair)


@functools.cache
def _ott_fused_program(cap: int | None) -> Any:
    from ott.geometry import geometry
    from ott.problems.quadratic import quadratic_problem
    from ott.solvers.linear import sinkhorn
    from ott.solvers.quadratic import gromov_wasserstein

    inner = sinkhorn.Sinkhorn(
        threshold=TIGHT, max_iterations=cap or 200, inner_iterations=1 if cap else 10
    )
    outer = cap or 60  # reverse mode needs as many at least as at most
    solver = gromov_wasserstein.GromovWasserstein(
        inner, epsilon=TEMPERATURE, min_iterations=outer, max_iterations=outer, threshold=TIGHT
    )

    def pair(cost: Any, left: Any, right: Any, a: Any, b: Any) -> Any:
        xx, yy, xy = (geometry.Geometry(cost_matrix=matrix) for matrix in (left, right, cost))
        solved = solver(quadratic_problem.QuadraticProblem(xx, yy, xy, a=a, b=b))
        return solved.reg_gw_cost, solved.matrix

    return _jax_program(pair)


def _jax_program(pair: Any) -> Any:
    """Value and functional of a batch as a compiled function, and a compiled gradient of each."""
    import jax

    def both(cost: Any, left: Any, right: Any, a: Any, b: Any, weight: Any) -> Any:
        values, plans = jax.vmap(pair)(cost, left, right, a, b)
        return values.sum(), (weight * plans).sum()

    gradients = [jax.jit(jax.grad(lambda *x, k=k: both(*x)[k], (0, 1))) for k in range(2)]
    return jax.jit(both), gradients


def _through_jax(program: Any, instance: Instance, x: Tensor) -> Outputs:
    import jax

    jax.config.update("jax_enable_x64", True)
    cost, weight = instance.cost(x), instance.weight[:, :-1, :-1]
    left = instance.left(x) if x.numel() > cost.numel() else cost.new_zeros(PAIRS, ROWS, ROWS)
    rest = (instance.right, instance.a, instance.b, weight)
    value, functional = _FromJax.apply(program, cost, left, *rest)
    return value, functional


class _FromJax(torch.autograd.Function):
    """A function of JAX as one of PyTorch, so that all libraries are differentiated alike."""

    @staticmethod
    def forward(ctx: Any, program: Any, *inputs: Tensor) -> tuple[Tensor, ...]:
        function, ctx.gradients = program
        ctx.inputs = [x.detach().numpy() for x in inputs]
        ctx.set_materialize_grads(False)
        return tuple(
            torch.tensor(float(value), dtype=torch.float64) for value in function(*ctx.inputs)
        )

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        # One output at a time, so that the NaN of one does not reach the other.
        (k,) = (k for k, cotangent in enumerate(cotangents) if cotangent is not None)
        gradient = (torch.tensor(np.array(part)) for part in ctx.gradients[k](*ctx.inputs))
        return None, *gradient, None, None, None, None


def _without_edges(instance: Instance, x: Tensor) -> Tensor:
    if instance.case.directed:
        raise NotOffered
    return instance.cost(x)


def _one_size(instance: Instance) -> None:
    if instance.case.ragged:
        raise NotOffered  # one pair a call


def _functional(instance: Instance, plan: Tensor) -> Tensor:
    return (instance.weight[:, :-1, :-1] * plan).sum()


def entropic(cost: Tensor, plan: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """`sum(cost * P) + eps KL(P | a b^T)`, without the entries that can have no mass."""
    weight = a[:, :, None] * b[:, None, :]
    here = weight > 0
    p, w = plan[here], weight[here]
    return (cost[here] * p).sum() + TEMPERATURE * (p * (p / w).log() - p + w).sum()


METHODS = (
    Method("grapheme-torch", "transport_plan", linear, _plan, ("exact", "cut")),
    Method("grapheme-torch", "transport_plan", linear, _plan, ("unrolled",)),
    *(
        Method("grapheme-torch", f"StructuralLoss, {criterion}, {rounds} {update} rounds", logits,
               functools.partial(_structural, criterion=criterion, rounds=rounds, update=update),
               ("exact",))
        for criterion in ("likelihood", "edit")
        for rounds, update in ((0, "linear"), (2, "linear"), (2, "proximal"))
    ),
    Method("POT", "solve", linear, _pot_single, ("autodiff", "envelope")),
    Method("POT", "solve", linear, _pot_single, ("last_step",)),
    Method("POT", "batch.solve_batch", linear, _pot_batch, ("autodiff", "envelope", "last_step")),
    Method("POT", "batch.solve_gromov_batch", fused, _pot_gromov_batch, ("autodiff", "envelope")),
    Method("POT", "gromov.fused_gromov_wasserstein2", fused,
           functools.partial(_pot_fused, partial=False)),
    Method("POT", "gromov.partial_fused_gromov_wasserstein2", fused,
           functools.partial(_pot_fused, partial=True)),
    Method("geomloss", "SamplesLoss", points, _geomloss_points),
    Method("geomloss", "ot.solve_batch", linear, _geomloss_matrix),
    Method("pygmtools", "sinkhorn", linear, _pygmtools, ("loop", "batched")),
    Method("ott-jax", "Sinkhorn", linear, _ott_linear, ("implicit", "unrolled", "unrolled, fixed")),
    Method("ott-jax", "GromovWasserstein, fused", fused, _ott_fused),
)  # fmt: skip
