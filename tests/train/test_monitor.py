"""What a run tells its loggers, and what becomes of a run whose logger fails."""

import math
import re
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.loggers import CSVLogger, Logger

from grapheme_torch import GraphTransformNet, InputError, Sinkhorn, StructuralLoss
from grapheme_torch._check import Notice
from grapheme_torch.nn import OutputSlots
from grapheme_torch.train import Monitoring, TrainingModule, load_network
from grapheme_torch.train._gradient_norms import gradient_norms, layer_groups

from .runs import PAIRS, SMALL, contents, listed, quick, rows, write_pairs
from .test_anomaly import Spike
from .test_run import FILES

Told = dict[str, dict[int, float]]


def scalars(folder: Path) -> Told:
    """The values by step of each curve in the only file of a folder."""
    from tensorboardX.proto.event_pb2 import Event

    (file,) = folder.iterdir()
    content, found, place = file.read_bytes(), dict[str, dict[int, float]](), 0
    while place < len(content):
        (size,) = struct.unpack_from("<Q", content, place)
        event = Event.FromString(content[place + 12 : place + 12 + size])
        for value in event.summary.value:
            found.setdefault(value.tag, {})[event.step] = value.simple_value
        place += 16 + size
    return found


class Listener(Logger):
    """A logger of the user's own.

    Args:
        fails: The method that raises an error.
        folder: Where it would write.
    """

    def __init__(self, fails: str = "", folder: str = "") -> None:
        super().__init__()
        self.fails, self.folder = fails, folder
        self.told: list[tuple[int | None, dict[str, float]]] = []
        self.options: dict[str, Any] = {}
        self.ended: list[str] = []

    @property
    def name(self) -> str:
        return "listener"

    @property
    def version(self) -> str:
        return ""

    def _perhaps(self, what: str) -> None:
        if what == self.fails:
            raise OSError("no space left on device")

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        self._perhaps("log_metrics")
        self.told.append((step, dict(metrics)))

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        del args, kwargs
        self._perhaps("log_hyperparams")
        self.options = dict(params)

    def finalize(self, status: str) -> None:
        self._perhaps("finalize")
        self.ended.append(status)


LISTENERS: list[Listener] = []


class Made(Listener):
    """A listener that is found again when its class was all that was named."""

    def __init__(self, save_dir: str, fails: str = "") -> None:
        super().__init__(fails, save_dir)
        LISTENERS.append(self)


class Missing(Listener):
    """A logger whose package is not there, as it is with WandbLogger."""

    def __init__(self) -> None:
        raise ModuleNotFoundError("wandb>=0.12.10 is required. Try to install it.")


def test_a_run_writes_curves_for_tensorboard(tmp_path: Path) -> None:
    quick(
        tmp_path, epochs=3, batch_size=5, val="kindergarten", monitoring=Monitoring(log_every=2)
    )  # fmt: skip
    found, table = scalars(tmp_path / "tensorboard"), rows(tmp_path)
    ends = [0, 2, 4, 6]
    for name in ("total", "node", "edge", "clique", "converged", "val_total", "val_exact"):
        wanted = [float(row[name]) for row in table]
        assert found[f"epoch/{name}"] == pytest.approx(dict(zip(ends, wanted, strict=True)))
    steps = {name: set(curve) for name, curve in found.items() if not name.startswith("epoch/")}
    assert {name.removeprefix("gradient/") for name in steps if name.startswith("gradient/")} == {
        "embedding", "message", "attention", "heads",
    }  # fmt: skip
    for name in ("total", "node", "edge", "clique", "residual", "not_converged", "lr"):
        assert f"step/{name}" in steps
    assert all(curve == {0, 2, 4} for curve in steps.values())
    assert found["step/lr"][4] == pytest.approx(3e-3)
    assert found["step/temperature"][4] == pytest.approx(0.1)
    assert 0 <= found["step/residual"][4] < 1e-3
    assert all(math.isfinite(x) for curve in found.values() for x in curve.values())


def test_what_does_not_converge_is_told(tmp_path: Path) -> None:
    loss = StructuralLoss(alignment=Sinkhorn(max_iterations=1, temperature=0.01))
    listener = Listener()
    quick(tmp_path, loss=loss, epochs=1, logger=listener, monitoring=Monitoring(log_every=1))
    (step,) = (values for _, values in listener.told if "step/total" in values)
    assert 0 < step["step/not_converged"] <= 1
    assert step["step/residual"] > 1e-6
    assert [number for number, _ in listener.told] == [0, 0, 1]  # epoch 0, the step, epoch 1
    assert listener.options["epochs"] == 1
    assert listener.ended == ["success"]
    assert "tensorboard" not in {path.name for path in tmp_path.iterdir()}


def test_each_parameter_has_its_group() -> None:
    slots = OutputSlots(per_node=2, num_layers=1)
    network = GraphTransformNet(
        ["a"], ["next"], **{**SMALL, "copy": True}, ngrams=2, slots=slots
    )  # fmt: skip
    module = TrainingModule(network, StructuralLoss(terms={"spike": (1.0, Spike())}))
    module.loss.weight = torch.nn.Parameter(torch.ones(2))
    for parameter in module.parameters():
        parameter.grad = torch.ones_like(parameter)
    groups = layer_groups(module)
    assert set(groups) == {"embedding", "message", "attention", "heads", "loss"}
    squares = sum(float(norm) ** 2 for norm in gradient_norms(groups).values())
    assert squares == pytest.approx(sum(p.numel() for p in module.parameters()), rel=1e-5)
    own = TrainingModule(torch.nn.Sequential(torch.nn.Linear(1, 1)), StructuralLoss())
    assert set(layer_groups(own)) == {"0"}


@pytest.mark.repeats
def test_a_logger_is_chosen_by_name_or_class(tmp_path: Path) -> None:
    quick(tmp_path / "a", monitoring=Monitoring(logger="none"))
    assert listed(tmp_path / "a") == FILES
    assert not (tmp_path / "a" / "tensorboard").exists()
    quick(tmp_path / "b", monitoring=Monitoring(logger="csv", log_every=1))
    (table,) = (tmp_path / "b" / "csv").rglob("metrics.csv")
    assert "step/residual" in table.read_text(encoding="utf-8").splitlines()[0]
    chosen = Monitoring(logger=f"{__name__}.Made")
    quick(tmp_path / "c", monitoring=chosen)
    assert LISTENERS.pop().folder == str(tmp_path / "c")
    options = {"save_dir": str(tmp_path), "version": "mine"}
    path = "lightning.pytorch.loggers.CSVLogger"
    quick(tmp_path / "d", monitoring=Monitoring(logger=path, logger_options=options))
    assert (tmp_path / "lightning_logs" / "mine" / "metrics.csv").exists()
    listener = Listener()
    quick(tmp_path / "e", logger=[listener, CSVLogger(tmp_path, name="e")])
    assert listener.told


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"logger": "tensorbord"}, "`logger` must be one of tensorboard, none, csv, wandb, "),
        ({"logger": "nowhere.Logger"}, "the logger `nowhere.Logger` must be in a module, got No"),
        ({"logger": "json.nothing"}, "the logger `json.nothing` must be a class of loggers of"),
        ({"logger": "os.system"}, "the logger `os.system` must be a class of loggers of Lightning"),
        (
            {"logger": f"{__name__}.Missing"},
            f"the logger `{__name__}.Missing` must be one that can be made, got wandb>=0.12.10 is "
            "required. Try to install it. Install what it needs",
        ),
        (
            {"logger": "csv", "logger_options": {"nme": 1}},
            "the logger `csv` must be one that can be made, got CSVLogger.__init__() got an",
        ),
        ({"logger": "none", "logger_options": {"a": 1}}, "`logger_options` must be left out for "),
        ({"log_every": 0}, "`log_every` must be at least 1, got 0. Try 50."),
    ],
)  # fmt: skip
def test_a_logger_that_cannot_be_made_is_refused_before_the_data_are_read(
    tmp_path: Path, chosen: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path / "out", data="nowhere.jsonl", monitoring=Monitoring(**chosen))
    assert not (tmp_path / "out").exists()


@pytest.mark.repeats
@pytest.mark.parametrize("what", ["log_hyperparams", "log_metrics", "finalize"])
def test_a_logger_that_fails_ends_no_run(tmp_path: Path, what: str) -> None:
    other = Listener()
    with pytest.warns(Notice, match=r"^Listener failed and is told no more .*: no space left") as w:
        summary = quick(tmp_path, logger=[Listener(what), other])
    assert len(w) == 1
    assert summary.epochs == 2
    load_network(tmp_path)
    assert [step for step, _ in other.told] == [0, 0, 1, 2]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_ends_the_curves_but_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the writer of Lightning's logger would wait for ever."""

    def full(_: str) -> Any:
        return open("/dev/full", "wb", buffering=0)

    monkeypatch.setattr("tensorboardX.record_writer.open_file", full)
    with pytest.warns(Notice, match=r"^EventLogger failed and .*: \[Errno 28\] No space left") as w:
        quick(tmp_path, monitoring=Monitoring(log_every=1))
    assert len(w) == 1
    load_network(tmp_path)


def test_a_run_that_fails_tells_its_loggers(tmp_path: Path) -> None:
    listener, data = Listener(), write_pairs(tmp_path / "data.jsonl", PAIRS)
    loss = StructuralLoss(terms={"spike": (0.5, Spike())})
    with pytest.raises(InputError, match="the spike term"):
        quick(tmp_path / "out", data=data, loss=loss, logger=listener)
    assert listener.ended == ["failed"]


def test_without_tensorboardx_there_is_metrics_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.startswith("tensorboardX")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.warns(Notice, match=r"^`tensorboardX` is not installed: .* only metrics\.csv\. "):
        quick(tmp_path)
    assert len(rows(tmp_path)) == 3
    assert not (tmp_path / "tensorboard").exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "tensorboard").symlink_to(elsewhere)
    with pytest.raises(InputError, match=r"tensorboard must be no link, got a link\."):
        quick(out)
    assert contents(tmp_path) == {}
