"""Predictions in the hands of other tools: transforms, compilers, export, Lightning."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from lightning_utilities.core.apply_func import apply_to_collection
from pytorch_lightning.plugins import HalfPrecision
from pytorch_lightning.utilities import move_data_to_device
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader

from grapheme_torch import Prediction

from .samples import assert_same, full, parts

ENDS = torch.combinations(torch.arange(3)).T


class Model(nn.Module):
    """Three slots from two numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(2, 15)

    def forward(self, x: Tensor) -> Prediction:
        out = self.net(x)[0]
        return Prediction(out[:3], out[3:9].view(3, 2), ENDS, out[9:].view(3, 2))


# Trees.


def test_a_tree_holds_every_field() -> None:
    whole = full()
    leaves, spec = pytree.tree_flatten(whole)
    assert [id(x) for x in leaves] == [id(x) for x in parts(whole).values() if torch.is_tensor(x)]
    assert_same(pytree.tree_unflatten(leaves, spec), whole)
    assert_same(
        pytree.tree_unflatten(leaves, pytree.treespec_loads(pytree.treespec_dumps(spec))), whole
    )
    paths = [path[0].name for path, _ in pytree.tree_flatten_with_path(whole)[0]]
    assert paths == [name for name, x in parts(whole).items() if torch.is_tensor(x)]


def test_what_is_not_given_is_no_leaf() -> None:
    bare = Model()(torch.ones(1, 2))
    assert len(pytree.tree_leaves(bare)) == 5
    assert_same(pytree.tree_map(lambda x: x.clone(), bare), bare)


def test_anything_may_stand_in_a_tree() -> None:
    """Transforms put numbers, stacks and markers where tensors were."""
    marked = pytree.tree_map(lambda _: 0, full())
    assert pytree.tree_structure(marked) == pytree.tree_structure(full())


def test_vmap_of_a_model() -> None:
    model, x = Model(), torch.randn(4, 1, 2)
    found = torch.vmap(model)(x)
    for k in range(4):
        for name in ("existence", "label", "relation"):
            torch.testing.assert_close(getattr(found, name)[k], getattr(model(x[k]), name))


def test_checkpoint_of_a_model() -> None:
    model, x = Model(), torch.ones(1, 2)
    soft: Any = checkpoint(model, x, use_reentrant=False)
    soft.label.sum().backward()
    found = model.net.weight.grad
    (wanted,) = torch.autograd.grad(model(x).label.sum(), model.net.weight)
    assert found is not None
    torch.testing.assert_close(found, wanted)


def test_export_of_a_model() -> None:
    model, x = Model(), torch.ones(1, 2)
    assert_same(torch.export.export(model, (x,)).module()(x), model(x))


# Compilers.


def _path(n: int) -> tuple[Tensor, Tensor, Tensor]:
    ends = torch.arange(max(n, 1))
    return torch.randn(n, 2), torch.stack([ends[:-1], ends[1:]]), torch.zeros(n, dtype=torch.long)


def _slots(n: int) -> tuple[Tensor, Tensor, Tensor]:
    mask = torch.arange(2 * n).view(2, n) % 3 > 0
    return torch.randn(2, n, 3), torch.randn(2, n, n, 2), mask


COMPILED: dict[str, tuple[Callable[..., Prediction], Callable[[int], tuple[Tensor, ...]]]] = {
    "given": (lambda x, e, b: Prediction(x[:, 0], x, e, x[e[0]], batch=b, num_graphs=1), _path),
    "read off": (lambda x, e, b: Prediction(x[:, 0], x, e, x[e[0]], batch=b), _path),
    "one graph": (lambda x, e, b: Prediction(x[:, 0], x, e, x[e[0]]), _path),
    "position, weight": (
        lambda x, e, b: Prediction(
            x[:, 0], x, e, x[e[0]], position=x, weight=x[e[1], 0], directed=False
        ),
        _path,
    ),
    "slots": (lambda x, r, m: Prediction.from_dense(x, r), _slots),
    "undirected slots": (lambda x, r, m: Prediction.from_dense(x, r, directed=False), _slots),
    "DETR": (lambda x, r, m: Prediction.from_dense(x, r, no_node="last"), _slots),
    "masked slots": (lambda x, r, m: Prediction.from_dense(x, r, mask=m), _slots),
    "mask of numbers": (lambda x, r, m: Prediction.from_dense(x, r, mask=m.float()), _slots),
    "joined": (
        lambda x, e, b: Prediction.cat([Prediction(x[:, 0], x, e, x[e[0]])] * 2).detach(),
        _path,
    ),
}


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_as_a_whole_at_any_size(name: str) -> None:
    function, draw = COMPILED[name]
    torch._dynamo.reset()
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    for n in (4, 5, 7, 1, 0):
        inputs = draw(n)
        assert_same(compiled(*inputs), function(*inputs))


# Lightning.


class Module(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.model, self.seen = Model(), 0

    def predict_step(self, batch: Tensor) -> Prediction:
        return self.model(batch)

    def training_step(self, batch: Prediction) -> Tensor:
        self.seen += len(batch)
        said = self.model(torch.ones(1, 2)).label
        return torch.stack([(said - teacher.label).square().mean() for teacher in batch]).mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def _trainer() -> pl.Trainer:
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    return pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip


# Of Lightning about itself, and of data sets as small as these.
LIGHTNING = (
    "ignore:.*does not have many workers",
    "ignore:.*treespec, LeafSpec.*:FutureWarning",
)


@pytest.mark.filterwarnings(*LIGHTNING)
def test_lightning_predicts() -> None:
    module = Module()
    found = _trainer().predict(module, DataLoader(torch.ones(2, 2)))
    assert found is not None
    for one in found:
        assert_same(one, module.model(torch.ones(1, 2)).detach())


@pytest.mark.filterwarnings(*LIGHTNING)
def test_lightning_trains_with_predictions_as_data() -> None:
    module, teacher = Module(), Model()(torch.ones(1, 2)).detach()
    data: Any = DataLoader([teacher] * 3, collate_fn=Prediction.cat, batch_size=2)
    _trainer().fit(module, data)
    assert module.seen == 3


def test_lightning_moves_and_maps_them() -> None:
    """Mapping puts new tensors in place, one after the other."""
    whole = full()
    assert_same(move_data_to_device({"teacher": whole}, "cpu")["teacher"], whole)
    found = apply_to_collection([whole], Tensor, lambda x: x.clone())[0]
    assert found is not whole
    assert_same(found, whole)
    half = HalfPrecision("bf16-true").convert_input({"teacher": whole})["teacher"]
    assert_same(half, whole.to(torch.bfloat16))
