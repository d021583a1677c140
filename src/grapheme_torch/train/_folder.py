"""What a training run leaves behind, and what is read from it later."""

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from .._check import InputError, Received, refusal, relocate, require
from .._files import write_text
from ..loss import StructuralLoss
from ..nn import GraphTransformNet

SUMMARY, METRICS, PICTURE, OPTIONS = "summary.json", "metrics.csv", "loss.png", "train.yaml"
LASTING = ("config.json", "model.safetensors", SUMMARY, PICTURE, OPTIONS)
"""What a run that was refused half-way has not left: it leaves its metrics.csv only."""


def claim(out: Path, *, overwrite: bool) -> bool:
    """Makes the folder of a run; refuses one that holds a run, unless it may be replaced.

    Nothing in it is touched: each file is replaced when its successor is complete.

    Returns:
        Whether it holds a run.
    """
    remedy = "Choose another --out, or allow it with --overwrite."
    try:
        held = [name for name in LASTING if (out / name).exists()]
        if held and not overwrite:
            raise refusal(f"--out {out}", "hold no run yet", Received(held[0]), remedy)
        out.mkdir(parents=True, exist_ok=True)
        return bool(held)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        cause = Received(getattr(error, "strerror", None) or str(error))
        raise refusal(f"--out {out}", "be a folder that can be made", cause, remedy) from None


def save_options(out: Path, options: dict[str, Any]) -> None:
    """Writes the options of a run so that `grapheme train --config OUT/train.yaml` repeats it."""
    write_text(out / OPTIONS, yaml.safe_dump(options, sort_keys=False, allow_unicode=True))


def loss_options(loss: StructuralLoss) -> dict[str, Any]:
    """The arguments that make this loss again."""
    return {name: getattr(loss, name) for name in _arguments()}


def saved_loss(folder: str | Path, **changes: Any) -> StructuralLoss:
    """The loss a model was trained with, read from its run; the default loss where there is none.

    Args:
        folder: The folder of the run.
        changes: Arguments of `StructuralLoss` to use instead of the saved ones; None keeps them.

    Raises:
        InputError: "FILE: ..." if the options of the run are spoilt.
    """
    chosen = {name: value for name, value in changes.items() if value is not None}
    saved = _saved_options(Path(folder) / OPTIONS)
    return StructuralLoss(**{**saved, **chosen})


def _saved_options(path: Path) -> dict[str, Any]:
    """The arguments of the loss in the options of a run, which make a loss."""
    try:
        saved = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
        require(isinstance(saved, dict), "it", "hold options by name", saved, "Train again.")
        known = {name: value for name, value in saved.items() if name in _arguments()}
        StructuralLoss(**known)
    except InputError as error:
        relocate(error, str(path))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError) as error:
        cause = Received(str(error).replace("\n", " "))
        raise refusal(
            str(path), "hold the options of a run", cause, "Remove or restore it."
        ) from None
    return known


def load_network(folder: str | Path) -> GraphTransformNet:
    """The network of a run, ready to predict."""
    network = GraphTransformNet.from_pretrained(folder).eval()
    if saved_loss(folder).directed is False:  # older runs told only the loss
        network.directed = False
    return network


def load_members(
    folders: Sequence[str | Path],
) -> list[tuple[GraphTransformNet, StructuralLoss]]:
    """The networks of some runs, each with its loss, for `predict_together`."""
    return [(load_network(folder), saved_loss(folder, reduction="none")) for folder in folders]


def _arguments() -> list[str]:
    """The arguments of the loss that a run decides: the mean of labelled pairs is given."""
    names = inspect.signature(StructuralLoss).parameters
    return [name for name in names if name not in ("reduction", "node_cost", "node_scale")]
