"""The models of yoyodyne that are trained.

Which, and with what settings, was chosen on words held back from the training words, in short runs;
docs/log.md tells of those that lost.
"""

from dataclasses import dataclass
from typing import Any

_MODULES = "yoyodyne.models.modules"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model of yoyodyne.

    Args:
        name: What it is called in tables.
        settings: What the key `model` of its settings holds.
        batch_size: Words in a batch.
    """

    name: str
    settings: dict[str, Any]
    batch_size: int


def encoder(kind: str, **options: Any) -> dict[str, Any]:
    """An encoder of the given class."""
    return {"class_path": f"{_MODULES}.{kind}Encoder", "init_args": options}


def _attentive(size: int, embedding: int, dropout: float, **features: Any) -> dict[str, Any]:
    """A recurrent network with attention, which reads both ways and writes one."""
    shared = {"embedding_size": embedding, "dropout": dropout}
    return {
        "class_path": "yoyodyne.models.SoftAttentionLSTMModel",
        "init_args": {
            "source_encoder": encoder("LSTM", hidden_size=size, **shared),
            "decoder_hidden_size": size, "embedding_size": embedding, "decoder_dropout": dropout,
            "optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.002}},
            **features,
        },
    }  # fmt: skip


MODELS = {
    "inflection-fin": Model(
        name="attentive LSTM", batch_size=32,
        settings=_attentive(100, 64, 0.1, features_encoder=encoder(
            "Linear", embedding_size=64, output_size=200, dropout=0.1)),
    ),
    "g2p-fre": Model(name="attentive LSTM", batch_size=32, settings=_attentive(100, 64, 0.1)),
}  # fmt: skip
