"""A network on disk: weights that cannot run code (safetensors) beside a JSON description."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor

from .._check import Received, refusal, require
from .._files import write_bytes, write_json

FORMAT = "grapheme-torch"
VERSION = 2
CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save_model(folder: Path, config: dict[str, Any], weights: dict[str, Tensor]) -> None:
    """Writes the weights, then the description; each file appears whole or not at all."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = Received(str(error.strerror))
        raise refusal(str(folder), "be a folder", cause, "Choose another place.") from None
    save_tensors(folder / WEIGHTS, weights)
    # Which clusters a text falls into depends on the Unicode version that `regex` knows.
    document = {"format": FORMAT, "version": VERSION, "regex": version("regex"), "network": config}
    write_json(folder / CONFIG, document)


def save_tensors(path: Path, weights: dict[str, Tensor]) -> None:
    """Writes tensors by name; the file appears whole or not at all."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    write_bytes(path, serialise(contiguous))


def load_model(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The description and the weights of a saved network; refuses what is not one."""
    return _load_config(folder / CONFIG), read_weights(folder / WEIGHTS)


def _load_config(path: Path) -> dict[str, Any]:
    remedy = "Give the folder that `grapheme train` or `save_pretrained` wrote."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise refusal(
            str(path), "be a readable file", Received(str(error.strerror)), remedy
        ) from None
    except (ValueError, RecursionError) as error:
        raise refusal(str(path), "be JSON", Received(str(error)), remedy) from None
    ours = isinstance(document, dict) and document.get("format") == FORMAT
    require(ours, str(path), f'say "format": "{FORMAT}"', document, remedy)
    written = document.get("version")
    other = "Another release wrote it: install that one, or train the model again."
    require(written == VERSION, str(path), f'say "version": {VERSION}', written, other)
    network = document.get("network")
    require(isinstance(network, dict), str(path), 'hold an object "network"', network, remedy)
    foreign = network.get("class")
    remedy = "Make one and read its weights: `load_network(folder, network)`."
    require(foreign is None, str(path), "describe a GraphTransformNet", foreign, remedy)
    return dict(network)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors by name, all finite."""
    remedy = "Restore the file, or train again: weights are only read from safetensors."
    try:
        weights = load_file(path)
    except OSError as error:
        cause = Received(str(error.strerror or error))
        raise refusal(str(path), "be a readable file", cause, remedy) from None
    except SafetensorError as error:
        raise refusal(str(path), "be a safetensors file", Received(str(error)), remedy) from None
    for name, tensor in weights.items():
        bad = int((~torch.isfinite(tensor)).sum())
        got = Received(f"{bad} NaN or infinite of {tensor.numel()} in `{name}`")
        require(
            bad == 0, str(path), "hold finite weights only", got, "Train again, at a lower --lr."
        )
    return weights
