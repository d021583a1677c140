"""GraphTransformNet: graph in, soft graph out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Data

from .._check import require
from ..graph import membership
from ..prediction import Prediction
from ._attention import GraphAttention
from ._embedding import HashEmbedding, sinusoids
from ._heads import Candidates, OutputHeads, candidate_edges
from ._message import MessagePassingBlock
from ._pretrained import load_model, save_model


class GraphTransformNet(nn.Module):
    """Embedding, message passing, attention, output heads.

    Every input node yields one output node, which may not exist; every candidate edge yields a
    relation, which may be *absent*. Input labels need no vocabulary; output labels and
    relations are fixed when the network is made.

    Args:
        labels: The strings that output nodes can carry, read off the training targets.
        relations: The strings that output edges can carry; relation `k` is `relations[k - 1]`.
        dim: Size of a node's vector.
        num_layers: Message-passing steps, each followed by attention.
        num_heads: Attention heads; `dim` is a multiple of it.
        num_buckets: Rows of each of the eight embedding tables.
        candidates: Where edges may be predicted: "forward", from an input node to later ones
            (acyclic by construction), or "all" ordered pairs.
        window: Largest distance of a candidate edge in the order of the input. Default: any.

    Raises:
        InputError: If a size does not fit.
    """

    def __init__(
        self,
        labels: Sequence[str],
        relations: Sequence[str],
        *,
        dim: int = 64,
        num_layers: int = 2,
        num_heads: int = 4,
        num_buckets: int = 2048,
        candidates: Candidates = "forward",
        window: int | None = None,
    ) -> None:
        super().__init__()
        require(num_layers >= 0, "`num_layers`", "not be negative", num_layers, "Try 2.")
        require(
            candidates in ("forward", "all"), "`candidates`", 'be "forward" or "all"', candidates,
            'Use "forward" for acyclic targets.',
        )  # fmt: skip
        remedy = "Leave it out to allow any distance."
        require(window is None or window >= 1, "`window`", "be at least 1", window, remedy)
        self.labels, self.relations = tuple(labels), tuple(relations)
        self.candidates, self.window = candidates, window
        self.config: dict[str, Any] = {
            "labels": list(labels), "relations": list(relations), "dim": dim,
            "num_layers": num_layers, "num_heads": num_heads, "num_buckets": num_buckets,
            "candidates": candidates, "window": window,
        }  # fmt: skip
        self.embedding = HashEmbedding(dim, num_buckets=num_buckets)
        self.edge_embedding = HashEmbedding(dim, num_buckets=64)
        self.message_passing = nn.ModuleList(
            MessagePassingBlock(dim, dim) for _ in range(num_layers)
        )
        self.attention = nn.ModuleList(
            GraphAttention(dim, num_heads=num_heads) for _ in range(num_layers)
        )
        self.heads = OutputHeads(dim, num_labels=len(labels), num_relations=len(relations))

    def forward(self, graph: Data) -> Prediction:
        """The soft graphs predicted for a `Data` or `Batch` such as `text_to_graph` makes.

        It has `x`, `edge_index`, `edge_attr` and, if the nodes have an order, `position`.
        """
        batch, num_graphs = membership(graph)
        h = self.embed(graph)
        edge_index = candidate_edges(batch, kind=self.candidates, window=self.window)
        edge = self.edge_embedding(graph.edge_attr)
        for pass_messages, attend in zip(self.message_passing, self.attention, strict=True):
            h = attend(pass_messages(h, graph.edge_index, edge), batch, num_graphs)
        position = graph.get("position")
        position = None if position is None else position.to(h.dtype)
        return self.heads(h, edge_index, batch, num_graphs, position)

    def embed(self, graph: Data) -> Float[Tensor, "n d"]:
        """The vectors of the input nodes: label plus, where there is one, position."""
        h = self.embedding(graph.x)
        position = graph.get("position")
        return h if position is None else h + sinusoids(position, h.shape[1], h.dtype)

    @staticmethod
    def backward(
        prediction: Prediction,
        node_gradients: Float[Tensor, "n outputs"],
        edge_gradients: Float[Tensor, "e relations"],
    ) -> None:
        """Adds to every parameter's gradient what a loss says of this prediction (chain rule).

        `loss(model(x), y, return_gradients=True)` followed by this is the same as
        `loss(model(x), y).total.backward()`: the network needs nothing else of the loss.

        Args:
            prediction: What the network returned, with its autograd history.
            node_gradients: Derivative in the existence logit (column 0) and the label logits.
            edge_gradients: Derivative in the relation logits.
        """
        torch.autograd.backward(
            (prediction.existence, prediction.label, prediction.relation),
            (node_gradients[:, 0], node_gradients[:, 1:], edge_gradients),
        )

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes `config.json` and `model.safetensors` into the folder, each in one step.

        What was there is replaced only once the new file is complete.
        """
        save_model(Path(folder), self.config, self.state_dict())

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "GraphTransformNet":
        """The network that `save_pretrained` wrote.

        Raises:
            InputError: If a file is missing, unreadable, foreign, does not fit, or a weight is
                not finite.
        """
        config, weights = load_model(Path(folder))
        return _restore(cls, Path(folder), config, weights)


def _restore(cls: Any, folder: Path, config: dict[str, Any], weights: dict[str, Tensor]) -> Any:
    remedy = "Train the model again, or give the folder that `grapheme train` wrote."
    try:
        model = cls(**config)
        # In the precision of the file; copied, for the file's own memory is not aligned and
        # sums over it would round in another order.
        aligned = {name: tensor.clone() for name, tensor in weights.items()}
        model.load_state_dict(aligned, assign=True)
    except (TypeError, ValueError, RuntimeError, KeyError) as error:
        cause = str(error).replace("\n", " ")
        name = f"{folder / 'config.json'} and model.safetensors"
        require(False, name, "describe one and the same network", cause, remedy)
    return model
