"""Logits of the relations of candidate edges."""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import silu

from ...ot import AVAILABLE
from ._operation import Given, Operation, apply

if AVAILABLE:
    from ...ot import _native

_GROUPS = _native.GROUPS if AVAILABLE else 1


def score_pairs(
    node_vectors: Float[Tensor, "n 4 d"],
    offset: Float[Tensor, "s d"] | None,
    mix: Float[Tensor, "h d"],
    read: Float[Tensor, "r d"],
    edge_index: Int[Tensor, "2 e"],
    step: Int[Tensor, " e"] | None,
    batch: Int[Tensor, " n"],
) -> Float[Tensor, "e r"]:
    """`read silu(from_u + to_v + mix s_uv + offset_step)`, `s_uv` the scaled products of each head.

    Args:
        node_vectors: Query, key, and what a node adds as source and as target.
        offset: A vector for each step between two nodes.
        mix: How the scores of the heads are added.
        read: A row for each logit.
        edge_index: Source and target of each candidate, those of a graph together.
        step: Of each candidate, with `offset`.
        batch: The graph of each node, ascending.
    """
    given = {"edge_index": edge_index, "step": step, "batch": batch}
    return apply(_SCORE_PAIRS, given, node_vectors, offset, mix, read)


def _formula(
    given: Given, node_vectors: Tensor, offset: Tensor | None, mix: Tensor, read: Tensor
) -> Tensor:
    source, target = given["edge_index"]
    query, key, begins, ends = node_vectors.unbind(1)
    scores = (query[source] * key[target]).unflatten(1, (len(mix), -1))
    pair = begins[source] + ends[target]
    pair = pair + (scores.sum(2) / scores.shape[2] ** 0.5) @ mix
    if offset is not None:
        pair = pair + offset[given["step"]]
    return silu(pair) @ read.T


def _derivatives(
    given: Given, node_vectors: Tensor, offset: Tensor | None, mix: Tensor, read: Tensor
) -> list[tuple[int, ...]]:
    steps = () if offset is None else (_GROUPS, *offset.shape)
    heads = (_GROUPS, *mix.shape)
    return [tuple(node_vectors.shape), steps, heads, (_GROUPS, *read.shape)]


_SCORE_PAIRS = Operation(
    formula=_formula,
    record="ScorePairs",
    reads=("edge_index", "step", "batch"),
    names=("node_vectors", "offset", "mix", "read"),
    result="logits",
    shape=lambda given, node_vectors, offset, mix, read: (
        given["edge_index"].shape[1], read.shape[0],
    ),
    derivatives=_derivatives,
)  # fmt: skip
