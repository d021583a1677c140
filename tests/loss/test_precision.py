"""The loss in low precision, under autocast, under function transforms and compiled."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch_geometric.data import Data

from grapheme_torch import Prediction, Sinkhorn, StructuralLoss, Window

from ..problems import random_dag, random_prediction

NAMES = ("existence", "label", "relation")


def _cast(prediction: Prediction, dtype: torch.dtype) -> Prediction:
    """Logits that need a gradient, in another precision; the position is rounded alike."""
    logits = {name: getattr(prediction, name).to(dtype).requires_grad_() for name in NAMES}
    assert prediction.position is not None
    return replace(prediction, position=prediction.position.to(dtype), **logits)


@pytest.mark.parametrize(
    ("dtype", "bound"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2), (torch.float16, 2e-3)]
)
@pytest.mark.parametrize("autocast", [False, True])
def test_low_precision_is_the_loss_of_the_rounded_logits(
    dtype: torch.dtype, bound: float, autocast: bool
) -> None:
    """Within what single precision, and the rounding of the gradient itself, allow."""
    low = _cast(random_prediction(0, 5), dtype)
    high, target = _cast(low, torch.float64), random_dag(1, 4)
    loss = StructuralLoss(alignment=Sinkhorn(temperature=0.2, rounds=2))
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        found = loss(low, target, return_gradients=True)
    wanted = loss(high, target, return_gradients=True)
    assert found.total.dtype == found.plan.padded.dtype == torch.float32
    torch.testing.assert_close(found.total.double(), wanted.total, rtol=1e-5, atol=1e-5)
    for name in ("node_gradients", "edge_gradients"):
        slope = getattr(found, name)
        assert slope.dtype == dtype
        torch.testing.assert_close(slope.double(), getattr(wanted, name), rtol=bound, atol=bound)


class _Logits(nn.Module):
    """A model that knows nothing of graphs: nodes and edges from one linear layer each."""

    def __init__(self, nodes: int) -> None:
        super().__init__()
        self.nodes = nn.Linear(3, 5)
        self.edges = nn.Linear(6, 4)
        self.ends = torch.combinations(torch.arange(nodes)).T

    def forward(self, x: Tensor) -> Prediction:
        out = self.nodes(x)
        relation = self.edges(torch.cat([x[self.ends[0]], x[self.ends[1]]], 1))
        place = torch.arange(len(x), dtype=x.dtype)
        return Prediction(out[:, 0], out[:, 1:], self.ends, relation, position=place)


def _setting() -> tuple[_Logits, dict[str, Tensor], Tensor, Data]:
    model = _Logits(5).double()
    parameters = {name: value.detach() for name, value in model.named_parameters()}
    return model, parameters, torch.randn(5, 3, dtype=torch.float64), random_dag(2, 4)


def test_functional_gradient_is_autograd() -> None:
    model, parameters, x, target = _setting()

    def total(parameters: dict[str, Tensor]) -> Tensor:
        return StructuralLoss()(functional_call(model, parameters, (x,)), target).total

    found = grad(total)(parameters)
    StructuralLoss()(model(x), target).total.backward()
    for name, value in model.named_parameters():
        torch.testing.assert_close(found[name], value.grad)


def test_hessian_vector_product_of_the_implicit_rule() -> None:
    """Second derivatives of the whole loss, against differences of the first."""
    model, parameters, x, target = _setting()
    loss = StructuralLoss(alignment=Sinkhorn(gradient="implicit", tolerance=1e-14, rounds=2))

    def slope(parameters: dict[str, Tensor]) -> dict[str, Tensor]:
        return grad(lambda p: loss(functional_call(model, p, (x,)), target).total)(parameters)

    along = {name: torch.randn_like(value) for name, value in parameters.items()}
    dot = lambda p: sum((slope(p)[name] * along[name]).sum() for name in along)  # noqa: E731
    found, step = grad(dot)(parameters), 1e-5
    ahead, behind = (
        slope({name: value + sign * step * along[name] for name, value in parameters.items()})
        for sign in (1, -1)
    )
    for name in parameters:
        wanted = (ahead[name] - behind[name]) / (2 * step)
        torch.testing.assert_close(found[name], wanted, rtol=1e-5, atol=1e-6)


# Dynamo looks for `.grad` wherever it finds a tensor, of which torch warns.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
@pytest.mark.compile
@pytest.mark.parametrize(
    "loss",
    [
        StructuralLoss(alignment=Sinkhorn(rounds=2)),
        StructuralLoss(alignment=Sinkhorn(slack=1.0), matches=Window(2)),
    ],
)
def test_a_compiled_step_is_the_eager_step(loss: nn.Module) -> None:
    """The loss runs as it is, in the middle of a compiled program; the numbers are the same."""
    model, _, x, target = _setting()

    def total(x: Tensor) -> Tensor:
        return loss(model(x), target).total

    compiled = torch.compile(total, backend="aot_eager")
    slopes = []
    for step in (total, compiled):
        model.zero_grad()
        step(x).backward()
        slopes.append([value.grad for value in model.parameters()])
    for wanted, found in zip(*slopes, strict=True):
        torch.testing.assert_close(found, wanted)
