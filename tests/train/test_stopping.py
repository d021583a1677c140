"""When a run ends, which of its networks it keeps, and what it measures on the way."""

import math
import re
import warnings
from functools import partial
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader
from torch_geometric.data import Batch

from grapheme_torch import GraphTransformNet, Hints, InputError, StructuralLoss, text_to_graph
from grapheme_torch.data import Alphabet, load_pairs
from grapheme_torch.train import BestNetwork, Stopping, _fit, evaluate
from grapheme_torch.train._checkpoints import Checkpointing
from grapheme_torch.train._console import standing
from grapheme_torch.train._datamodule import sample
from grapheme_torch.train._history import Row
from grapheme_torch.train._measure import measure
from grapheme_torch.train._stopping import Patience, score

from ..unchecked import unchecked
from .runs import PAIRS, SMALL, contents, quick, rows, write_pairs


def _row(epoch: int, exact: float = math.nan, total: float = math.nan) -> Row:
    return {"epoch": epoch, "total": 1.0, "converged": 1.0, "val_exact": exact, "val_total": total}


PAIRS_TO_VALIDATE = 4


class Validated(pl.LightningModule):
    """The network has the number of its epoch for a weight; validations say what they are told."""

    def __init__(self, validations: list[tuple[float, float]]) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self._validations = validations

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        return -self.weight.sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1.0)

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        exact, total = self._validations[int(self.weight)]
        if not math.isnan(exact):
            found = score(round(exact * PAIRS_TO_VALIDATE), PAIRS_TO_VALIDATE, total)
            self.log("val_score", torch.tensor(found, dtype=torch.float64), batch_size=1)


def _selected(
    validations: list[tuple[float, float]],
    *,
    keep: Literal["best", "last"] = "best",
    patience: int = 99,
) -> tuple[BestNetwork, Patience, float, int]:
    """What a run with these validations kept; its length."""
    best, early = BestNetwork(keep), Patience(patience)
    trainer = pl.Trainer(
        max_epochs=len(validations) - 1, callbacks=[best, early], num_sanity_val_steps=-1,
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    module, loader = Validated(validations), DataLoader(torch.zeros(1, 1))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        trainer.fit(module, loader, loader)
    return best, early, best.kept(trainer, module).weight.item(), trainer.current_epoch


BETTER_AND_WORSE = [(0.0, 9.0), (0.5, 5.0), (0.5, 4.0), (0.25, 0.5), (0.5, 4.5), (0.25, 1.0)]


def test_most_exact_matches_then_the_lower_loss() -> None:
    best, early, kept, length = _selected(BETTER_AND_WORSE)
    assert best.best is not None
    assert (best.best["epoch"], kept, length) == (2, 2.0, 5)
    assert not early.is_exhausted


def test_the_last_network_is_kept_if_wished() -> None:
    best, _, kept, _ = _selected(BETTER_AND_WORSE, keep="last")
    assert best.best is not None
    assert (best.best["epoch"], kept) == (2, 5.0)


@pytest.mark.parametrize(("patience", "length"), [(1, 3), (2, 4), (3, 5), (4, 5)])
def test_patience_counts_validations(patience: int, length: int) -> None:
    _, early, kept, found = _selected(BETTER_AND_WORSE, patience=patience)
    assert (found, kept, early.is_exhausted) == (length, 2.0, patience < 4)


def test_of_networks_that_cannot_be_told_apart_the_later_is_kept() -> None:
    _, early, kept, length = _selected([(0.0, math.nan)] * 4, patience=2)
    assert (kept, length, early.is_exhausted) == (2.0, 2, True)


@given(
    st.integers(1, 1000).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n))
    ),
    st.tuples(*[st.floats(-1e3, 1e3, width=32)] * 2),
)
def test_a_score_goes_by_exact_matches_and_then_by_the_loss(
    counts: tuple[int, int, int], losses: tuple[float, float]
) -> None:
    pairs, one, other = counts
    first, second = score(one, pairs, losses[0]), score(other, pairs, losses[1])
    if (one, -losses[0]) > (other, -losses[1]):
        assert first > second or math.isclose(losses[0], losses[1], abs_tol=1e-6)
    assert score(one, pairs, math.nan) <= first


@pytest.mark.repeats
def test_a_run_saves_its_best_network(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS[:2])
    val = write_pairs(tmp_path / "val.jsonl", PAIRS)
    options: dict[str, Any] = {"data": data, "epochs": 25, "lr": 0.05}
    best = quick(tmp_path / "best", val=val, **options)
    found = rows(tmp_path / "best")
    merit = [(float(row["val_exact"]), -float(row["val_total"])) for row in found]
    assert best.best_epoch == best.saved_epoch == merit.index(max(merit))
    assert 0 < best.best_epoch < 25  # it overfits: the last is not the best
    report = evaluate(tmp_path / "best", load_pairs(val))
    assert best.val_exact_match == report.metrics["exact_match"] == max(merit)[0]
    assert report.loss["total"] == pytest.approx(float(found[best.best_epoch]["val_total"]))
    assert best.final_loss == float(found[-1]["total"])
    last = quick(tmp_path / "last", val=val, stopping=Stopping(keep="last"), **options)
    assert (last.best_epoch, last.saved_epoch) == (best.best_epoch, 25)
    assert last.val_exact_match == merit[-1][0]
    plain = quick(tmp_path / "plain", **options)
    assert (plain.best_epoch, plain.saved_epoch) == (None, 25)
    files = [contents(tmp_path / name)["model.safetensors"] for name in ("best", "last", "plain")]
    assert files[0] != files[1] == files[2]


def test_a_run_that_stands_still_ends(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS[:1])
    val = write_pairs(tmp_path / "val.jsonl", PAIRS[3:4])  # unknown labels: never right
    stopping = Stopping(patience=2, val_every=3)
    summary = quick(tmp_path / "out", data=data, val=val, epochs=50, stopping=stopping)
    assert (summary.epochs, summary.stopped_early, summary.saved_epoch) == (6, True, 6)
    assert len(rows(tmp_path / "out")) == 7


@pytest.mark.repeats
def test_validation_every_few_epochs_and_after_the_last(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS)
    summary = quick(tmp_path, data=data, val=data, epochs=5, stopping=Stopping(val_every=2))
    found = rows(tmp_path)
    for name in ("val_total", "val_exact"):
        assert [row["epoch"] for row in found if row[name]] == ["0", "2", "4", "5"]
    assert summary.val_exact_match == float(found[summary.saved_epoch]["val_exact"])


def test_the_time_ends_a_run_within_an_epoch(tmp_path: Path) -> None:
    stopping = Stopping(minutes=1e-9)
    summary = quick(tmp_path, epochs=9, batch_size=2, val="kindergarten", stopping=stopping)
    assert (summary.out_of_time, summary.steps, summary.epochs) == (True, 1, 1)
    assert [row["val_exact"] != "" for row in rows(tmp_path)] == [True, True]


def test_a_checkpoint_within_an_epoch_holds_the_best_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[list[float]] = []
    original = GraphTransformNet.save_pretrained

    def save(network: GraphTransformNet, folder: Path, **options: Any) -> None:
        saved.append(network.heads.existence.bias.tolist())
        original(network, folder, **options)

    monkeypatch.setattr(GraphTransformNet, "save_pretrained", save)
    often: dict[str, Any] = {"epochs": 1, "batch_size": 5, "checkpoint": Checkpointing(steps=1)}
    quick(tmp_path / "a", val="kindergarten", **often)
    assert len(saved) == 3  # after a step, after the epoch, with the summary
    assert saved[0] != saved[1] == saved[2]  # nothing better than row 0 before the end
    saved.clear()
    quick(tmp_path / "b", **often)
    assert saved[0] != saved[1] == saved[2]


@pytest.mark.repeats
def test_checkpoints_wait_for_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    monkeypatch.setattr(_fit._Run, "_save", lambda *_: saved.append(1))
    for when, count in (
        (Checkpointing(share=1e-9), 3),  # the first and the last epoch, and the end
        (Checkpointing(epochs=4, share=1.0), 2),
        (Checkpointing(share=1.0), 5),
        (Checkpointing(steps=1, share=1.0), 9),
        (Checkpointing(minutes=1e-9, share=1.0), 9),
    ):
        saved.clear()
        quick(tmp_path / str(count) / str(when.minutes), epochs=4, batch_size=5, checkpoint=when)
        assert len(saved) == count, when


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "`epochs` must be at least 1, got 0. 1 saves after each epoch."),
        ({"minutes": 0.0}, "`minutes` must be positive and finite, got 0.0. "),
        ({"steps": 0}, "`steps` must be at least 1, got 0. Leave it out, or try 1000."),
        ({"share": 0.0}, "`share` must lie in (0, 1], got 0.0. 1 saves after every epoch."),
    ],
)
def test_checkpoints_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        Checkpointing(**options)


@pytest.mark.repeats
@pytest.mark.parametrize(
    ("pairs", "batch_size", "measured"), [(250, 250, 250), (250, 50, 100), (90, 50, 90)]
)
def test_the_loss_of_many_pairs_is_measured_on_a_sample(
    tmp_path: Path, pairs: int, batch_size: int, measured: int
) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS * (pairs // 5))
    summary = quick(tmp_path / "out", data=data, epochs=0, batch_size=batch_size)
    assert (summary.pairs, summary.measured) == (pairs, measured)
    again = quick(tmp_path / "again", data=data, epochs=0, batch_size=batch_size)
    assert again.initial_loss == summary.initial_loss


@pytest.mark.repeats
def test_the_same_pairs_are_measured_after_every_epoch(tmp_path: Path) -> None:
    pairs = [{"input": "abc" + "d" * k, "target": "a" * k} for k in range(150)]
    data = write_pairs(tmp_path / "data.jsonl", pairs)
    summary = quick(tmp_path / "out", data=data, epochs=1, lr=1e-30)
    assert summary.measured == 100
    assert summary.final_loss == summary.initial_loss


def test_noise_is_the_same_at_every_measurement_and_leaves_the_generator_alone() -> None:
    graph = text_to_graph("aab")
    alphabet = Alphabet.of([graph])
    network = GraphTransformNet(alphabet.labels, alphabet.relations, **SMALL)
    batch = Batch.from_data_list([graph]), Batch.from_data_list([alphabet.encode(graph)])
    noisy = partial(measure, network, StructuralLoss(hints=Hints(noise=0.5)), [batch])
    before = torch.get_rng_state()
    assert noisy() == noisy() != measure(network, StructuralLoss(), [batch])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_sample_is_the_same_each_time_and_in_order() -> None:
    pairs = load_pairs("kindergarten") * 10
    assert sample(pairs, 100) == pairs
    assert sample([], 4) == []
    chosen = sample(list(range(100)), 20)
    assert chosen == sample(list(range(100)), 20) == sorted(set(chosen))
    assert len(chosen) == 20
    assert len({k % 5 for k in chosen}) == 5  # files may be periodic: a stride would not do


def test_what_the_bar_says() -> None:
    assert standing([_row(0)], 0.003) == "loss 1, lr 0.003"
    assert standing([_row(0, 0.5), _row(1)], 1e-4) == "loss 1, val exact 50.0%, lr 0.0001"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minutes": 0.0}, "`minutes` must be positive and finite, got 0.0. Leave it out"),
        ({"minutes": math.nan}, "`minutes` must be positive and finite, got nan. Leave it out"),
        ({"val_every": 0}, "`val_every` must be at least 1, got 0. 1 validates after each epoch."),
        ({"patience": 0}, "`patience` must be at least 1, got 0. Leave it out, or try 5."),
        ({"keep": "x"}, "`keep` must be best or last, got 'x'. Try best."),
    ],
)
def test_refused_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        unchecked(Stopping)(**options)


def test_patience_needs_pairs_to_validate_on(tmp_path: Path) -> None:
    message = "`patience` must be left out without validation pairs, got 3. Give validation pairs"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path / "out", stopping=Stopping(patience=3))
    assert contents(tmp_path) == {}


@pytest.mark.repeats
def test_the_random_numbers_of_a_run_do_not_depend_on_its_validation(tmp_path: Path) -> None:
    stopping = Stopping(keep="last")
    quick(tmp_path / "a", batch_size=4)
    quick(tmp_path / "b", batch_size=4, val="kindergarten", stopping=stopping)
    a, b = (contents(tmp_path / name)["model.safetensors"] for name in "ab")
    assert a == b
    assert torch.initial_seed() == 0
