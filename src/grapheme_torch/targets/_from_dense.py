"""From padded tensors, as models with slots have their targets."""

from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor
from torch_geometric.data import Batch

from .._check import Received, refusal, require
from .._tensors import described, has_numbers
from ._from_edges import split


def target_from_dense(
    nodes: Shaped[Tensor, "B M *C"],
    edges: Shaped[Tensor, "B M M *R"],
    *,
    mask: Shaped[Tensor, "B M"] | None = None,
    vectors: bool = False,
    no_node: Literal["first", "last"] | None = None,
    no_edge: Literal["first"] | None = "first",
    weight: Float[Tensor, "B M M"] | None = None,
    position: Shaped[Tensor, "B M *d"] | None = None,
    directed: bool | None = None,
) -> Batch:
    """The target that padded tensors hold: the mirror image of `Prediction.from_dense`.

    Nothing is read at slots without a node, which may stand anywhere.

    Args:
        nodes: Class of each slot, `[B, M]`, below 0 for "no node" (as -1 or -100); or one-hot,
            `[B, M, C]`, a row of zeros for "no node".
        edges: Relation between each ordered pair of slots, `[B, M, M]`: 0 for "no edge", 1 for
            all edges where they are of one kind. `to_dense_adj` of PyTorch Geometric gives this.
            Or one-hot, `[B, M, M, 1 + R]`: class 0 or a row of zeros for "no edge".
        mask: Which slots hold a node, as booleans or as 0 and 1. Default: as `nodes` says.
        vectors: Whether the rows of `nodes` are vectors that become the target's `y`, for node
            costs that compare vectors. `mask` then says where the nodes are.
        no_node: Which class of `nodes` is "no node", if one is: "first", so that class `c`
            becomes `c - 1`, or "last", as in DETR (one-hot only).
        no_edge: None if no class of one-hot `edges` means "no edge", `[B, M, M, R]`, as
            `to_dense_adj` of one-hot `edge_attr` gives it.
        weight: Weight of each edge, `[B, M, M]`.
        position: Place of each slot, in steps.
        directed: If False, `edges` is symmetric or has one triangle empty, and each edge counts
            once. Default: every entry is an edge, and the loss decides.

    Raises:
        InputError: If a tensor is of the wrong kind or shapes do not fit together. If a row is
            not one-hot, or undirected edges differ in the two directions.
    """
    _check_shapes(nodes, edges, mask, weight, position)
    y, used = _used_slots(nodes, mask, no_node, vectors)
    both = used[:, :, None] & used[:, None]
    relation = _relations(edges, both, no_edge)
    if directed is False:
        relation, weight = _once(relation, weight)
    graph, source, sink = relation.nonzero(as_tuple=True)
    number = (used.flatten().cumsum(0) - 1).view_as(used)
    index = torch.stack([number[graph, source], number[graph, sink]])
    picked = {
        "edge_type": relation[graph, source, sink],
        "edge_weight": None if weight is None else weight[graph, source, sink],
    }
    slots = {"y": y[used], "position": None if position is None else position[used]}
    flags = {} if directed is None else {"directed": directed}
    return split(used.sum(1).tolist(), slots, index, picked, flags)


def _used_slots(
    nodes: Tensor, mask: Tensor | None, no_node: str | None, vectors: bool
) -> tuple[Shaped[Tensor, "B M *y"], Bool[Tensor, "B M"]]:
    """What each slot holds, and which slots hold a node."""
    known = no_node is None or no_node in ("first", "last")
    require(known, "`no_node`", 'be "first", "last" or None', no_node, "DETR's is the last class.")
    wanted = None if mask is None else _booleans(mask)
    if vectors:
        remedy = "Give `mask`, and leave out `no_node`."
        fits = wanted is not None and no_node is None and nodes.ndim == 3
        require(
            fits, "`nodes`", "be rows beside a mask, as `vectors` says", described(nodes), remedy
        )
        assert wanted is not None
        return nodes, wanted
    every = torch.ones(nodes.shape[:2], dtype=torch.bool, device=nodes.device)
    y = _node_classes(nodes, every if wanted is None else wanted, no_node)
    used = y >= 0
    if wanted is None:
        return y, used
    remedy, got = "Take these slots out of the mask.", Received("a slot in use without a class")
    named = not bool((wanted & ~used).any())
    require(named, "`nodes`", "have a class wherever `mask` is true", got, remedy)
    return y, wanted


def _node_classes(
    nodes: Tensor, used: Bool[Tensor, "B M"], no_node: str | None
) -> Int[Tensor, "B M"]:
    """The class of each slot, below 0 where it holds no node."""
    if nodes.ndim == 3:
        y = _hot("`nodes`", nodes, used)
        if no_node == "last":
            return y.masked_fill(y == nodes.shape[2] - 1, -1)
    else:
        remedy = "Give one-hot rows, or set these classes to -1."
        require(no_node != "last", "`no_node`", "be first for classes as numbers", no_node, remedy)
        y = _whole("`nodes`", nodes.masked_fill(~used, 0))
    return y - 1 if no_node == "first" else y


def _relations(
    edges: Tensor, both: Bool[Tensor, "B M M"], no_edge: str | None
) -> Int[Tensor, "B M M"]:
    """The relation of each ordered pair of slots, from 1 on; 0 where there is no edge."""
    known = no_edge is None or no_edge == "first"
    require(known, "`no_edge`", 'be "first" or None', no_edge, "Class 0 is the one to leave out.")
    if edges.ndim == 4:
        hot = _hot("`edges`", edges, both)
        relation = hot.clamp(min=0) if no_edge == "first" else hot + 1
    else:
        relation = _whole("`edges`", edges.masked_fill(~both, 0))
        least = int(relation.min()) if relation.numel() else 0
        remedy = "0 means that there is no edge; relations are numbered from 1."
        require(least >= 0, "`edges`", "not be negative between nodes", least, remedy)
    return relation.masked_fill(~both, 0)


def _hot(name: str, rows: Tensor, used: Bool[Tensor, "*k"]) -> Int[Tensor, "*k"]:
    """Where the 1 stands in each row; -1 in rows of zeros."""
    one = rows == 1
    fine = ((rows == 0) | one).all(-1) & (one.sum(-1) <= 1) | ~used
    remedy = "Take the most probable class: `argmax(-1)` gives classes as numbers."
    if not bool(fine.all()):
        got = Received(str(rows[~fine][0].tolist()))
        raise refusal(f"a row of {name}", "hold at most one 1, and zeros", got, remedy)
    if not rows.shape[-1]:
        return torch.full(rows.shape[:-1], -1, device=rows.device)
    return torch.where(one.any(-1), one.long().argmax(-1), -1)


def _whole(name: str, values: Tensor) -> Tensor:
    """Whole numbers as int64; `to_dense_adj` gives them as floats."""
    if values.is_floating_point():
        whole = values == values.round()
        if not bool(whole.all()):
            remedy = "Weights go into `weight`; what is then an edge is `weight != 0`."
            raise refusal(name, "be whole numbers", values[~whole][0].item(), remedy)
    return values.long()


def _once(
    relation: Int[Tensor, "B M M"], weight: Tensor | None
) -> tuple[Int[Tensor, "B M M"], Tensor | None]:
    """Undirected edges above the diagonal."""
    back = relation.mT
    _check_alike("`edges`", relation, back, (relation > 0) & (back > 0))
    if weight is not None:
        _check_alike("`weight`", weight, weight.mT, (relation > 0) & (back > 0))
        weight = torch.where(relation > 0, weight, weight.mT)
    return torch.maximum(relation, back).triu(), weight


def _check_alike(name: str, values: Tensor, back: Tensor, twice: Bool[Tensor, "B M M"]) -> None:
    differ = twice & (values != back)
    if bool(differ.any()):
        got = Received(f"{values[differ][0].item()} and {back[differ][0].item()}")
        remedy = "Give both directions alike, or one of them, or say that edges are directed."
        raise refusal(name, "be equal in both directions", got, remedy)


def _booleans(mask: Tensor) -> Bool[Tensor, "B M"]:
    fine = (mask == 0) | (mask == 1)
    if not bool(fine.all()):
        wanted, remedy = "be of booleans, or of 0 and 1", "1 is a slot in use."
        raise refusal("`mask`", wanted, mask[~fine][0].item(), remedy)
    return mask == 1


def _check_shapes(nodes: Any, edges: Any, mask: Any, weight: Any, position: Any) -> None:
    given = {"nodes": nodes, "edges": edges, "mask": mask, "weight": weight, "position": position}
    for name, value in given.items():
        if value is None and name not in ("nodes", "edges"):
            continue
        remedy = "Convert it: `torch.as_tensor`."
        require(has_numbers(value), f"`{name}`", "be a tensor", described(value), remedy)
    wanted, remedy = "have shape (graphs, slots) or (graphs, slots, classes)", "Stack the graphs."
    require(nodes.ndim in (2, 3), "`nodes`", wanted, described(nodes), remedy)
    size, slots = nodes.shape[:2]
    remedy = "Axes are graph, from slot, to slot, and then relation."
    _check_shape("edges", edges, (size, slots, slots), (3, 4), remedy)
    _check_shape("mask", mask, (size, slots), (2,), "Give one entry per slot.")
    _check_shape("weight", weight, (size, slots, slots), (3,), remedy)
    _check_shape("position", position, (size, slots), (2, 3), "Give one place per slot.")


def _check_shape(
    name: str, value: Any, wanted: tuple[int, ...], dims: tuple[int, ...], remedy: str
) -> None:
    if value is None:
        return
    fits = value.ndim in dims and tuple(value.shape[: len(wanted)]) == wanted
    more = " and perhaps one axis more" if len(dims) > 1 else ""
    got = described(value)
    require(fits, f"`{name}`", f"have shape {wanted}{more}", got, remedy)
