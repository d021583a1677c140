"""The share of target nodes aligned with the place they come from."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import InputError, text_to_graph
from grapheme_torch.edits import Places
from grapheme_torch.graphs import make_graph
from grapheme_torch.metrics import AlignmentAccuracy

from ..random_graphs import graphs, renumbered
from ..unchecked import unchecked

NUMBERS = "an alignment must hold numbers of input nodes, from 0, lists of such, or null, got "
ALCOHOL = make_graph("CCO", [(0, 1, "single"), (1, 2, "single")])


def plan(rows: list[int], num_predicted: int) -> Tensor:
    """The plan that sends each target node to a row; the row after the last is the void."""
    whole = torch.zeros(num_predicted + 1, len(rows) + 1)
    whole[rows, range(len(rows))] = 1.0
    return whole


def accuracy(rows: list[int], places: Places, target: Data, size: int = 5) -> Tensor:
    metric = AlignmentAccuracy()
    metric.update([plan(rows, size)], [places], [target])
    return metric.compute()


@pytest.mark.parametrize(
    ("rows", "places", "share"),
    [
        ([0, 1, 2], [0, 1, 2], 1.0),
        ([1, 0, 2], [0, 1, 2], 1 / 3),
        ([0, 1, 2], [0, None, 3], 1 / 2),
        ([0, 1, 5], [0, 1, 2], 2 / 3),  # inserted
        ([0, 1, 2], [None, None, None], 1.0),
        ([3, 1, 2], [3, 3, 3], 1 / 3),
        ([3, 1, 2], [[0, 3], [1], 2], 1.0),
        ([3, 1, 2], [(0, 1), [1, 2, 3], [0, 1]], 1 / 3),
    ],
)
def test_known_values(rows: list[int], places: Places, share: float) -> None:
    assert accuracy(rows, places, ALCOHOL) == pytest.approx(share)


def test_symmetric_nodes_stand_for_one_another() -> None:
    propane = make_graph("CCC", [(1, 0, "single"), (1, 2, "single")])
    assert accuracy([2, 1, 0], [0, 1, 2], propane) == 1.0
    assert accuracy([1, 0, 2], [0, 1, 2], propane) == pytest.approx(1 / 3)
    assert accuracy([2, 1, 0], [0, 1, None], propane) == 1 / 2  # nobody says that 2 is as good


def test_the_largest_mass_of_a_column_decides() -> None:
    metric = AlignmentAccuracy()
    soft = torch.tensor([[0.4, 0.6, 0.0], [0.5, 0.3, 0.2], [0.1, 0.1, 0.0]])
    metric.update([soft], [[1, 0]], [text_to_graph("ab")])
    assert metric.compute() == 1.0


def test_batches_add_up() -> None:
    metric = AlignmentAccuracy()
    metric.update([], [], [])
    assert metric.compute() == 1.0
    metric.update([plan([0, 1, 2], 3)], [[0, 1, 2]], [ALCOHOL])
    metric.update([plan([0], 1), plan([], 2)], [[1], []], [text_to_graph("a"), text_to_graph("")])
    assert metric.compute() == 3 / 4


@given(st.data())
def test_the_numbering_does_not_matter(data: st.DataObject) -> None:
    target = data.draw(graphs())
    n = len(target.label)
    rows = data.draw(st.lists(st.integers(0, n), min_size=n, max_size=n))
    places = data.draw(st.lists(st.none() | st.integers(0, n), min_size=n, max_size=n))
    order = data.draw(st.permutations(range(n)))
    there = accuracy(
        [rows[k] for k in order], [places[k] for k in order], renumbered(target, order), n
    )
    assert accuracy(rows, places, target, n) == there
    assert 0 <= there <= 1
    assert accuracy(list(range(n)), list(range(n)), target, n) == 1.0


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ([0], r"an alignment must be a list with one entry per target node \(2\), got \[0\]\. "),
        ([0, -1], NUMBERS + r"-1\. "),
        ([0, True], NUMBERS + "True"),
        ([0, [1, -1]], NUMBERS + r"\[1, -1\]"),
        ([0, [1, None]], NUMBERS + r"\[1, None\]"),
        ([0, []], NUMBERS + r"\[\]"),
        ([0, "1"], NUMBERS + "'1'"),
    ],
)
def test_refused_alignments(places: Any, message: str) -> None:
    with pytest.raises(InputError, match="^" + message):
        unchecked(AlignmentAccuracy.update)(
            AlignmentAccuracy(), [plan([0, 1], 2)], [places], [text_to_graph("ab")]
        )


def test_a_plan_of_another_target_is_refused() -> None:
    message = (
        r"^a plan must be a matrix of 3 columns, got torch\.float32 of shape \(3, 4\)\. "
        r"Take it from `StructuralLossResult.plan`"
    )
    with pytest.raises(InputError, match=message):
        AlignmentAccuracy().update([torch.zeros(3, 4)], [[0, 1]], [text_to_graph("ab")])
