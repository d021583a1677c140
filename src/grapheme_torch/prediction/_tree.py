"""Predictions as a tree of tensors, for `vmap`, compilers, export and files of weights."""

from dataclasses import fields
from typing import Any

import torch
from torch.utils import _pytree as pytree

from ._prediction import Prediction

_Context = tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]
"""Names of the fields that are tensors, and the other fields with their values."""

_STATIC = ("num_graphs", "directed")


def _flatten(prediction: Prediction) -> tuple[list[Any], _Context]:
    """The tensors; a field that is None is none of them.

    By name, not by type: transforms put numbers in the place of tensors.
    """
    values = {f.name: getattr(prediction, f.name) for f in fields(prediction)}
    names = tuple(x for x, value in values.items() if x not in _STATIC and value is not None)
    other = tuple((x, value) for x, value in values.items() if x not in names)
    return [values[name] for name in names], (names, other)


def _flatten_with_keys(prediction: Prediction) -> tuple[list[tuple[Any, Any]], _Context]:
    children, context = _flatten(prediction)
    keys = [pytree.GetAttrKey(name) for name in context[0]]
    return list(zip(keys, children, strict=True)), context


def _unflatten(children: Any, context: _Context) -> Prediction:
    """Without a check: transforms put stacks of tensors, or none at all, in their place."""
    names, other = context
    found = object.__new__(Prediction)
    found.__dict__.update(zip(names, children, strict=True), **dict(other))
    return found


def _load(context: Any) -> _Context:
    names, other = context
    return tuple(names), tuple((name, value) for name, value in other)


def register() -> None:
    """Makes predictions known to PyTorch's trees and to `torch.load(weights_only=True)`."""
    pytree.register_pytree_node(
        Prediction,
        _flatten,
        _unflatten,
        serialized_type_name="grapheme_torch.Prediction",
        to_dumpable_context=list,
        from_dumpable_context=_load,
        flatten_with_keys_fn=_flatten_with_keys,
    )
    torch.serialization.add_safe_globals([Prediction])
