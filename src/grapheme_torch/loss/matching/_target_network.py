"""The target's side of a matcher: a relational graph network over its nodes."""

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from ...graphs import spectral_coordinates
from ..batch._layout import dense
from ..batch._pairs import Pairs, Target


class TargetNetwork(nn.Module):
    """What each target node is, and where in its graph it stands, as a vector.

    Args:
        num_labels: Node classes, or numbers of a target node that is a vector.
        num_relations: Relations of edges, *absent* not counted.
        dim: Size of a vector.
        num_layers: Steps of messages.
        num_coordinates: Eigenvectors of the Laplacian that a node is told by.
    """

    def __init__(
        self, num_labels: int, num_relations: int, dim: int, num_layers: int, num_coordinates: int
    ) -> None:
        super().__init__()
        self.num_coordinates = num_coordinates
        self.label = nn.Linear(num_labels, dim)
        some = num_coordinates > 0
        self.coordinates = nn.Linear(num_coordinates, dim, bias=False) if some else None
        self.layers = nn.ModuleList(_Messages(dim, num_relations) for _ in range(num_layers))

    def forward(self, pairs: Pairs) -> Float[Tensor, "m d"]:
        """The vectors of the target nodes."""
        target, like = pairs.target, self.label.weight
        h = self._labelled(target.y)
        if self.coordinates is not None:
            h = h + self.coordinates(coordinates(target, self.num_coordinates).to(like))
        edges = _Edges.of(target, directed=pairs.directed)
        for layer in self.layers:
            h = layer(h, edges)
        return h

    def _labelled(self, y: Tensor) -> Float[Tensor, "m d"]:
        """The vector of a class, or of numbers; of an unknown class none."""
        if not is_class(y):
            labelled: Tensor = self.label(numbers(y).to(self.label.weight.dtype))
            return labelled
        rows = self.label.weight.mT[y.clamp(min=0)].masked_fill(y[:, None] < 0, 0)
        return rows + self.label.bias


def is_class(y: Tensor) -> bool:
    """Whether target nodes are told by one class each."""
    return y.ndim == 1 and not y.is_floating_point()


def numbers(y: Tensor) -> Shaped[Tensor, "m d"]:
    """The numbers that tell each target node."""
    return y.reshape(len(y), y.shape[1:].numel())


def coordinates(target: Target, size: int) -> Float[Tensor, "m k"]:
    """Where each target node stands in its graph, of the order of one; see `spectral_coordinates`.

    Computed where the eigenvectors of many small graphs are had soonest: on the processor.
    """
    layout = target.layout
    ones = torch.ones(len(target.graph), 1, device=layout.batch.device)
    ends = [(target.source, target.sink)]
    links = dense(ones, target.graph, ends, layout, several=target.several)[:, 0].cpu()
    found = spectral_coordinates(links, layout.mask.cpu(), size).to(layout.batch.device)
    return found[layout.batch, layout.place] * layout.count[layout.batch, None].sqrt()


class _Edges:
    """The ways of messages along the edges of a batch.

    Args:
        here, there: Nodes that a message goes from and to.
        relation: Its relation, from 0.
        turned: Whether it goes against the edge.
    """

    def __init__(
        self,
        here: Int[Tensor, " w"],
        there: Int[Tensor, " w"],
        relation: Int[Tensor, " w"],
        turned: Int[Tensor, " w"],
    ) -> None:
        self.here, self.there, self.relation, self.turned = here, there, relation, turned

    @classmethod
    def of(cls, target: Target, *, directed: bool) -> "_Edges":
        """Both ways along each edge; those of an undirected one are alike."""
        source = target.layout.node(target.graph, target.source)
        sink = target.layout.node(target.graph, target.sink)
        back = torch.full_like(source, int(directed))
        return cls(
            torch.cat([source, sink]),
            torch.cat([sink, source]),
            (target.relation - 1).repeat(2),
            torch.cat([torch.zeros_like(back), back]),
        )


class _Messages(nn.Module):
    """`h + W silu(W_0 z + sum_k mean_{u ->k v} W_k z_u)`, `z = LayerNorm(h)`, relational [schli18].

    `k` runs over relations and directions: each has a mean, and weights, of its own.
    """

    def __init__(self, dim: int, num_relations: int) -> None:
        super().__init__()
        self.kinds, self.num_relations = 2 * num_relations, num_relations
        self.norm = nn.LayerNorm(dim)
        self.own = nn.Linear(dim, dim)
        self.heard = nn.Linear(self.kinds * dim, dim, bias=False)
        self.out = nn.Linear(dim, dim)

    def forward(self, h: Float[Tensor, "m d"], edges: _Edges) -> Float[Tensor, "m d"]:
        """The vectors after the step."""
        z = self.norm(h)
        kind = edges.turned * self.num_relations + edges.relation
        box = edges.there * self.kinds + kind
        size = len(z) * self.kinds
        count = torch.bincount(box, minlength=size).clamp(min=1)
        total = z.new_zeros(size, z.shape[1]).index_add(0, box, z[edges.here])
        mean = (total / count[:, None]).reshape(len(z), self.kinds * z.shape[1])
        step: Tensor = self.out(nn.functional.silu(self.own(z) + self.heard(mean)))
        return h + step
