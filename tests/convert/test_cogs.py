"""COGS: semantic graphs that give their logical form back to the letter."""

from typing import Any

import pytest

from grapheme_torch import InputError
from grapheme_torch.convert import cogs, cogs_to_logical_form

from .samples import LOGICAL_FORMS, QUESTIONS

LINES = LOGICAL_FORMS.splitlines()
BOTH = LINES + QUESTIONS.splitlines()


@pytest.mark.parametrize("line", BOTH)
def test_the_logical_form_comes_back(line: str) -> None:
    (record,) = cogs([line])
    form = cogs_to_logical_form(record["input"], record["target"], record["alignment"])
    assert form == line.split("\t")[1]


@pytest.mark.parametrize("unit", ["character", "word"])
@pytest.mark.parametrize("line", BOTH)
def test_the_logical_form_comes_back_from_articles(line: str, unit: Any) -> None:
    (record,) = cogs([line], unit=unit, articles=True)
    sentence = line.split("\t")[0]
    form = cogs_to_logical_form(sentence, record["target"], record["alignment"], unit=unit)
    assert form == line.split("\t")[1]
    assert not any(node["label"].startswith("* ") for node in record["target"]["nodes"])


def test_words_and_articles_are_nodes() -> None:
    line = "The bird sang .\t* bird ( x _ 1 ) ; sing . agent ( x _ 2 , x _ 1 )\ttest"
    (record,) = cogs([line], unit="word", articles=True)
    assert [node["label"] for node in record["input"]["nodes"]] == ["The", "bird", "sang", "."]
    assert [node["label"] for node in record["target"]["nodes"]] == ["*", "bird", "sing"]
    edges = {(e["source"], e["target"], e["label"]) for e in record["target"]["edges"]}
    assert edges == {(2, 1, "agent"), (1, 0, "definite")}
    assert record["alignment"] == [0, 1, 2]


def test_a_graph_has_a_node_per_variable_and_name() -> None:
    records = list(cogs(LINES))
    labels = [[node["label"] for node in record["target"]["nodes"]] for record in records]
    assert labels == [
        ["cat", "see", "* dog"],
        ["* bird", "roof", "sing"],
        ["Ann", "hope", "Bob", "want", "swim"],
        ["LAMBDA a", "LAMBDA b", "LAMBDA e . kick"],
        ["LAMBDA a . cup"],
        ["Ann"],
    ]
    edges = [(e["source"], e["target"], e["label"]) for e in records[1]["target"]["edges"]]
    assert edges == [(0, 1, "nmod . on"), (2, 0, "agent")]
    assert records[0]["alignment"] == [2, 10, 22]
    assert records[3]["alignment"] == [None] * 3
    assert records[0]["type"] == "test"


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("cat ( x _ 1", "a term of the logical form must be readable, got 'cat"),
        ("cat ( x _ 1 , x _ 2 )", "a term of the logical form must be readable"),
        ("cat ( x _ 9 )", "an argument must be one of the 3 words, got 'x _ 9'"),
        ("see . agent ( x _ 1 , Eve )", "an argument must be one of the 3 words, got 'Eve'"),
        ("see . agent ( x _ 1 , x _ 2 )", "a variable must have a predicate, got 'x _ 2'"),
        ("cat ( x _ 1 ) AND dog ( x _ 1 )", "what is said of x _ 1 must be one predicate, got cat"),
        (
            "hit . agent ( x _ 1 , cat ) AND hit . theme ( x _ 1 , cat )",
            "between two nodes must be",
        ),
    ],
)
def test_another_form_is_refused(form: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"^c.tsv:1: .*{reason}"):
        list(cogs([f"the cat .\t{form}"], source="c.tsv"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("A dog ran .\trun . agent ( x _ 2 , x _ 1 ) AND dog ( x _ 1 )",
         "got 'dog \\( x _ 1 \\)' for 'run . agent"),
        ("A dog ran .\tdog ( x _ 1 ) ; run . agent ( x _ 2 , x _ 1 )", "got 'dog .* for 'dog"),
        ("the Ape ran .\tApe ( x _ 1 ) AND run . agent ( x _ 2 , x _ 1 )", "got 'run . agent"),
        ("ann ran .\trun . agent ( x _ 1 , ann )", "x _ 0 \\)' for 'run . agent"),
        ("A dog ran .\tdog", "got 'dog \\( x _ 1 \\)' for 'dog'"),
        ("A dog .\tdog ( x _ 1 ) AND dog ( x _ 1 )", "got 'dog .* for 'dog"),
    ],
)  # fmt: skip
def test_a_form_that_would_come_back_otherwise_is_refused(line: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"logical form must come back from its graph, .*{reason}"):
        list(cogs([line]))


def test_the_order_of_terms_may_be_let_go() -> None:
    line = "A dog ran .\trun . agent ( x _ 2 , x _ 1 ) AND dog ( x _ 1 )"
    (record,) = cogs([line], any_order=True)
    form = cogs_to_logical_form(record["input"], record["target"], record["alignment"])
    assert form == "dog ( x _ 1 ) AND run . agent ( x _ 2 , x _ 1 )"
    with pytest.raises(InputError, match="come back from its graph"):
        list(cogs(["ann ran .\trun . agent ( x _ 1 , ann )"], any_order=True))


def test_a_graph_of_something_else_is_refused() -> None:
    graph = {"nodes": [{"id": 0, "label": "cat"}], "edges": []}
    assert cogs_to_logical_form("a cat", graph, [2]) == "cat ( x _ 1 )"
    for alignment, reason in (([], "have one per node"), ([None], "be a character"),
                              ([3], "begin a word, got 3")):  # fmt: skip
        with pytest.raises(InputError, match=reason):
            cogs_to_logical_form("a cat", graph, alignment)
    graph["nodes"].append({"id": 1, "label": "LAMBDA a"})
    with pytest.raises(InputError, match="be LAMBDA too, got 'cat'"):
        cogs_to_logical_form("a cat", graph, [2, None])
