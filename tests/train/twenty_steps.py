"""Twenty steps in float64, by as many processes as asked for; writes the loss of the whole set.

python twenty_steps.py OUT PROCESSES STEPS
"""

import json
import sys
import warnings
from pathlib import Path

import lightning.pytorch as pl
import torch

from grapheme_torch import GraphTransformNet, StructuralLoss
from grapheme_torch.train import PairsDataModule, TrainingModule, is_main, measure

EPOCHS, BATCH = 7, 4  # ten pairs: batches of 4, 4 and 2, which do not divide into equal parts


def curve(processes: int, steps: int) -> list[float]:
    """The loss of all pairs after each epoch."""
    torch.manual_seed(0)
    data = PairsDataModule("kindergarten", batch_size=BATCH, seed=3)
    network = GraphTransformNet(
        data.alphabet.labels, data.alphabet.relations, dim=16, num_layers=1, num_heads=2
    )
    module = TrainingModule(network, StructuralLoss(), lr=1e-2, alphabet=data.alphabet)
    losses: list[float] = []

    class Watch(pl.Callback):
        def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            found = measure(module.network, module.loss, data.measured)
            losses.append(found["total"])

    trainer = pl.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", devices=processes, accumulate_grad_batches=steps,
        strategy="ddp" if processes > 1 else "auto", precision="64-true", callbacks=[Watch()],
        use_distributed_sampler=False, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    assert trainer.global_step >= 20
    return losses


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    found = curve(int(sys.argv[2]), int(sys.argv[3]))
    if is_main():
        Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")
