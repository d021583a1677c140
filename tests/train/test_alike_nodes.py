"""Input nodes that look alike, and targets that cannot be put out at them."""

from math import inf
from pathlib import Path
from typing import Any, Literal

import pytest
from torch_geometric.data import Data

from grapheme_torch import Alphabet, StructuralLoss, make_graph
from grapheme_torch.data import Pair
from grapheme_torch.nn import CandidateEdges, GraphTransformNet, OutputQueries, OutputSlots
from grapheme_torch.train import chosen_options
from grapheme_torch.train._alike_nodes import slots_to_differ, unlike_nodes
from grapheme_torch.train._wrong_answers import causes

from .runs import write_pairs
from .small_data import CHLORINATED, TWINS, tree

RING = make_graph("CCC", [(0, 1, "-"), (1, 2, "-"), (2, 0, "-")], directed=False)
SALT = make_graph("CCCX", [(0, 1, "-"), (1, 2, "-"), (2, 0, "-"), (0, 3, "-")], directed=False)
WAY = make_graph("aa", [(0, 1, "next")])


def pair(given: Any, wanted: Any) -> Pair:
    return Pair(given, wanted, source="pairs.jsonl")


def test_nodes_are_alike_by_label_edges_and_numbers() -> None:
    assert unlike_nodes(pair(RING, SALT), by_edges=True) == (0, 2)  # X, and the C that has it
    assert unlike_nodes(pair(RING, SALT), by_edges=False) == (0, 1)
    assert unlike_nodes(pair(SALT, RING), by_edges=True) == (2, 0)
    assert unlike_nodes(pair(RING, WAY), by_edges=True) == (0, 2)
    assert unlike_nodes(pair(RING, WAY), by_edges=False) == (0, 0)
    numbered = make_graph("CCC", features=[[0.5], [0.5], [0.25]])
    assert unlike_nodes(pair(numbered, WAY), by_edges=True) == (1, 2)


@pytest.mark.parametrize(
    ("given", "wanted", "slots"),
    [
        (RING, SALT, inf), (RING, RING, 0), (SALT, WAY, 1), (make_graph(""), make_graph(""), 0),
        (make_graph("a" * 129), WAY, 0), (make_graph("a" * 128), WAY, inf),
        (make_graph("aab"), make_graph("xyz"), 3), (make_graph("aaa", position=[0, 1, 2]), WAY, 0),
    ],
)  # fmt: skip
def test_slots_that_let_all_targets_differ(given: Any, wanted: Any, slots: float) -> None:
    assert slots_to_differ(pair(given, wanted), by_edges=True) == slots


def test_outputs_of_few_pairs_are_queries_where_input_nodes_are_too_much_alike(
    tmp_path: Path,
) -> None:
    chosen = chosen_options(data=write_pairs(tmp_path / "few.jsonl", CHLORINATED))
    assert (chosen.facts.alike, chosen.facts.sets) == (4, False)
    assert chosen.options["network"]["queries"]["number"] == 7
    assert "in 4 pairs input nodes look too much alike, and the largest target" in str(chosen)
    many = write_pairs(tmp_path / "many.jsonl", CHLORINATED * 50)
    assert chosen_options(data=many).options["network"]["queries"]["number"] == 0


def test_order_tells_alike_nodes_apart_where_edges_lead_ahead(tmp_path: Path) -> None:
    twins = tree("aa", [])
    ahead = {"input": tree("aab", [(0, 1, "n")]), "target": tree("aa", [(0, 1, "n")])}
    assert chosen_options(data=write_pairs(tmp_path / "a.jsonl", [ahead])).facts.alike == 0
    aligned = {"input": twins, "target": tree("aa", [(0, 1, "n")]), "alignment": [0, 1]}
    assert chosen_options(data=write_pairs(tmp_path / "b.jsonl", [aligned])).facts.alike == 0
    del aligned["alignment"]
    assert chosen_options(data=write_pairs(tmp_path / "c.jsonl", [aligned])).facts.alike == 1


def test_edges_without_direction_tell_no_alike_nodes_apart(tmp_path: Path) -> None:
    chosen = chosen_options(data=write_pairs(tmp_path / "few.jsonl", TWINS))
    assert (chosen.facts.alike, chosen.facts.sets) == (6, False)
    assert chosen.options["network"]["queries"]["number"] == 3


def test_the_cause_of_a_wrong_answer_is_told() -> None:
    alphabet, loss = Alphabet(("a", "b"), ("next",)), StructuralLoss()

    def told(given: Data, candidates: Literal["all", "forward"] = "all", **options: Any) -> str:
        network = GraphTransformNet(
            alphabet.labels, alphabet.relations, dim=8, num_heads=2,
            candidates=CandidateEdges(pairs=candidates), **options,
        )  # fmt: skip
        (cause,) = causes(network.eval(), loss, [pair(given, WAY)], alphabet, falling=True)
        return f"{cause.kind}: {cause}"

    twins = make_graph("ccb")
    assert told(twins) == (
        "input: pairs.jsonl:1: 2 input nodes look alike to the network, and so do the output nodes "
        "at them. Give them numbers or places, or try --network.queries.number, as many as the "
        "largest target has nodes."
    )
    assert not told(make_graph("cdb")).startswith("input")
    assert not told(make_graph("ccb", position=[0, 1, 2])).startswith("input")
    # Edges lead ahead, so nodes are told apart by their order; so are runs of them.
    assert not told(twins, "forward").startswith("input")
    assert not told(twins, ngrams=2).startswith("input")
    assert not told(twins, slots=OutputSlots(per_node=2)).startswith("input")
    assert not told(twins, queries=OutputQueries(number=7)).startswith("input")
    # Edges without direction are read both ways, but for networks that are older than that.
    assert told(twins, directed=False).startswith("input")
    assert not told(twins, directed=False, symmetric=False).startswith("input")
