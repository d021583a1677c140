"""POT, GeomLoss and pygmtools in the form of the gradient table.

Each function imports its library itself, since any of them may be missing.
"""

from typing import Any

import torch
from _instances import (
    MANY,
    PAIRS,
    TEMPERATURE,
    TIGHT,
    Instance,
    NotOffered,
    Outputs,
    circle,
    entropic,
)
from torch import Tensor


def pot_single(instance: Instance, x: Tensor, grad: str) -> Outputs:
    import ot

    instance.one_size()
    sides = (instance.cost_alone(x), instance.a, instance.b)
    cap = instance.case.iterations or MANY
    solved = [
        ot.solve(*side, reg=TEMPERATURE, grad=grad, tol=TIGHT, max_iter=cap)
        for side in zip(*sides, strict=True)
    ]
    plans = torch.stack([one.plan for one in solved])
    return sum(one.value for one in solved), instance.functional(plans)


def pot_batch(instance: Instance, x: Tensor, grad: str) -> Outputs:
    import ot.batch

    solved = ot.batch.solve_batch(
        instance.cost_alone(x), TEMPERATURE, instance.a, instance.b,
        tol=TIGHT, max_iter=instance.case.iterations or MANY, grad=grad,
    )  # fmt: skip
    return solved.value.sum(), instance.functional(solved.plan)


def pot_gromov_batch(instance: Instance, x: Tensor, grad: str) -> Outputs:
    import ot.batch

    # A proximal method: the temperature, 0.01 by default, is one of the way, not of the plan.
    # At its defaults it stops with up to a tenth of the mass in the wrong row.
    cap = instance.case.iterations
    solved = ot.batch.solve_gromov_batch(
        instance.left(x), instance.right, a=instance.a, b=instance.b,
        M=instance.cost(x), alpha=0.5, symmetric=not instance.case.directed,
        tol=TIGHT, tol_inner=TIGHT, max_iter=cap or 50, max_iter_inner=cap or 200, grad=grad,
    )  # fmt: skip
    return solved.value.sum(), instance.functional(solved.plan)


def pot_fused(instance: Instance, x: Tensor, _: str, *, partial: bool) -> Outputs:
    from ot import gromov

    instance.one_size()
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
    return sum(value for value, _ in solved), instance.functional(plans)


def geomloss_matrix(instance: Instance, x: Tensor, _: str) -> Outputs:
    from geomloss import ot

    solved = ot.solve_batch(
        instance.cost_alone(x), reg=TEMPERATURE, a=instance.a, b=instance.b,
        max_iter=instance.case.iterations or 500,
    )  # fmt: skip
    return solved.value.sum(), instance.functional(solved.plan)


def geomloss_points(instance: Instance, x: Tensor, _: str) -> Outputs:
    from geomloss import SamplesLoss

    if instance.case.directed:
        raise NotOffered
    # The number of iterations follows from the cooling rate: 5 at 0.49, 162 at 0.99.
    blur, scaling = TEMPERATURE**0.5, 0.49 if instance.case.iterations else 0.99
    loss = SamplesLoss(blur=blur, diameter=1.5, scaling=scaling, debias=False, backend="tensorized")
    return loss(instance.a, x.view(PAIRS, -1, 2), instance.b, circle()).sum(), None


def pygmtools_sinkhorn(instance: Instance, x: Tensor, mode: str) -> Outputs:
    import pygmtools

    case = instance.case
    if case.scattered:
        raise NotOffered  # takes sizes, not masses
    n, m = (torch.tensor(side) for side in zip(*case.sizes, strict=True))
    cost = instance.cost_alone(x)
    plan = pygmtools.sinkhorn(
        -cost, n, m, dummy_row=True, max_iter=case.iterations or 500, tau=TEMPERATURE,
        batched_operation=mode == "batched", backend="pytorch",
    )  # fmt: skip
    a, b = (instance.a > 0).double(), (instance.b > 0).double()
    return entropic(cost, plan, a, b), instance.functional(plan)
