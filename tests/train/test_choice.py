"""Options that nobody set: what the data say, and what is chosen by it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from grapheme_torch import InputError, StructuralLoss
from grapheme_torch._check import Notice
from grapheme_torch.cli._main import main
from grapheme_torch.nn import OutputSlots
from grapheme_torch.train import (
    CHOSEN,
    Facts,
    Optimization,
    Stopping,
    chosen_options,
    train,
)
from grapheme_torch.train.choice import choose
from grapheme_torch.train.choice._copies import Copies, copies
from grapheme_torch.train.choice._names import flat, nested

from .runs import write_pairs
from .small_data import (
    AUTOMATA,
    KINDS_OF,
    ONE_TREE,
    PLURALS,
    README,
    RINGS,
    SMALL_DATA,
    SUMS,
    pairs_of,
)  # fmt: skip

MANY = Facts(
    pairs=9000, val_pairs=900, inputs=15.0, targets=12.0, slots=2, usual_slots=2, larger=0,
    shorter=False, shape="path", directed=True, placed_inputs=True, placed_targets=True,
    behind=9000, repeats=0.5, copied=0.6, moved=0.02, labels=40,
)  # fmt: skip
"""Such as of an inflection."""


def values(facts: Facts, **asked: Any) -> dict[str, Any]:
    return {name: choice.value for name, choice in choose(facts, asked).items()}


def facts_of(tmp_path: Path, records: list[dict[str, Any]], **options: Any) -> Facts:
    data = write_pairs(tmp_path / "pairs.jsonl", records)
    return chosen_options(data=data, **options).facts


@pytest.mark.repeats
@pytest.mark.parametrize("name", ["kindergarten", *SMALL_DATA])
def test_small_data_are_learned_without_an_option(tmp_path: Path, name: str) -> None:
    data = name
    if name != "kindergarten":
        data = write_pairs(tmp_path / "pairs.jsonl", SMALL_DATA[name])
    summary = train(tmp_path / "run", data=data)
    assert summary.exact_match == 1.0
    assert summary.seconds < 120


def test_facts_of_texts(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, PLURALS)
    assert (facts.pairs, facts.val_pairs, facts.slots, facts.shape) == (10, 0, 2, "path")
    assert facts.is_path
    assert facts.placed
    assert (facts.moved, facts.behind) == (0.0, 10)
    assert 0.5 < facts.copied < 0.8
    assert not facts.shorter


def test_facts_of_trees_and_rings(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, SUMS)
    assert (facts.shape, facts.directed, facts.repeats, facts.labels) == ("tree", True, 0.0, 12)
    assert (facts.placed_inputs, facts.placed_targets) == (True, False)
    assert facts_of(tmp_path, ONE_TREE).repeats == pytest.approx(6 / 9)
    rings = facts_of(tmp_path, RINGS)
    assert (rings.directed, rings.shape) == (False, "graph")
    assert rings.repeats > 0.8


def test_edges_that_targets_keep(tmp_path: Path) -> None:
    """A double bond moves along a chain; which way a bond is written does not count."""
    nodes = [{"id": k, "label": label} for k, label in enumerate("CCCO")]

    def chain(double: int, turned: bool) -> dict[str, Any]:
        ends = [(k, k + 1) for k in range(3)]
        edges = [
            {"source": u, "target": v, "label": "double" if k == double else "single"}
            for k, (u, v) in enumerate((v, u) if turned else (u, v) for u, v in ends)
        ]
        return {"nodes": nodes, "edges": edges, "directed": False}

    facts = facts_of(tmp_path, [{"input": chain(0, False), "target": chain(1, True)}])
    # C=C-C-O and C-C=C-O: the bonds C-C, C=C and C-O of the two.
    assert facts.kept == 1
    facts = facts_of(tmp_path, [{"input": chain(0, False), "target": chain(2, True)}])
    assert facts.kept == pytest.approx(1 / 3)  # C-C of C-C-C=O
    assert facts_of(tmp_path, SUMS).kept == 0
    rewritten = replace(MANY, shape="graph", directed=False, kept=0.5)
    chosen = values(rewritten)
    assert chosen["network.candidates.copy"] is True
    assert chosen["prices.unmatched_edges"] == 0.0
    for other in (
        replace(rewritten, kept=0.1),
        replace(rewritten, pairs=20),
        replace(MANY, kept=0.9),  # a text, whose edges join neighbours
        replace(rewritten, sets=True, largest=9),
    ):
        assert "network.candidates.copy" not in values(other)


def test_an_alignment_tells_whether_edges_lead_ahead(tmp_path: Path) -> None:
    (record,) = README
    assert facts_of(tmp_path, [record]).behind == 1
    assert facts_of(tmp_path, [{**record, "alignment": [0, 1, 3]}]).behind == 0
    assert facts_of(tmp_path, [{**record, "alignment": [1, 0, 3]}]).behind == 1
    assert facts_of(tmp_path, [{**record, "alignment": "of another kind"}]).behind == 1


@pytest.mark.parametrize(
    ("given", "wanted", "found"),
    [
        ("walk", "walked", Copies(4, 0)),
        ("xxab", "ab", Copies(2, 2)),
        ("abc", "cba", Copies(1, 2)),
        ("abc", "xyz", Copies(0, None)),
        ("", "a", Copies(0, None)),
    ],
)
def test_labels_that_may_be_copied(given: str, wanted: str, found: Copies) -> None:
    assert copies(given, wanted) == found


def test_options_that_were_asked_for_are_not_chosen() -> None:
    every = choose(MANY, {})
    asked = {"epochs": 3, "network.slots.per_node": 1, "gamma": 2.0}
    rest = choose(MANY, asked)
    assert not asked.keys() & rest.keys()
    assert "stopping.minutes" in every.keys() - rest.keys()  # a bound on epochs nobody set
    assert choose(MANY, values(MANY)) == {}


@pytest.mark.parametrize("shape", ["path", "tree", "acyclic", "graph"])
@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("pairs", [1, 150, 3000, 10**6])
@pytest.mark.parametrize("moved", [None, 0.0, 3.0])
@pytest.mark.parametrize("repeats", [0.1, 0.9])
def test_every_choice_is_one_that_help_tells_of(
    shape: Any, directed: bool, pairs: int, moved: float | None, repeats: float
) -> None:
    facts = replace(MANY, shape=shape, directed=directed, pairs=pairs, moved=moved, repeats=repeats)
    for placed in (True, False):
        chosen = choose(replace(facts, placed_targets=placed), {})
        assert chosen.keys() <= CHOSEN
        assert all(choice.reason for choice in chosen.values())


def test_what_few_pairs_get_are_the_plain_defaults() -> None:
    chosen = values(replace(MANY, pairs=10, slots=1, usual_slots=1, shorter=True))
    assert chosen["epochs"] == 100
    assert chosen["lr"] == 3e-3
    assert chosen["network.candidates.pairs"] == "forward"
    assert not any(name.startswith(("alignment", "hints", "optimization")) for name in chosen)


def test_few_nodes_without_places_are_matched_by_a_constant_plan() -> None:
    """Along its derivative they would match by halves, and stay so."""
    few = replace(MANY, pairs=20)
    queried = replace(few, sets=True, largest=9)
    for facts in (replace(few, placed_targets=False), queried):
        chosen = values(facts)
        assert (chosen["alignment.gradient"], chosen["gamma"]) == ("detach", 0)
    assert values(queried)["prices.unmatched_edges"] == 0
    assert {"alignment.gradient", "gamma", "prices.unmatched_edges"}.isdisjoint(values(few))


def test_what_inflections_sounds_molecules_and_graphs_get() -> None:
    kept, moved = values(MANY), values(replace(MANY, moved=3.0))
    assert kept["network.candidates.pairs"] == "forward"
    assert kept["network.places"] == moved["network.places"] == "count"
    assert "optimization.position_start" not in kept
    assert (moved["network.candidates.pairs"], moved["optimization.position_start"]) == (
        "all",
        0.05,
    )
    bare = replace(MANY, placed_targets=False, slots=1, usual_slots=1, shape="graph")
    graphs, alike = values(bare), values(replace(bare, repeats=0.9, directed=False))
    assert (graphs["network.candidates.pairs"], graphs["alignment.rounds"]) == ("all", 10)
    assert (alike["hints.restarts"], alike["network.candidates.locality"]) == (2, 2.0)
    assert alike["network.candidates.pairs"] == "forward"


def test_of_a_path_without_places_edges_tell_where_it_is_read_off(tmp_path: Path) -> None:
    bare = replace(MANY, placed_targets=False, shorter=True, slots=1, usual_slots=1)
    for facts in (bare, replace(bare, pairs=10), facts_of(tmp_path, KINDS_OF)):
        chosen = values(facts)
        assert chosen["network.candidates.pairs"] == "all"
        assert (chosen["hints.neighbours"], chosen["alignment.update"]) == (0.5, "proximal")


def test_edges_from_a_node_to_itself_are_looked_for_where_targets_have_some(tmp_path: Path) -> None:
    assert facts_of(tmp_path, AUTOMATA).loops == 5
    assert facts_of(tmp_path, SUMS).loops == 0
    assert "network.candidates.loops" not in values(MANY)
    for facts in (replace(MANY, loops=1), replace(MANY, loops=1, sets=True, largest=9)):
        assert values(facts)["network.candidates.loops"] is True


def test_a_run_of_few_pairs_has_steps_enough_and_a_mean_over_the_last_of_them() -> None:
    sounds = replace(MANY, moved=None, copied=0.0, inputs=6.0, targets=6.0)
    few, many = values(replace(sounds, pairs=800)), values(sounds)
    assert (few["batch_size"], few["optimization.ema_decay"]) == (16, 0.997)
    assert (many["batch_size"], many["optimization.ema_decay"]) == (64, 0.996)
    assert values(MANY)["batch_size"] == 32
    asked = values(replace(sounds, pairs=800), epochs=100, batch_size=4)
    assert asked["optimization.ema_decay"] == 0.998
    assert 0 <= values(replace(sounds, pairs=200), epochs=0)["optimization.ema_decay"] < 1


def test_options_that_would_not_go_together_are_not_chosen() -> None:
    alike = replace(MANY, placed_targets=False, shape="graph", repeats=0.9)
    assert "hints.restarts" not in values(alike, **{"hints.noise": 0.0})
    assert "hints.position" not in values(alike, **{"optimization.position_start": 0.1})
    moved = replace(MANY, moved=3.0)
    assert "optimization.position_start" not in values(moved, **{"hints.position": 0.0})
    assert "optimization.temperature_start" not in values(moved, **{"alignment.temperature": 0.0})


def test_paths_that_are_nearly_as_long_as_their_inputs_have_two_slots() -> None:
    near = replace(MANY, slots=1, usual_slots=1)
    rare = replace(MANY, slots=2, usual_slots=1, larger=1)
    larger = replace(MANY, slots=3, usual_slots=1, larger=1)
    for facts, slots, left_out in ((near, 2, False), (rare, 2, False), (larger, 2, True)):
        chosen = values(facts)
        assert chosen["network.slots.per_node"] == slots
        assert chosen["skip_larger"] is left_out
    assert values(replace(near, shorter=True))["network.slots.per_node"] == 1
    assert values(replace(rare, shape="tree"))["network.slots.per_node"] == 1


@pytest.mark.repeats
def test_a_rare_larger_target_is_left_out(tmp_path: Path) -> None:
    rare = replace(MANY, slots=5, usual_slots=2, larger=3)
    assert (values(rare)["network.slots.per_node"], values(rare)["skip_larger"]) == (2, True)
    few = replace(rare, pairs=100)
    assert (values(few)["network.slots.per_node"], values(few)["skip_larger"]) == (5, False)
    data = write_pairs(
        tmp_path / "pairs.jsonl", pairs_of({f"ab{k}": f"b{k}" for k in range(300)} | {"a": "abc"})
    )
    summary = train(tmp_path / "run", data=data, epochs=0)
    assert (summary.pairs, summary.left_out) == (300, 1)
    assert summary.left_out_first == [f"{data}:301"]
    assert summary.chosen["skip_larger"]["value"] is True
    again = yaml.safe_load((tmp_path / "run" / "train.yaml").read_text())
    assert again["skip_larger"] is True


def test_too_large_a_target_for_what_is_chosen_is_refused(tmp_path: Path) -> None:
    """Few pairs get more: a short question may have a long answer."""
    few = pairs_of({"a": "abcdefghi", "ab": "a"})
    data = write_pairs(tmp_path / "few.jsonl", few)
    assert chosen_options(data=data).options["network"]["slots"]["per_node"] == 9
    larger = [*few, *pairs_of({"b" * 600: "a", "b": "a" * 99})]
    data = write_pairs(tmp_path / "larger.jsonl", larger)
    with pytest.raises(InputError, match=r":4: .* at most 8 times .*--network.slots.per-node 99"):
        train(tmp_path / "run", data=data, epochs=0)
    many = [*few, *pairs_of({f"{k}": "a" for k in range(200)})]
    data = write_pairs(tmp_path / "many.jsonl", many)
    with pytest.raises(InputError, match=r":1: .* at most 8 times .*--network.slots.per-node 9"):
        train(tmp_path / "run", data=data, epochs=0)
    left_out = chosen_options(data=data, skip_larger=True).options["network"]["slots"]["per_node"]
    assert left_out <= 2


def test_whole_groups_are_the_users_own(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "pairs.jsonl", ONE_TREE)
    plain = {"loss": StructuralLoss(), "optimization": Optimization(), "stopping": Stopping()}
    told = chosen_options(data=data, **plain)
    assert not [name for name in told.choices if name.split(".")[0] not in ("network", *PLAIN)]
    assert told.options["alignment"]["rounds"] == 1
    partly = chosen_options(data=data, loss={"alignment": {"temperature": 0.05}})
    assert (partly.options["alignment"]["temperature"], partly.options["alignment"]["rounds"]) == (
        0.05,
        10,
    )
    slots = chosen_options(data=data, network={"slots": OutputSlots(per_node=3)})
    assert slots.options["network"]["slots"]["per_node"] == 3


PLAIN = ("epochs", "batch_size", "bucket", "lr", "skip_larger")


def test_a_group_with_an_unknown_option_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`stopping` must have known options only, got minuts"):
        train(tmp_path, stopping={"minuts": 3})


def test_a_start_that_has_no_end_by_the_data_is_refused(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "pairs.jsonl", ONE_TREE)
    asked = {"optimization": {"position_start": 0.1}, "loss": {"hints": {"position": 0.0}}}
    with pytest.raises(InputError, match="`position_start` must be left out"):
        chosen_options(data=data, **asked)


def test_a_run_that_goes_on_keeps_what_was_chosen(tmp_path: Path) -> None:
    data, out = write_pairs(tmp_path / "pairs.jsonl", PLURALS), tmp_path / "run"
    words = ["train", "--data", data, "--epochs", "1", "--resume", str(out)]
    assert main(words) == 0
    assert json.loads((out / "summary.json").read_text())["chosen"]["network.slots.per_node"]
    first = yaml.safe_load((out / "train.yaml").read_text())
    assert main(["train", "--resume", str(out), "--epochs", "2"]) == 0
    second = yaml.safe_load((out / "train.yaml").read_text())
    assert second == {**first, "epochs": 2}
    with pytest.warns(Notice, match="has come to its end"):
        train(out, data=data, epochs=2, resume=True)


def test_print_config_says_what_and_why(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "pairs.jsonl", PLURALS)
    words = ["train", "--data", data, "--print-config", "--network.dim", "32"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "# shape: path\n" in text
    assert "per_node: 2  # targets have up to 2 times the nodes of their inputs\n" in text
    assert "dim: 32\n" in text
    options = yaml.safe_load(text)
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["options"] == options
    chosen = document["chosen"]["network.places"]
    assert chosen == {"value": "count", "reason": "a path of another length than its input"}
    assert document["facts"]["pairs"] == 10
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    assert main(["train", "--config", str(tmp_path / "own.yaml"), "--print-config", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["options"], again["chosen"]) == (options, {})


def test_help_says_which_options_the_data_choose(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["train", "--help"]) == 0
    text = capsys.readouterr().out
    assert (
        "--epochs N            Passes over the data; 0 saves the untrained model. (by the data)"
        in text
    )
    assert main(["train", "--help.network"]) == 0
    assert capsys.readouterr().out.count("(by the data)") == sum(
        name.startswith("network.") for name in CHOSEN
    )


def test_names_of_groups_and_back() -> None:
    options = {"a": 1, "b": {"c": {"d": 2}, "e": None}}
    assert flat(options) == {"a": 1, "b.c.d": 2, "b.e": None}
    assert nested(flat(options)) == options
