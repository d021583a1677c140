"""A matcher that is ready to use: embeddings of both sides, and the distances between them."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from ..._check import require
from .._aligner import AlignmentProblem, Matcher
from .._options import check_count
from ..batch._known_nodes import embedding_of
from ..batch._pairs import Pairs
from ._target_network import TargetNetwork, is_class, numbers


class GraphMatcher(Matcher):
    """Scores of matches by embeddings of predicted and target nodes, (E48)-(E49) [mendez26].

    A target node is embedded by its class and by the lowest eigenvectors of its graph's Laplacian.
    Then it hears messages along the edges, averaged for each relation and direction. A predicted
    node is embedded by `Prediction.embedding`; without one by what is predicted of it and its
    edges. The score is minus the squared distance of the two, of mean 0 and variance 1 each, times
    a learnt scale. The void has a learnt vector on either side: deletions and insertions have
    scores, too.

    Args:
        num_labels: Node classes of targets, or numbers of a target node that is a vector.
        num_relations: Relations of edges, *absent* not counted.
        embedding: Size of `Prediction.embedding`. None: embeds node outputs and edges instead, and
            `outputs` says how many outputs a node has.
        outputs: Node outputs, columns of `Prediction.label`. Default: `num_labels`.
        dim: Size of a vector.
        num_layers: Steps of messages on the side of the target.
        num_coordinates: Eigenvectors of the Laplacian.
        slots: Predicted nodes of a graph at most: each place has a learnt vector, for decoders
            whose queries are places. None: no place has one.

    Raises:
        InputError: If a size is none; in `forward`, if prediction or target has another.

    Where a graph is symmetric, eigenvectors go by the order of its nodes. So alike nodes get scores
    of their own, the same in every step. Scores are
    differentiable once and more in the parameters, the embedding, the outputs, and the relations.
    Squared distances, not sums of magnitudes as in print: they are one matrix product, and smooth.
    """

    def __init__(
        self,
        num_labels: int,
        num_relations: int,
        *,
        embedding: int | None = None,
        outputs: int | None = None,
        dim: int = 64,
        num_layers: int = 3,
        num_coordinates: int = 8,
        slots: int | None = None,
    ) -> None:
        super().__init__()
        outputs = num_labels if outputs is None else outputs
        counts = {"num_labels": num_labels, "num_relations": num_relations, "dim": dim}
        counts |= {"outputs": outputs} if embedding is None else {"embedding": embedding}
        counts |= {} if slots is None else {"slots": slots}
        for name, value in counts.items():
            check_count(name, value, 1, "be at least 1", "Read it off the data.")
        check_count("num_layers", num_layers, 0, "not be negative", "Try 3.")
        check_count("num_coordinates", num_coordinates, 0, "not be negative", "Try 8.")
        self.config: dict[str, Any] = {
            "num_labels": num_labels, "num_relations": num_relations, "embedding": embedding,
            "outputs": outputs, "dim": dim, "num_layers": num_layers,
            "num_coordinates": num_coordinates, "slots": slots,
        }  # fmt: skip
        self.embedding, self.outputs, self.num_relations = embedding, outputs, num_relations
        self.reads_embedding = embedding is not None
        self.target = TargetNetwork(num_labels, num_relations, dim, num_layers, num_coordinates)
        self.predicted = _predicted(embedding, outputs, num_relations, dim)
        self.slots = None if slots is None else nn.Embedding(slots, dim)
        self.left, self.right = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.deletion = nn.Parameter(torch.randn(dim))
        self.insertion = nn.Parameter(torch.randn(dim))
        self.log_scale = nn.Parameter(torch.zeros(()))

    def forward(self, problem: AlignmentProblem) -> Float[Tensor, "B N1 M1"]:
        """The score of each match, deletion and insertion, in edits; the corner has none."""
        pairs = problem.pairs
        left = self._with_void(pairs.layout.pad(self.embed_predicted(pairs)), self.insertion)
        right = self._with_void(pairs.target.layout.pad(self.embed_target(pairs)), self.deletion)
        squares = left.square().mean(2)[:, :, None] + right.square().mean(2)[:, None]
        distance = squares - 2 * left @ right.mT / left.shape[2]
        corner = torch.zeros_like(distance)
        corner[:, -1, -1] = 1
        return -self.log_scale.exp() * distance.masked_fill(corner.bool(), 0)

    def embed_predicted(self, pairs: Pairs) -> Float[Tensor, "n d"]:
        """The vector of each predicted node.

        Raises:
            InputError: If the prediction is not of the sizes that the matcher is made for.
        """
        found = self.predicted(self._known(pairs))
        if self.slots is not None:
            width, most = pairs.layout.width, self.slots.num_embeddings
            remedy = "Make the matcher with more `slots`."
            wanted = f"have at most {most} nodes in each graph"
            require(width <= most, "`prediction`", wanted, width, remedy)
            found = found + self.slots(pairs.layout.place)
        return _whitened(self.left(found))

    def embed_target(self, pairs: Pairs) -> Float[Tensor, "m d"]:
        """The vector of each target node.

        Raises:
            InputError: If the target has classes or relations that the matcher does not know.
        """
        self._check_target(pairs)
        return _whitened(self.right(self.target(pairs)))

    def _known(self, pairs: Pairs) -> Float[Tensor, "n k"]:
        """What is known of each predicted node."""
        dtype = self.log_scale.dtype
        if self.embedding is None:
            width, got = self.outputs + 2 * self.num_relations, pairs.outputs.shape[1]
            remedy = "Make the matcher with `outputs` and `num_relations` of the prediction."
            known = torch.cat([pairs.exists[:, None].exp(), *_outputs(pairs)], 1)
            fits = known.shape[1] == width + 1
            require(fits, "`prediction.label`", f"have {self.outputs} columns", got, remedy)
            return known.to(dtype)
        given = embedding_of(
            pairs, self.embedding, of="matcher", otherwise="make the matcher without"
        )
        return given.to(dtype)

    def _check_target(self, pairs: Pairs) -> None:
        y, relation, known = pairs.target.y, pairs.target.relation, self.config["num_labels"]
        if not is_class(y):
            size = numbers(y).shape[1]
            wanted = f"be rows of {known} numbers"
        else:
            size = known if not len(y) or int(y.max()) < known else int(y.max()) + 1
            wanted = f"hold classes below {known}"
        remedy = "Make the matcher with that `num_labels`."
        require(size == known, "`target.y`", wanted, size, remedy)
        most = int(relation.max()) if len(relation) else 0
        wanted, remedy = f"be at most {self.num_relations}", "Make the matcher with more."
        require(most <= self.num_relations, "`target.edge_type`", wanted, most, remedy)

    def _with_void(self, nodes: Tensor, void: Tensor) -> Float[Tensor, "B _ d"]:
        return torch.cat([nodes, _whitened(void).expand(len(nodes), 1, -1)], 1)

    def extra_repr(self) -> str:
        """The sizes it was made with."""
        return ", ".join(f"{name}={value!r}" for name, value in self.config.items())


def _predicted(embedding: int | None, outputs: int, relations: int, dim: int) -> nn.Module:
    """From what is known of a predicted node to its vector."""
    if embedding is not None:
        return nn.Sequential(nn.LayerNorm(embedding), nn.Linear(embedding, dim))
    width = 1 + outputs + 2 * relations
    return nn.Sequential(nn.Linear(width, dim), nn.SiLU(), nn.Linear(dim, dim))


def _outputs(pairs: Pairs) -> list[Tensor]:
    """Node outputs, and how many edges of each relation leave and enter a node, as expected."""
    present = pairs.relation[:, 1:].exp()
    source = pairs.layout.node(pairs.graph, pairs.source)
    sink = pairs.layout.node(pairs.graph, pairs.sink)
    none = present.new_zeros(len(pairs.exists), present.shape[1])
    leaving, entering = none.index_add(0, source, present), none.index_add(0, sink, present)
    if not pairs.directed:
        leaving = entering = leaving + entering
    # A class that cannot be has a logit of minus infinity.
    outputs = pairs.outputs.nan_to_num(torch.nan, _FAR, -_FAR)
    return [outputs, leaving, entering]


_FAR = 100.0
"""What stands for an infinite logit."""


def _whitened(x: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
    """Mean 0 and variance 1 of each vector: squared distances are at most 4."""
    return layer_norm(x, x.shape[-1:])
