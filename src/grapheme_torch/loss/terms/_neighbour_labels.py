"""A second task that helps to learn edges: which labels the neighbours of a node have."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..._check import Received, require
from .._alignment_plan import Plan
from .._options import check_count
from ..batch._known_nodes import embedding_of
from ..batch._layout import dense
from ..batch._pairs import Pairs
from ._term import Term


class NeighbourLabels(Term):
    """Squared error of the labels of each node's neighbours, read off its embedding, (E54).

    A linear map of `Prediction.embedding` predicts how many neighbours of each label a node has.
    That is compared with the target nodes that it is aligned with [krzakala24]. So a network learns
    of edges before it knows where they end. For outputs that no input node is tied to, such as
    `queries` of `GraphTransformNet`.

    Args:
        embedding: Numbers of `Prediction.embedding`, such as `dim` of `GraphTransformNet`.
        num_labels: Classes of nodes.
        directed: Whether edges have a direction. Those that leave a node and those that arrive are
            then counted apart.

    Raises:
        InputError: If a number is below 1. In a call, if the prediction has no embedding, or one of
            another size. If targets hold no classes below `num_labels`. If `directed` is not that
            of the loss, or its matches are not `Dense`.

    Neighbours of unknown class count for no label. An ignored node is compared with nothing, and is
    nobody's neighbour. Differentiable in the embedding, the parameters, and as far as the loss is
    in the plan.

    Example:
        >>> term = gt.NeighbourLabels(embedding=64, num_labels=4)
        >>> loss = gt.StructuralLoss(terms={"neighbours": (0.5, term)}, directed=False)
    """

    reads_embedding = True

    def __init__(self, embedding: int, num_labels: int, *, directed: bool = False) -> None:
        super().__init__()
        for name, value in (("embedding", embedding), ("num_labels", num_labels)):
            check_count(name, value, 1, "be at least 1", "Count them.")
        self.embedding, self.num_labels, self.directed = embedding, num_labels, directed
        columns = num_labels * (2 if directed else 1)
        self.norm, self.read = nn.LayerNorm(embedding), nn.Linear(embedding, columns)

    def forward(self, pairs: Pairs, plan: Plan) -> Float[Tensor, " B"]:
        """The error of each pair, summed over what is aligned."""
        given = self._checked(pairs)
        said = pairs.layout.pad(self.read(self.norm(given.to(self.read.weight.dtype))))
        wanted = self._counted(pairs).to(said.dtype)
        # The square taken apart: one product of matrices instead of a number for each label.
        squares = said.square().sum(2)[:, :, None] + wanted.square().sum(2)[:, None]
        error = squares - 2 * said @ wanted.mT
        matches = plan.padded[:, :-1, :-1]
        ignored = pairs.target.ignored
        if ignored is not None:
            counts = pairs.target.layout.pad((~ignored)[:, None])[:, None, :, 0]
            matches = matches * counts
        return (matches * error.to(matches.dtype)).sum((1, 2))

    def _counted(self, pairs: Pairs) -> Float[Tensor, "B M columns"]:
        """Neighbours of each target node by their label."""
        t = pairs.target
        kinds = torch.arange(self.num_labels, device=t.y.device)
        label = t.layout.pad((t.y[:, None] == kinds).to(pairs.exists.dtype))
        ends = [(t.source, t.sink), (t.sink, t.source)][: 1 if self.directed else 2]
        one = label.new_ones(len(t.graph), 1)
        leaving = dense(one, t.graph, ends, t.layout, several=True)[:, 0]
        ways = [leaving, leaving.mT] if self.directed else [leaving]
        return torch.cat([way @ label for way in ways], 2)

    def _checked(self, pairs: Pairs) -> Float[Tensor, "n k"]:
        """The embedding, if batch and term are made for each other."""
        given = embedding_of(pairs, self.embedding, of="term", otherwise="leave the term out")
        y = pairs.target.y
        most = y.max().item() if y.numel() else -1
        classes = not y.is_floating_point() and y.ndim == 1 and most < self.num_labels
        wanted = f"hold classes below {self.num_labels}, the `num_labels` of the term"
        got = Received(f"{y.dtype} up to {most}")
        require(classes, "`target.y`", wanted, got, "Make the term with more `num_labels`.")
        remedy = f"Make the term with directed={pairs.directed}."
        same = pairs.directed == self.directed
        require(same, "`directed`", "be that of the loss", self.directed, remedy)
        return given
