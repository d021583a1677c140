"""The models of yoyodyne that are trained.

Which, and with what settings, was chosen on words held back from the training words, in short runs;
docs/log.md tells of those that lost.
"""

import math
from dataclasses import dataclass
from typing import Any

_MODULES = "yoyodyne.models.modules"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model of yoyodyne.

    Args:
        name: What it is called in tables.
        init_args: Settings of the model, in yoyodyne's words.
        class_path: Its class.
        batch_size: Words in a batch.
        pace: Epochs in a minute of the processor, rounded down: the learning rate falls to zero
            over those that fit.
    """

    name: str
    class_path: str
    init_args: dict[str, Any]
    batch_size: int = 32
    pace: float

    def epochs(self, minutes: float) -> int:
        """How many are planned."""
        return max(1, math.floor(self.pace * minutes))

    def settings(self, minutes: float) -> dict[str, Any]:
        """What the key `model` of its settings holds."""
        falling = {
            "class_path": "torch.optim.lr_scheduler.CosineAnnealingLR",
            "init_args": {"T_max": self.epochs(minutes)},
        }
        return {
            "class_path": self.class_path, "init_args": self.init_args | {"scheduler": falling}
        }  # fmt: skip


def _transformer(
    size: int, embedding: int, layers: int, dropout: float, rate: float, features: bool = False
) -> dict[str, Any]:
    """Settings of a transformer with rotary places, as many layers to read as to write.

    Args:
        size: Of the layers between attentions.
        embedding: Of symbols, and of all that is attended to.
        layers: Layers on each side.
        dropout: Share of what is dropped.
        rate: Learning rate at the start.
        features: Whether features go beside the letters; each is embedded by itself.
    """
    shared = {"embedding_size": embedding, "dropout": dropout}
    found = {
        "source_encoder": _encoder("RotaryTransformer", hidden_size=size, layers=layers, **shared),
        "embedding_size": embedding, "decoder_hidden_size": size, "decoder_layers": layers,
        "decoder_dropout": dropout,
        "optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": rate}},
    }  # fmt: skip
    if features:
        found["features_encoder"] = _encoder("Linear", output_size=embedding, **shared)
    return found


def _encoder(kind: str, **options: Any) -> dict[str, Any]:
    return {"class_path": f"{_MODULES}.{kind}Encoder", "init_args": options}


MODELS = {
    "inflection-fin": Model(
        name="pointer-generator transformer, rotary",
        class_path="yoyodyne.models.PointerGeneratorRotaryTransformerModel",
        init_args=_transformer(256, 128, 2, 0.1, 0.001, features=True),
        pace=1.3,
    ),
    "g2p-fre": Model(
        name="transformer, rotary",
        class_path="yoyodyne.models.RotaryTransformerModel",
        init_args=_transformer(256, 128, 2, 0.1, 0.001),
        pace=2.5,
    ),
}
