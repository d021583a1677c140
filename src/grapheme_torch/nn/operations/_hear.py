"""Messages along labelled, directed edges, both ways."""

from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.utils import scatter

from ._operation import Given, Operation, apply


def hear(
    said: Float[Tensor, "n 3 d"],
    gate: Float[Tensor, "2 k d"],
    edge_index: Int[Tensor, "2 e"],
    kind: Int[Tensor, " e"],
) -> Float[Tensor, "n d"]:
    """What a node says to itself, and the means of what it hears along edges, gated by their kind.

    Args:
        said: Of each node, to itself, to the nodes its edges lead to, to those they come from.
        gate: Factors of each kind of edge, ahead and back.
        edge_index: Source and target of each edge.
        kind: Kind of each edge.
    """
    return apply(_HEAR, {"edge_index": edge_index, "kind": kind}, said, gate)


def _formula(given: Given, said: Tensor, gate: Tensor) -> Tensor:
    (source, sink), kind = given["edge_index"], given["kind"]
    ahead = _means(said[source, 1] * gate[0, kind], sink, len(said))
    return said[:, 0] + ahead + _means(said[sink, 2] * gate[1, kind], source, len(said))


def _means(message: Tensor, node: Tensor, nodes: int) -> Tensor:
    return scatter(message, node, dim=0, dim_size=nodes, reduce="mean")


_HEAR = Operation(
    formula=_formula,
    record="Hear",
    reads=("edge_index", "kind"),
    names=("said", "gate"),
    result="heard",
    shape=lambda given, said, gate: (said.shape[0], said.shape[2]),
    derivatives=lambda given, said, gate: [said.shape, gate.shape],
)
