"""The tensors of a target batch: what may be given, what is refused, and how it is read."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.storage import BaseStorage

from ..._check import Received, refusal, require
from ..._tensors import described, has_numbers, is_dense, is_whole
from ...graphs import membership
from ...ot import serves
from ...prediction import Prediction
from .._spec import Spec
from ..engines import _kernel
from ..terms._node_cost import Classes, NodeCost
from ._arguments import check_device
from ._edge_places import placed_edges
from ._ignored import ignored_pairs, is_among, read_ignored
from ._pairs import Target


def is_directed(prediction: Prediction, target: Data) -> bool:
    """Whether edges have a direction: as the prediction and the target say.

    A target that does not say so is undirected if it stores each edge in both directions, alike, as
    PyTorch Geometric does. Candidates have to be given in one.
    """
    stored = target.stores[0]
    said: Any = stored.get("directed")
    if not prediction.directed or said is False:
        return False
    if said is None:
        ends = prediction.edge_index
        return not (_both_ways(stored) and has_numbers(ends) and _one_direction(ends))
    if said is True:
        return True
    each = said.tolist() if isinstance(said, Tensor) else said
    each = [bool(x) for x in (each if isinstance(each, list) else [each])]
    remedy = "Compare directed and undirected graphs in batches of their own."
    same = len(set(each)) <= 1
    require(same, "`target.directed`", "be the same for all graphs of a batch", each, remedy)
    return each[0] if each else True


def _both_ways(stored: BaseStorage) -> bool:
    """Whether there are edges between two nodes, each with its reverse of the same type."""
    edges: Any = stored.get("edge_index")
    if not (has_numbers(edges) and edges.ndim == 2 and len(edges) == 2):
        return False
    if serves(edges) and edges.dtype == torch.int64 and not _kernel.downward(edges):
        return False
    source, sink = edges
    down = source > sink
    if not bool(down.any()) or int(down.sum()) != int((source < sink).sum()):
        return False
    columns = [edges.double()]
    for name in ("edge_type", "edge_weight"):
        value: Any = stored.get(name)
        if has_numbers(value) and value.shape == source.shape:
            columns.append(value[None].double())
    forth = torch.cat(columns)
    back = torch.cat([forth[:2].flip(0), forth[2:]])
    return torch.equal(forth.unique(dim=1), back.unique(dim=1))


def _one_direction(edges: Int[Tensor, "2 e"]) -> bool:
    """Whether no edge has its reverse beside it."""
    return edges.sort(0).values.unique(dim=1).shape[1] == edges.shape[1]


def read_target(
    prediction: Prediction, target: Data, *, spec: Spec, directed: bool, placed: bool
) -> Target:
    """The tensors of a target batch, checked against the prediction it is compared with.

    Args:
        prediction: What the target is compared with; sets the device and the number of graphs.
        target: As `StructuralLoss` takes it.
        spec: How the two are compared.
        directed: If not, an edge may be given in one direction or, alike, in both.
        placed: Whether positions are read.

    Raises:
        InputError: Naming the tensor that is not as required.
    """
    device, stored = prediction.existence.device, target.stores[0]
    edge_index = _edge_index(stored, device)
    y = _y(stored, _num_nodes(target, device), spec.node_cost, device)
    batch, count = membership(target)
    wanted = f"hold as many graphs as the prediction ({prediction.num_graphs})"
    remedy = "Collate predictions and targets in the same order."
    require(count == prediction.num_graphs, "`target`", wanted, count, remedy)
    edges = _edges(prediction, stored, spec, edge_index)
    if not directed:
        edges = edges.only(_one_way(edges, len(batch), several=spec.edge_cost.several))
    ignored = read_ignored(stored, len(batch), device)
    free = None
    if ignored is not None or stored.get("ignore_edge_index") is not None:
        sizes = torch.bincount(batch, minlength=count)
        free = ignored_pairs(stored, batch, sizes, ignored, directed=directed)
        y = y if ignored is None else _blank(y, ignored)
    if free is not None:
        edges = edges.only(~is_among(edges.ends, free, len(batch), directed=directed))
    relation = edges.relation if spec.edge_cost.several else None
    layout, ends = placed_edges("target", batch, edges.ends, count, directed, relation)
    position = _position(stored, len(batch), prediction.position, device) if placed else None
    free_edges = None
    if free is not None:
        free_edges = batch[free[0]], layout.place[free[0]], layout.place[free[1]]
    return Target(
        layout, y, *ends, *edges[1:3], position, edges.attributes, ignored, free_edges,
        spec.edge_cost.several,
    )  # fmt: skip


class _Edges(NamedTuple):
    """Edges of a target batch, as they are given."""

    ends: Int[Tensor, "2 t"]
    relation: Int[Tensor, " t"]
    weight: Float[Tensor, " t"] | None
    attributes: Float[Tensor, "t d"] | None

    def only(self, kept: Bool[Tensor, " t"]) -> "_Edges":
        """Some of them."""
        weight, attributes = (None if x is None else x[kept] for x in self[2:])
        return _Edges(self.ends[:, kept], self.relation[kept], weight, attributes)


def _edges(
    prediction: Prediction, stored: BaseStorage, spec: Spec, edge_index: Int[Tensor, "2 t"]
) -> _Edges:
    device, t = edge_index.device, edge_index.shape[1]
    relation = edge_index.new_ones(t)
    given = stored.get("edge_type")
    if given is not None:
        relation = _integers("target.edge_type", given, t, "relation per edge", device)
    relations = spec.edge_cost.num_relations(prediction.relation.shape[1])
    if given is not None or relations < 2:
        _check_relations(relation, relations)
    weight = None if prediction.weight is None else _weight(stored, t, device)
    attributes = _attributes(stored, t, device) if spec.edge_cost.attributes else None
    return _Edges(edge_index, relation, weight, attributes)


def _blank(y: Tensor, ignored: Tensor) -> Tensor:
    """What nodes are, with nothing known of those that are ignored."""
    return y.masked_fill(ignored.reshape(-1, *[1] * (y.ndim - 1)), 0)


def _num_nodes(target: Data, device: torch.device) -> int:
    batch: Any = target.get("batch")
    if batch is not None:
        fits = is_dense(batch) and batch.ndim == 1 and batch.dtype == torch.int64
        wanted, remedy = "be int64, one graph per node", "PyTorch Geometric's Batch gives it."
        if not fits:
            raise refusal("`target.batch`", wanted, described(batch), remedy)
        check_device("target.batch", batch, device)
        return len(batch)
    count: Any = target.num_nodes
    whole = isinstance(count, int) and not isinstance(count, bool) and count >= 0
    remedy = "Set `num_nodes` on each graph."
    require(whole, "`target.num_nodes`", "be a whole number from 0 on", count, remedy)
    return count


def _edge_index(stored: BaseStorage, device: torch.device) -> Int[Tensor, "2 t"]:
    value: Any = stored.get("edge_index")
    remedy = "Use torch.empty(2, 0, dtype=torch.long) for a graph without edges."
    require(value is not None, "`target.edge_index`", "be given", value, remedy)
    if isinstance(value, Tensor) and not value.numel() and value.shape in ((0,), (2, 0)):
        # What `torch.tensor([])` gives where there are no edges.
        value = torch.empty(2, 0, dtype=torch.long, device=value.device)
    fits = is_dense(value) and value.ndim == 2 and len(value) == 2
    if not (fits and (is_whole(value) or _whole_floats(value))):
        wanted = "be integers of shape (2, edges)"
        raise refusal("`target.edge_index`", wanted, described(value), remedy)
    check_device("target.edge_index", value, device)
    return value.long()


def _whole_floats(value: Tensor) -> bool:
    """Whether these are node numbers in floating point, none rounded.

    PyTorch Geometric makes them of a batch in which one graph has an empty list of edges.
    """
    if not value.is_floating_point() or value.is_meta:
        return False
    exact = value.abs() < 1 / torch.finfo(value.dtype).eps
    return bool((exact & (value == value.floor())).all())


def _y(stored: BaseStorage, count: int, cost: NodeCost, device: torch.device) -> Tensor:
    value: Any = stored.get("y")
    if cost.by_class:
        value = _integers("target.y", value, count, "class per node", device)
        return cost.marked(value) if isinstance(cost, Classes) else value
    _rows("target.y", value, count, "row per node")
    check_device("target.y", value, device)
    return value


def _weight(stored: BaseStorage, count: int, device: torch.device) -> Float[Tensor, " t"]:
    value: Any = stored.get("edge_weight")
    fits = is_dense(value) and value.shape == (count,)
    if not fits:
        wanted = f"be a tensor with one weight per edge ({count})"
        remedy = "A prediction with weights is compared with weights."
        raise refusal("`target.edge_weight`", wanted, described(value), remedy)
    check_device("target.edge_weight", value, device)
    return value if value.is_floating_point() else value.to(torch.get_default_dtype())


def _position(
    stored: BaseStorage, count: int, predicted: Tensor | None, device: torch.device
) -> Float[Tensor, "m d"] | None:
    """Places of the target nodes, their coordinates as columns; None where a side has none."""
    value: Any = stored.get("position")
    if value is None or predicted is None:
        return None
    fits = is_dense(value) and value.ndim in (1, 2) and len(value) == count
    if not fits:
        wanted = f"be a tensor with one place per node ({count})"
        remedy = "Give every node its place, or leave `position` out on one side."
        raise refusal("`target.position`", wanted, described(value), remedy)
    check_device("target.position", value, device)
    columns, own = (tuple(x.shape[1:]) or (1,) for x in (predicted, value))
    wanted = f"have {columns[0]} coordinates a node, as the prediction"
    require(columns == own, "`target.position`", wanted, own[0], "Give both sides the same.")
    # Once, to the precision they are compared in: a conversion takes as long as all checks here.
    real = torch.promote_types(value.dtype, torch.float32)
    real = torch.promote_types(real, predicted.dtype)
    value = value if value.dtype == real else value.to(real)
    return value if value.ndim == 2 else value.unsqueeze(1)


def _integers(name: str, value: Any, count: int, what: str, device: torch.device) -> Tensor:
    """Whole numbers as int64, one for each of `count`."""
    fits = is_dense(value) and value.shape == (count,)
    fits = fits and (is_whole(value) or value.dtype == torch.bool)
    if not fits:
        wanted = f"be an integer tensor with one {what} ({count})"
        real = is_dense(value) and value.is_floating_point() and value.shape[:1] == (count,)
        raise refusal(f"`{name}`", wanted, described(value), _REAL[name] if real else _REMEDY)
    check_device(name, value, device)
    return value.long()


def _rows(name: str, value: Any, count: int, what: str) -> None:
    fits = is_dense(value) and value.ndim >= 1 and len(value) == count
    wanted = f"be a tensor with one {what} ({count})"
    if not fits:
        raise refusal(f"`{name}`", wanted, described(value), _REMEDY)


_REAL = {
    "target.y": "Classes: `y.long()`. Vectors: `StructuralLoss(node_cost=costs.Vectors())`.",
    "target.edge_type": "Convert it: `edge_type.long()`.",
}
_REMEDY = "`Alphabet.encode` adds it to a graph; `num_nodes` says how many nodes there are."


def _check_relations(relation: Int[Tensor, " t"], end: int) -> None:
    if relation.numel():
        least, most = (int(x) for x in relation.aminmax())
        got = Received(f"values from {least} to {most}")
        remedy = (
            "Relation 0 means absent; number the others from 1 and widen `prediction.relation`."
        )
        require(least >= 1 and most < end, "`target.edge_type`", f"lie in [1, {end})", got, remedy)


def _one_way(edges: _Edges, n: int, *, several: bool) -> Bool[Tensor, " t"]:
    """Which edges to keep of undirected ones: of two that are each other's reverse, one."""
    (source, sink), relation = edges.ends, edges.relation
    kept = torch.ones_like(source, dtype=torch.bool)
    down = (source > sink).nonzero()[:, 0]
    up = (source < sink).nonzero()[:, 0]
    if not len(down) or not len(up):
        return kept
    forth, back = source * n + sink, sink * n + source
    if several:  # edges of different relations are different edges
        size = int(relation.max()) + 1
        forth, back = forth * size + relation, back * size + relation
    key, order = forth[up].sort()
    turned = back[down]
    at = torch.searchsorted(key, turned).clamp(max=len(key) - 1)
    twin = key[at] == turned
    down, up = down[twin], up[order[at[twin]]]
    remedy = "Give each undirected edge once, or both directions alike."
    two = Received("two edges between the same nodes that differ")
    for name, values in zip(("edge_type", "edge_weight", "edge_attr"), edges[1:], strict=True):
        if values is not None:
            same = bool((values[down] == values[up]).all())
            require(same, f"`target.{name}`", "be equal in both directions", two, remedy)
    kept[down] = False
    return kept


def _attributes(stored: BaseStorage, count: int, device: torch.device) -> Float[Tensor, "t d"]:
    value: Any = stored.get("edge_attr")
    fits = is_dense(value) and value.ndim in (1, 2) and len(value) == count
    wanted = f"be a floating-point tensor with one row of features per edge ({count})"
    remedy = "The edge cost of this loss reads features of target edges."
    if not (fits and value.is_floating_point()):
        raise refusal("`target.edge_attr`", wanted, described(value), remedy)
    check_device("target.edge_attr", value, device)
    return value if value.ndim == 2 else value[:, None]
