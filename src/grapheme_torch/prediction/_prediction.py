"""A batch of soft graphs, and what can be done with it as a whole."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torch_geometric.data import Data

from .._check import refusal, require
from .._displayed import Displayed
from .._tensors import described
from .._union import check_batch, runs
from ..graphs import check_flag
from ._certain import certain
from ._dense import ragged
from ._kinds import check_count, check_device, check_shape, floats, indices, measures
from ._parts import joined, numbers
from ._pytree import as_tree

_READ_OFF: Any = None
"""Default of a field that `__post_init__` fills in."""


# Whoever takes a batch apart or puts batches together goes by these: no field is left out.
_NODE = {"per": "node"}
_EDGE = {"per": "edge"}


@as_tree
@dataclass(eq=False)
class Prediction(Displayed):
    """A batch of soft graphs as a disjoint union: the nodes, what they are, how they relate.

    Everything is a logit, so that no probability has to be clipped before its logarithm.

    Args:
        existence: Logit that each node exists; axis: all nodes of the batch.
        label: Logits over node classes; axes: node, class.
        edge_index: Source and target node of each candidate edge, within one graph. Integers of
            any width; no edges may also be an empty tensor of any kind.
        relation: Logits over relations of each candidate edge; axes: edge, relation.
            Relation 0 means *absent*.
        batch: The graph each node belongs to, ascending. Default: all nodes are one graph.
        num_graphs: Number of graphs, so that empty ones at the end count. Default: read off
            `batch`.
        position: Place of each node in steps (reading order, depth), one or several coordinates,
            used to steer the alignment only. Default: none.
        weight: Weight of each candidate edge, compared with `edge_weight` of the target where
            edges are aligned. Default: edges have no weight.
        directed: Whether an edge has a direction. If not, each pair of nodes is one candidate,
            given in one direction.
        embedding: What the network knows of each node, for learnt aligners alone; axes: node,
            number. Default: none.

    Raises:
        InputError: If a tensor is of the wrong kind, or shapes or devices do not fit together.

    It is a batch of `len(prediction)` graphs, from which `prediction[k]` takes one and a slice,
    mask or tensor of numbers takes several. It is a pytree, so that `vmap`, `torch.compile` and
    `torch.export` see its tensors. A field keeps its kind and shape. A tool may put a moved or
    detached tensor in its place; for anything else use `dataclasses.replace`.
    """

    existence: Float[Tensor, " n"] = field(metadata=_NODE)
    label: Float[Tensor, "n classes"] = field(metadata=_NODE)
    edge_index: Int[Tensor, "2 e"]
    relation: Float[Tensor, "e relations"] = field(metadata=_EDGE)
    batch: Int[Tensor, " n"] = _READ_OFF
    num_graphs: int = _READ_OFF
    position: Float[Tensor, "n *d"] | None = field(default=None, metadata=_NODE)
    weight: Float[Tensor, " e"] | None = field(default=None, metadata=_EDGE)
    directed: bool = True
    embedding: Float[Tensor, "n k"] | None = field(default=None, metadata=_NODE)

    def __post_init__(self) -> None:
        self._check_kinds()
        if self.batch is None:
            self._put("batch", torch.zeros_like(self.existence, dtype=torch.long))
            if self.num_graphs is None:
                self._put("num_graphs", 1)
        self._check_shapes()
        if self.num_graphs is None:
            self._put("num_graphs", int(self.batch[-1]) + 1 if len(self.batch) else 1)
        else:
            check_count("`Prediction.num_graphs`", self.num_graphs)

    def __setattr__(self, name: str, value: Any) -> None:
        known = name in self.__dataclass_fields__
        made = name in self.__dict__  # each field is free until it has a value
        if not known or (made and not _alike(self.__dict__[name], value)):
            remedy = "Make another: `dataclasses.replace(prediction, ...)`."
            wanted = "keep its kind and shape" if known else "be a field to be assigned to"
            raise refusal(f"`Prediction.{name}`", wanted, described(value), remedy)
        self._put(name, value)

    def _put(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @classmethod
    def from_dense(
        cls,
        label: Float[Tensor, "B K classes"],
        relation: Float[Tensor, "B K K relations"],
        *,
        existence: Float[Tensor, "B K"] | None = None,
        mask: Shaped[Tensor, "B K"] | None = None,
        position: Float[Tensor, "B K *d"] | None = None,
        weight: Float[Tensor, "B K K"] | None = None,
        embedding: Float[Tensor, "B K k"] | None = None,
        directed: bool = True,
        no_node: Literal["first", "last"] | None = None,
    ) -> "Prediction":
        """The prediction of a decoder with `K` slots per graph, such as DETR's.

        Args:
            label: Node outputs of each slot; axes: graph, slot, class.
            relation: Logits over relations of each ordered pair of slots, 0 being *absent*;
                axes: graph, from slot, to slot, relation. The diagonal is not read.
            existence: Logit that each slot holds a node; all classes of `label` are kept.
                Default: one class of `label` is "no node", and is taken out of the classes.
            mask: Which slots are in use, as booleans or as 0 and 1. Default: all.
            position: Place of each slot, in steps.
            weight: Weight of the edge of each ordered pair of slots.
            embedding: What the network knows of each slot.
            directed: If not, each pair of slots is one candidate, read above the diagonal:
                `relation[:, i, j]` with `i < j`, the form for `StructuralLoss(directed=False)`.
            no_node: Which class is "no node" where `existence` is not given: "first" (the
                default), so that class `c` becomes `c - 1`, or "last", as in DETR.

        Raises:
            InputError: If a tensor is of the wrong kind, or shapes do not fit together.

        Works under `torch.compile(fullgraph=True)` at changing sizes.
        """
        own = {"existence": existence, "position": position, "embedding": embedding}
        parts = ragged(label, relation, own, mask, weight, directed, no_node)
        return cls(**parts, num_graphs=len(label), directed=directed)

    @classmethod
    def certain(cls, graph: Data, *, num_labels: int, num_relations: int) -> "Prediction":
        """The prediction that is sure of a graph.

        Every node exists and every ordered pair of nodes of a graph is a candidate, or every
        unordered pair if the graph has `directed=False`. All logits are +-40, so that a wrong
        answer has probability 1e-17. Float64.

        Args:
            graph: A `Data` or `Batch` with classes `y`. Optional are `edge_type` (relations from 1
                on), `edge_weight`, `position` and `directed`. `edge_weight` becomes `weight`, zero
                where there is no edge.
            num_labels: Number of node classes.
            num_relations: Number of relations, not counting *absent*.

        Raises:
            InputError: If a class or relation is out of range, or an edge is given twice, ends
                at no node or joins two graphs.
        """
        return cls(**certain(graph, num_labels, num_relations))

    @classmethod
    def cat(cls, predictions: Iterable["Prediction"]) -> "Prediction":
        """The graphs of several predictions, one after the other, as one batch.

        Raises:
            InputError: If there is none, or one has a field, classes, relations, coordinates or
                a device that another has not.
        """
        whole = list(predictions)
        for one in whole:
            what = "hold predictions only"
            require(
                isinstance(one, cls), "`predictions`", what, described(one), "Give a list of them."
            )
        require(bool(whole), "`predictions`", "hold at least one", whole, "Give a list of them.")
        names = [name for name in _NAMES if name not in ("edge_index", "batch", "num_graphs")]
        found = {name: joined(name, [getattr(one, name) for one in whole]) for name in names}
        nodes, graphs = (
            [0, *itertools.accumulate(x)] for x in zip(*map(_sizes, whole), strict=True)
        )
        ends = [one.edge_index + start for one, start in zip(whole, nodes, strict=False)]
        batch = [one.batch + start for one, start in zip(whole, graphs, strict=False)]
        return cls(
            **found, edge_index=torch.cat(ends, 1), batch=torch.cat(batch), num_graphs=graphs[-1]
        )

    def __len__(self) -> int:
        return self.num_graphs

    def __getitem__(self, graphs: int | slice | Tensor | Sequence[int]) -> "Prediction":
        return self.select(graphs)

    def select(self, graphs: int | slice | Tensor | Sequence[int]) -> "Prediction":
        """The part that concerns some graphs, as a batch in the order they are named.

        Args:
            graphs: A number (negative: from the end), a slice, numbers, or a mask of all graphs.

        Raises:
            IndexError: An `InputError` too, if there is no such graph.
            InputError: If `batch` does not ascend, or `graphs` is none of these.
        """
        chosen = numbers(graphs, self.num_graphs).to(self.batch.device)
        check_batch("prediction", self.batch, self.num_graphs)
        count = torch.bincount(self.batch, minlength=self.num_graphs)
        first = count.cumsum(0) - count
        size = count[chosen]
        owner = self.batch[self.edge_index[0]]
        degree = torch.bincount(owner, minlength=self.num_graphs)
        order = owner.argsort(stable=True)
        edges = order[runs((degree.cumsum(0) - degree)[chosen], degree[chosen])]
        moved = (size.cumsum(0) - size - first[chosen]).repeat_interleave(degree[chosen])
        place = torch.arange(len(chosen), device=size.device)
        return self.take(
            runs(first[chosen], size),
            edges,
            edge_index=self.edge_index[:, edges] + moved,
            batch=place.repeat_interleave(size),
            num_graphs=len(chosen),
        )

    def take(
        self, nodes: Tensor | slice = slice(None), edges: Tensor | slice = slice(None), **other: Any
    ) -> "Prediction":
        """The rows of some nodes and candidate edges, of every field that has such rows.

        Args:
            nodes, edges: Numbers, mask or slice of the rows to keep, in the order to keep them.
            other: Fields that become something else: `edge_index` and `batch`, if nodes are
                renumbered.
        """
        found: dict[str, Any] = {"edge_index": self.edge_index[:, edges]}
        for names, kept in ((_NODES, nodes), (_EDGES, edges)):
            for name in names:
                value = getattr(self, name)
                found[name] = None if value is None else value[kept]
        return replace(self, **{**found, **other})

    def apply(self, function: Callable[[Tensor], Tensor]) -> "Prediction":
        """The prediction with `function` of each of its tensors, which keeps their shapes."""
        values = ((name, getattr(self, name)) for name in _NAMES)
        found: dict[str, Any] = {name: function(x) for name, x in values if isinstance(x, Tensor)}
        return replace(self, **found)

    def to(self, *args: Any, **kwargs: Any) -> "Prediction":
        """The prediction on another device or with logits of another dtype.

        Takes what `torch.nn.Module.to` takes; tensors of integers keep their dtype.
        """
        device, dtype, non_blocking, _ = torch._C._nn._parse_to(*args, **kwargs)
        if dtype is not None:
            wanted = "be a floating-point dtype"
            require(dtype.is_floating_point, "`dtype`", wanted, dtype, "Try torch.float32.")
        return self.apply(
            lambda x: x.to(device, dtype if x.is_floating_point() else None, non_blocking)
        )

    def detach(self) -> "Prediction":
        """The prediction without its history: nothing is differentiated through it."""
        return self.apply(Tensor.detach)

    def pin_memory(self) -> "Prediction":
        """The prediction in pinned memory, from where copies to a GPU are fast."""
        return self.apply(Tensor.pin_memory)

    def requires_grad_(self, requires_grad: bool = True) -> "Prediction":
        """Makes autograd record operations on logits and all else that is a number; in place."""
        for name in (*_NODES, *_EDGES):
            value = getattr(self, name)
            if value is not None:
                value.requires_grad_(requires_grad)
        return self

    def _check_kinds(self) -> None:
        for name in (*_NODES, *_EDGES):
            value = getattr(self, name)
            if name in ("position", "weight", "embedding"):
                if value is not None:
                    self._put(name, measures(f"`Prediction.{name}`", value))
            else:
                floats(f"`Prediction.{name}`", value)
        edges = indices("`Prediction.edge_index`", self.edge_index)
        if edges.ndim == 1 and not len(edges):
            edges = edges.reshape(2, 0)
        if edges is not self.edge_index:
            self._put("edge_index", edges)
        if self.batch is not None:
            self._put("batch", indices("`Prediction.batch`", self.batch))
        check_flag("`Prediction.directed`", self.directed)

    def _check_shapes(self) -> None:
        n, device = self.existence.numel(), self.existence.device
        remedy = "Give one row per node or candidate edge."
        e = self.edge_index.shape[-1] if self.edge_index.ndim else 0
        several = self.position is not None and self.position.ndim > 1
        for name, tensor, wanted in (
            ("`Prediction.existence`", self.existence, (n,)),
            ("`Prediction.label`", self.label, (n, "classes")),
            ("`Prediction.edge_index`", self.edge_index, (2, e)),
            ("`Prediction.relation`", self.relation, (e, "relations")),
            ("`Prediction.batch`", self.batch, (n,)),
            ("`Prediction.position`", self.position, (n, "coordinates") if several else (n,)),
            ("`Prediction.weight`", self.weight, (e,)),
            ("`Prediction.embedding`", self.embedding, (n, "numbers")),
        ):
            if tensor is not None:
                check_shape(name, tensor.shape, wanted, remedy)
                check_device(name, tensor, "`existence`", device)


def _sizes(prediction: Prediction) -> tuple[int, int]:
    """Nodes and graphs."""
    return len(prediction.existence), prediction.num_graphs


# Found once: a compiler cannot ask.
_NAMES = tuple(f.name for f in fields(Prediction))
_NODES = tuple(f.name for f in fields(Prediction) if f.metadata == _NODE)
_EDGES = tuple(f.name for f in fields(Prediction) if f.metadata == _EDGE)


def _alike(before: object, after: object) -> bool:
    """Whether one value may stand for the other."""
    if isinstance(before, Tensor) and isinstance(after, Tensor):
        same = before.is_floating_point() == after.is_floating_point()
        return same and before.shape == after.shape
    return before is after or (type(before) is type(after) and before == after)
