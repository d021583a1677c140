"""Taking batches apart and putting them together."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from .._check import InputError, Received, refusal, require
from ._kinds import indices

_REMEDY = "Give every prediction the same form, or leave the others out."


class NoSuchGraph(InputError, IndexError):
    """A graph that is not there; an `IndexError` too, so that a loop over a batch ends."""


def numbers(graphs: int | slice | Tensor | Sequence[int], size: int) -> Int[Tensor, " k"]:
    """The graphs that an index names, as numbers from 0 on.

    Raises:
        NoSuchGraph: If one is not there.
        InputError: If it is no index.
    """
    if isinstance(graphs, slice):
        return torch.tensor(range(size)[graphs], dtype=torch.long)
    index = graphs if isinstance(graphs, Tensor) else _as_tensor(graphs)
    if index.dtype == torch.bool:
        remedy = "Give one entry per graph, or numbers."
        fits = tuple(index.shape) == (size,)
        got = Received(str(tuple(index.shape)))
        require(fits, "a mask of graphs", f"have shape ({size},)", got, remedy)
        return index.nonzero()[:, 0]
    index = indices("`graphs`", index).reshape(-1)
    if index.numel():
        least, most = int(index.min()), int(index.max())
        if least < -size or most >= size:
            bad, wanted = least if least < -size else most, f"lie in [{-size}, {size})"
            error = refusal("`graphs`", wanted, bad, f"The batch has {size} graphs.")
            raise NoSuchGraph(*error.args)
    return torch.where(index < 0, index + size, index)


def _as_tensor(graphs: object) -> Tensor:
    try:
        found = torch.as_tensor(graphs)
    except (TypeError, ValueError, RuntimeError):
        remedy = "Give a number, a slice, a list of numbers, or a mask."
        raise refusal("`graphs`", "name graphs of the batch", graphs, remedy) from None
    return found if found.numel() else found.long()


def joined(name: str, values: list[Any]) -> Any:
    """A field of several predictions: tensors one below the other, anything else as it is."""
    forms = {_form(value) for value in values}
    wanted = "be alike in all predictions (width, device; or missing in all)"
    got = Received(" and ".join(sorted(map(str, forms))))
    require(len(forms) == 1, f"`Prediction.{name}`", wanted, got, _REMEDY)
    return torch.cat(values) if isinstance(values[0], Tensor) else values[0]


def _form(value: object) -> object:
    if not isinstance(value, Tensor):
        return value
    return f"(rows{''.join(f', {width}' for width in value.shape[1:])}) on {value.device}"
