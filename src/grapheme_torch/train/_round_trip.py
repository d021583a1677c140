"""Answers that lead back to their input."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import nn
from torch_geometric.data import Data

from .._check import InputError
from ..data import Alphabet
from ..decoding import Constraint, decode, decode_accepted
from ..edits import find_isomorphism
from ._predict import alphabet_of, apart, asked, placed_alike

MOST = 1000
"""Answers to an input that are tried, at most."""


@torch.no_grad()
def predict_round_trip(
    network: nn.Module,
    graphs: Sequence[Data],
    input_of: Callable[[Data], Data],
    most: int = MOST,
    *,
    constraint: Constraint | None = None,
    directed: bool | None = None,
    alphabet: Alphabet | None = None,
) -> list[Data]:
    """To each graph the most probable answer whose own input it is.

    Where a target tells its input, as a molecule tells its fingerprint, an answer can be checked
    without knowing the target. Where none of those tried leads back, the answer is that of
    `predict`: so `leads_back` tells which answers to trust.

    Args:
        network, graphs, directed, alphabet: As for `predict`.
        input_of: Gives the input of an answer, such as `convert.molecule_to_fingerprint`. By an
            `InputError` it says that the answer has none. Inputs are compared but for numbering.
        most: How many answers to an input are tried, the most probable first.
        constraint: What the answers have to be, as for `decode_nbest`.

    Raises:
        InputError: As `predict` and `decode_accepted`.
    """
    if not graphs:
        return []
    alphabet = alphabet or alphabet_of(network)
    if not placed_alike(graphs):
        again = partial(
            predict_round_trip, network, input_of=input_of, most=most, constraint=constraint,
            directed=directed, alphabet=alphabet,
        )  # fmt: skip
        return apart(graphs, again)
    prediction, own = asked(network, graphs)
    names = alphabet.labels, alphabet.relations
    found = decode_accepted(
        prediction, *names, lambda k, answer: leads_back(answer, graphs[k], input_of), most,
        constraint, directed=directed, own=own,
    )  # fmt: skip
    if all(one is not None for one in found):
        return [one.graph for one in found if one is not None]
    plain = decode(prediction, *names, constraint, directed=directed, own=own)
    return [best if one is None else one.graph for one, best in zip(found, plain, strict=True)]


def leads_back(answer: Data, graph: Data, input_of: Callable[[Data], Data]) -> bool:
    """Whether the input of an answer is this graph, but for numbering; no if it has none."""
    try:
        return find_isomorphism(input_of(answer), graph) is not None
    except InputError:
        return False
