"""Are the values those of POT? Entropic and exact transport, and the edge term.

The edge term is the pairwise-product form of Gromov and Wasserstein, with deletion and insertion.
Three steps turn it into POT's `gwloss` at the same plan (`criterion="edit"`, prices of one):

1. The void is a node without edges, so that the plan has the margins `gwloss` is told.
2. Aligning a target edge of relation `r` with candidate `(u, v)` saves `q_uv(r) + Q_uv`, where `Q`
   is the probability of any edge. So there is one `gwloss` for each relation and one for "any
   edge", and half of their sum is taken, since the square loss has twice the product.
3. The square loss charges `q^2` for an edge that nothing is aligned with, the edit cost `Q`:

    edge = 1/2 sum_c gwloss(q(c), [edge is c], P) + sum_uv (Q_uv - 1/2 sum_c q_uv(c)^2)
"""

import sys

import torch
from _instances import MANY, RELATIONS, TEMPERATURE, TIGHT, Case, entropic, linear, logits
from _ours import prediction_of, target_of
from _record import record
from torch import Tensor

from grapheme_torch import Sinkhorn, StructuralLoss
from grapheme_torch.ot import exact_plan, transport_plan

try:
    import ot
except ModuleNotFoundError:
    ot = None

SEEDS = 10
BOUND = 1e-8
CASES = (
    Case("equal sizes", directed=True),
    Case("unequal sizes", sizes=((4, 6), (5, 3)), directed=True),
)


def main() -> None:
    """Prints and records the largest difference of each kind; exit status 1 beyond the bound."""
    if ot is None:
        print("Not installed: POT. Try: pip install 'grapheme-torch[bench]'")
        return
    rows: dict[str, float] = {}
    for case in CASES:
        for seed in range(SEEDS):
            for name, difference in _differences(case, seed).items():
                rows[name] = max(rows.get(name, 0.0), difference)
    for name, difference in rows.items():
        print(f"{name:56}{difference:.0e}")
    findings = {"bound": BOUND, "instances": SEEDS * len(CASES), "rows": rows}
    record("value_parity", findings, packages=("POT",))
    sys.exit(any(difference > BOUND for difference in rows.values()))


def _differences(case: Case, seed: int) -> dict[str, float]:
    """The largest over the pairs of an instance, by what is compared."""
    return {
        name: max(float((here - there).abs().max()) for here, there in pairs)
        for compare in (_entropic, _exact, _edges)
        for name, pairs in compare(case, seed).items()
    }


Compared = dict[str, list[tuple[Tensor, Tensor]]]


def _entropic(case: Case, seed: int) -> Compared:
    """Temperature times KL to the product of the masses; POT sees each pair without its padding."""
    instance = linear(case, seed)
    cost = instance.cost(instance.x)
    plan = transport_plan(cost, instance.a, instance.b, temperature=TEMPERATURE).plan
    values, plans = [], []
    for k, (n, m) in enumerate(case.sizes):
        mine = slice(k, k + 1), slice(n), slice(m)
        inner, a, b = cost[mine], instance.a[mine[:2]], instance.b[mine[0], mine[2]]
        options = {"reg": TEMPERATURE, "reg_type": "KL", "tol": TIGHT, "max_iter": MANY}
        solved = ot.solve(inner[0], a[0], b[0], **options)
        values.append((entropic(inner, plan[mine], a, b), solved.value))
        plans.append((plan[mine][0], solved.plan))
    return {"entropic value, ot.solve": values, "entropic plan, ot.solve": plans}


def _exact(case: Case, seed: int) -> Compared:
    """Whole masses: one a node, and what is left over on the last."""
    instance = linear(case, seed)
    cost = instance.cost(instance.x)
    a, b = torch.ones_like(cost[:, :, 0]), torch.ones_like(cost[:, 0])
    a[:, -1] += b.sum(1) - a.sum(1)
    plan = exact_plan(cost, a, b)
    plans = [(plan[k], ot.emd(a[k], b[k], cost[k])) for k in range(len(cost))]
    values = [((c * p).sum(), (c * q).sum()) for c, (p, q) in zip(cost, plans, strict=True)]
    return {"exact value, ot.emd": values, "exact plan, ot.emd": plans}


def _edges(case: Case, seed: int) -> Compared:
    """The edge term at the plan the loss has found, by the three steps above."""
    instance = logits(case, seed)
    prediction, target = prediction_of(instance, instance.x), target_of(instance)
    result = StructuralLoss(criterion="edit", reduction="none", alignment=Sinkhorn(rounds=2))(
        prediction, target
    )
    pairs = []
    for k, plan in enumerate(result.plan):
        inside = prediction.batch[prediction.edge_index[0]] == k
        place = prediction.edge_index[:, inside] - int((prediction.batch < k).sum())
        q = _channels(place, prediction.relation[inside].softmax(1)[:, 1:], len(plan))
        wanted = target.get_example(k)
        one_hot = torch.eye(RELATIONS, dtype=q.dtype)[wanted.edge_type - 1]
        edge = _channels(wanted.edge_index, one_hot, plan.shape[1])
        gw = sum(_gwloss(left, right, plan) for left, right in zip(q, edge, strict=True))
        pairs.append((result.edge[k], gw / 2 + (q[-1] - q.square().sum(0) / 2).sum()))
    return {"edge term, ot.gromov.gwloss": pairs}


def _channels(place: Tensor, values: Tensor, size: int) -> Tensor:
    """Edge values as matrices, one per relation and one for their sum; the last node is void."""
    dense = values.new_zeros(values.shape[1], size, size)
    dense[:, place[0], place[1]] = values.T
    return torch.cat([dense, dense.sum(0, keepdim=True)])


def _gwloss(left: Tensor, right: Tensor, plan: Tensor) -> Tensor:
    parts = ot.gromov.init_matrix(left, right, plan.sum(1), plan.sum(0), "square_loss")
    return ot.gromov.gwloss(*parts, plan)


if __name__ == "__main__":
    main()
