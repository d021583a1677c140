"""What a loss is given: a prediction and a batch of targets, in this order."""

from typing import Any

import networkx as nx
import torch
from torch import Tensor
from torch_geometric.data import Data, HeteroData

from ..._check import Received, refusal
from ...prediction import Prediction
from ...targets import join_targets


def joined(target: Any) -> Any:
    """The target: those of a list as one batch, anything else as it is."""
    return join_targets(target) if _all(target, Data) else target


def check_kinds(prediction: object, target: object) -> None:
    """Refuses anything but a `Prediction` and a `Data` or `Batch`, and says what to do.

    Raises:
        InputError: Naming the argument, what came, and how to turn it into what is wanted.
    """
    if not isinstance(prediction, Prediction):
        got, remedy = _shown(prediction), "Build one, or use `Prediction.from_dense`."
        if isinstance(prediction, Data | HeteroData | nx.Graph) or isinstance(target, Prediction):
            remedy = "The prediction comes first: `loss(prediction, target)`."
        elif _all(prediction, Prediction):
            remedy = "Join them: `Prediction.cat(predictions)`."
        raise refusal("`prediction`", "be a `Prediction`", got, remedy)
    if not isinstance(target, Data):
        remedy = (
            "Give node classes `y` and `edge_index`: `Data(y=..., edge_index=..., num_nodes=...)`."
        )
        if isinstance(target, HeteroData):
            remedy = "Convert it: `target.to_homogeneous()`, then number its classes in `y`."
        elif isinstance(target, nx.Graph) or _all(target, nx.Graph):
            remedy = (
                "Convert it: `target_from_networkx(graph)`, or, if its labels are words, "
                "`Alphabet.encode(graph_from_networkx(graph))`."
            )
        elif isinstance(target, Prediction):
            remedy = "A target has classes, not logits; `decode` reads a prediction."
        raise refusal("`target`", "be a `Data` or `Batch`", _shown(target), remedy)


def check_device(name: str, value: Tensor, device: torch.device) -> None:
    """Refuses a tensor that is not where the prediction is."""
    if value.device != device:
        remedy = "Move both to one device: target.to(prediction.existence.device)."
        raise refusal(f"`{name}`", f"be on {device}, as the prediction", value.device, remedy)


def _all(value: object, kind: type) -> bool:
    """Whether it is a list or tuple of such things."""
    return (
        isinstance(value, list | tuple) and bool(value) and all(isinstance(x, kind) for x in value)
    )


def _shown(value: object) -> Received:
    """The kind of a thing, and of what is in it."""
    name = type(value).__name__
    if isinstance(value, list | tuple):
        kinds = sorted({type(x).__name__ for x in value})
        return Received(f"a {name} of {' and '.join(kinds) or 'nothing'}")
    return Received("nothing" if value is None else f"a {name}")
