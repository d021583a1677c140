"""Numbers on the nodes of a graph: read from lists, checked, and written back."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from .._check import Received, require
from .._tensors import described, has_numbers

_REMEDY = "Give every node as many numbers, or none in all the graph."


def feature_tensor(
    rows: Sequence[Any], count: int, name: Callable[[int], str]
) -> Float[Tensor, "n k"]:
    """The numbers of each node as one row, float32.

    Args:
        rows: A list of numbers per node, all of one length.
        count: Number of nodes.
        name: What to call the row of a node in a refusal.

    Raises:
        InputError: Naming the first row that is not as required.
    """
    got = Received(f"{len(rows)}")
    require(len(rows) == count, "`features`", f"have one row per node ({count})", got, _REMEDY)
    width = len(rows[0]) if count and _is_listed(rows[0]) else 0
    for k, row in enumerate(rows):
        listed = _is_listed(row)
        require(listed, name(k), "be a list of numbers", row, "Write [12.5], or rename the key.")
        require(len(row) > 0, name(k), "hold a number at least", row, "Leave it out.")
        wanted = f"have as many numbers as that of node 0 ({width})"
        require(len(row) == width, name(k), wanted, Received(f"{len(row)}"), _REMEDY)
        bad = [value for value in row if not is_number(value)]
        require(not bad, name(k), "hold finite numbers only", bad[:1], "Replace it, or the node.")
    return torch.tensor([[float(value) for value in row] for row in rows]).reshape(count, width)


def features_of(graph: Data) -> Float[Tensor, "n k"] | None:
    """The numbers of every node; None where the graph has none.

    Raises:
        InputError: If they are no float tensor with a row per node, or one is not finite.
    """
    features = graph.get("features")
    if features is None:
        return None
    count = graph.num_nodes or 0
    fits = has_numbers(features) and features.is_floating_point()
    fits = fits and features.ndim == 2 and len(features) == count
    wanted = f"be a float tensor with a row per node ({count})"
    require(fits, "`graph.features`", wanted, described(features), _REMEDY)
    finite = bool(features.isfinite().all())
    require(finite, "`graph.features`", "be finite", Received("NaN or infinity"), _REMEDY)
    found: Tensor = features
    return found


def feature_width(graph: Data) -> int:
    """How many numbers each node of a graph has; 0 where it has none."""
    features = graph.get("features")
    return 0 if features is None else int(features.shape[1])


def written_features(features: Float[Tensor, "n k"]) -> list[list[float]]:
    """The numbers as JSON holds them: of those that give them again, the shortest decimals."""
    return [[float(str(value)) for value in row] for row in features.detach().cpu().numpy()]


def is_number(value: object) -> bool:
    """Whether a node can stand there."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e30


def _is_listed(row: object) -> bool:
    return isinstance(row, Sequence) and not isinstance(row, str | bytes)
