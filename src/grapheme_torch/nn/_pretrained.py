"""A network on disk: weights that cannot run code (safetensors) beside a JSON description."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor

from .._check import InputError, Received, refusal, require
from .._files import write_bytes, write_json
from .._safe_files import open_regular, read_regular
from ._saved_config import check_config, room_for

FORMAT = "grapheme-torch"
VERSION = 2
CONFIG, WEIGHTS = "config.json", "model.safetensors"
LARGEST_CONFIG = 2**26
"""Bytes of a description; a label has a dozen."""


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


def load_config(folder: Path) -> dict[str, Any]:
    """The description of a saved network, every value of its kind; refuses what is not one."""
    config = _load_config(folder / CONFIG)
    try:
        check_config(config)
    except InputError as error:
        raise unlike(folder, error) from None
    # 0.2.0 did not say it: it scored edges without direction from the earlier node alone.
    return {"symmetric": False, **config}


def unlike(folder: Path, error: Exception) -> InputError:
    """The refusal of a folder whose description and weights are not of one network."""
    remedy = "Train the model again, or give the folder that `grapheme train` wrote."
    name = f"{folder / CONFIG} and {WEIGHTS}"
    cause = Received(" ".join(str(error).split())[:500].rstrip("."))
    return refusal(name, "describe one and the same network", cause, remedy)


def _load_config(path: Path) -> dict[str, Any]:
    remedy = "Give the folder that `grapheme train` or `save_pretrained` wrote."
    try:
        document = json.loads(
            read_regular(path, at_most=LARGEST_CONFIG, within=path.parent).decode()
        )
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


def read_header(path: Path, wanted: Mapping[str, Tensor]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Kind and shape of the tensors of a file by name; none of them is read.

    Args:
        path: The file.
        wanted: What is to be read from it, which says how large it may be.

    Raises:
        InputError: If it is no safetensors file in its own folder, or larger.
    """
    with _reading(path):
        open_regular(path, within=path.parent, at_most=room_for(wanted)).close()
        with safe_open(path, "pt") as file:
            parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            return {
                name: (part.get_dtype(), tuple(part.get_shape())) for name, part in parts.items()
            }


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors by name, all finite, of a file whose header was found to be right."""
    with _reading(path):
        weights = load_file(path)
    for name, tensor in weights.items():
        bad = int((~torch.isfinite(tensor)).sum())
        got = Received(f"{bad} NaN or infinite of {tensor.numel()} in `{name}`")
        require(
            bad == 0, str(path), "hold finite weights only", got, "Train again, at a lower --lr."
        )
    return weights


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Refuses, in words, a file of weights that cannot be read within the body."""
    remedy = "Restore the file, or train again: weights are only read from safetensors."
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        cause = Received(str(getattr(error, "strerror", None) or error))
        raise refusal(str(path), "be a readable file", cause, remedy) from None
    except SafetensorError as error:
        raise refusal(str(path), "be a safetensors file", Received(str(error)), remedy) from None
