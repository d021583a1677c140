"""The fused operator: the numbers of the program in PyTorch, and the derivatives."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import Prediction, StructuralLoss, StructuralLossResult
from grapheme_torch.ot import _cpu, backend, set_backend

from ..problems import join, leaf, leaves, random_pairs, union

pytestmark = pytest.mark.skipif(not _cpu.AVAILABLE, reason="installed without the native kernel")

SIZES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=4)

OPTIONS = st.fixed_dictionaries(
    {
        "criterion": st.sampled_from(["likelihood", "edit"]),
        "gradient": st.sampled_from(["exact", "exact", "implicit", "unrolled", "cut"]),
        "update": st.sampled_from(["linear", "proximal"]),
        "rounds": st.integers(0, 3),
        "temperature": st.sampled_from([1.0, 0.3, 0.1]),
        "position_weight": st.sampled_from([0.0, 0.05]),
        "slack": st.sampled_from([0.0, 0.3, 1.0]),
        "beta": st.sampled_from([0.0, 0.5]),
        "directed": st.booleans(),
        "node_insertion": st.sampled_from([1.0, 0.7]),
        "node_deletion": st.sampled_from([1.0, 1.3]),
        "edge_insertion": st.sampled_from([1.0, 0.4]),
        "edge_deletion": st.sampled_from([1.0, 1.9]),
        "neighbour_weight": st.sampled_from([0.0, 0.6]),
    }
)

# Tolerance and cap: converged; open on the way, which is differentiated through the sweeps.
ENDS = st.sampled_from([(1e-12, 1000), (1e-12, 3), (-1.0, 7), (1e-3, 100)])


def upward(prediction: Prediction) -> Prediction:
    """With one direction of each candidate."""
    up = prediction.edge_index[0] < prediction.edge_index[1]
    return replace(
        prediction,
        edge_index=prediction.edge_index[:, up],
        relation=prediction.relation[up],
        weight=None if prediction.weight is None else prediction.weight[up],
    )


def apart(outputs: Tensor, y: Tensor) -> Tensor:
    """A node cost of the user's own."""
    return (outputs[:, :, None] - y[:, None]).abs().sum(3)


KINDS: list[Any] = ["labels", "labels", "features", "gaussian", "multilabel", apart]


def problem(
    seed: int,
    sizes: list[tuple[int, int]],
    *,
    directed: bool = True,
    weighted: bool = False,
    kind: Any = "labels",
) -> tuple[Prediction, Data]:
    """A random batch for a loss with these options; edges stand in any order."""
    predictions, targets = random_pairs(seed, sizes)
    prediction, target = join(predictions), union(targets)
    rng = torch.Generator().manual_seed(seed)
    if kind != "labels":
        if kind != "gaussian":
            prediction = replace(prediction, label=prediction.label[:, :2])
        target.y = torch.rand(len(target.y), 2, generator=rng, dtype=torch.float64).round()
    if weighted:
        noise = torch.randn(len(prediction.relation), generator=rng, dtype=torch.float64)
        prediction = replace(prediction, weight=noise)
        target.edge_weight = torch.rand(target.edge_index.shape[1], generator=rng)
    shuffle = torch.randperm(len(prediction.relation), generator=rng)
    prediction = replace(
        prediction,
        edge_index=prediction.edge_index[:, shuffle],
        relation=prediction.relation[shuffle],
        weight=None if prediction.weight is None else prediction.weight[shuffle],
    )
    prediction = leaf(prediction if directed else upward(prediction))
    if prediction.weight is not None:
        prediction.weight.requires_grad_()
    return prediction, target


def solved(
    name: Any, loss: StructuralLoss, prediction: Prediction, target: Data
) -> tuple[StructuralLossResult, list[Tensor]]:
    """Result and gradients, of terms and plan together where the plan has one."""
    before = backend()
    set_backend(name)
    result = loss(prediction, target)
    set_backend(before)
    rng = torch.Generator().manual_seed(0)

    def drawn(x: Tensor) -> Tensor:
        return (x * torch.randn(x.shape, generator=rng, dtype=torch.float64).to(x.dtype)).sum()

    value = sum(drawn(x) for x in (result.total, result.node, result.edge, result.clique))
    assert isinstance(value, Tensor)
    if result.padded_plan.requires_grad:
        value = value + drawn(result.padded_plan)
    weights = [] if prediction.weight is None else [prediction.weight]
    wanted = [*leaves(prediction), *weights]
    return result, list(torch.autograd.grad(value, wanted, materialize_grads=True))


class Gaps(NamedTuple):
    """The largest differences, relative to the largest number of a tensor if above one.

    Args:
        values: Of what is found.
        slopes: Of the gradients.
        unequal: How many pairs took another number of iterations; these are left out.
    """

    values: float
    slopes: float
    unequal: int


def gap(mine: Tensor, other: Tensor) -> float:
    """The largest difference of two tensors, relative."""
    if not mine.numel():
        return 0.0
    scale = max(1.0, float(other.detach().abs().max()))
    return float((mine - other).detach().abs().max()) / scale


def compare(
    loss: StructuralLoss, prediction: Prediction, target: Data, *, strict: bool = True
) -> Gaps:
    """The operator beside the program in PyTorch.

    Args:
        loss: With `reduction="none"`.
        prediction, target: What it compares.
        strict: Whether another number of iterations is an error. Cold pairs may take one more,
            or fewer: the length of Newton's path hangs on the last bits of a linear system.
    """
    mine, own = solved("native", loss, prediction, target)
    other, plain = solved("pytorch", loss, prediction, target)
    same = (mine.iterations == other.iterations) & (mine.converged == other.converged)
    if strict:
        assert same.all()
    names = ("total", "node", "edge", "clique", "padded_plan", "residual")
    values = [gap(getattr(mine, name)[same], getattr(other, name)[same]) for name in names]
    edges = same[prediction.batch[prediction.edge_index[0]]]
    nodes = same[prediction.batch]
    places = [] if prediction.position is None else [nodes]
    kept = [nodes, nodes, edges, *places, edges][: len(own)]
    slopes = [gap(x[k], y[k]) for x, y, k in zip(own, plain, kept, strict=True)]
    return Gaps(max(values), max(slopes), int((~same).sum()))


@given(
    st.integers(0, 10**6),
    SIZES,
    OPTIONS,
    ENDS,
    st.booleans(),
    st.sampled_from(KINDS),
    st.integers(1, 2),
)
def test_the_numbers_are_those_of_the_program_in_pytorch(
    seed: int,
    sizes: list[tuple[int, int]],
    options: dict[str, Any],
    end: tuple[float, int],
    weighted: bool,
    kind: Any,
    threads: int,
) -> None:
    tolerance, most = end
    loss = StructuralLoss(
        **options, tolerance=tolerance, max_iterations=most, reduction="none", node_cost=kind
    )
    prediction, target = problem(
        seed, sizes, directed=options["directed"], weighted=weighted, kind=kind
    )
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        gaps = compare(loss, prediction, target)
    finally:
        torch.set_num_threads(before)
    # A loose stop amid Newton steps is known as well as the last linear system.
    assert gaps.values < (1e-9 if tolerance == 1e-3 else 1e-12)
    assert gaps.slopes < 1e-9
