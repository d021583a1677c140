"""GraphTransformNet: graph in, soft graph out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Data

from .._check import require
from .._versions import current, reading
from ..graphs import check_flag, membership
from ..prediction import Prediction
from ._card import ModelCard, write_card
from ._copied_edges import CopiedEdges
from ._copy import OwnLabel
from ._counted_places import counted_places
from ._edge_messages import expected_edges
from ._embedding import HashEmbedding, distinct, hidden_labels, label_keys, sinusoids
from ._features import FeatureEmbedding, check_width, moments_of
from ._heads import Candidates, OutputHeads, candidate_edges
from ._hub import downloaded, is_hub_name, upload
from ._layer import Layer
from ._message import message_edges
from ._network_options import (
    CandidateEdges,
    Dropout,
    OutputQueries,
    OutputSlots,
    check_outputs,
    check_sizes,
    whole_groups,
)
from ._ngrams import NGramEmbedding
from ._pretrained import save_model
from ._queries import QueryDecoder
from ._restored import restored
from ._slots import Slots, Wired

Places = Literal["input", "count"]


class GraphTransformNet(nn.Module):
    """Embedding, message passing, attention, output heads.

    Every input node yields `slots` output nodes, which may not exist; every candidate edge
    yields a relation, which may be *absent*. With `queries` output nodes stand at no input node,
    and each graph has as many. Input labels need no vocabulary; output labels and relations are
    fixed when the network is made, except for copied labels.

    Args:
        labels: The strings that output nodes can carry, read off the training targets.
        relations: The strings that output edges can carry; relation `k` is `relations[k - 1]`.
        dim: Size of a node's vector.
        num_layers: Message-passing steps, each followed by attention.
        num_heads: Attention heads; `dim` is a multiple of it.
        num_buckets: Rows of each of the eight embedding tables.
        ngrams: Length of the longest run of input nodes that has a vector of its own, see
            `NGramEmbedding`. For texts where the meaning of words and prefixes has to be
            memorised. 1: no run has a vector.
        candidates: Between which output nodes edges may be predicted. With `queries`, which have
            no order: "all" if directed, else each pair once, whatever it says of pairs.
        slots: Output nodes per input node, for targets that are larger than their inputs.
        queries: Output nodes that stand at no input node, for inputs that are sets.
        dropout: What is dropped at random in training.
        copy: Whether an output node may carry the label of its input node, even one that is not
            among `labels`. That is class `len(labels)` of the predicted logits. With `queries`
            none does.
        uncopied: Input labels that are not copied, none of them among `labels`. `train` takes
            those that many training inputs have and no training target.
        places: Positions that guide the alignment, where the input has positions. "input": the
            place of the input node in steps. "count": how many output nodes are expected before
            it in reading order, for targets that are texts of another length.
        directed: Whether an output edge has a direction. If not, each pair of output nodes is one
            candidate, whatever `candidates` says.
        symmetric: Whether edges without direction say the same from either end. The order in
            which the nodes of an input are listed then does not matter, without a window. Networks
            of 0.2.0 were saved as False.
        features: Numbers that each input node has, `graph.features`. They are standardised by
            what `standardise` measures, embedded, and added to the vector of the label.

    Raises:
        InputError: If a size does not fit, or `queries` meet what only other outputs can have. In
            a call, if a graph has more or fewer `features`.
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
        ngrams: int = 1,
        candidates: CandidateEdges | None = None,
        slots: OutputSlots | None = None,
        queries: OutputQueries | None = None,
        dropout: Dropout | None = None,
        copy: bool = True,
        uncopied: Sequence[str] = (),
        places: Places = "input",
        directed: bool = True,
        symmetric: bool = True,
        features: int = 0,
    ) -> None:
        super().__init__()
        groups = whole_groups(candidates=candidates, slots=slots, queries=queries, dropout=dropout)
        candidates, slots, queries, dropout = groups.values()
        check_sizes(num_layers, ngrams, features)
        check_flag("`directed`", directed)
        check_flag("`symmetric`", symmetric, "False reads an edge from the earlier node alone.")
        check_outputs(queries, slots, candidates, places)
        if queries.number:
            copy, uncopied = False, ()
        self.labels, self.relations = tuple(labels), tuple(relations)
        self._pairs, self.window, self.loops = candidates.pairs, candidates.window, candidates.loops
        self.places, self.directed, self._dropped_labels = places, directed, dropout.labels
        self.config: dict[str, Any] = {
            "labels": list(labels), "relations": list(relations), "dim": dim,
            "num_layers": num_layers, "num_heads": num_heads, "num_buckets": num_buckets,
            "ngrams": ngrams, **{name: asdict(group) for name, group in groups.items()},
            "copy": copy, "uncopied": list(uncopied), "places": places, "directed": directed,
            "symmetric": symmetric, "features": features,
        }  # fmt: skip
        self.embedding = HashEmbedding(dim, num_buckets=num_buckets)
        self.features = FeatureEmbedding(dim, features) if features else None
        self.ngrams = NGramEmbedding(dim, ngrams) if ngrams > 1 else None
        self.edge_embedding = HashEmbedding(dim, num_buckets=64)
        layer = partial(Layer, dim, num_heads, dropout.layers)
        self.layers = nn.ModuleList(layer() for _ in range(num_layers))
        self.slots = Slots(dim, slots.per_node, slots.in_turn) if slots.per_node > 1 else None
        count = slots.num_layers if slots.per_node > 1 else 0
        self.slot_layers = nn.ModuleList(layer() for _ in range(count))
        kinds = len(relations) * (2 if directed else 1)
        decoder = partial(QueryDecoder, dim, num_heads=num_heads, dropout=dropout.layers)
        self.queries = decoder(**asdict(queries), kinds=kinds) if queries.number else None
        self.own = OwnLabel(labels, uncopied) if copy else None
        self.copied = CopiedEdges(relations) if candidates.copy else None
        self.heads = OutputHeads(
            dim, num_labels=len(labels), num_relations=len(relations), num_heads=num_heads,
            copy=copy, locality=candidates.locality, placed=not queries.number,
            symmetric=symmetric and not (directed or queries.number),
        )  # fmt: skip

    def expect(self, nodes: float, edges: float | None = None) -> None:
        """Makes the untrained network expect these shares of its output nodes and edges to exist.

        Where only a few do, learning that takes the first steps, and places that count the nodes
        before (`places="count"`) mean nothing until then. Of `slots.in_turn` the first are likely.

        Args:
            nodes: Share of the output nodes, in (0, 1].
            edges: Share of the candidate edges (with `locality`: of those between neighbours), in
                (0, 1]. Default: "absent" is as likely as each of the relations (with `locality`,
                between neighbours: as all of them together).

        Raises:
            InputError: If a share is none.
        """
        for name, share in (("nodes", nodes), ("edges", edges)):
            fits = share is None or 0 < share <= 1
            require(fits, f"`{name}`", "lie in (0, 1]", share, f"Count the {name} of targets.")
        with torch.no_grad():
            self.heads.existence.bias.fill_(nodes).logit_(eps=0.01)
            if self.slots is not None:
                self.slots.expect(nodes, self.heads.existence.bias)
            if edges is not None:
                present = torch.tensor(edges, dtype=torch.float64).logit(eps=1e-4)
                self.heads.relation.bias[0] = math.log(len(self.relations) or 1) - present

    @property
    def num_slots(self) -> int:
        """Output nodes per input node: output node `k` stands at input node `k // num_slots`."""
        return 1 if self.slots is None else self.slots.num_slots

    @property
    def num_queries(self) -> int:
        """Output nodes of every graph that stand at no input node; 0 where all stand at one."""
        return 0 if self.queries is None else self.queries.number

    @property
    def num_features(self) -> int:
        """Numbers that each input node has."""
        return 0 if self.features is None else len(self.features.mean)

    @property
    def candidates(self) -> Candidates:
        """Where edges may be predicted: "forward", which holds each pair once, if undirected."""
        any_way = self._pairs == "all" or self.queries is not None
        return "all" if any_way and self.directed else "forward"

    def standardise(self, graphs: Iterable[Data]) -> None:
        """Measures mean and standard deviation of the numbers of nodes, on the training inputs.

        `train` does so by itself. They are saved with the weights, and no step changes them.

        Args:
            graphs: The inputs; each is looked at once.

        Raises:
            InputError: If they have other numbers than the network reads.
        """
        moments = moments_of(graphs)
        if self.features is not None:
            self.features.standardise(moments)

    def forward(self, graph: Data) -> Prediction:
        """The soft graphs predicted for a `Data` or `Batch` such as `text_to_graph` makes.

        It has `x`, `edge_index`, `edge_attr`, `features` if the network reads any and, if the nodes
        have an order, `position`. Messages pass both ways along the edges of a graph whose
        `directed` is False.
        """
        batch, num_graphs = membership(graph)
        edge_index, edge_attr = message_edges(graph, batch)
        rows, kind = distinct(edge_attr)
        wired = Wired(
            self.embed(graph), edge_index, kind, self.edge_embedding(rows), batch,
            graph.get("position"),
        )  # fmt: skip
        for layer in self.layers:
            wired = layer(wired, num_graphs)
        if self.queries is not None:
            wired = self._queried(self.queries, wired, num_graphs)
        if self.slots is not None:
            wired = self.slots(wired)
        for layer in self.slot_layers:
            wired = layer(wired, num_graphs)
        at, pairs = wired.batch, self.candidates
        candidates = candidate_edges(at, kind=pairs, window=self.window, loops=self.loops)
        own = None if self.own is None else self.own(graph.x).repeat_interleave(self.num_slots)
        position = None if wired.position is None else wired.position.to(wired.h.dtype)
        existence, label, relation = self.heads(wired.h, candidates, position, own, wired.batch)
        if self.slots is not None:
            existence = self.slots.moved(existence)
        if self.copied is not None:
            ends = edge_index * self.num_slots  # of several slots the first
            relation = relation + self.copied(ends, edge_attr, candidates, directed=self.directed)
        return Prediction(
            existence, label, candidates, relation, wired.batch, num_graphs,
            self._place(position, existence, wired.batch), directed=self.directed,
            embedding=wired.h,
        )  # fmt: skip

    def _queried(self, queries: QueryDecoder, wired: Wired, num_graphs: int) -> Wired:
        """The output nodes at no input node, which see the edges that they are to have."""
        number = queries.number
        each = torch.arange(num_graphs, device=wired.h.device).repeat_interleave(number)
        candidates = candidate_edges(each, kind=self.candidates)
        edges = expected_edges(self.heads, candidates, each, number, self.directed)
        return queries(wired, num_graphs, edges)

    def embed(self, graph: Data) -> Float[Tensor, "n d"]:
        """The vectors of the input nodes: label, and numbers, n-grams, position if it has any."""
        x = hidden_labels(graph.x, self._dropped_labels if self.training else 0.0)
        h = self.embedding(x)
        check_width(graph, self.num_features)
        if self.features is not None and len(h):
            h = h + self.features(graph.features)
        if self.ngrams is not None:
            h = h + self.ngrams(label_keys(x), membership(graph)[0])
        position = graph.get("position")
        return h if position is None else h + sinusoids(position, h.shape[1], h.dtype)

    def _place(
        self, position: Tensor | None, existence: Tensor, batch: Tensor
    ) -> Float[Tensor, " n"] | None:
        """Where the output nodes stand for the alignment, in steps of the target."""
        if position is None or self.places == "input":
            return position if position is None else position / self.num_slots
        return counted_places(position, existence, batch)

    @staticmethod
    def backward(
        prediction: Prediction,
        node_gradients: Float[Tensor, "n outputs"],
        edge_gradients: Float[Tensor, "e relations"],
    ) -> None:
        """Adds to every parameter's gradient what a loss says of this prediction (chain rule).

        `loss(model(x), y, return_gradients=True)` followed by this is the same as
        `loss(model(x), y).total.backward()`: the network needs nothing else of the loss. (A loss
        whose matcher reads `prediction.embedding` refuses the former.)

        Args:
            prediction: What the network returned, with its autograd history.
            node_gradients: Derivative in the existence logit (column 0) and the label logits.
            edge_gradients: Derivative in the relation logits.
        """
        torch.autograd.backward(
            (prediction.existence, prediction.label, prediction.relation),
            (node_gradients[:, 0], node_gradients[:, 1:], edge_gradients),
        )

    def save_pretrained(self, folder: str | Path, *, card: ModelCard | None = None) -> None:
        """Writes `config.json`, `model.safetensors` and `README.md`, each in one step.

        What was there is replaced only once the new file is complete.

        Args:
            folder: Where to write; it is made if it is not there.
            card: What README.md, the model card, says. Default: what the network itself tells;
                a README.md that is already there then stays.

        Raises:
            InputError: If a file cannot be written.
        """
        folder = current(folder)
        save_model(folder, self.config, self.state_dict())
        weights = sum(p.numel() for p in self.parameters())
        write_card(folder, card, type(self).__name__, self.config, weights)

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
    ) -> "GraphTransformNet":
        """The network that `save_pretrained` wrote, from a folder or from the Hugging Face Hub.

        Args:
            folder: The folder. Or, as a text, "owner/name" of a model on the Hub, where there is no
                such folder. A `Path` is never looked for on the Hub.
            revision: Branch, tag or commit on the Hub. Default: main.
            token: For what is not public on the Hub. Default: that of `hf auth login`.
            cache_dir: Where downloads are kept. Default: the cache of the Hub.
            local_files_only: Whether a model of the Hub is taken from there, without a connection.

        The loss of a run is not on the Hub: `saved_loss(folder)` reads it from the run.

        Raises:
            InputError: If a file is missing, unreadable, foreign, does not fit, or a weight is
                not finite. Also if there is no such model on the Hub.
            MissingExtra: If the Hub is asked for and huggingface_hub is not installed.
        """
        if not is_hub_name(folder):
            return reading(folder, lambda found: restored(cls, found))
        where = {"revision": revision, "token": token, "cache_dir": cache_dir}
        where["local_files_only"] = local_files_only
        with downloaded(str(folder), **where) as found:  # type: ignore[arg-type]
            return cls.from_pretrained(found)

    def push_to_hub(
        self,
        name: str,
        *,
        card: ModelCard | None = None,
        commit_message: str = "Add a model of grapheme-torch",
        private: bool | None = None,
        token: str | bool | None = None,
        branch: str | None = None,
        create_pr: bool = False,
    ) -> str:
        """Puts what `save_pretrained` writes into a repository on the Hugging Face Hub.

        Args:
            name: "owner/name" of the repository, which is made if there is none.
            card: What README.md says. Default: what the network itself tells; a README.md that is
                already there then stays.
            commit_message: What the history of the repository says.
            private: Whether a new repository is private. Default: as the owner has set it.
            token: Of the user. Default: that of `hf auth login`.
            branch: Default: main.
            create_pr: Whether to propose the change only.

        Returns:
            The address of the commit.

        Raises:
            InputError: If the Hub refuses it or cannot be reached.
            MissingExtra: If huggingface_hub is not installed.
        """
        given = ModelCard(title=name.rpartition("/")[2], place=name) if card is None else card
        return upload(
            name, partial(self.save_pretrained, card=given), commit_message=commit_message,
            private=private, token=token, branch=branch, create_pr=create_pr,
            keep_card=card is None,
        )  # fmt: skip
