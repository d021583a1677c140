"""What a run does beside plain Adam: schedule, decay, clipping, annealing."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import timer
from torch.optim.optimizer import register_optimizer_step_post_hook

from grapheme_torch import (
    Aligner,
    Exact,
    GraphTransformNet,
    Hints,
    InputError,
    Sinkhorn,
    StructuralLoss,
    geman_mcclure,
)
from grapheme_torch.costs import Classes
from grapheme_torch.train import Optimization, Stopping, TrainingModule, load_network

from ..problems import batch_of_pairs
from ..unchecked import unchecked
from .runs import SMALL, quick


@pytest.fixture
def steps() -> Iterator[list[dict[str, Any]]]:
    """What the optimiser did in each step."""
    seen: list[dict[str, Any]] = []

    def note(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        gradients = [p.grad for g in optimizer.param_groups for p in g["params"]]
        norm = torch.cat([g.flatten() for g in gradients if g is not None]).norm()
        lrs = {group["lr"] for group in optimizer.param_groups}
        seen.append({"lrs": lrs, "norm": float(norm), "kind": type(optimizer)})

    handle = register_optimizer_step_post_hook(note)
    yield seen
    handle.remove()


@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({}, {0.0: 1, 0.5: 1, 1.0: 1}),
        ({"warmup": 0.2}, {0.0: 0, 0.05: 0.25, 0.2: 1, 1.0: 1}),
        ({"schedule": "linear"}, {0.0: 1, 0.25: 0.75, 1.0: 0}),
        ({"schedule": "linear", "warmup": 0.5}, {0.25: 0.5, 0.5: 1, 0.75: 0.5, 1.0: 0}),
        ({"schedule": "cosine"}, {0.0: 1, 1 / 3: 0.75, 0.5: 0.5, 2 / 3: 0.25, 1.0: 0}),
        ({"schedule": "cosine", "warmup": 0.1}, {0.05: 0.5, 0.1: 1, 0.55: 0.5, 1.0: 0}),
    ],
)
def test_the_learning_rate_over_a_run(settings: dict[str, Any], rates: dict[float, float]) -> None:
    for share, rate in rates.items():
        assert Optimization(**settings).rate(share) == pytest.approx(rate, abs=1e-12)


def test_a_constant_rate_is_exactly_that() -> None:
    assert {Optimization().rate(k / 7) for k in range(8)} == {1.0}


@pytest.mark.parametrize("name", ["temperature", "position"])
def test_what_is_annealed_changes_geometrically_over_the_first_half(name: str) -> None:
    annealed = getattr(unchecked(Optimization)(**{f"{name}_start": 1.6}), name)
    found = [annealed(share, 0.1) for share in (0.0, 0.125, 0.25, 0.375, 0.5, 1.0)]
    assert found == pytest.approx([1.6, 0.8, 0.4, 0.2, 0.1, 0.1])
    assert annealed(0.5, 0.1) == 0.1
    assert getattr(Optimization(), name)(0.0, 0.1) == 0.1


def test_each_step_takes_the_rate_of_its_middle(
    tmp_path: Path, steps: list[dict[str, Any]]
) -> None:
    chosen = Optimization(schedule="linear", warmup=0.25, weight_decay=0.01)
    quick(tmp_path, epochs=4, batch_size=5, lr=0.08, optimization=chosen)
    shares = [(k + 0.5) / 8 for k in range(8)]
    expected = [0.08 * chosen.rate(share) for share in shares]
    assert [min(step["lrs"]) for step in steps] == pytest.approx(expected)
    assert [max(step["lrs"]) for step in steps] == pytest.approx(expected)
    assert expected[0] == pytest.approx(0.02)
    assert 0 < expected[-1] < 0.01


def test_with_a_bound_on_time_the_rate_goes_by_the_clock(
    tmp_path: Path, steps: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=lambda: 2.0 * len(steps))  # two seconds a step
    monkeypatch.setattr(timer, "time", clock)
    summary = quick(
        tmp_path, epochs=10**6, lr=1.0,
        optimization=Optimization(schedule="linear"), stopping=Stopping(minutes=10 / 60),
    )  # fmt: skip
    assert summary.out_of_time
    assert not summary.interrupted
    assert summary.steps == 5
    assert [step["lrs"].pop() for step in steps] == pytest.approx([1, 0.8, 0.6, 0.4, 0.2])


def test_the_gradient_is_clipped(tmp_path: Path, steps: list[dict[str, Any]]) -> None:
    quick(tmp_path / "free")
    assert min(step["norm"] for step in steps) > 1
    steps.clear()
    quick(tmp_path / "clipped", optimization=Optimization(clip=0.25))
    assert [step["norm"] for step in steps] == pytest.approx([0.25] * 2, rel=1e-4)


def test_a_step_goes_by_bounded_losses_and_what_is_reported_does_not(tmp_path: Path) -> None:
    """Two epochs of one step each: of the loss, of losses with a high bound, and with a low one."""
    plain, high, low = (
        quick(tmp_path / str(bound), lr=1e-2, optimization=Optimization(bound=bound))
        for bound in (None, 1e9, 1.0)
    )
    assert plain.initial_loss == high.initial_loss == low.initial_loss
    assert high.final_loss == pytest.approx(plain.final_loss, rel=1e-4)
    assert low.final_loss != pytest.approx(plain.final_loss, rel=1e-4)
    assert low.final_loss > 1  # not the bounded one


def test_bounded_losses_are_reduced_as_the_loss_says() -> None:
    prediction, target = batch_of_pairs(1)
    network = GraphTransformNet(["a"], ["next"], **SMALL)
    each = StructuralLoss(reduction="none")(prediction, target).total
    for reduction in ("mean", "sum"):
        loss = unchecked(StructuralLoss)(reduction=reduction)
        module = TrainingModule(network, loss, optimization=Optimization(bound=2.0))
        found = module._bounded(loss, prediction, target)
        wanted = getattr(geman_mcclure(each, 2.0), reduction)()
        torch.testing.assert_close(found.total, wanted)
        assert found.total.ndim == 0


def test_a_step_smooths_labels_and_what_is_reported_does_not(tmp_path: Path) -> None:
    plain, smooth = (
        quick(tmp_path / str(share), lr=1e-2, optimization=Optimization(label_smoothing=share))
        for share in (0.0, 0.1)
    )
    assert plain.initial_loss == smooth.initial_loss
    assert plain.final_loss != pytest.approx(smooth.final_loss, rel=1e-4)


def test_smoothed_labels_are_those_of_the_node_cost() -> None:
    prediction, target = batch_of_pairs(1)
    network = GraphTransformNet(["a"], ["next"], **SMALL)
    weight = torch.rand(prediction.label.shape[1])
    loss = StructuralLoss(node_cost=Classes(weight, focal=2.0, ignore_index=1))
    wanted = Classes(weight, focal=2.0, ignore_index=1, label_smoothing=0.2)
    chosen = Optimization(label_smoothing=0.2)
    step = TrainingModule(network, loss, optimization=chosen).step_loss()
    found = step(prediction, target)
    other = loss.replace(node_cost=wanted)(prediction, target)
    torch.testing.assert_close(found.total, other.total)
    assert found.total != loss(prediction, target).total
    message = "^`label_smoothing` must be 0 where nodes are not compared by `Classes`, got 0.2. "
    with pytest.raises(InputError, match=message):
        TrainingModule(network, StructuralLoss(node_cost="features"), optimization=chosen)


def test_weights_decay_but_not_biases_and_norms() -> None:
    network = GraphTransformNet(["a"], ["next"], **SMALL)
    module = TrainingModule(network, StructuralLoss(), optimization=Optimization(weight_decay=0.01))
    optimizer = module._optimizer()
    assert isinstance(optimizer, torch.optim.AdamW)
    decays = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    assert len(decays) == len(list(network.parameters()))
    for name, parameter in network.named_parameters():
        vector = name.endswith("bias") or "norm" in name or name.endswith("feed_forward.0.weight")
        assert decays[id(parameter)] == (0.0 if vector else 0.01), name
    plain = TrainingModule(network, StructuralLoss())._optimizer()
    assert type(plain) is torch.optim.Adam


def test_the_mean_of_the_weights_is_kept(tmp_path: Path) -> None:
    seen: list[list[torch.Tensor]] = []

    def note(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        (group,) = optimizer.param_groups
        seen.append([p.detach().clone() for p in group["params"]])

    handle = register_optimizer_step_post_hook(note)
    quick(tmp_path, epochs=3, lr=0.05, optimization=Optimization(ema_decay=0.75))
    handle.remove()
    first, second, third = seen
    kept = load_network(tmp_path).parameters()
    for saved, x, y, z in zip(kept, first, second, third, strict=True):
        mean = 0.75 * (0.75 * x + 0.25 * y) + 0.25 * z
        torch.testing.assert_close(saved.detach(), mean)
    assert not torch.equal(next(iter(load_network(tmp_path).parameters())), third[0])


def test_the_alignment_is_annealed_in_the_steps_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, float]] = []
    forward = StructuralLoss.forward

    def watched(self: StructuralLoss, *args: Any, **options: Any) -> Any:
        seen.append((self.alignment.temperature, self.hints.position))
        return forward(self, *args, **options)

    monkeypatch.setattr(StructuralLoss, "forward", watched)
    loss = StructuralLoss(alignment=Sinkhorn(temperature=0.2), hints=Hints(position=1.6))
    chosen = Optimization(temperature_start=0.8, position_start=0.1)
    quick(tmp_path, epochs=4, loss=loss, optimization=chosen)
    steps, asked_why = seen[:9], seen[9:]  # what is wrong at the end is measured, too
    measured, trained = steps[0::2], steps[1::2]
    assert measured == [(0.2, 1.6)] * 5
    assert set(asked_why) <= {(0.2, 1.6)}
    temperatures, weights = zip(*trained, strict=True)
    assert temperatures == pytest.approx([0.8 / 2**0.5, 0.4 / 2**0.5, 0.2, 0.2])
    assert weights == pytest.approx([0.2, 0.8, 1.6, 1.6])


def test_the_options_of_a_run_are_in_its_summary_of_options(tmp_path: Path) -> None:
    chosen = Optimization(schedule="cosine", warmup=0.1, clip=1.0, temperature_start=0.4)
    quick(tmp_path, epochs=1, optimization=chosen)
    text = (tmp_path / "train.yaml").read_text(encoding="utf-8")
    for line in ("schedule: cosine", "warmup: 0.1", "clip: 1.0", "temperature_start: 0.4"):
        assert f"\n  {line}\n" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": "x"}, "`schedule` must be constant, linear or cosine, got 'x'. "),
        ({"warmup": 1.0}, "`warmup` must lie in [0, 1), got 1.0. Try 0.05."),
        ({"warmup": math.nan}, "`warmup` must lie in [0, 1), got nan. Try 0.05."),
        ({"weight_decay": -0.1}, "`weight_decay` must not be negative, got -0.1. Try 0.01."),
        ({"clip": 0.0}, "`clip` must be positive and finite, got 0.0. Leave it out, or try 1."),
        ({"ema_decay": 1.0}, "`ema_decay` must lie in [0, 1), got 1.0. Leave it out, or try"),
        ({"temperature_start": math.inf}, "`temperature_start` must be positive and finite, got"),
        ({"label_smoothing": 1.0}, "`label_smoothing` must lie in [0, 1), got 1.0. Try 0.1."),
        ({"position_start": 0.0}, "`position_start` must be positive and finite, "),
    ],
)
def test_refused_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        unchecked(Optimization)(**options)


@pytest.mark.parametrize(
    ("start", "name", "loss"),
    [
        ("temperature", "alignment.temperature", StructuralLoss(alignment=Exact())),
        ("temperature", "alignment.temperature", StructuralLoss(alignment=Aligner())),
        ("position", "hints.position", StructuralLoss(hints=Hints(position=0))),
    ],
)
def test_what_is_nothing_in_the_end_is_not_annealed(
    tmp_path: Path, start: str, name: str, loss: StructuralLoss
) -> None:
    message = f"`{start}_start` must be left out where `{name}` is 0, got 1.0. Give a --{name} to"
    annealed = unchecked(Optimization)(**{f"{start}_start": 1.0})
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path, loss=loss, optimization=annealed)
