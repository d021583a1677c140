"""What config.json may say of a network, checked before a byte is allocated for it."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from .._check import Received, refusal, require

_FILE = "model.safetensors"

MAX_SIZE = 2**31
"""No whole number of a description reaches it."""

_REMEDY = "Restore it."


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_SIZE


def _number(value: Any) -> bool:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and abs(value) < MAX_SIZE and math.isfinite(value)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_Check = tuple[Callable[[Any], bool], str]
_WHOLE: _Check = (_whole, "be a whole number from 0, below 2^31")
_FLAG: _Check = (lambda value: isinstance(value, bool), "be true or false")
_SHARE: _Check = (_number, "be a finite number")
_NAMES: _Check = (_names, "be a list of texts")
_WORD: _Check = (lambda value: isinstance(value, str), "be a text")
_WINDOW: _Check = (lambda value: value is None or _whole(value), f"{_WHOLE[1]}, or null")

_FIELDS: dict[str, _Check | dict[str, _Check]] = {
    "labels": _NAMES, "relations": _NAMES, "dim": _WHOLE, "num_layers": _WHOLE,
    "num_heads": _WHOLE, "num_buckets": _WHOLE, "ngrams": _WHOLE,
    "candidates": {"pairs": _WORD, "window": _WINDOW, "locality": _SHARE, "copy": _FLAG,
                   "loops": _FLAG},
    "slots": {"per_node": _WHOLE, "num_layers": _WHOLE, "in_turn": _FLAG},
    "queries": {"number": _WHOLE, "num_layers": _WHOLE}, "features": _WHOLE,
    "dropout": {"layers": _SHARE, "labels": _SHARE},
    "copy": _FLAG, "uncopied": _NAMES, "places": _WORD, "directed": _FLAG,
    "symmetric": _FLAG,
}  # fmt: skip


def check_config(config: Mapping[str, Any]) -> None:
    """Refuses a description whose values are not of their kind.

    What a network has no option for is refused by the network itself.

    Raises:
        InputError: Naming the option.
    """
    for name, wanted in _FIELDS.items():
        if name not in config:
            continue
        value = config[name]
        if isinstance(wanted, dict):
            named = value is None or isinstance(value, Mapping)
            require(named, f"`{name}`", "hold options by name", value, _REMEDY)
            for key in wanted.keys() & (value or {}).keys():
                _check(f"`{name}.{key}`", wanted[key], value[key])
        else:
            _check(f"`{name}`", wanted, value)


def _check(name: str, wanted: _Check, value: Any) -> None:
    is_one, requirement = wanted
    require(is_one(value), name, requirement, value, _REMEDY)


def check_tensors(
    wanted: Mapping[str, Tensor], found: Mapping[str, tuple[str, tuple[int, ...]]]
) -> None:
    """Refuses a file whose tensors are not those of a module, by what its header says of them.

    Args:
        wanted: The tensors of the module, maybe without memory.
        found: Kind and shape of those of the file, by name.

    Raises:
        InputError: Naming the first tensor that differs, or kinds that are mixed.
    """
    for name in sorted(wanted.keys() ^ found.keys()):
        got = Received(f"{'no' if name in wanted else 'a'} tensor `{name[:60]}`")
        raise refusal(_FILE, "hold the tensors that its config.json describes", got, _REMEDY)
    for name, tensor in wanted.items():
        requirement = f"hold `{name}` of shape {list(tensor.shape)}"
        shape = found[name][1]
        require(shape == tuple(tensor.shape), _FILE, requirement, list(shape), _REMEDY)
    kinds = {kind for kind, _ in found.values()}
    got = Received(", ".join(sorted(kinds)))
    alike = len(kinds) <= 1 and kinds <= {"F64", "F32", "F16", "BF16"}
    require(alike, _FILE, "hold weights of one of F64, F32, F16, BF16", got, _REMEDY)


def room_for(tensors: Mapping[str, Tensor]) -> int:
    """The most bytes that a file of these tensors may have, its header included."""
    numbers = sum(tensor.numel() for tensor in tensors.values())
    names = sum(len(name) for name in tensors)
    widest = torch.finfo(torch.float64).bits // 8
    return widest * numbers + names + 2**10 * len(tensors) + 2**20
