"""The most probable graph that is accepted: the first of the ranking that is."""

from typing import Any

import pytest
import torch
from torch_geometric.data import Data

from grapheme_torch import InputError
from grapheme_torch.decoding import Bounds, decode_accepted, decode_nbest
from grapheme_torch.prediction import Prediction

from ..unchecked import unchecked
from .test_nbest import LABELS, RELATIONS, Key, key_of, random_prediction

NAMES = (list(LABELS), RELATIONS)


@pytest.mark.parametrize("constraint", [None, "tree", "acyclic"])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_first_of_the_ranking_that_is_accepted(seed: int, constraint: Any) -> None:
    said = random_prediction(seed, 4, kind="all")
    (ranking,) = decode_nbest(said, *NAMES, 30, constraint)
    offered = [key_of(one.graph) for one in ranking]
    for wanted in {offered[0], offered[len(offered) // 2], offered[-1]}:

        def accept(_: int, graph: Data, wanted: Key = wanted) -> bool:
            return key_of(graph) == wanted

        (found,) = decode_accepted(said, *NAMES, accept, constraint=constraint)
        assert found is not None
        assert key_of(found.graph) == wanted
        score = ranking[offered.index(wanted)].log_probability
        assert found.log_probability == pytest.approx(score)


def test_no_more_are_offered_than_are_asked_for_or_needed() -> None:
    said = Prediction.cat([random_prediction(seed, 3, kind="all") for seed in (0, 1)])
    seen: list[int] = []

    def accept(k: int, _: Any) -> bool:
        seen.append(k)
        return k == 1 and seen.count(1) == 3

    first, second = decode_accepted(said, *NAMES, accept, most=5)
    assert first is None
    assert second is not None
    assert seen == [0] * 5 + [1] * 3


def test_what_cannot_be_ranked_is_none() -> None:
    """No tree has a node without edges beside another."""
    said = Prediction(
        torch.full((2,), 5.0), torch.zeros(2, 2), torch.zeros(2, 0).long(), torch.zeros(0, 3)
    )
    found = decode_accepted(said, *NAMES, lambda _, graph: graph.num_nodes == 2, constraint="tree")
    assert found == [None]


def test_what_is_refused() -> None:
    said = random_prediction(0, 2, kind="all")
    with pytest.raises(InputError, match=r"`most` must be at least 1, got 0\. Try 1000"):
        decode_accepted(said, *NAMES, lambda *_: True, most=0)
    bounds = Bounds(True, {}, {}, 0, 0, True, True)
    with pytest.raises(InputError, match="`constraint` must be no bounds where graphs are ranked"):
        unchecked(decode_accepted)(said, *NAMES, lambda *_: True, constraint=bounds)
