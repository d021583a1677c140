"""The fused operator: the numbers of the program in PyTorch, and the derivatives."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import Prediction, StructuralLoss, StructuralLossResult
from grapheme_torch.loss import _fused
from grapheme_torch.ot import _cpu, backend, set_backend

from ..problems import gradients, join, leaf, leaves, random_pairs, union

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


def problem(
    seed: int, sizes: list[tuple[int, int]], *, directed: bool = True, weighted: bool = False
) -> tuple[Prediction, Data]:
    predictions, targets = random_pairs(seed, sizes)
    prediction, target = join(predictions), union(targets)
    rng = torch.Generator().manual_seed(seed)
    if weighted:
        noise = torch.randn(len(prediction.relation), generator=rng, dtype=torch.float64)
        prediction = replace(prediction, weight=noise)
        target.edge_weight = torch.rand(target.edge_index.shape[1], generator=rng)
    shuffle = torch.randperm(len(prediction.relation), generator=rng)  # edges in any order
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


def gap(mine: Tensor, other: Tensor) -> float:
    """The largest difference, relative to the largest number if that is above one."""
    if not mine.numel():
        return 0.0
    scale = max(1.0, float(other.detach().abs().max()))
    return float((mine - other).detach().abs().max()) / scale


def compare(loss: StructuralLoss, prediction: Prediction, target: Data) -> tuple[float, float]:
    """The gap between the operator and the program in PyTorch: of what is found, of gradients."""
    mine, own = solved("native", loss, prediction, target)
    other, plain = solved("pytorch", loss, prediction, target)
    assert torch.equal(mine.iterations, other.iterations)
    assert torch.equal(mine.converged, other.converged)
    names = ("total", "node", "edge", "clique", "padded_plan", "residual")
    values = max(gap(getattr(mine, name), getattr(other, name)) for name in names)
    return values, max(gap(x, y) for x, y in zip(own, plain, strict=True))


@given(st.integers(0, 10**6), SIZES, OPTIONS, ENDS, st.booleans(), st.integers(1, 2))
def test_the_numbers_are_those_of_the_program_in_pytorch(
    seed: int,
    sizes: list[tuple[int, int]],
    options: dict[str, Any],
    end: tuple[float, int],
    weighted: bool,
    threads: int,
) -> None:
    tolerance, most = end
    loss = StructuralLoss(**options, tolerance=tolerance, max_iterations=most, reduction="none")
    prediction, target = problem(seed, sizes, directed=options["directed"], weighted=weighted)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        values, slopes = compare(loss, prediction, target)
    finally:
        torch.set_num_threads(before)
    # A loose stop amid Newton steps is known as well as the last linear system.
    assert values < (1e-9 if tolerance == 1e-3 else 1e-12)
    assert slopes < 1e-9
