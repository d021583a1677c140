"""Where the first number that is not finite came from: which pair, and which part of the step."""

import copy
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from .._check import InputError, Received, refusal
from ..loss import StructuralLoss, StructuralLossResult
from ..prediction import Prediction
from ._measure import reported

_NODE, _EDGE = ("existence", "label", "position", "embedding"), ("relation", "weight")
_LISTED = 3
"""Pairs of a batch that are named where it cannot be told which one it was."""


class Anomaly(InputError):
    """A loss or a gradient of the training was not finite; no weight has been moved by it."""


@dataclass(frozen=True, eq=False)
class Step:
    """What one call of the loss in training was given, and what it said.

    Args:
        inputs, targets: The batch.
        prediction: What the network said.
        loss: The loss that was taken.
        result: What it said; None if it refused.
        number: Steps done before.
    """

    inputs: Any
    targets: Any
    prediction: Prediction
    loss: StructuralLoss
    result: StructuralLossResult | None
    number: int = 0

    def place(self, pair: int) -> str:
        """Where a pair stands, "FILE:LINE"; its number in the batch where the data do not say."""
        count = self.prediction.num_graphs
        places = getattr(self.inputs, "place", None)
        if isinstance(places, (list, tuple)) and len(places) == count:
            return str(places[pair])
        return f"pair {pair + 1} of the {count} in step {self.number + 1}"

    def batch(self) -> str:
        """The first pairs of the batch, in words."""
        count = self.prediction.num_graphs
        first = ", ".join(self.place(k) for k in range(min(count, _LISTED)))
        return f"the batch of {first}{', ...' if count > _LISTED else ''}"

    def again(self, pair: int) -> tuple[Prediction, StructuralLossResult]:
        """The loss of one pair by itself, from logits that need a gradient."""
        alone = self.prediction.select(pair).detach().requires_grad_()
        with torch.enable_grad():
            return alone, self.loss(alone, _one(self.targets, pair))


def is_sound(steps: Sequence[Step], norm: Tensor) -> bool:
    """Whether all losses, and the norm of their gradient, are finite: one look at the device."""
    totals = [step.result.total.detach() for step in steps if step.result is not None]
    return bool(sum(totals, norm).isfinite())


def raise_anomaly(
    steps: Sequence[Step], network: nn.Module, parameters: Iterable[tuple[str, Tensor]], epoch: int
) -> None:
    """Tells what is not finite and where it came from; returns if all is finite after all.

    Args:
        steps: Calls of the loss whose gradient is in `parameters`.
        network: What predicted.
        parameters: Names, and tensors that have their gradient.
        epoch: Of the run, from 1.

    Raises:
        Anomaly: Names the pair, the part and the remedy.
    """
    for step in steps:
        if step.result is not None and not step.result.total.isfinite().all():
            _raise_for_loss(step, epoch)
    for name, parameter in parameters:
        if parameter.grad is not None and not parameter.grad.isfinite().all():
            where = f"the gradient of `{name}` in epoch {epoch}"
            origins = (_origin_of_gradient(step, network) for step in steps)
            origin = next((f" from {one}" for one in origins if one is not None), "")
            remedy = _remedy("train again at a lower --lr or a higher --alignment.temperature.")
            raise _anomaly(where, f"NaN or infinity{origin}", remedy)


def raise_refusal(error: InputError, step: Step, epoch: int) -> NoReturn:
    """What the loss refused, with the place of the pair that it is about, if it is about some."""
    origin = _bad_output(step)
    if origin is not None:
        _raise_for_output(step, *origin, epoch)
    told = [_refusal(step, pair) for pair in range(step.prediction.num_graphs)]
    refused = [pair for pair, message in enumerate(told) if message is not None]
    if refused and (len(refused) < len(told) or len(told) == 1):
        raise InputError(f"{step.place(refused[0])}: {told[refused[0]]}") from None
    raise error


def _refusal(step: Step, pair: int) -> str | None:
    try:
        step.again(pair)
    except InputError as error:
        return str(error)
    return None


def _raise_for_loss(step: Step, epoch: int) -> NoReturn:
    """The first output of the network, or else term of the loss, that is not finite."""
    origin = _bad_output(step)
    if origin is not None:
        _raise_for_output(step, *origin, epoch)
    remedy = _remedy(
        "check the target, or train again at a lower --lr or a higher --alignment.temperature."
    )
    for pair in range(step.prediction.num_graphs):
        _, result = step.again(pair)
        for part, value in _parts(result).items():
            if not value.isfinite().all():
                where = f"{step.place(pair)}: {part} in epoch {epoch}"
                raise _anomaly(where, _shown(value), remedy)
    assert step.result is not None
    # By itself each pair has a loss: what is drawn at random was another.
    where = f"the loss of {step.batch()} in epoch {epoch}"
    raise _anomaly(where, _shown(step.result.total), remedy)


def _raise_for_output(step: Step, pair: int, name: str, value: str, epoch: int) -> NoReturn:
    where = f"{step.place(pair)}: the network's output `{name}` in epoch {epoch}"
    raise _anomaly(where, value, _remedy("check the input, or train again at a lower --lr."))


def _bad_output(step: Step) -> tuple[int, str, str] | None:
    """The first pair with an output that is no logit, its name, and the value.

    Minus infinity is a logit: it says that something is impossible.
    """
    said = step.prediction
    owners = dict.fromkeys(_NODE, said.batch)
    owners |= dict.fromkeys(_EDGE, said.batch[said.edge_index[0]])
    found: list[tuple[int, str, str]] = []
    for name, owner in owners.items():
        values: Tensor | None = getattr(said, name)
        if values is None:
            continue
        wrong = values.isnan() | (values == math.inf)
        rows = wrong.flatten(1).any(1) if wrong.ndim > 1 else wrong
        if rows.any():
            first = int(rows.nonzero()[0])
            found.append((int(owner[first]), name, _shown(values[first])))
    return min(found, key=lambda one: one[0], default=None)


def _origin_of_gradient(step: Step, network: nn.Module) -> str | None:
    """The pair and the part whose derivative is not finite, in words; None if each one is."""
    pairs = range(step.prediction.num_graphs)
    for pair in pairs:
        alone, result = step.again(pair)
        outputs = [getattr(alone, name) for name in (*_NODE, *_EDGE)]
        wanted = [x for x in outputs if x is not None and x.requires_grad]
        wanted += [p for p in step.loss.parameters() if p.requires_grad]
        for part, value in _parts(result).items():
            if value.requires_grad and not _is_smooth(value, wanted):
                return f"{step.place(pair)}, {part}"
    for pair in pairs:
        if not _is_smooth_network(step, pair, copy.deepcopy(network)):
            return f"{step.place(pair)}, in the network"
    return None


def _is_smooth(value: Tensor, wanted: Sequence[Tensor]) -> bool:
    slopes = torch.autograd.grad(value.sum(), wanted, retain_graph=True, allow_unused=True)
    return all(bool(slope.isfinite().all()) for slope in slopes if slope is not None)


def _is_smooth_network(step: Step, pair: int, network: nn.Module) -> bool:
    """Whether the network passes on a finite gradient for this pair."""
    network.zero_grad()
    with torch.enable_grad():
        said = network(_one(step.inputs, pair))
        step.loss(said, _one(step.targets, pair)).total.backward()
    slopes = [p.grad for p in network.parameters() if p.grad is not None]
    return all(bool(slope.isfinite().all()) for slope in slopes)


def _parts(result: StructuralLossResult) -> dict[str, Tensor]:
    """What is told of a result, in words: the terms, then their sum."""
    values = {name: x for name, x in reported(result).items() if name != "converged"}
    total = values.pop("total")
    return {f"the {name} term": x for name, x in values.items()} | {"the total": total}


def _one(batch: Any, pair: int) -> Any:
    """A pair's side of a batch, as a batch of one; a side that is no batch is taken whole."""
    if not hasattr(batch, "get_example"):
        return batch
    return type(batch).from_data_list([batch.get_example(pair)])


def _shown(value: Tensor) -> str:
    wrong = value.detach().flatten()
    return str(float(wrong[~wrong.isfinite()][0]))


def _remedy(what: str) -> str:
    return f"The weights are as before this step; {what}"


def _anomaly(where: str, value: str, remedy: str) -> Anomaly:
    return Anomaly(str(refusal(where, "be finite", Received(value), remedy)))
