"""One call of the loss: reads the batch, asks an engine once, and says what came of it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from .._check import Received, require
from ..prediction import Prediction
from ._engines import dense
from ._large import large
from ._options import Dense, Sinkhorn, check_temperature
from ._program import edge_costs
from ._result import StructuralLossResult, result_of
from ._spec import Spec
from .batch._arguments import check_kinds, joined
from .batch._groups import grouped
from .batch._masks import masked
from .batch._pairs import Pairs
from .batch._read import read
from .layouts._padded_plan import PaddedPlan
from .terms._unmatched_edges import unmatched_charge


class Call(NamedTuple):
    """What a call gives besides a batch, see `StructuralLoss.forward`."""

    temperature: float | Float[Tensor, " #B"] | None = None
    start: Float[Tensor, "B N1 M1"] | None = None
    match_cost: Float[Tensor, "B N1 M1"] | None = None
    groups: int = 1


def compare(
    spec: Spec, prediction: Prediction, target: Data | Sequence[Data], call: Call
) -> StructuralLossResult:
    """The loss of a batch of predictions against a batch of targets.

    Raises:
        InputError: If they cannot be compared.
    """
    target = joined(target)
    check_kinds(prediction, target)
    # Under autocast products of plans would be rounded to half precision.
    kind = prediction.existence.device.type
    exact = torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else None
    with exact or nullcontext():
        whole = not isinstance(spec.matches, Dense)
        pairs = read(prediction, target, spec, placed=whole or spec.hints.position > 0)
        if call.groups != 1:
            prediction, pairs = grouped(prediction, pairs, call.groups)
        _check_size(spec, pairs)
        temperature = _temperature(spec, call.temperature)
        if whole:
            _check_not_given(start=call.start, match_cost=call.match_cost)
            return large(spec, masked(pairs, prediction, spec), temperature)
        pairs, (terms, found) = dense(
            pairs, prediction, spec, temperature, call.start, call.match_cost
        )
        plan = PaddedPlan(found.plan, pairs.layout.count, pairs.target.layout.count)
        return result_of(spec, pairs, _refunded(spec, pairs, terms, plan), plan, found)


def _refunded(
    spec: Spec, pairs: Pairs, terms: Mapping[str, Tensor], plan: PaddedPlan
) -> Mapping[str, Tensor]:
    """The terms, less what is not to be charged for edges at nodes that match nothing, (E52)."""
    if not spec.refund:
        return terms
    matched = plan.padded[:, :-1, :-1].sum(2)
    unaligned = edge_costs(spec, pairs, edits=spec.edit).unaligned
    charged = unmatched_charge(pairs, matched, unaligned)
    own = {name: x for name, x in terms.items() if name != "total"}
    back = own["edge"].new_zeros(pairs.num_pairs).index_add(0, pairs.graph, charged.to(own["edge"]))
    return own | {"edge": own["edge"] - spec.refund * back}


compare_eagerly = cast(Callable[..., StructuralLossResult], torch.compiler.disable(compare))
"""The same, left out of compiled programs: what it does depends on the values of tensors."""


def _temperature(spec: Spec, given: float | Tensor | None) -> float | Tensor:
    alignment = spec.alignment
    if given is None:
        return 1.0 if spec.solver is None else spec.solver.temperature
    wanted = f"be left out where `alignment` is a {type(alignment).__name__}"
    softens, remedy = isinstance(alignment, Sinkhorn), "Only a `Sinkhorn` has one."
    require(softens, "`temperature`", wanted, given, remedy)
    check_temperature(given)
    return given


def _check_size(spec: Spec, pairs: Pairs) -> None:
    """Refuses to take the mean of nothing."""
    some = pairs.num_pairs > 0 or spec.reduction != "mean"
    remedy = 'Leave the batch out, or take reduction="sum".'
    require(some, "a batch", "hold a pair, to take the mean of", Received("no pairs"), remedy)


def _check_not_given(**matrices: Tensor | None) -> None:
    for name, matrix in matrices.items():
        remedy = "Use matches=Dense()."
        none, got = matrix is None, Received("a matrix")
        require(none, f"`{name}`", "be left out where no matrix is made", got, remedy)
