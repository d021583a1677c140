"""Predictions with every field, for tests that none is forgotten."""

from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from grapheme_torch import Prediction

NAMES = tuple(f.name for f in fields(Prediction))


def full(sizes: tuple[int, ...] = (3, 0, 2, 1), *, directed: bool = False) -> Prediction:
    """A batch of graphs of these sizes with every field; candidates stand in no order."""
    draw = torch.Generator().manual_seed(len(sizes))

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw)

    batch = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    ends = (batch[:, None] == batch).triu(1).nonzero()
    ends = ends[torch.randperm(len(ends), generator=draw)]
    n, e = len(batch), len(ends)
    return Prediction(
        existence=normal(n),
        label=normal(n, 3),
        edge_index=ends.T.contiguous(),
        relation=normal(e, 2),
        batch=batch,
        num_graphs=len(sizes),
        position=normal(n, 2),
        weight=normal(e),
        embedding=normal(n, 5),
        directed=directed,
    )


def parts(whole: Prediction) -> dict[str, Any]:
    """Its fields by name."""
    return {name: getattr(whole, name) for name in NAMES}


def assert_same(found: Prediction, wanted: Prediction) -> None:
    """Field by field, whatever fields there are."""
    for name, value in parts(wanted).items():
        got = getattr(found, name)
        assert type(got) is type(value), name
        assert torch.equal(got, value) if isinstance(value, Tensor) else got == value, name
