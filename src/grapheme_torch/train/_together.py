"""Several networks that answer together."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Batch, Data

from .._check import Received, require
from ..data import Alphabet
from ..decoding import Bounds, Constraint
from ..graphs import graph_key
from ..loss import StructuralLoss
from ..nn import GraphTransformNet
from ._predict import apart, placed_alike, predict, read

Member = tuple[GraphTransformNet, StructuralLoss]


@torch.no_grad()
def predict_together(
    members: Sequence[Member],
    graphs: Sequence[Data],
    *,
    constraint: Constraint | Bounds | None = None,
    directed: bool | None = None,
) -> list[Data]:
    """Of what several networks answer, for each input graph the answer that all find likeliest.

    That is the one of least loss, summed over the networks: negative log-probabilities, which no
    network need number its nodes alike for. An answer with a label or relation that a network
    has no class for comes last. Among equals that of most networks is taken, then that of the
    first.

    Args:
        members: Networks in the mode they are to predict in, each with the loss it was trained by,
            `reduction="none"`.
        graphs: What they read.
        constraint, directed: What the output graphs have to be, see `decode`.

    Raises:
        InputError: If the constraint is unknown, or only some networks give directed edges.
    """
    kinds = [network.directed for network, _ in members]
    remedy = "Ask networks for directed and for undirected graphs apart."
    found = Received("networks of both kinds")
    require(len(set(kinds)) <= 1, "`members`", "all give directed edges, or none", found, remedy)
    if not placed_alike(graphs):
        shape: dict[str, Any] = {"constraint": constraint, "directed": directed}
        return apart(graphs, lambda alike: predict_together(members, alike, **shape))
    given = [predict(one, graphs, constraint=constraint, directed=directed) for one, _ in members]
    choices = [_distinct(answers) for answers in zip(*given, strict=True)]
    doubtful = [k for k, answers in enumerate(choices) if len(answers) > 1]
    asked = [graphs[k] for k in doubtful for _ in choices[k]]
    offered = [answer for k in doubtful for answer in choices[k]]
    chosen = [answers[0] for answers in choices]
    if doubtful:
        told = iter(torch.stack([_loss(*member, asked, offered) for member in members]).sum(0))
        for k in doubtful:
            each = [float(next(told)) for _ in choices[k]]
            chosen[k] = choices[k][each.index(min(each))]
    return chosen


def _distinct(answers: Sequence[Data]) -> list[Data]:
    """Each answer once, those of most networks first."""
    known = {graph_key(answer): answer for answer in reversed(answers)}
    often = Counter(graph_key(answer) for answer in answers)
    return [known[key] for key, _ in often.most_common()]


def _loss(
    network: GraphTransformNet,
    loss: StructuralLoss,
    graphs: Sequence[Data],
    answers: Sequence[Data],
) -> Float[Tensor, " k"]:
    """The loss of each answer to the graph beside it; infinite where it has no class."""
    alphabet = Alphabet(network.labels, network.relations)
    total = torch.full((len(answers),), torch.inf, dtype=torch.float64)
    known = [k for k, answer in enumerate(answers) if alphabet.covers(answer)]
    if known:
        said = network(read(network, [graphs[k] for k in known]))
        wanted = Batch.from_data_list([alphabet.encode(answers[k]) for k in known])
        total[known] = loss(said, wanted.to(said.label.device)).total.double().cpu()
    return total
