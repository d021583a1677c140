"""The libraries of `peers.py`: each takes a workload, and gives a value and two gradients.

Value is `min <P, C> + eps KL(P | a b^T)`; with edges, less `EDGE_WEIGHT` times the gain of laid
edges at that plan, differentiated through the plan. Fused: proximal steps on the fused
Gromov-Wasserstein problem, the value at the last plan, differentiated at that plan.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from _ragged_graphs import EDGE_WEIGHT, FUSED, Workload, unit
from torch import Tensor

from grapheme_torch.ot import transport_cost, transport_plan

Task = Literal["value", "edges", "fused"]
Answer = tuple[Tensor, Tensor, Tensor | None]
"""Sum of the values; gradients in the features and in the edge weights."""

TINY = math.exp(-60)  # mass of padding, for those who divide by it
OUTER = 10  # steps of the fused problem


@dataclass(frozen=True)
class Effort:
    """How long everyone goes on.

    Args:
        eps: Temperature.
        tolerance: At which a solver may stop; zero or less: never.
        iterations: At most.
    """

    eps: float
    tolerance: float
    iterations: int


Entrant = Callable[[Workload, Effort], Answer]


def _answered(load: Workload, value: Tensor, leaves: tuple[Tensor, Tensor]) -> Answer:
    x, left = torch.autograd.grad(value, leaves, allow_unused=True)
    # Whoever gives padding a little mass also gives it a gradient.
    return value.detach(), x * load.rows[:, :, None], left


def _entropic(load: Workload, cost: Tensor, plan: Tensor, eps: float) -> Tensor:
    """The value of a plan; entries without mass count nothing."""
    weight = load.a[:, :, None] * load.b[:, None, :]
    here = weight > 0
    p, w = plan[here].clamp(min=1e-300), weight[here]
    return (cost[here] * p).sum() + eps * (p * (p / w).log() - p + w).sum()


def ours(load: Workload, effort: Effort, *, edges: bool) -> Answer:
    leaves = load.leaves()
    cost = load.cost(leaves[0])
    options: dict[str, Any] = {
        "temperature": effort.eps, "tolerance": effort.tolerance,
        "max_iterations": effort.iterations,
    }  # fmt: skip
    if not edges:
        return _answered(load, transport_cost(cost, load.a, load.b, **options).sum(), leaves)
    plan = transport_plan(cost, load.a, load.b, **options).plan
    value = _entropic(load, cost, plan, effort.eps)
    return _answered(load, value - EDGE_WEIGHT * load.edges(plan, leaves[1]).sum(), leaves)


def ours_fused(load: Workload, effort: Effort) -> Answer:
    """Proximal steps: the linearised costs add up."""
    leaves = load.leaves()
    a, b = load.uniform()
    cost = 1 - unit(leaves[0]) @ load.y.mT
    plan = a[:, :, None] * b[:, None, :]
    with torch.no_grad():
        steps, left = torch.zeros_like(cost), leaves[1]
        for _ in range(OUTER):
            slope = left @ plan @ load.right.mT + left.mT @ plan @ load.right
            steps = steps + (1 - FUSED) * cost - 2 * FUSED * slope
            plan = transport_plan(
                steps, a, b, temperature=effort.eps, tolerance=effort.tolerance,
                max_iterations=effort.iterations,
            ).plan  # fmt: skip
    rows, columns = plan.sum(2), plan.sum(1)
    left, right = leaves[1], load.right
    squares = (rows * (left.square() @ rows[:, :, None])[:, :, 0]).sum()
    squares = squares + (columns * (right.square() @ columns[:, :, None])[:, :, 0]).sum()
    laid = (plan * (left @ plan @ right.mT)).sum()
    return _answered(load, (1 - FUSED) * (cost * plan).sum() + FUSED * (squares - 2 * laid), leaves)


def pot_batch(load: Workload, effort: Effort, *, edges: bool, method: str) -> Answer:
    import ot.batch

    leaves = load.leaves()
    cost = load.cost(leaves[0])
    solved = ot.batch.solve_batch(
        cost, effort.eps, load.a.clamp(min=TINY), load.b.clamp(min=TINY), tol=effort.tolerance,
        max_iter=effort.iterations, method=method, grad="autodiff" if edges else "envelope",
    )  # fmt: skip
    # Its regulariser is the entropy; with the margins met, this makes it the divergence.
    shift = sum((mass * mass.clamp(min=1e-300).log()).sum() for mass in (load.a, load.b))
    value = solved.value.sum() - effort.eps * shift
    if edges:
        value = value - EDGE_WEIGHT * load.edges(solved.plan, leaves[1]).sum()
    return _answered(load, value, leaves)


def pot_single(load: Workload, effort: Effort, *, edges: bool) -> Answer:
    import ot

    leaves = load.leaves()
    cost, values = load.cost(leaves[0]), []
    for k, (n, m) in enumerate(
        zip(load.rows.sum(1).tolist(), load.columns.sum(1).tolist(), strict=True)
    ):
        i, j = [*range(n), -1], [*range(m), -1]
        solved = ot.solve(
            cost[k][i][:, j], load.a[k][i], load.b[k][j], reg=effort.eps, reg_type="KL",
            tol=effort.tolerance, max_iter=effort.iterations,
            grad="autodiff" if edges else "envelope",
        )  # fmt: skip
        values.append(solved.value)
    return _answered(load, torch.stack(values).sum(), leaves)


def pot_fused(load: Workload, effort: Effort) -> Answer:
    import ot.batch

    leaves = load.leaves()
    a, b = (mass.clamp(min=1e-6 / mass.shape[1]) for mass in load.uniform())
    a, b = (mass / mass.sum(1, keepdim=True) for mass in (a, b))
    cost = 1 - unit(leaves[0]) @ load.y.mT
    solved = ot.batch.solve_gromov_batch(
        leaves[1], load.right, reg=effort.eps, a=a, b=b, M=cost, alpha=FUSED, symmetric=False,
        max_iter=OUTER, tol=0.0, max_iter_inner=effort.iterations, tol_inner=effort.tolerance,
        grad="envelope",
    )  # fmt: skip
    return _answered(load, solved.value.sum(), leaves)


def geomloss(load: Workload, effort: Effort) -> Answer:
    """Point clouds, the void at the origin. It cools; here by next to nothing, so many times."""
    import geomloss as library

    leaves, step = load.leaves(), 1e-7
    origin = load.x.new_zeros(len(load.x), 1, load.x.shape[2])
    blur, count = math.sqrt(effort.eps), effort.iterations
    solver = library.SamplesLoss(
        "sinkhorn", p=2, debias=False, backend="tensorized", blur=blur,
        diameter=blur * math.exp(step * (count - 2.5)), scaling=math.exp(-step),
    )  # fmt: skip
    clouds = torch.cat([unit(leaves[0]), origin], 1), torch.cat([load.y, origin], 1)
    value = solver(load.a.clamp(min=TINY), clouds[0], load.b.clamp(min=TINY), clouds[1])
    return _answered(load, value.sum(), leaves)


def ott(load: Workload, effort: Effort, *, edges: bool, scaling: bool) -> Answer:
    """Compiled once for each workload; what it needs beside the leaves is prepared before."""
    program, rest = _ott_program(id(load), effort, edges, scaling, _Held(load))
    import jax

    leaves = (load.x.numpy(), load.left.numpy())
    value, (x, left) = program(*leaves, *rest)
    jax.block_until_ready(x)
    found = (torch.tensor(one.__array__()) for one in (x, left))
    x, left = found
    return torch.tensor(float(value)), x * load.rows[:, :, None], left


class _Held:
    """A workload beside its identity: equal to every other, so that the identity is the key."""

    def __init__(self, load: Workload) -> None:
        self.load = load

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


def ott_solver(effort: Effort, *, scaling: bool) -> Any:
    """Sinkhorn in float64, in scalings or in logarithms, differentiated as a fixed point."""
    import jax
    from ott.solvers.linear import implicit_differentiation, sinkhorn

    jax.config.update("jax_enable_x64", True)
    fixed = effort.tolerance <= 0
    return sinkhorn.Sinkhorn(
        lse_mode=not scaling, threshold=effort.tolerance if not fixed else -1.0,
        inner_iterations=10, max_iterations=effort.iterations,
        min_iterations=effort.iterations if fixed else 0,
        implicit_diff=implicit_differentiation.ImplicitDiff(),
    )  # fmt: skip


def with_least(mass: Tensor, least: float) -> Tensor:
    """Masses of padding raised from zero; each pair's sum to one again."""
    raised = torch.where(mass > 0, mass, least)
    return raised / raised.sum(1, keepdim=True)


@functools.cache
def _ott_program(_: int, effort: Effort, edges: bool, scaling: bool, held: _Held) -> Any:
    import jax
    import jax.numpy as jnp
    from ott.geometry import geometry
    from ott.problems.linear import linear_problem

    load, solver = held.load, ott_solver(effort, scaling=scaling)
    # A plan gradient at mass zero is NaN there.
    least = 1e-8 if edges else 0.0
    a, b = (with_least(mass, least) for mass in (load.a, load.b))
    count = load.right.sum((1, 2)).clamp(min=1)
    total = (load.rows.sum(1) + load.columns.sum(1)).double()
    rest = [jnp.asarray(one.numpy()) for one in (load.y, load.right, a, b, count, total)]

    def pair(x: Any, left: Any, y: Any, right: Any, a: Any, b: Any, count: Any, total: Any) -> Any:
        square = (x * x).sum(-1, keepdims=True)
        x = x / jnp.sqrt(jnp.where(square > 0, square, 1.0))
        cost = jnp.pad(1 - x @ y.T, ((0, 1), (0, 1)), constant_values=0.5).at[-1, -1].set(0.0)
        geom = geometry.Geometry(cost_matrix=cost, epsilon=effort.eps)
        solved = solver(linear_problem.LinearProblem(geom, a, b))
        if not edges:
            return solved.reg_ot_cost
        t = solved.matrix[:-1, :-1] * total
        return solved.reg_ot_cost - EDGE_WEIGHT * (t * (left @ t @ right.T)).sum() / count

    def whole(x: Any, left: Any, *rest: Any) -> Any:
        return jax.vmap(pair)(x, left, *rest).sum()

    return jax.jit(jax.value_and_grad(whole, argnums=(0, 1))), rest


ENTRANTS: dict[Task, dict[str, Entrant]] = {
    "value": {
        "grapheme-torch transport_cost": functools.partial(ours, edges=False),
        "POT batch, scaling": functools.partial(pot_batch, edges=False, method="sinkhorn"),
        "POT batch, log": functools.partial(pot_batch, edges=False, method="log_sinkhorn"),
        "POT one by one": functools.partial(pot_single, edges=False),
        "OTT, scaling": functools.partial(ott, edges=False, scaling=True),
        "OTT, log": functools.partial(ott, edges=False, scaling=False),
        "GeomLoss": geomloss,
    },
    "edges": {
        "grapheme-torch transport_plan": functools.partial(ours, edges=True),
        "POT batch, scaling": functools.partial(pot_batch, edges=True, method="sinkhorn"),
        "POT batch, log": functools.partial(pot_batch, edges=True, method="log_sinkhorn"),
        "OTT, scaling": functools.partial(ott, edges=True, scaling=True),
        "OTT, log": functools.partial(ott, edges=True, scaling=False),
    },
    "fused": {
        "grapheme-torch transport_plan": ours_fused,
        "POT batch": pot_fused,
    },
}
