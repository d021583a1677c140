"""Pictures of alignments: into every logger that takes them, and past those that do not."""

import warnings
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from torch import nn
from torch.utils.data import DataLoader
from torch_geometric.data import Batch

from grapheme_torch import GraphTransformNet, InputError, Sinkhorn, StructuralLoss, text_to_graph
from grapheme_torch.data import Alphabet
from grapheme_torch.train import AlignmentImages, TrainingModule

from ..unchecked import unchecked


class Album(Logger):
    """Keeps pictures, as the logger of Weights & Biases sends them."""

    name, version = "album", ""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.seen: list[tuple[str, int, np.ndarray]] = []
        self.fails = fails

    def log_image(self, key: str, images: list[Any], step: int | None = None) -> None:
        self.seen.append((key, step or 0, images[0]))
        if self.fails:
            raise OSError("the disk is full")

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to keep."""

    def log_metrics(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to keep."""


def module_and_batch() -> tuple[TrainingModule, tuple[Batch, Batch]]:
    graphs = [text_to_graph(text) for text in ("abc", "ca", "b")]
    alphabet = Alphabet.of(graphs)
    torch.manual_seed(0)
    network = GraphTransformNet(
        dim=16, num_layers=1, num_buckets=64, labels=alphabet.labels, relations=alphabet.relations
    )
    targets = [alphabet.encode(graph) for graph in graphs]
    batch = Batch.from_data_list(graphs), Batch.from_data_list(targets)
    loss = StructuralLoss(alignment=Sinkhorn(temperature=2.0))  # or the plan is sharp at once
    return TrainingModule(network, loss, lr=0.1), batch


def fit(module: Any, batch: Any, loggers: list[Any], epochs: int = 4, **options: Any) -> None:
    trainer = pl.Trainer(
        max_epochs=epochs, logger=loggers, accelerator="cpu", enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=1,
        callbacks=[AlignmentImages(*batch, **options)],
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        trainer.fit(module, DataLoader([batch], batch_size=None, collate_fn=lambda one: one))


def test_pictures_come_before_the_first_step_and_every_so_many_epochs(tmp_path: Path) -> None:
    album = Album()
    module, batch = module_and_batch()
    fit(module, batch, [CSVLogger(tmp_path), album], every=2)
    keys = [(key, step) for key, step, _ in album.seen]
    assert keys == [(f"alignment/{k}", step) for step in (0, 2, 4) for k in (0, 1)]
    for _, _, image in album.seen:
        assert image.ndim == 3
        assert image.shape[2] == 3
        assert image.std() > 10
    assert not np.array_equal(album.seen[0][2], album.seen[-2][2])
    assert module.network.training


def test_they_are_in_the_files_of_tensorboard(tmp_path: Path) -> None:
    module, batch = module_and_batch()
    fit(module, batch, [TensorBoardLogger(tmp_path)], epochs=1, pairs=1, every=1)
    (events,) = tmp_path.rglob("events.*")
    assert events.read_bytes().count(b"alignment/0") == 2
    assert b"\x89PNG" in events.read_bytes()


def test_training_is_the_same_with_and_without() -> None:
    weights = []
    for loggers in ([], [Album()]):
        module, batch = module_and_batch()
        fit(module, batch, loggers, every=1)
        weights.append(nn.utils.parameters_to_vector(module.network.parameters()))
    assert torch.equal(*weights)


@pytest.mark.repeats
def test_a_logger_that_fails_ends_no_run() -> None:
    album, other = Album(fails=True), Album()
    module, batch = module_and_batch()
    with pytest.warns(UserWarning, match="Album failed and gets no more pictures.*disk is full"):
        fit(module, batch, [album, other], every=1)
    assert (len(album.seen), len(other.seen)) == (1, 10)


def test_what_cannot_be_drawn_is_refused() -> None:
    module, batch = module_and_batch()
    with pytest.raises(InputError, match="`every` must be at least 1, got 0"):
        unchecked(AlignmentImages)(*batch, every=0)
    with pytest.raises(InputError, match="the module must have an attribute `model`"):
        fit(module, batch, [Album()], network="model")
