"""The first number that is not finite: its pair, its part, and what is left of the run."""

import math
import re
import warnings
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch_geometric.data import Batch

from grapheme_torch import (
    GraphTransformNet,
    InputError,
    Pairs,
    Plan,
    Prediction,
    StructuralLoss,
    Term,
)
from grapheme_torch.train import PairsDataModule, TrainingModule, load_network
from grapheme_torch.train._checkpoints import Checkpointing

from .runs import PAIRS, SMALL, quick, rows, write_pairs

LINE = 4  # of PAIRS: "dd" -> "dd", the first whose target has two nodes and its input as well
ALWAYS = Checkpointing(share=1.0)
KEPT = "The weights are as before this step; "


class Spike(Term):
    """A term that fails for pairs of two output nodes and two targets, from some call on.

    Args:
        bad: What it is then: a value, or "slope" for a derivative that is NaN.
        calls: Calls in training before.
    """

    def __init__(self, bad: float | str = math.nan, calls: int = 0) -> None:
        super().__init__()
        self.bad, self.calls = bad, calls

    def forward(self, pairs: Pairs, plan: Plan) -> Tensor:
        self.calls -= torch.is_grad_enabled()
        return torch.stack([self._of(one) for one in plan])

    def _of(self, plan: Tensor) -> Tensor:
        mass = plan[0].sum() + plan[0, 0]
        if plan.shape != (3, 3) or self.calls >= 0 or not torch.is_grad_enabled():
            return mass
        return mass + ((0 * mass).sqrt() if self.bad == "slope" else self.bad)


class Spoilt(nn.Module):
    """A network that fails for an input of two nodes.

    Args:
        network: What it is else.
        output: The output that is wrong.
        bad: Its value, or "slope".
    """

    def __init__(self, network: GraphTransformNet, output: str, bad: float | str) -> None:
        super().__init__()
        self.network, self.output, self.bad = network, output, bad
        self.labels, self.relations = network.labels, network.relations

    def forward(self, graph: Batch) -> Prediction:
        said = self.network(graph)
        if self.training:
            owner = said.batch if self.output != "relation" else said.batch[said.edge_index[0]]
            chosen = said.batch.bincount(minlength=len(said))[owner] == 2
            value = getattr(said, self.output)
            row = (0 * value[chosen]).abs().sqrt() if self.bad == "slope" else self.bad
            setattr(said, self.output, value.index_put((chosen.nonzero()[:, 0],), _rows(row)))
        return said


def _rows(value: Tensor | float | str) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(float(value))


def _data(path: Path) -> str:
    return write_pairs(path / "data.jsonl", PAIRS)


def _spoilt(output: str, bad: float | str) -> Spoilt:
    torch.manual_seed(0)
    return Spoilt(GraphTransformNet(["a", "b", "d"], ["next"], **SMALL), output, bad)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_term_that_is_not_finite_is_named_with_its_pair(
    tmp_path: Path, bad: float, reduction: Any
) -> None:
    data, spike = _data(tmp_path), Spike(bad)
    loss = StructuralLoss(terms={"spike": (0.5, spike)}, reduction=reduction)
    message = f"{data}:{LINE}: the spike term in epoch 1 must be finite, got {bad}. {KEPT}check the"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path / "out", data=data, loss=loss)


@pytest.mark.parametrize(
    ("output", "bad"),
    [
        ("existence", math.nan), ("label", math.nan), ("relation", math.nan),
        ("position", math.nan), ("label", math.inf), ("relation", math.inf),
    ],
)  # fmt: skip
def test_an_output_of_the_network_is_named(tmp_path: Path, output: str, bad: float) -> None:
    data = _data(tmp_path)
    message = f"{data}:{LINE}: the network's output `{output}` in epoch 1 must be finite, got {bad}"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path / "out", data=data, network=_spoilt(output, bad))


def test_a_derivative_of_a_term_is_named_with_its_pair(tmp_path: Path) -> None:
    data, loss = _data(tmp_path), StructuralLoss(terms={"spike": (0.5, Spike("slope"))})
    end = f" in epoch 1 must be finite, got NaN or infinity from {data}:{LINE}, the spike term. "
    with pytest.raises(InputError, match="^the gradient of `.*`" + re.escape(end + KEPT)):
        quick(tmp_path / "out", data=data, loss=loss)


def test_a_derivative_of_the_network_is_named_with_its_pair(tmp_path: Path) -> None:
    data = _data(tmp_path)
    end = f" in epoch 1 must be finite, got NaN or infinity from {data}:{LINE}, in the network. "
    with pytest.raises(InputError, match="^the gradient of `.*`" + re.escape(end)):
        quick(tmp_path / "out", data=data, network=_spoilt("label", "slope"))


def test_the_run_stops_at_the_last_good_state(tmp_path: Path) -> None:
    data, out = _data(tmp_path), tmp_path / "out"
    loss = StructuralLoss(terms={"spike": (0.5, Spike(calls=4))})
    with pytest.raises(InputError, match=rf"^{re.escape(data)}:{LINE}: the spike term in epoch 3 "):
        quick(out, data=data, loss=loss, epochs=5, batch_size=3, checkpoint=ALWAYS)
    assert [int(row["epoch"]) for row in rows(out)] == [0, 1, 2]
    assert all(p.isfinite().all() for p in load_network(out).parameters())


class Bare(pl.LightningDataModule):
    """Batches of a user's own, of inputs and targets and nothing else."""

    def __init__(self, data: PairsDataModule) -> None:
        super().__init__()
        data.setup("fit")
        ((inputs, targets),) = data.measured
        del inputs.place
        self.batch = inputs, targets

    def train_dataloader(self) -> Any:
        return DataLoader([self.batch], batch_size=None, collate_fn=lambda batch: batch)


def _trainer(**options: Any) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, max_epochs=1, **options,
    )  # fmt: skip


def _fit(module: TrainingModule, data: Any, **options: Any) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")  # its remarks on the hardware
        _trainer(**options).fit(module, data)


def test_without_places_the_pair_has_its_number(tmp_path: Path) -> None:
    data = PairsDataModule(_data(tmp_path))
    loss = StructuralLoss(terms={"spike": (0.5, Spike())})
    module = TrainingModule(_spoilt("label", 0.0).network, loss)
    with pytest.raises(InputError, match=r"^pair 4 of the 5 in step 1: the spike term in epoch 1 "):
        _fit(module, Bare(data))


def test_each_of_the_batches_of_a_step_is_looked_at(tmp_path: Path) -> None:
    """Of three that are accumulated the middle one fails, which no later loss shows."""
    path = _data(tmp_path)
    data = PairsDataModule(path, batch_size=2)
    loss = StructuralLoss(terms={"spike": (0.5, Spike())})
    module = TrainingModule(_spoilt("label", 0.0).network, loss)
    with pytest.raises(InputError, match=rf"^{re.escape(path)}:{LINE}: the spike term "):
        _fit(module, data, accumulate_grad_batches=3)


def test_what_the_loss_refuses_of_one_pair_is_told_with_its_place(tmp_path: Path) -> None:
    """A label that the network has made impossible, of the pair of line 4 only."""
    data = _data(tmp_path)
    network = _spoilt("label", -math.inf)
    with pytest.raises(InputError, match=rf"^{re.escape(data)}:{LINE}: the prediction must "):
        quick(tmp_path / "out", data=data, network=network)
