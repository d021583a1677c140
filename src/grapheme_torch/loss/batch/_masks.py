"""Logits of minus infinity: what they make impossible."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import inf

from torch import Tensor

from ..._check import Received, refusal
from ...ot import NoPlan
from ...prediction import Prediction
from .._spec import Spec
from ._pairs import Pairs


@contextmanager
def in_words_of_graphs() -> Iterator[None]:
    """Refuses an alignment that cannot be by its nodes, not by rows and columns."""
    try:
        yield
    except NoPlan as error:
        got = error.got
        for word, node in (("row", "predicted node"), ("column", "target node")):
            got = got.replace(word, node)
        remedy = "Set `slack`, so that nodes may be deleted and inserted; or allow more matches."
        wanted = "allow an alignment (an infinite logit or cost forbids matches)"
        raise refusal("the prediction", wanted, Received(got), remedy) from None


def masked(pairs: Pairs, prediction: Prediction, spec: Spec) -> Pairs:
    """The pairs with logits of minus infinity read as what cannot be.

    A class, a relation or a node is impossible then, and the plan has no mass there. A node all of
    whose classes are impossible cannot be matched; a candidate edge all of whose relations are, is
    absent.

    Args:
        pairs: What was made of the prediction.
        prediction: The logits themselves.
        spec: How they are compared.

    Raises:
        InputError: If a logit among several is plus infinity.
    """
    relation = prediction.relation
    _check_below_infinity("relation", relation)
    lost = relation.isneginf().all(1)
    if bool(lost.any()):
        absent = relation.new_full(relation.shape[1:], -inf)
        absent[0] = 0
        # Before the logarithm: its derivative is NaN where all are impossible.
        relation = absent.where(lost[:, None], relation).to(pairs.relation.dtype)
        log_q = spec.edge_cost.log_probability(relation)
        pairs = replace(pairs, edge_outputs=relation, relation=log_q)
    if not spec.node_cost.by_class or not prediction.label.shape[1]:
        return pairs
    _check_below_infinity("label", prediction.label)
    lost = prediction.label.isneginf().all(1)
    return replace(
        pairs,
        exists=pairs.exists.masked_fill(lost, -inf),
        outputs=pairs.outputs.masked_fill(lost[:, None], 0),
    )


def _check_below_infinity(name: str, logits: Tensor) -> None:
    above = logits.isposinf().any(1)
    if bool(above.any()):
        row = int(above.nonzero()[0])
        wanted = f"be below infinity (row {row})"
        remedy = "Set the logits of the others to minus infinity instead."
        raise refusal(f"`prediction.{name}`", wanted, logits[row].tolist(), remedy)
