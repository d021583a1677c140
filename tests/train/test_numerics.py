"""Precision of a run, and runs that are the same twice."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from grapheme_torch import InputError, StructuralLoss, StructuralLossResult
from grapheme_torch.data import load_pairs
from grapheme_torch.train import Numerics, evaluate, load_network, predict

from .runs import quick, rows

STEPS = 20
DISTANCE = 0.01
"""Of the loss after so many steps in bf16-mixed from that in float32, relative."""


class Witness(StructuralLoss):
    """A loss that notes what it sees in training."""

    seen: list[tuple[torch.dtype, torch.dtype, bool]] = []  # noqa: RUF012

    def forward(self, *args: Any, **options: Any) -> StructuralLossResult:
        result = super().forward(*args, **options)
        if torch.is_grad_enabled():
            exact = torch.are_deterministic_algorithms_enabled()
            self.seen.append((args[0].label.dtype, result.total.dtype, exact))
        return result


@pytest.fixture
def witness() -> Witness:
    Witness.seen = []
    return Witness()


@pytest.mark.repeats
def test_bf16_stays_near_float32(tmp_path: Path, witness: Witness) -> None:
    losses = {}
    for precision in ("32-true", "bf16-mixed"):
        out, chosen = tmp_path / precision, Numerics(precision=precision)
        summary = quick(
            out, epochs=STEPS, network={"dim": 32}, loss=witness, numerics=chosen,
            val="kindergarten",
        )  # fmt: skip
        losses[precision] = summary.final_loss
    last = rows(tmp_path / "bf16-mixed")[-1]  # validated as it will be read: in float32
    assert float(last["val_total"]) == pytest.approx(float(last["total"]), rel=1e-6)
    assert losses["bf16-mixed"] != losses["32-true"]
    assert losses["bf16-mixed"] == pytest.approx(losses["32-true"], rel=DISTANCE)
    seen = [(said, total) for said, total, _ in witness.seen]
    assert seen[:STEPS] == [(torch.float32, torch.float32)] * STEPS
    assert seen[STEPS:] == [(torch.bfloat16, torch.float32)] * STEPS
    network = load_network(tmp_path / "bf16-mixed")
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    found = evaluate(tmp_path / "bf16-mixed", load_pairs("kindergarten"), loss=StructuralLoss())
    assert found.loss["total"] == pytest.approx(losses["bf16-mixed"], rel=1e-5)


def test_double_precision_is_saved_and_read(tmp_path: Path, witness: Witness) -> None:
    quick(tmp_path, loss=witness, val="kindergarten", numerics=Numerics(precision="64-true"))
    assert witness.seen == [(torch.float64, torch.float64, False)] * 2
    network = load_network(tmp_path)
    assert {p.dtype for p in network.parameters()} == {torch.float64}
    assert torch.get_default_dtype() == torch.float32
    pairs = load_pairs("kindergarten")
    assert len(predict(network, [pair.input for pair in pairs])) == len(pairs)
    found = evaluate(tmp_path, pairs, loss=StructuralLoss())
    assert found.loss["total"] == pytest.approx(float(rows(tmp_path)[-1]["total"]), rel=1e-9)


@pytest.mark.repeats
def test_deterministic_runs_give_the_same_bytes(tmp_path: Path, witness: Witness) -> None:
    chosen = Numerics(deterministic=True)
    for name in "ab":
        quick(tmp_path / name, batch_size=4, loss=witness, numerics=chosen)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]
    assert {exact for _, _, exact in witness.seen} == {True}
    assert not torch.are_deterministic_algorithms_enabled()


def test_the_default_leaves_what_was_asked_of_torch(tmp_path: Path, witness: Witness) -> None:
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        quick(tmp_path, loss=witness, epochs=1)
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert [exact for _, _, exact in witness.seen] == [True]
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.untyped
def test_an_unknown_precision_is_refused() -> None:
    message = "`precision` must be one of 32-true, bf16-mixed, 64-true, got 'half'."
    with pytest.raises(InputError, match="^" + re.escape(message)):
        Numerics(precision="half")
