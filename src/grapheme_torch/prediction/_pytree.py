"""Predictions as a tree of tensors, for `vmap`, compilers, export and files of weights."""

from dataclasses import fields
from typing import Any, TypeVar

import torch
from torch.utils import _pytree as pytree

Whole = TypeVar("Whole", bound=type)

_Context = tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]
"""Names of the fields that are tensors, and the other fields with their values."""

_STATIC = ("num_graphs", "directed")


def _flatten(prediction: Any) -> tuple[list[Any], _Context]:
    """The tensors; a field that is None is none of them.

    By name, not by type: transforms put numbers in the place of tensors.
    """
    values = {f.name: getattr(prediction, f.name) for f in fields(prediction)}
    names = tuple(x for x, value in values.items() if x not in _STATIC and value is not None)
    other = tuple((x, value) for x, value in values.items() if x not in names)
    return [values[name] for name in names], (names, other)


def _flatten_with_keys(prediction: Any) -> tuple[list[tuple[Any, Any]], _Context]:
    children, context = _flatten(prediction)
    keys = [pytree.GetAttrKey(name) for name in context[0]]
    return list(zip(keys, children, strict=True)), context


def _load(context: Any) -> _Context:
    names, other = context
    return tuple(names), tuple((name, value) for name, value in other)


def as_tree(kind: Whole) -> Whole:
    """Makes a class of predictions known to PyTorch's trees and to files of weights."""

    def unflatten(children: Any, context: _Context) -> Any:
        # Without a check: transforms put stacks of tensors, or none at all, in their place.
        names, other = context
        found: Any = object.__new__(kind)
        found.__dict__.update(zip(names, children, strict=True), **dict(other))
        return found

    pytree.register_pytree_node(
        kind,
        _flatten,
        unflatten,
        serialized_type_name="grapheme_torch.Prediction",
        to_dumpable_context=list,
        from_dumpable_context=_load,
        flatten_with_keys_fn=_flatten_with_keys,
    )
    torch.serialization.add_safe_globals([kind])
    return kind
