"""The settings of a loss: frozen, replaced by making another, and saved with it."""

import io
import pickle
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
import torch

from grapheme_torch import (
    Dense,
    Exact,
    Hints,
    InputError,
    Learned,
    Prices,
    Sinkhorn,
    StructuralLoss,
    Support,
    Tiled,
    Window,
    costs,
)

from ..problems import batch_of_pairs
from ..unchecked import unchecked


def test_settings_are_read_and_not_changed() -> None:
    loss = StructuralLoss(beta=0.3, hints=Hints(position=0.0))
    assert (loss.beta, loss.hints.position, loss.matches) == (0.3, 0.0, Dense())
    for name in ("beta", "alignment", "node_cost", "terms", "spec"):
        remedy = rf"Make another loss: loss\.replace\({name}=\.\.\.\)"
        with pytest.raises(InputError, match=f"^`{name}` must not be changed.*{remedy}"):
            setattr(loss, name, 2)
    assert loss.beta == 0.3
    for options, name in ((loss.alignment, "temperature"), (loss.hints, "noise")):
        with pytest.raises(FrozenInstanceError):
            setattr(options, name, 2.0)


def test_another_loss_has_another_setting() -> None:
    loss = StructuralLoss(beta=0.3)
    warm = replace(loss.alignment, temperature=1.0)
    other = loss.replace(alignment=warm)
    assert (other.alignment, other.beta, loss.alignment) == (warm, 0.3, Sinkhorn())
    assert other.node_cost is loss.node_cost
    prediction, target = batch_of_pairs(1)
    wanted = loss(prediction, target, temperature=1.0).total
    assert torch.equal(other(prediction, target).total, wanted)
    with pytest.raises(InputError, match=r"`betta` must be a setting of the loss.*One of alpha"):
        loss.replace(betta=1.0)
    with pytest.raises(InputError, match="`beta` must not be negative"):
        loss.replace(beta=-1.0)


def test_what_there_is_not_has_no_value() -> None:
    with pytest.raises(AttributeError, match="temperature"):
        _ = StructuralLoss().temperature
    with pytest.raises(TypeError, match="temperature"):
        unchecked(StructuralLoss)(temperature=1.0)


def test_only_what_differs_is_shown() -> None:
    assert StructuralLoss().extra_repr() == ""
    changed = StructuralLoss(2.0, directed=False, node_cost="features", matches=Window(3.0))
    assert changed.extra_repr() == "alpha=2.0, matches=Window(steps=3.0), directed=False"
    assert "(node_cost): Vectors()" in repr(changed)


def test_a_loss_is_pickled_with_its_settings() -> None:
    loss = StructuralLoss(
        criterion="edit", node_cost=costs.Classes(torch.tensor([1.0, 2, 3, 4])),
        alignment=Sinkhorn(slack=0.2), prices=Prices(edge_deletion=2.0), reduction="none",
    )  # fmt: skip
    other = pickle.loads(pickle.dumps(loss))
    prediction, target = batch_of_pairs(1)
    assert torch.equal(other(prediction, target).total, loss(prediction, target).total)
    assert other.alignment == loss.alignment
    assert other.spec.node_cost is other.node_cost


def test_parameters_are_loaded_into_the_settings() -> None:
    """What is loaded is what the loss computes with."""

    def made(seed: int) -> StructuralLoss:
        torch.manual_seed(seed)
        return StructuralLoss(alignment=Learned(torch.nn.Bilinear(1, 1, 1)))

    one, other = made(1), made(2)
    names = {"aligner.matcher.weight", "aligner.matcher.bias"}
    assert {name for name, _ in one.named_parameters()} == names
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file))
    assert isinstance(other.alignment, Learned)
    for name, value in other.alignment.matcher.named_parameters():
        assert torch.equal(value, one.aligner.get_parameter(f"matcher.{name}"))


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("alignment", 0.1, r"`alignment` must be a `Sinkhorn or Given or Aligner`, got 0\.1"),
        ("hints", {"noise": 1}, "`hints` must be a `Hints`, got {'noise': 1}"),
        ("prices", 1.0, "`prices` must be a `Prices`"),
        ("matches", "tiled", "`matches` must be a `Dense or Window or Support or Tiled`"),
        ("edge_cost", "relations", "`edge_cost` must be a `EdgeCost`"),
        ("directed", 1, "`directed` must be True, False or None, got 1"),
        ("terms", [1], "`terms` must be a mapping of names, got list"),
        ("terms", {"node": (1.0, print)}, "`terms` must have names of their own"),
        ("terms", {"own": 1.0}, r"`terms\['own'\]` must be a weight and a `Term`"),
    ],
)
def test_what_is_no_setting_is_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        unchecked(StructuralLoss)(**{name: value})


@pytest.mark.parametrize("layout", [Window(), Support(torch.zeros(2, 0).long()), Tiled()])
def test_large_layouts_refuse_what_needs_all_matches(layout: Any) -> None:
    way = type(layout).__name__
    for alignment, message in (
        (Sinkhorn(gradient="implicit"), f"`gradient` must not be implicit with matches={way}"),
        (Exact(), f"`temperature` must be positive with matches={way}"),
    ):
        with pytest.raises(InputError, match=message):
            StructuralLoss(alignment=alignment, matches=layout)
    with pytest.raises(InputError, match=f"`noise` must be 0 with matches={way}, got 0.1"):
        StructuralLoss(hints=Hints(noise=0.1), matches=layout)
