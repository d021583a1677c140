"""The module and the pairs that `train` fits, fitted by a trainer of the user's."""

import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch_geometric.data import Batch, Data

from grapheme_torch import (
    Aligner,
    Exact,
    GraphTransformNet,
    InputError,
    NodeCost,
    Pairs,
    Plan,
    Prediction,
    StructuralLoss,
    Term,
    Window,
    check_gradients,
)
from grapheme_torch._check import Notice
from grapheme_torch.costs import Classes, SeveralRelations
from grapheme_torch.data import Alphabet, load_pairs
from grapheme_torch.train import (
    Averaging,
    Optimization,
    PairsDataModule,
    Stopping,
    TrainingModule,
    evaluate,
    load_network,
    predict,
    saved_loss,
    untrained_network,
)
from grapheme_torch.train._folder import save_options
from grapheme_torch.train._loss_options import loss_options

from .runs import PAIRS, SMALL, contents, quick, rows, write_pairs

QUIET: dict[str, Any] = {
    "accelerator": "cpu", "logger": False, "enable_checkpointing": False,
    "enable_progress_bar": False, "enable_model_summary": False,
}  # fmt: skip


@contextmanager
def _of_lightning() -> Iterator[None]:
    """Its remarks on workers and on the hardware are no faults."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        yield


def _fit(module: TrainingModule, data: PairsDataModule, **options: Any) -> pl.Trainer:
    with _of_lightning():
        trainer = pl.Trainer(**{**QUIET, **options})
        trainer.fit(module, datamodule=data)
    return trainer


@pytest.mark.repeats
@pytest.mark.parametrize(
    "optimization",
    [
        Optimization(),
        Optimization(
            schedule="cosine", warmup=0.2, weight_decay=0.01, clip=1.0, ema_decay=0.9,
            temperature_start=0.4, position_start=0.1,
        ),
    ],
    ids=["plain", "all"],
)  # fmt: skip
def test_any_trainer_trains_what_the_command_trains(
    tmp_path: Path, optimization: Optimization
) -> None:
    quick(
        tmp_path, epochs=5, val="kindergarten", batch_size=4, optimization=optimization,
        stopping=Stopping(keep="last"),
    )  # fmt: skip
    torch.manual_seed(0)
    data = PairsDataModule("kindergarten", "kindergarten", batch_size=4)
    network = untrained_network(data, **SMALL)
    module = TrainingModule(network, StructuralLoss(), optimization=optimization)
    trainer = _fit(module, data, max_epochs=5)
    saved = load_network(tmp_path).state_dict()
    for name, value in network.state_dict().items():
        assert torch.equal(value, saved[name]), name
    last = rows(tmp_path)[-1]
    assert float(trainer.callback_metrics["val_total"]) == float(last["val_total"])
    assert float(trainer.callback_metrics["val_exact"]) == float(last["val_exact"])


def test_checkpoints_early_stopping_and_loggers_of_lightning_serve(tmp_path: Path) -> None:
    data = PairsDataModule("kindergarten", "kindergarten")
    module = TrainingModule(untrained_network(data, **SMALL), StructuralLoss())
    best = ModelCheckpoint(tmp_path / "best", monitor="val_score", mode="max")
    early = EarlyStopping("val_total", patience=1, min_delta=1e9)
    trainer = _fit(
        module, data, max_epochs=5, callbacks=[best, early], enable_checkpointing=True,
        logger=CSVLogger(tmp_path), log_every_n_steps=1,
    )  # fmt: skip
    assert trainer.current_epoch == 2
    assert Path(best.best_model_path).exists()
    state = torch.load(best.best_model_path, weights_only=False)["state_dict"]
    assert torch.equal(state["network.heads.label.bias"], module.network.heads.label.bias)
    (log,) = tmp_path.rglob("metrics.csv")
    head = log.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert {"loss", "val_total", "val_node", "val_edge", "val_clique", "val_exact"} <= {*head}


class Counted(nn.Module):
    """A network that counts the steps it is trained for, and has a weight that is no float."""

    steps: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.limit = nn.Parameter(torch.tensor(7), requires_grad=False)

    def forward(self, inputs: Any) -> Any:
        self.steps += self.training
        return self.network(inputs)


def test_what_is_no_weight_is_not_averaged() -> None:
    data = PairsDataModule("kindergarten", batch_size=5)
    network = Counted(untrained_network(data, **SMALL))
    alphabet = data.split.alphabet
    chosen = Optimization(ema_decay=0.5)
    module = TrainingModule(network, StructuralLoss(), optimization=chosen, alphabet=alphabet)
    for steps in (6, 12):  # a second fit begins with another average
        trainer = _fit(module, data, max_epochs=3)
        (callback,) = (c for c in getattr(trainer, "callbacks", []) if isinstance(c, Averaging))
        assert callback.average.network.steps == steps
        assert callback.average.network.limit == 7


def test_the_average_is_what_is_validated() -> None:
    data = PairsDataModule("kindergarten", "kindergarten")
    found = []
    for decay in (None, 0.5):
        torch.manual_seed(0)
        chosen = Optimization(ema_decay=decay)
        module = TrainingModule(
            untrained_network(data, **SMALL), StructuralLoss(), optimization=chosen
        )
        trainer = _fit(module, data, max_epochs=3)
        found.append(float(trainer.callback_metrics["val_total"]))
        callbacks = [type(one) for one in getattr(trainer, "callbacks", [])]
        assert (Averaging in callbacks) == (decay is not None)
    assert found[0] < found[1]  # the average lags behind


class Linear(nn.Module):
    """A user's network: a table of letters; edges between neighbours, all alike."""

    def __init__(self, labels: int, relations: int) -> None:
        super().__init__()
        self.table = nn.Embedding(512, labels + 1)
        self.relation = nn.Parameter(torch.zeros(relations + 1))
        nn.init.zeros_(self.table.weight)

    def forward(self, graph: Batch) -> Prediction:
        nodes = self.table(graph.x[:, 0] % 512)
        ends = torch.arange(len(nodes) - 1)
        candidates = torch.stack([ends, ends + 1])
        candidates = candidates[:, graph.batch[:-1] == graph.batch[1:]]
        relation = self.relation.expand(candidates.shape[1], -1)
        existence, label = nodes[:, 0], nodes[:, 1:]
        return Prediction(
            existence, label, candidates, relation, graph.batch, graph.num_graphs,
            graph.position.to(label.dtype),
        )  # fmt: skip


def _copies(path: Path) -> str:
    return write_pairs(path, [{"input": text, "target": text} for text in ("ab", "ba", "cab")])


@pytest.mark.repeats
def test_any_module_is_trained_saved_and_read_again(tmp_path: Path) -> None:
    data = _copies(tmp_path / "data.jsonl")
    alphabet = Alphabet.of(pair.target for pair in load_pairs(data))
    network = Linear(len(alphabet.labels), len(alphabet.relations))
    out = tmp_path / "out"
    summary = quick(out, data=data, val=data, network=network, epochs=60, lr=0.3)
    assert (summary.exact_match, summary.val_exact_match) == (1.0, 1.0)
    assert summary.parameters == sum(p.numel() for p in network.parameters())
    again = load_network(out, Linear(len(alphabet.labels), len(alphabet.relations)))
    graphs = [pair.input for pair in load_pairs(data)]
    answers = predict(again, graphs, alphabet=alphabet)
    assert [answer.label for answer in answers] == [graph.label for graph in graphs]
    with pytest.raises(InputError, match=r"`network` must have `labels` and `relations`, got a "):
        predict(again, graphs)
    message = f"{out / 'model.safetensors'} must hold the weights of the module, got "
    with pytest.raises(InputError, match="^" + re.escape(message)):
        load_network(out, Linear(1, 1))
    with pytest.raises(InputError, match=r"tests\.train\.test_module\.Linear"):
        load_network(out)


def test_a_module_that_names_its_classes_is_not_trained_on_others(tmp_path: Path) -> None:
    network = GraphTransformNet(["a", "b"], ["next"], **SMALL)
    data = write_pairs(tmp_path / "data.jsonl", PAIRS)
    message = f'{data}:4: the "target" must be one that the network can give, got a label or'
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path / "out", data=data, network=network)
    data = write_pairs(tmp_path / "fewer.jsonl", PAIRS[:3])
    quick(tmp_path / "out", data=data, network=network)
    saved = load_network(tmp_path / "out")
    assert saved.config == network.config
    assert torch.equal(saved.heads.label.bias, network.heads.label.bias)


class Priced(NodeCost):
    """A node cost with a parameter: how much a wrong class costs."""

    def __init__(self) -> None:
        super().__init__()
        self.price = nn.Parameter(torch.ones(()))

    def nll(self, outputs: Tensor, y: Tensor) -> Tensor:
        wrong = 1 - (outputs.softmax(-1) * nn.functional.one_hot(y, outputs.shape[-1])).sum(-1)
        return wrong * self.price.exp() - self.price + 1


class Deletions(Term):
    """A further term with a parameter: the mass that is deleted, at a price to be learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.price = nn.Parameter(torch.ones(()))

    def forward(self, pairs: Pairs, plan: Plan) -> Tensor:
        return self.price.square() * torch.stack([one[:-1, -1].sum() + 1 for one in plan])


@pytest.mark.repeats
def test_a_loss_with_weights_is_trained_saved_and_read_again(tmp_path: Path) -> None:
    loss = StructuralLoss(node_cost=Priced())
    quick(tmp_path, loss=loss, epochs=3, lr=0.05)
    (moved,) = loss.parameters()
    assert moved.item() != 1.0
    again = saved_loss(tmp_path, node_cost=Priced())
    assert torch.equal(next(again.parameters()), moved)
    with pytest.raises(InputError, match=r"`node_cost` must be given, got nothing for Priced\. "):
        saved_loss(tmp_path)
    message = f"{tmp_path / 'loss.safetensors'} must hold the weights of the module, got node_cost"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        saved_loss(tmp_path, node_cost=Classes())
    with pytest.raises(InputError, match="`node_cost` must be given"):
        evaluate(tmp_path, load_pairs("kindergarten"))
    found = evaluate(tmp_path, load_pairs("kindergarten"), loss=again).loss["total"]
    assert found == pytest.approx(float(rows(tmp_path)[-1]["total"]), rel=1e-5)
    quick(tmp_path, overwrite=True)
    assert "loss.safetensors" not in contents(tmp_path)
    saved_loss(tmp_path)


def test_a_weight_of_loss_and_network_is_one_weight() -> None:
    network, cost = GraphTransformNet(["a"], ["next"], **SMALL), Priced()
    network.price = cost.price
    module = TrainingModule(network, StructuralLoss(node_cost=cost))
    (group,) = module._optimizer().param_groups
    assert len(group["params"]) == len(list(network.parameters()))


def test_a_gradient_of_the_loss_that_is_not_finite_never_reaches_the_weights() -> None:
    cost = Priced()
    module = TrainingModule(
        GraphTransformNet(["a"], ["next"], **SMALL), StructuralLoss(node_cost=cost)
    )
    cost.price.grad = torch.tensor(math.nan)
    with pytest.raises(InputError, match=r"^the gradient of `loss\.node_cost\.price` in epoch 1 "):
        module.on_before_optimizer_step(torch.optim.SGD(module.parameters()))


@pytest.mark.repeats
def test_the_weights_of_a_loss_are_checked_too() -> None:
    data = PairsDataModule("kindergarten")
    data.setup("fit")
    ((inputs, targets),) = data.measured
    network = untrained_network(data, **SMALL)
    report = check_gradients(network, StructuralLoss(node_cost=Priced()), inputs, targets)
    checked = {row.name: row for row in report.rows}
    assert report.passed
    assert checked["loss.node_cost.price"].norm > 0


def test_a_term_of_the_users_own_is_a_column_and_a_curve(tmp_path: Path) -> None:
    loss = StructuralLoss(terms={"deletions": (0.5, Deletions())})
    quick(tmp_path, loss=loss, epochs=2, val="kindergarten")
    found = rows(tmp_path)
    columns = ["epoch", "total", "node", "edge", "clique", "deletions", "converged"]
    assert list(found[0]) == [*columns, "val_total", "val_exact"]
    for row in found:
        parts = float(row["node"]) + 0.5 * float(row["edge"]) + 2 * float(row["clique"])
        parts += 0.5 * float(row["deletions"])
        assert parts == pytest.approx(float(row["total"]), rel=1e-6)
    message = "`terms` must be given, got nothing for deletions. Give it anew, such as saved_loss("
    with pytest.raises(InputError, match=re.escape(message)):
        saved_loss(tmp_path)
    again = saved_loss(tmp_path, terms={"deletions": (0.5, Deletions())})
    (trained,), (read,) = loss.parameters(), again.parameters()
    assert torch.equal(trained, read)
    assert trained.item() != 1.0


def test_every_kind_of_loss_comes_back_or_asks_for_its_parts(tmp_path: Path) -> None:
    own: dict[str, Any] = {
        "node_cost": Priced(), "matches": Window(3), "alignment": Aligner(),
        "edge_cost": SeveralRelations(),
    }  # fmt: skip
    for name, value in own.items():
        save_options(tmp_path, loss_options(StructuralLoss(**{name: value})))
        with pytest.raises(InputError, match=rf"`{name}` must be given, got nothing for "):
            saved_loss(tmp_path)
    exact = StructuralLoss(alignment=Exact(slack=0.5))
    save_options(tmp_path, loss_options(exact))
    assert loss_options(saved_loss(tmp_path)) == loss_options(exact)


class OwnLoader(pl.LightningDataModule):
    """A user's own batches, to train and validate on."""

    def __init__(self, *batches: Any) -> None:
        super().__init__()
        self.batches = batches

    def train_dataloader(self) -> Any:
        return DataLoader(list(self.batches), batch_size=None)

    val_dataloader = train_dataloader


def _own(module: TrainingModule, *batches: Any) -> dict[str, float]:
    with _of_lightning():
        trainer = pl.Trainer(**QUIET, max_epochs=1, num_sanity_val_steps=0)
        trainer.fit(module, datamodule=OwnLoader(*batches))
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


@pytest.mark.repeats
def test_batches_of_the_users_own_are_validated_as_ours(tmp_path: Path) -> None:
    train_on = write_pairs(tmp_path / "data.jsonl", PAIRS)
    val = write_pairs(tmp_path / "val.jsonl", [*PAIRS, {"input": "abc", "target": "b"}])
    torch.manual_seed(0)
    data = PairsDataModule(train_on, val, batch_size=4)
    network = untrained_network(data, **SMALL)
    module = TrainingModule(network, StructuralLoss(), lr=0.02)
    _fit(module, data, max_epochs=60)
    module.lr = 0.0
    ours = _fit(module, data, max_epochs=1).callback_metrics
    batches = [held.batch for held in data.val_dataloader()]
    own = _own(module, *batches)
    assert 0.5 < own["val_exact"] < 1
    for name in ("val_total", "val_exact", "val_score"):
        assert own[name] == pytest.approx(float(ours[name])), name
    lists = [(inputs, targets.to_data_list()) for inputs, targets in batches]
    assert _own(module, *lists) == own


class Slots(nn.Module):
    """A user's network that reads vectors: the class of slot `k` is the k-th number, if any."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Prediction:
        label = 20 * self.scale * nn.functional.one_hot(x.clamp(min=0), 4).float()
        relation = torch.tensor([9.0, -9.0]).expand(*x.shape, x.shape[1], 2)
        existence = torch.where(x >= 0, 9.0, -9.0)
        return Prediction.from_dense(label, relation, existence=existence, directed=False)


def _classes(*y: int, **more: Any) -> Data:
    none = torch.empty(2, 0, dtype=torch.long)
    return Data(y=torch.tensor(y), edge_index=none, num_nodes=len(y), **more)


def test_a_network_without_names_is_validated_by_its_classes() -> None:
    module = TrainingModule(Slots(), StructuralLoss(directed=False), lr=0.0)
    x = torch.tensor([[0, 1, -1], [2, 2, 3], [1, -1, -1]])
    found = _own(module, (x, [_classes(1, 0), _classes(2, 3, 2), _classes(3)]))
    assert found["val_exact"] == pytest.approx(2 / 3)
    assert 0 < found["val_score"] < 2 / 3


def test_what_cannot_be_compared_is_noticed_and_left_out() -> None:
    module = TrainingModule(Slots(), StructuralLoss(directed=False), lr=0.0)
    x = torch.tensor([[0, 1, -1]])
    said = r"val_exact and val_score are not logged: `target\.y` must lie in 0 to 3, got -100\. "
    with pytest.warns(Notice, match=said):
        found = _own(module, (x, [_classes(0, -100)]), (x, [_classes(0, 1)]))
    assert "val_total" in found
    assert not {"val_exact", "val_score"} & found.keys()
    data = PairsDataModule("kindergarten", "kindergarten")
    data.setup("fit")
    copying = TrainingModule(untrained_network(data, **{**SMALL, "copy": True}), StructuralLoss())
    with pytest.warns(Notice, match="the network must copy no labels of its inputs, got a Graph"):
        assert "val_total" in _own(copying, *data.measured)


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"x": torch.zeros(1)}, "a batch must be (inputs, targets), got a dict. Let the loader"),
        ([_classes(0)] * 3, "a batch must be (inputs, targets), got a list of 3 (Data). Let"),
        (
            (torch.zeros(1), torch.zeros(1)),
            "the targets of a batch must be a `Batch` or a list of `Data`, got a Tensor. Give",
        ),
        (
            (torch.zeros(1), ["a"]),
            "the targets of a batch must be a `Batch` or a list of `Data`, got a list of 1 (str).",
        ),
        ((torch.zeros(1), []), "`graphs` must hold at least one graph, got none."),
    ],
)
def test_other_batches_are_refused(batch: Any, message: str) -> None:
    module = TrainingModule(Slots(), StructuralLoss(directed=False))
    with pytest.raises(InputError, match="^" + re.escape(message)):
        module.training_step(batch, 0)
    with pytest.raises(InputError, match="^" + re.escape(message)):
        module.validation_step(batch, 0)
