"""Batches of loaders of the user's own: what is in them, and how many of them are answered exactly.

Those of `PairsDataModule` hold the graphs with their labels beside; these hold classes only.
"""

from typing import Any

from torch import nn
from torch_geometric.data import Data

from .._check import Received, refusal
from ..data import Alphabet
from ..edits import find_isomorphism
from ..metrics import labelled
from ..prediction import Prediction
from ..targets import join_targets


def sides_of(batch: Any) -> tuple[Any, Data]:
    """Inputs and targets of a batch; the targets joined if they come one by one.

    Args:
        batch: `(inputs, targets)`: what the network takes, and what the loss takes.

    Raises:
        InputError: If it is not that.
    """
    if not (isinstance(batch, tuple | list) and len(batch) == 2):
        remedy = "Let the loader's `collate_fn` return both, or override the steps of the module."
        raise refusal("a batch", "be (inputs, targets)", _kind(batch), remedy)
    inputs, targets = batch
    if isinstance(targets, list | tuple) and all(isinstance(one, Data) for one in targets):
        return inputs, join_targets(targets)
    if not isinstance(targets, Data):
        remedy = "Give node classes `y` and `edge_index`, or encode graphs: `Alphabet.encode`."
        wanted = "be a `Batch` or a list of `Data`"
        raise refusal("the targets of a batch", wanted, _kind(targets), remedy)
    return inputs, targets


def exact_of_classes(
    network: nn.Module, prediction: Prediction, targets: Data, alphabet: Alphabet | None
) -> int:
    """The number of pairs answered exactly, of encoded targets.

    Args:
        network: What predicted.
        prediction: What it said.
        targets: Classes `y`, and `edge_type` where there are several.
        alphabet: The strings of the classes. Default: their numbers.

    Raises:
        InputError: If answers and targets cannot be compared: there are no classes, one is
            unknown, or the network copies labels that only the inputs know.
    """
    if getattr(network, "own", None) is not None:
        remedy = "Validate it on batches of `PairsDataModule`, or by `evaluate`."
        got = Received(f"a {type(network).__name__} that does")
        raise refusal("the network", "copy no labels of its inputs", got, remedy)
    answers, wanted = labelled(prediction, targets, alphabet, None)
    sides = zip(answers, wanted, strict=True)
    return sum(find_isomorphism(one, other) is not None for one, other in sides)


def _kind(value: Any) -> Received:
    name = type(value).__name__
    if isinstance(value, tuple | list):
        kinds = sorted({type(one).__name__ for one in value})
        return Received(f"a {name} of {len(value)} ({', '.join(kinds) or 'empty'})")
    return Received(f"a {name}")
