"""Finite differences against autograd: right gradients pass, planted faults are found."""

import json
import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from grapheme_torch import GraphTransformNet, InputError, Sinkhorn, StructuralLoss, check_gradients
from grapheme_torch.data import Alphabet, PairDataset, collate, load_pairs

BOUND = 1e-6


def _kindergarten(count: int = 1) -> tuple[Alphabet, Batch, Batch]:
    pairs = load_pairs("kindergarten")
    alphabet = Alphabet.of(pair.target for pair in pairs)
    short = sorted(pairs, key=lambda pair: pair.target.num_nodes)  # others only take longer
    data = PairDataset(short[:count], alphabet)
    return alphabet, *collate([data[k] for k in range(count)])


def _network(alphabet: Alphabet) -> GraphTransformNet:
    torch.manual_seed(0)
    small = {"dim": 16, "num_layers": 1, "num_heads": 2, "num_buckets": 64}
    return GraphTransformNet(alphabet.labels, alphabet.relations, **small)


def _trained(alphabet: Alphabet, batch: Batch, targets: Batch) -> GraphTransformNet:
    model, loss = _network(alphabet), StructuralLoss()
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(40):
        adam.zero_grad(set_to_none=True)
        loss(model(batch), targets).total.backward()
        adam.step()
    return model


@pytest.mark.repeats
@pytest.mark.parametrize("trained", [False, True], ids=["fresh", "trained"])
@pytest.mark.parametrize("max_iterations", [100, 3], ids=["converged", "capped"])
@pytest.mark.parametrize("rounds", [0, 2])
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_the_network_and_its_loss_pass(
    criterion: str, rounds: int, max_iterations: int, trained: bool
) -> None:
    alphabet, batch, targets = _kindergarten()
    model = _trained(alphabet, batch, targets) if trained else _network(alphabet)
    loss = StructuralLoss(
        criterion=criterion, alignment=Sinkhorn(rounds=rounds, max_iterations=max_iterations)
    )
    assert loss(model(batch), targets).converged.all() == (max_iterations == 100)
    report = check_gradients(model, loss, batch, targets, entries=1)
    assert report.passed, str(report)
    assert report.max_relative_error <= BOUND
    assert [row.status for row in report.rows] == ["ok"] * len(list(model.parameters()))


@pytest.mark.repeats
def test_every_tensor_is_checked_in_many_places() -> None:
    alphabet, batch, targets = _kindergarten()
    model = _network(alphabet)
    loss = StructuralLoss(alignment=Sinkhorn(max_iterations=3))
    report = check_gradients(model, loss, batch, targets, entries=8)
    assert report.passed
    for row, (name, parameter) in zip(report.rows, model.named_parameters(), strict=True):
        assert (row.name, row.shape) == (name, tuple(parameter.shape))
        few = parameter.numel() <= 8
        assert row.checked == parameter.numel() if few else 5 <= row.checked <= 9
        assert row.norm > 0


class _Scaled(torch.autograd.Function):
    """The identity, whose backward is wrong by a factor."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None]:
        return ctx.factor * grad[0], None


class _Faulty(nn.Module):
    """A layer followed by something done to its output."""

    def __init__(self, layer: nn.Module, fault: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.layer, self.fault = layer, fault

    def forward(self, value: Tensor) -> Tensor:
        return self.fault(self.layer(value))


FAULTS: dict[str, Callable[[Tensor], Tensor]] = {
    "a per cent": lambda value: _Scaled.apply(value, 1.01),
    "a hundredth of a per cent": lambda value: _Scaled.apply(value, 1.0001),
    "sign": lambda value: _Scaled.apply(value, -1.0),
    "detached": lambda value: value.detach(),
    "half detached": lambda value: (value + value.detach()) / 2,
}


@pytest.mark.repeats
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_in_one_layer_is_found_where_it_is(fault: Callable[[Tensor], Tensor]) -> None:
    alphabet, batch, targets = _kindergarten()
    model = _network(alphabet)
    model.heads.add_module("label", _Faulty(model.heads.label, fault))
    report = check_gradients(
        model, StructuralLoss(alignment=Sinkhorn(max_iterations=3)), batch, targets, entries=1
    )
    assert not report.passed
    status = {row.name: row.status for row in report.rows}
    assert status.pop("heads.label.layer.weight") == "wrong"
    assert status.pop("heads.label.layer.bias") == "wrong"
    parts = ("existence", "copy", "source", "target", "query", "key", "score", "offset", "relation")
    beside = tuple(f"heads.{part}." for part in parts)
    assert {found for name, found in status.items() if name.startswith(beside)} == {"ok"}
    before = [found for name, found in status.items() if not name.startswith(beside)]
    assert before.count("wrong") >= 0.8 * len(before)
    assert "FAILED" in str(report)
    assert "bound 1e-06, resolution " in str(report)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_in_any_module_is_found(fault: Callable[[Tensor], Tensor]) -> None:
    model = nn.Sequential(_Faulty(nn.Linear(3, 4), fault), nn.Tanh(), nn.Linear(4, 1))
    report = check_gradients(model, nn.MSELoss(), torch.randn(5, 3), torch.randn(5, 1))
    assert [row.status for row in report.rows] == ["wrong", "wrong", "ok", "ok"]


def test_a_fault_in_a_single_row_of_a_large_table_is_found() -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(1000, 8))

        def forward(self, rows: Tensor) -> Tensor:
            found = self.weight[rows]
            first = _Scaled.apply(found[:1], 1.01)
            return torch.cat([first, found[1:]])

    rows = torch.arange(0, 1000, 20)
    report = check_gradients(Table(), lambda out, y: (out - y).square().mean(), rows, 0.5)
    assert [row.status for row in report.rows] == ["wrong"]


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (nn.MSELoss(), torch.randn(5, 3)),
        (nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0])), torch.tensor([0, 1, 2, 0, 1])),
        (lambda out, _: out.logsumexp(1).sum(), None),
    ],
    ids=["mse", "cross entropy", "function"],
)
def test_any_module_and_any_scalar_loss(loss: Callable[..., Tensor], target: Any) -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Dropout(0.5), nn.Linear(6, 3))
    report = check_gradients(model, loss, torch.randn(5, 4), target)
    assert report.passed
    assert report.max_relative_error < 1e-8
    assert [row.name for row in report.rows] == ["0.weight", "0.bias", "3.weight", "3.bias"]


def test_it_works_where_gradients_are_switched_off() -> None:
    with torch.no_grad():
        assert check_gradients(nn.Linear(2, 1), _mean, torch.ones(3, 2), None).passed
    assert torch.is_grad_enabled()


def _mean(out: Tensor, _: Any) -> Tensor:
    return out.square().mean()


class _Partly(nn.Module):
    """One tensor used, one frozen, one not used, one used without any effect."""

    def __init__(self) -> None:
        super().__init__()
        self.used = nn.Parameter(torch.tensor([1.0, 2.0]))
        self.frozen = nn.Parameter(torch.tensor(3.0), requires_grad=False)
        self.unused = nn.Parameter(torch.ones(3))
        self.idle = nn.Parameter(torch.ones(1))

    def forward(self, value: Tensor) -> Tensor:
        return self.used * value * self.frozen + 0 * self.idle


def test_frozen_parameters_are_left_out_and_untouched_ones_are_named() -> None:
    report = check_gradients(_Partly(), _mean, torch.ones(2), None)
    found = {row.name: row.status for row in report.rows}
    assert found == {"used": "ok", "unused": "untouched", "idle": "untouched"}
    assert report.passed


def test_a_loss_cut_off_from_every_parameter_is_wrong() -> None:
    report = check_gradients(nn.Linear(2, 1), lambda out, _: _mean(out.detach(), None), *_INPUT)
    assert [row.status for row in report.rows] == ["wrong", "wrong"]
    assert [row.max_relative_error for row in report.rows] == [1.0, 1.0]


_INPUT = (torch.tensor([[1.0, 2.0]]), None)


class _Root(nn.Module):
    """A square root, which has an infinite slope at 0 and no value below, and a straight line."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.root = nn.Parameter(torch.tensor(start))
        self.line = nn.Parameter(torch.tensor(1.0))

    def forward(self, value: Tensor) -> Tensor:
        return self.root.sqrt() + self.line * value


@pytest.mark.parametrize("start", [0.0, 1e-5, -1.0], ids=["gradient", "a step away", "loss"])
def test_what_is_not_finite_fails_the_check(start: float) -> None:
    report = check_gradients(_Root(start), lambda out, _: out, torch.tensor(2.0), None)
    found = {row.name: row for row in report.rows}
    assert found["line"].status == ("not finite" if start <= 0 else "ok")
    assert not report.passed
    assert math.isnan(report.max_relative_error)
    assert found["root"].status == "not finite"
    document = json.loads(_strict(report.to_dict()))
    assert document["max_relative_error"] is None
    assert document["passed"] is False
    assert "not finite" in str(report)


def _strict(document: Any) -> str:
    return json.dumps(document, allow_nan=False)


def test_the_report_as_json_and_as_a_table() -> None:
    report = check_gradients(_Partly(), _mean, torch.ones(2), None, bound=1e-5)
    document = json.loads(_strict(report.to_dict()))
    assert list(document) == [
        "passed", "bound", "loss", "resolution", "max_relative_error", "tensors",
    ]  # fmt: skip
    assert (document["passed"], document["bound"]) == (True, 1e-5)
    assert document["loss"] == pytest.approx(22.5)
    keys = ["name", "shape", "checked", "max_relative_error", "norm", "status"]
    assert [list(row) for row in document["tensors"]] == [keys] * 3
    assert document["tensors"][0]["shape"] == [2]
    lines = str(report).splitlines()
    assert len(lines) == 1 + len(report.rows) + 1
    assert lines[0].split()[:2] == ["tensor", "shape"]
    for line, row in zip(lines[1:-1], report.rows, strict=True):
        assert line.startswith(row.name)
        assert line.endswith(row.status)
    assert lines[-1].startswith("passed: max relative error ")


@pytest.mark.repeats
def test_nothing_that_is_given_changes() -> None:
    alphabet, batch, targets = _kindergarten()
    model, loss = _network(alphabet), StructuralLoss(alignment=Sinkhorn(max_iterations=3))
    model.heads.label.eval()
    loss(model(batch), targets).total.backward()
    modes = [module.training for module in model.modules()]
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    grads = {name: p.grad.clone() for name, p in model.named_parameters()}
    dtypes = {name: batch[name].dtype for name in ("x", "position")}
    check_gradients(model, loss, batch, targets, entries=1)
    assert modes == [module.training for module in model.modules()]
    for name, value in model.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, weights[name])
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter.grad, grads[name])
    assert dtypes == {name: batch[name].dtype for name in ("x", "position")}


def test_one_seed_gives_one_report() -> None:
    def report(seed: int) -> Any:
        torch.rand(1)
        return check_gradients(model, nn.MSELoss(), *sides, seed=seed)

    model, sides = nn.Linear(20, 10), (torch.randn(3, 20), torch.randn(3, 10))
    assert report(3) == report(3)
    assert report(3).rows != report(4).rows


def test_progress_counts_tensors() -> None:
    seen: list[tuple[int, int]] = []
    model = nn.Linear(2, 1)
    check_gradients(model, _mean, *_INPUT, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2), (2, 2)]


class _Faint(nn.Module):
    """A loss of 1 with a gradient of `size`, which autograd has `factor` times too large."""

    def __init__(self, size: float, factor: float) -> None:
        super().__init__()
        self.size, self.factor = size, factor
        self.weight = nn.Parameter(torch.zeros(3))

    def forward(self, value: Tensor) -> Tensor:
        return 1 + self.size * _Scaled.apply(self.weight * value, self.factor).sum()


@pytest.mark.parametrize(
    ("size", "factor", "found"),
    [
        (1.0, 1 + 3e-6, True),
        (1e-5, 1 + 3e-6, True),
        (4e-9, 1.001, True),
        (4e-12, 0.0, True),
        (1e-9, 1.001, False),
        (1e-12, 0.0, False),
    ],
)
def test_how_faint_a_fault_is_found(size: float, factor: float, found: bool) -> None:
    """The promise of `TensorCheck`: faults above `resolution * bound`, here 2e-12 or 4e-12."""
    report = check_gradients(_Faint(size, factor), lambda out, _: out, torch.ones(3), None)
    assert report.resolution < 4e-6
    assert report.passed is not found


def test_the_resolution_tells_how_much_cancels() -> None:
    """Terms of a million that cancel hide a gradient; the report says so, and asks no more."""

    def loss(out: Tensor, large: float) -> Tensor:
        return ((out + large).log() - math.log(large)).sum() * large

    coarse = check_gradients(nn.Linear(3, 1), loss, torch.ones(1, 3), 1e6)
    fine = check_gradients(nn.Linear(3, 1), loss, torch.ones(1, 3), 1.5)
    assert coarse.resolution > 1e3 * fine.resolution
    assert coarse.passed
    assert fine.passed


@pytest.mark.parametrize("size", [1.0, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12])
def test_a_right_gradient_passes_however_faint(size: float) -> None:
    report = check_gradients(_Faint(size, 1.0), lambda out, _: out, torch.ones(3), None)
    assert report.max_relative_error < 3e-7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"model": nn.ReLU()},
            "`model` must have parameters that require a gradient, got none. Unfreeze them",
        ),
        (
            {"loss": lambda out, _: out},
            "the loss must be a scalar tensor, or have a scalar `total`, got shape (1, 1). Reduce",
        ),
        (
            {"loss": lambda out, _: float(out.detach())},
            "the loss must be a scalar tensor, or have a scalar `total`, got ",
        ),
        ({"bound": 0.0}, "`bound` must be positive and finite, got 0.0. Try 1e-6."),
        ({"bound": math.nan}, "`bound` must be positive and finite, got nan. Try 1e-6."),
        ({"entries": 0}, "`entries` must be at least 1, got 0. Try 8."),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    given = {"model": nn.Linear(2, 1), "loss": _mean, "batch": _INPUT[0], "target_batch": None}
    with pytest.raises(InputError, match="^" + re.escape(message)):
        check_gradients(**(given | change))


class _Kinked(nn.Module):
    """A network with `ReLU`: thousands of kinks, of which a long step crosses some."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.hidden, self.out, self.factor = nn.Linear(16, 256), nn.Linear(256, 4), factor

    def forward(self, batch: Tensor) -> Tensor:
        return self.out(_Scaled.apply(self.hidden(batch).relu(), self.factor))


@pytest.mark.parametrize(("factor", "passed"), [(1.0, True), (1 + 1e-4, False)])
def test_kinks_within_a_step_are_no_fault(factor: float, passed: bool) -> None:
    batch = torch.randn(512, 16, generator=torch.Generator().manual_seed(1))
    model = _Kinked(factor)
    report = check_gradients(model, lambda out, _: out.square().mean(), batch, None)
    assert report.passed is passed, str(report)
    wrong = ["wrong", "wrong"] if not passed else ["ok", "ok"]
    assert [row.status for row in report.rows] == [*wrong, "ok", "ok"]
