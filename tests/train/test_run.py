"""A training run: it learns, repeats itself, leaves what it says, and spoils nothing."""

import itertools
import json
import math
import re
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from grapheme_torch import GraphTransformNet, InputError, Sinkhorn, StructuralLoss
from grapheme_torch.data import OutputRoom
from grapheme_torch.train import (
    PairsDataModule,
    Summary,
    TrainingModule,
    load_network,
    saved_loss,
    train,
)
from grapheme_torch.train._data import load_split
from grapheme_torch.train._hardware import hardware
from grapheme_torch.train._untrained import share_of_nodes

from .runs import PAIRS, SMALL, contents, listed, quick, rows, write_pairs

FILES = [
    "README.md",
    "answers.jsonl",
    "bounds.json",
    "checkpoints",
    "config.json",
    "current",
    "loss.png",
    "metrics.csv",
    "model.safetensors",
    "summary.json",
    "train.yaml",
]
COLUMNS = ["epoch", "total", "node", "edge", "clique", "converged", "val_total", "val_exact"]


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """What `grapheme train --data kindergarten --out runs/kg` does."""
    out = tmp_path_factory.mktemp("run") / "runs" / "kg"
    return out, train(out, accelerator="cpu")


@pytest.mark.repeats
def test_kindergarten_is_learnt(default: tuple[Path, Summary]) -> None:
    out, summary = default
    totals = [float(row["total"]) for row in rows(out)]
    assert len(totals) == 101
    assert all(after < before for before, after in itertools.pairwise(totals))
    assert summary.monotone
    assert summary.loss_ratio <= 0.01
    assert summary.loss_ratio == summary.final_loss / summary.initial_loss
    assert (summary.initial_loss, summary.final_loss) == (totals[0], totals[-1])
    assert summary.exact_match == 1.0
    assert summary.parameter_change_l2 > 1
    assert (summary.epochs, summary.seed, summary.pairs) == (100, 0, 10)
    assert (summary.val_exact_match, summary.interrupted) == (None, False)
    assert 0 < summary.seconds < 600


@pytest.mark.repeats
def test_what_a_run_leaves(default: tuple[Path, Summary]) -> None:
    out, summary = default
    assert listed(out) == FILES
    document = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert document == asdict(summary)
    promised = {
        "initial_loss", "final_loss", "loss_ratio", "monotone", "parameter_change_l2", "epochs",
        "seconds", "exact_match", "seed",
    }  # fmt: skip
    assert promised <= document.keys()
    lines = (out / "metrics.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].split(",") == COLUMNS
    assert [int(row["epoch"]) for row in rows(out)] == list(range(101))
    for row in rows(out):
        assert (row["val_total"], row["val_exact"]) == ("", "")
        assert row["converged"] == "1.0"
        parts = float(row["node"]) + 0.5 * float(row["edge"]) + 2 * float(row["clique"])
        assert parts == pytest.approx(float(row["total"]), rel=1e-6)
    assert (out / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert load_network(out).config["dim"] == 64
    assert sum(p.numel() for p in load_network(out).parameters()) == summary.parameters


@pytest.mark.repeats
def test_one_seed_gives_one_run(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.rand(3)
        quick(tmp_path / name, seed=seed, batch_size=4)
    a, b, c = (contents(tmp_path / name) for name in "abc")
    for file in ("metrics.csv", "model.safetensors", "config.json"):
        assert a[file] == b[file]
    assert a["metrics.csv"] != c["metrics.csv"]
    assert a["model.safetensors"] != c["model.safetensors"]


@pytest.mark.repeats
def test_several_batches_an_epoch(tmp_path: Path) -> None:
    one = quick(tmp_path / "one", batch_size=10)
    many = quick(tmp_path / "many", batch_size=3)
    assert many.initial_loss == pytest.approx(one.initial_loss, rel=1e-6)
    assert many.final_loss < one.final_loss
    assert many.parameter_change_l2 > one.parameter_change_l2
    assert [row["epoch"] for row in rows(tmp_path / "many")] == ["0", "1", "2"]


@pytest.mark.repeats
def test_buckets_change_the_batches(tmp_path: Path) -> None:
    for name, bucket in (("apart", 1), ("together", 5)):
        assert quick(tmp_path / name, batch_size=2, bucket=bucket).steps == 10
    apart, together = (contents(tmp_path / name) for name in ("apart", "together"))
    assert apart["model.safetensors"] != together["model.safetensors"]
    assert b"\nbucket: 5\n" in together["train.yaml"]


def test_validation_pairs(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS[:3])
    val = write_pairs(tmp_path / "val.jsonl", PAIRS)  # "d" is unknown: such pairs count as wrong
    out = tmp_path / "out"
    summary = quick(out, data=data, val=val, epochs=1)
    assert summary.pairs == 3
    assert 0 <= summary.val_exact_match <= 1
    totals = [float(row["val_total"]) for row in rows(out)]
    assert totals[1] < totals[0]
    same = quick(tmp_path / "same", data=data, val=data, epochs=1)
    assert same.val_exact_match == same.exact_match
    for row in rows(tmp_path / "same"):
        assert float(row["val_total"]) == pytest.approx(float(row["total"]))


def test_validation_pairs_that_are_all_unknown_have_no_loss(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS[:1])
    val = write_pairs(tmp_path / "val.jsonl", PAIRS[3:4])
    summary = quick(tmp_path / "out", data=data, val=val)
    assert summary.val_exact_match == 0.0
    assert [row["val_total"] for row in rows(tmp_path / "out")] == ["", "", ""]


def test_no_epochs_save_the_untrained_model(tmp_path: Path) -> None:
    summary = quick(tmp_path, epochs=0)
    assert (summary.epochs, summary.loss_ratio, summary.parameter_change_l2) == (0, 1.0, 0.0)
    assert listed(tmp_path) == FILES
    assert [row["epoch"] for row in rows(tmp_path)] == ["0"]
    saved = load_network(tmp_path)
    torch.manual_seed(0)
    fresh = GraphTransformNet(saved.labels, saved.relations, **SMALL)
    fresh.expect(share_of_nodes(load_split("kindergarten", None, acyclic=True), OutputRoom()))
    for name, value in saved.state_dict().items():
        assert torch.equal(value, fresh.state_dict()[name])


def test_settings_reach_loss_and_network(tmp_path: Path) -> None:
    loss = StructuralLoss(
        2.0, 0.1, 0.0, criterion="edit", alignment=Sinkhorn(rounds=0, gradient="detach", slack=0.5)
    )
    candidates = {"pairs": "all", "window": 2, "locality": 0.0, "copy": True, "loops": True}
    network = {**SMALL, "candidates": candidates}
    quick(tmp_path, loss=loss, network=network, epochs=1)
    again = saved_loss(tmp_path)
    for name in ("alpha", "beta", "gamma", "criterion", "alignment"):
        assert getattr(again, name) == getattr(loss, name)
    assert load_network(tmp_path).config.items() >= network.items()
    assert saved_loss(tmp_path, criterion="likelihood", hints=None).criterion == "likelihood"


@pytest.mark.repeats
def test_cyclic_targets_are_learnt_with_all_candidates(tmp_path: Path) -> None:
    nodes = [{"id": 0, "label": "a"}, {"id": 1, "label": "b"}]
    edges = [{"source": 0, "target": 1, "label": "x"}, {"source": 1, "target": 0, "label": "y"}]
    pair = {"input": "ab", "target": {"nodes": nodes, "edges": edges}}
    data = write_pairs(tmp_path / "data.jsonl", [pair])
    with pytest.raises(InputError, match=r'data.jsonl:1: the "target" must have no directed cycle'):
        quick(tmp_path / "x", data=data)
    assert not (tmp_path / "x").exists()
    network = {**SMALL, "candidates": {"pairs": "all"}}
    summary = quick(tmp_path / "x", data=data, network=network, epochs=60, lr=0.02)
    assert summary.exact_match == 1.0


@pytest.mark.repeats
@pytest.mark.parametrize(
    "options", [{"lr": 1e30}, {"lr": 1e30, "epochs": 1}, {"lr": 1e30, "batch_size": 3}]
)
def test_a_run_that_diverges_is_refused_and_leaves_the_model(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    quick(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(InputError, match=r"must be finite, got .* lower --lr"):
        quick(tmp_path, overwrite=True, **options)
    after = contents(tmp_path)
    assert after == before


def test_a_gradient_that_is_not_finite_never_reaches_the_weights() -> None:
    network = GraphTransformNet(["a"], ["next"], **SMALL)
    module = TrainingModule(network, StructuralLoss())
    network.heads.label.bias.grad = torch.tensor([math.nan])
    message = "the gradient of `heads.label.bias` in epoch 1 must be finite, got NaN or infinity. "
    with pytest.raises(InputError, match="^" + re.escape(message)):
        module.on_before_optimizer_step(torch.optim.SGD(network.parameters()))


def test_a_run_is_not_overwritten_unasked(tmp_path: Path) -> None:
    quick(tmp_path, epochs=0)
    before = contents(tmp_path)
    message = f"--out {tmp_path} must hold no run yet, got config.json. Choose another --out, or"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path, seed=1)
    assert contents(tmp_path) == before
    quick(tmp_path, seed=1, overwrite=True)
    assert contents(tmp_path)["model.safetensors"] != before["model.safetensors"]


@pytest.mark.parametrize("name", ["train.yaml", "summary.json", "loss.png", "model.safetensors"])
def test_a_file_that_is_not_ours_is_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=f"must hold no run yet, got {name}"):
        quick(tmp_path)
    assert contents(tmp_path) == {name: b"mine"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": -1}, "`epochs` must not be negative, got -1. 0 saves the untrained model."),
        ({"batch_size": 0}, "`batch_size` must be at least 1, got 0. Try 32."),
        ({"bucket": 0}, "`bucket` must be at least 1, got 0. 1 draws batches at random."),
        ({"lr": 0.0}, "`lr` must be positive and at most 1e30, got 0.0. Try 0.003."),
        ({"lr": math.nan}, "`lr` must be positive and at most 1e30, got nan. Try 0.003."),
        ({"lr": 1e39}, "`lr` must be positive and at most 1e30, got 1e+39. Try 0.003."),
        ({"seed": -1}, "`seed` must be from 0 to 2**63 - 1, got -1. "),
        ({"seed": 2**63}, "`seed` must be from 0 to 2**63 - 1, got 9223372036854775808. "),
        ({"threads": 0}, "`threads` must be from 1 to 1024, got 0. "),
        ({"threads": 10**12}, "`threads` must be from 1 to 1024, got 1000000000000. "),
        ({"network": {"dim": 0}}, "`dim` must be at least 1, got 0. Try 64."),
        ({"network": {"dim": 17}}, "`dim` must be a multiple of num_hashes (8), got 17. "),
        ({"network": {"num_buckets": 0}}, "`num_buckets` must be at least 1, got 0. Try 2048."),
        ({"data": "nowhere.jsonl"}, "nowhere.jsonl: the data set must be a readable file, got no"),
        ({"val": "nowhere.jsonl"}, "nowhere.jsonl: the data set must be a readable file, got no"),
    ],
)
def test_refused_options_touch_nothing(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path / "out", **options)
    assert contents(tmp_path) == {}


def test_a_gpu_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    message = "`accelerator` must be one that is there, got 'gpu' without a CUDA device. Leave it"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path / "out", accelerator="gpu")
    assert contents(tmp_path) == {}


def test_an_unknown_accelerator_is_refused() -> None:
    message = "`accelerator` must be auto, cpu or gpu, got 'tpu'. Leave it out to take what there"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        hardware("tpu")


def test_out_is_a_folder_that_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for out, cause in (("file", "File exists"), ("file/x", "Not a directory"), ("a\0", "embedded")):
        message = f"--out {tmp_path / out} must be a folder that can be made, got {cause}"
        with pytest.raises(InputError, match="^" + re.escape(message)):
            quick(tmp_path / out)
    with pytest.raises(InputError, match=r"^`out` must name a folder, got ''\. Name one"):
        train("")
    assert contents(tmp_path) == {"file": b"x"}


def test_targets_without_a_node_are_refused(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS[2:3])
    message = f"{data}: the targets must have a node, got only empty graphs. Add pairs"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path / "out", data=data)


def test_training_works_beside_the_main_thread(tmp_path: Path) -> None:
    found: list[Summary] = []
    worker = threading.Thread(target=lambda: found.append(quick(tmp_path)))
    worker.start()
    worker.join()
    assert found[0].epochs == 2


def test_paths_may_be_paths(tmp_path: Path) -> None:
    data = Path(write_pairs(tmp_path / "data.jsonl", PAIRS))
    first, out = tmp_path / "first", tmp_path / "run"
    quick(first, data=data, val=data)
    quick(out, data=data, init=first)
    assert quick(out, data=data, init=first, resume=True, epochs=3).epochs == 3
    options = yaml.safe_load((out / "train.yaml").read_text(encoding="utf-8"))
    assert (options["data"], options["init"]) == (str(data), str(first))
    assert len(PairsDataModule(data, data).split.val) == len(PAIRS)
