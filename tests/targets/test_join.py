"""Several targets in one batch."""

import re
from typing import Any

import pytest
from torch_geometric.data import Batch, Data

from grapheme_torch import InputError, join_targets, target_from_edges

from ..problems import random_dag
from ..unchecked import unchecked
from .test_from_dense import assert_same

EDGES_AND_PLACES = ("edge_index", "edge_type", "position")


def test_batches_in_a_list_are_taken_apart() -> None:
    graphs = [random_dag(k, k) for k in range(4)]
    wanted = Batch.from_data_list(graphs)
    assert_same(join_targets(graphs), wanted)
    assert_same(join_targets([Batch.from_data_list(graphs[:3]), graphs[3]]), wanted)


def test_the_number_of_nodes_need_not_be_said() -> None:
    graph = random_dag(0, 3)
    silent = Data(y=graph.y, **{name: graph[name] for name in EDGES_AND_PLACES})
    assert join_targets([graph, silent]).num_nodes == 6
    assert "num_nodes" not in silent


@pytest.mark.parametrize(
    ("graphs", "message"),
    [
        ([], "`graphs` must hold at least one graph, got none."),
        ([3], "a target must be a `Data` or `Batch`, got 3."),
        (
            [target_from_edges([0, 0], [(0, 1)]), target_from_edges([0, 0], [(0, 1, 1)])],
            "every target must have edge_type, as other targets do, got edge_index, y in target 0.",
        ),
    ],
)
def test_what_is_refused(graphs: Any, message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        unchecked(join_targets)(graphs)
